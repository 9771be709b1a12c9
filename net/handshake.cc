#include "net/handshake.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/config.h"
#include "core/types.h"
#include "net/handshake_fields.h"
#include "net/proto_reader.h"
#include "net/proto_writer.h"
#include "xxhash.h"

namespace norn::net {
namespace {

template <typename T>
std::vector<T> SortedById(std::vector<T> list) {
  std::stable_sort(list.begin(), list.end(), [](const T& a, const T& b) { return a.id < b.id; });
  return list;
}

// A name as it was configured, fit for a log.
std::string Quoted(absl::string_view name) {
  return absl::StrCat("\"", absl::CHexEscape(name.substr(0, 128)), "\"");
}

// A stranger's text, fit for a log.
std::string Printable(absl::string_view text) {
  std::string printable(text);
  for (char& c : printable) c = absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?';
  return printable;
}

std::string Versions(uint32_t low, uint32_t high) {
  return low == high ? absl::StrCat("version ", low) : absl::StrCat("versions ", low, " to ", high);
}

absl::Status CheckCluster(const Identity& ours, NodeId peer, absl::string_view cluster) {
  if (cluster == ours.cluster) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "node ", ours.id, " is of cluster ", Quoted(ours.cluster), ", node ", peer, " of cluster ",
      Quoted(cluster), ": correct the address or the cluster's name on one of them"));
}

absl::Status CheckFingerprint(const Identity& ours, NodeId peer, uint64_t fingerprint) {
  if (fingerprint == ours.fingerprint) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("nodes ", ours.id, " and ", peer, " have different configurations of cluster ",
                   Quoted(ours.cluster),
                   ": partitions, members (id, zone, weight), buckets and secret must be the same "
                   "on every node"));
}

template <typename M>
absl::StatusOr<M> Decode(absl::string_view name, absl::string_view bytes) {
  std::string error;
  ProtoReader reader(DecodeLimits{}, &error);
  M message;
  if (!reader.Read(bytes, &message)) {
    return absl::InvalidArgumentError(absl::StrCat("malformed ", name, ": ", error));
  }
  return message;
}

}  // namespace

// The structured bindings name every field, so that a new one has to be decided on here.
uint64_t ConfigFingerprint(const ClusterConfig& cluster) {
  const auto& [name, partitions, members, buckets, secret] = cluster;
  static_cast<void>(name);  // compared by itself, for a clearer error
  std::string bytes;
  AppendVarint(&bytes, partitions);
  AppendVarint(&bytes, members.size());
  for (const MemberConfig& member : SortedById(members)) {
    const auto& [id, address, zone, weight] = member;
    static_cast<void>(address);
    AppendVarint(&bytes, id);
    AppendBytes(&bytes, zone);
    AppendVarint(&bytes, weight);
  }
  AppendVarint(&bytes, buckets.size());
  for (const BucketConfig& bucket : SortedById(buckets)) {
    const auto& [id, bucket_name, n, r, w, r_min, w_min, sloppy] = bucket;
    AppendVarint(&bytes, id);
    AppendBytes(&bytes, bucket_name);
    // 0 for r_min says the same as r.
    for (const int count : {n, r, w, r_min == 0 ? r : r_min, w_min == 0 ? w : w_min}) {
      AppendVarint(&bytes, static_cast<uint64_t>(count));
    }
    AppendVarint(&bytes, sloppy ? 1 : 0);
  }
  AppendBytes(&bytes, secret);
  return XXH3_64bits(bytes.data(), bytes.size());
}

Hello MakeHello(const Identity& ours, NodeId to) {
  return {.version_min = ours.version_min,
          .version_max = ours.version_max,
          .cluster = ours.cluster,
          .node = ours.id,
          .to = to,
          .generation = ours.generation,
          .instance = ours.instance,
          .fingerprint = ours.fingerprint};
}

