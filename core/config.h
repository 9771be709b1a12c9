// What a cluster and a node are told at their start: plain values, in core's units.
// node/config turns a textproto into these and names the line of what is wrong.

#ifndef NORN_CORE_CONFIG_H_
#define NORN_CORE_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/rare_branch.h"
#include "core/types.h"

namespace norn {

// What becomes of concurrent versions of a key.
enum class ConflictPolicy : uint8_t {
  kSiblings = 0,  // all are kept until a client resolves them: no update is lost
  kLww = 1,       // the greatest (timestamp, dot) stays, the others are lost: last writer wins
};

// What a plain GET answers when a key has several concurrent values.
enum class PlainGet : uint8_t {
  kWinner = 0,  // the newest timestamp's, then the greatest dot's
  kError = 1,   // an error that sends the client to KV.GET
};

// A named configuration of keys. The same on every node.
struct BucketConfig {
  BucketId id = 0;               // fixed for ever: it is part of every record's key
  std::string name = "default";  // unique; 1 to 64 of a-z, A-Z, 0-9, '-', '_', '.'; no number
  int n = 3;                     // replicas of each key, 1 to 9
  int r = 2;                     // replies a read waits for, r_min to n
  int w = 2;                     // durable copies a write waits for, w_min to n
  int r_min = 0;  // the least R a request may ask for; 0: r. A read's answer is durable on
                  // n - r_min + 1 replicas before it is given, if r_min + w_min > n
  int w_min = 0;  // the least W a request may ask for; 0: w

  // False, strict: only the n replicas count. True, sloppy: other servers stand in for replicas
  // that cannot be reached: always writable, but nothing that R + W > N promises holds.
  bool sloppy = false;
  ConflictPolicy conflicts = ConflictPolicy::kSiblings;  // not to be changed once there is data
  PlainGet plain_get = PlainGet::kWinner;
  int64_t ttl_us = 0;  // of puts that do not name their own; 0: they do not expire

  // Limits of this bucket; 0: the node's own (NodeOptions), which are never exceeded either way.
  size_t key_bytes_max = 0;
  size_t value_bytes_max = 0;
  size_t siblings_max = 0;

  // Dynamo's pruning (section 4.4): a put that leaves more entries than this in a record's
  // context drops those that were minted longest ago. 0, the default: never. DANGER: a version
  // that the dropped entry covered is no longer known to have been seen. Where a replica or a
  // delayed message still holds it, it comes back as a false sibling, deletes included. It
  // bounds the context, and takes that price; without it minting stops at context_entries_max.
  size_t prune_entries_above = 0;

  int RMin() const { return r_min == 0 ? r : r_min; }
  int WMin() const { return w_min == 0 ? w : w_min; }
};

struct MemberConfig {
  NodeId id = kNoNode;
  std::string address;  // of the peer port, "host:port"; opaque to the core
  std::string zone;     // replicas of a key go to distinct zones where there are enough
  uint32_t weight = 1;  // share of partitions
  // For the levels local_quorum and each_quorum; members that name none are in one together.
  std::string data_center = {};
};

struct ClusterConfig {
  std::string name;           // nodes of differently named clusters refuse each other
  uint32_t partitions = 256;  // Q, fixed at creation; a power of two, 1 to 16384
  std::vector<MemberConfig> members;
  std::vector<BucketConfig> buckets = {BucketConfig{}};
  std::string secret;  // authenticates context tokens; the same on every node; not empty
};

inline constexpr size_t kBucketsMax = 64;  // their definitions fit one handshake
inline constexpr size_t kBucketNameBytesMax = 64;

// The most replicas that any bucket has: the length of the layout's lists.
int GreatestN(const ClusterConfig& cluster);

// By name, or by number written in decimals. Null: there is none.
const BucketConfig* FindBucket(const ClusterConfig& cluster, absl::string_view name_or_number);

// Every setting of a bucket as "name" and "value", as the configuration file writes them: for
// people, and to show where two definitions differ.
std::vector<std::pair<std::string, std::string>> DescribeBucket(const BucketConfig& bucket);

// The largest record that a message carries (16 MiB), with what else is in it.
inline constexpr size_t kMergedRecordBytesMax = 15u << 20;

struct NodeOptions {
  NodeId id = kNoNode;

