// What two nodes must agree on before the first message between them.
//
// The node that dials says Hello; the node that accepts answers with a verdict. Each side
// checks the other: the acceptor by JudgeHello, the dialler by CheckReply. A refusal is a
// text that names both nodes, what differs and what to do, and both sides report it.
//
// Pure functions; sockets are in net/outgoing_connection.h and net/incoming_connection.h.
//
// This is no authentication: it guards against mistakes of configuration, not against an
// attacker who can reach the peer port.

#ifndef NORN_NET_HANDSHAKE_H_
#define NORN_NET_HANDSHAKE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/config.h"
#include "core/types.h"

namespace norn::net {

// The first bytes each way. Text, so that people recognise it in a capture.
inline constexpr char kPreamble[] = "NORN-P2P";

// Versions of what Envelope means. The greatest that both speak is used.
inline constexpr uint32_t kProtocolVersionMin = 1;
inline constexpr uint32_t kProtocolVersionMax = 1;

// A Hello or HelloReply is never longer; a stranger cannot make us hold more than this.
// It holds the definitions of kBucketsMax buckets.
inline constexpr size_t kHandshakeBytesMax = 16384;

// Who this node is.
struct Identity {
  NodeId id = kNoNode;
  std::string cluster;
  Generation generation = 0;
  uint64_t instance = 0;     // drawn at random at start
  uint64_t fingerprint = 0;  // ConfigFingerprint
  std::vector<BucketConfig> buckets =
      {};  // sorted by id: to tell in what the configurations differ
  uint32_t version_min = kProtocolVersionMin;
  uint32_t version_max = kProtocolVersionMax;
};

// Fields as in net/wire.proto.
struct Hello {
  uint32_t version_min = 0;
  uint32_t version_max = 0;
  std::string cluster;
  NodeId node = kNoNode;
  NodeId to = kNoNode;
  Generation generation = 0;
  uint64_t instance = 0;
  uint64_t fingerprint = 0;
  std::vector<BucketConfig> buckets = {};
};

enum class Verdict : uint8_t {
  kAccepted = 0,
  kVersion = 1,
  kCluster = 2,
  kFingerprint = 3,
  kWrongNode = 4,
  kOurselves = 5,
  kTwin = 6,
  kStranger = 7,
  kMalformed = 8,
};

struct HelloReply {
  Verdict verdict = Verdict::kMalformed;
  std::string text;
  uint32_t version = 0;
  std::string cluster;
  NodeId node = kNoNode;
  Generation generation = 0;
  uint64_t fingerprint = 0;
};

// Of everything in which the members of a cluster must not differ: partitions, members with
// zones and weights, buckets, secret. Not of addresses: nodes may see one another under
// different ones. Independent of the order in which members and buckets are listed.
uint64_t ConfigFingerprint(const ClusterConfig& cluster);

// "bucket 3 (logs): w is 2 on node 1, 1 on node 4; bucket 5 (x) is on node 1 only": in what two
// nodes' buckets differ. Empty if they do not. `ours` and `theirs` are sorted by id.
std::string BucketDifferences(NodeId our_id, const std::vector<BucketConfig>& ours, NodeId their_id,
                              const std::vector<BucketConfig>& theirs);

// Who a node of `cluster` is; its generation is the caller's to set.
Identity MakeIdentity(const ClusterConfig& cluster, NodeId id, uint64_t instance);

Hello MakeHello(const Identity& ours, NodeId to);

// Whether `ours` takes the node that said `hello` as a peer; `is_member`: whether it is
// configured.
HelloReply JudgeHello(const Identity& ours, const Hello& hello, bool is_member);

// A refusal, for what only the acceptor can know.
HelloReply Refuse(const Identity& ours, Verdict verdict, std::string text);

// OK, or why the node that answered is not the one that was dialled. `reply.text` of a
// refusal is passed on, as printable text.
absl::Status CheckReply(const Identity& ours, NodeId dialled, const HelloReply& reply);

// Append the bytes; they are one frame's payload.
void EncodeHello(const Hello& hello, std::string* out);
void EncodeHelloReply(const HelloReply& reply, std::string* out);

absl::StatusOr<Hello> DecodeHello(absl::string_view bytes);
absl::StatusOr<HelloReply> DecodeHelloReply(absl::string_view bytes);

}  // namespace norn::net

#endif  // NORN_NET_HANDSHAKE_H_