HelloReply Refuse(const Identity& ours, Verdict verdict, std::string text) {
  HelloReply reply;
  reply.verdict = verdict;
  reply.text = std::move(text);
  reply.cluster = ours.cluster;
  reply.node = ours.id;
  return reply;
}

HelloReply JudgeHello(const Identity& ours, const Hello& hello, bool is_member) {
  const uint32_t version = std::min(ours.version_max, hello.version_max);
  if (version < ours.version_min || version < hello.version_min) {
    return Refuse(ours, Verdict::kVersion,
                  absl::StrCat("node ", ours.id, " speaks protocol ",
                               Versions(ours.version_min, ours.version_max), ", node ", hello.node,
                               " speaks ", Versions(hello.version_min, hello.version_max),
                               ": upgrade the older one"));
  }
  if (const absl::Status status = CheckCluster(ours, hello.node, hello.cluster); !status.ok()) {
    return Refuse(ours, Verdict::kCluster, std::string(status.message()));
  }
  if (hello.node == ours.id && hello.instance == ours.instance) {
    return Refuse(ours, Verdict::kOurselves,
                  absl::StrCat("node ", ours.id, " reached itself when it dialled node ", hello.to,
                               ": correct the address of node ", hello.to));
  }
  if (hello.to != ours.id) {
    return Refuse(ours, Verdict::kWrongNode,
                  absl::StrCat("node ", hello.node, " dialled node ", hello.to,
                               " and reached node ", ours.id, ": correct the address of node ",
                               hello.to, " in the configuration of node ", hello.node));
  }
  if (hello.node == ours.id) {
    return Refuse(ours, Verdict::kTwin,
                  absl::StrCat("two processes call themselves node ", ours.id,
                               ": give one of them another id"));
  }
  if (!is_member) {
    return Refuse(
        ours, Verdict::kStranger,
        absl::StrCat("node ", hello.node, " is no member of cluster ", Quoted(ours.cluster),
                     " in the configuration of node ", ours.id, ": add it there, or stop it"));
  }
  if (const absl::Status status = CheckFingerprint(ours, hello.node, hello.fingerprint);
      !status.ok()) {
    return Refuse(ours, Verdict::kFingerprint, std::string(status.message()));
  }
  return {.verdict = Verdict::kAccepted,
          .text = {},
          .version = version,
          .cluster = ours.cluster,
          .node = ours.id,
          .generation = ours.generation,
          .fingerprint = ours.fingerprint};
}

absl::Status CheckReply(const Identity& ours, NodeId dialled, const HelloReply& reply) {
  if (reply.verdict != Verdict::kAccepted) {
    return absl::FailedPreconditionError(
        absl::StrCat("node ", reply.node, " refused the connection: ", Printable(reply.text)));
  }
  if (const absl::Status status = CheckCluster(ours, reply.node, reply.cluster); !status.ok()) {
    return status;
  }
  if (reply.node != dialled) {
    return absl::FailedPreconditionError(
        absl::StrCat("dialled node ", dialled, " and node ", reply.node,
                     " answered: correct the address of node ", dialled));
  }
  if (reply.version < ours.version_min || reply.version > ours.version_max) {
    return absl::FailedPreconditionError(
        absl::StrCat("node ", reply.node, " chose protocol version ", reply.version,
                     ", which node ", ours.id, " did not offer (",
                     Versions(ours.version_min, ours.version_max), "): upgrade the older one"));
  }
  return CheckFingerprint(ours, reply.node, reply.fingerprint);
}

void EncodeHello(const Hello& hello, std::string* out) {
  ProtoWriter writer(out);
  Fields(writer, hello);
}

void EncodeHelloReply(const HelloReply& reply, std::string* out) {
  ProtoWriter writer(out);
  Fields(writer, reply);
}

absl::StatusOr<Hello> DecodeHello(absl::string_view bytes) { return Decode<Hello>("Hello", bytes); }

absl::StatusOr<HelloReply> DecodeHelloReply(absl::string_view bytes) {
  return Decode<HelloReply>("HelloReply", bytes);
}

}  // namespace norn::net