  size_t key_bytes_max = 16u << 10;
  size_t value_bytes_max = 1u << 20;
  size_t siblings_max = 64;  // concurrent values of one key; minting past it is refused
  // Of one encoded record. A mint past it is refused unless it makes the record smaller. All
  // replicas of a key may be at the bound with different siblings when they merge, so N times
  // as much must fit into a message (kMergedRecordBytesMax).
  size_t record_bytes_max = 2u << 20;
  size_t context_entries_max = 1024;  // incarnations in one record's context; likewise
  // Minting in an lww bucket is refused while the record's timestamp is so far ahead of our
  // wall clock: a clock that once ran far ahead must not drag all others along.
  int64_t max_clock_skew_us = 10'000'000;
  size_t requests_in_flight_max = 65536;  // client requests coordinated at once

  // Reads and writes of other coordinators that our store has at once; as many more wait for it,
  // and the rest are refused.
  size_t replica_work_max = 4096;

  int64_t request_timeout_us = 2'000'000;  // default and greatest of a client request
  int64_t gossip_interval_us = 500'000;
  int64_t suspect_after_us = 3'000'000;  // a heartbeat that has not risen for so long
  int64_t speculate_after_us = 20'000;   // a read asks its spare replicas after so long
  // A read asks one replica for the record, and the others for a digest if it has more bytes than
  // this; 0: all for the record. If they differ, one more round fetches what they hold.
  uint64_t digest_above_bytes = 1024;
  int64_t exchange_interval_us = 200'000;   // pause between two exchanges with other replicas
  size_t exchange_page_entries = 512;       // keys compared per message
  size_t exchange_page_bytes = 256u << 10;  // records sent per message
  // What exchanges may send, and be sent in answer, per second.
  uint64_t exchange_bytes_per_second = 32u << 20;
  // What may be read per second to build Merkle trees; a scrub of them reads a 16th of it.
  uint64_t tree_scan_bytes_per_second = 32u << 20;
  int64_t tree_save_after_us = 5'000'000;  // trees are saved when nothing was written for so long
  uint64_t tree_bucket_keys = 500;         // a bucket of a Merkle tree, when it is built, at most
  int64_t tree_scrub_interval_us = 10'000'000;  // pause between scrubs of two trees; 0: no scrubs
  // How often the store is asked which keys it cannot read, to have them mended; 0: never.
  int64_t damage_check_interval_us = 1'000'000;
  uint64_t lease_counters = 4096;  // dots a partition may mint per durable lease

  // Hints: what this node keeps for replicas that it stands in for.
  uint64_t hint_bytes_max = 256u << 20;       // more are refused
  uint64_t hint_bytes_per_second = 4u << 20;  // handed over, in all
  int64_t hint_age_max_us = 10'800'000'000;   // of those that nobody counted: then forgotten

  // Tombstones and expired values: kept for so long, then looked for so often (0: never), at so
  // many bytes per second, and removed once every replica holds them.
  int64_t tombstone_keep_us = 600'000'000;
  int64_t tombstone_interval_us = 60'000'000;
  uint64_t tombstone_scan_bytes_per_second = 4u << 20;

  RareBranches* rare = nullptr;  // of simulations alone; outlives the node
};

// OK, or what is impossible and how to mend it: W above N, an unknown own id, two
// members with one id, Q no power of two.
absl::Status Validate(const ClusterConfig& cluster, const NodeOptions& node);

}  // namespace norn

#endif  // NORN_CORE_CONFIG_H_
