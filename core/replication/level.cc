#include "core/replication/level.h"

#include <algorithm>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn {

namespace {

using Nodes = absl::InlinedVector<NodeId, 5>;

absl::string_view DataCenterOf(const NodeContext& node, NodeId id) {
  const MemberConfig* const member = node.FindMember(id);
  CORE_CHECK(member != nullptr);
  return member->data_center;
}

int Majority(size_t replicas) { return static_cast<int>(replicas / 2) + 1; }

// The replicas by data center, in the order of the list.
absl::InlinedVector<Nodes, 2> ByDataCenter(const NodeContext& node,
                                           absl::Span<const NodeId> replicas) {
  absl::InlinedVector<Nodes, 2> groups;
  for (const NodeId replica : replicas) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Nodes& group) {
      return DataCenterOf(node, group.front()) == DataCenterOf(node, replica);
    });
    if (same == groups.end()) {
      groups.push_back({replica});
    } else {
      same->push_back(replica);
    }
  }
  return groups;
}

// The data centers that must each give a majority: none if the level is about numbers alone.
absl::InlinedVector<Nodes, 2> MajorityGroups(const NodeContext& node, Level level,
                                             absl::Span<const NodeId> replicas) {
  if (level != Level::kLocalQuorum && level != Level::kEachQuorum) return {};
  absl::InlinedVector<Nodes, 2> groups = ByDataCenter(node, replicas);
  if (groups.size() == 1) return {};
  if (level == Level::kLocalQuorum) groups = {LocalReplicas(node, replicas)};
  return groups;
}

// How many of all replicas the level asks for, leaving data centers aside.
int CountOf(const ClientRequest& request, int own, int n) {
  switch (request.level) {
    case Level::kNumber:
      return request.quorum == 0 ? own : request.quorum;
    case Level::kOne:
      return 1;
    case Level::kAll:
      return n;
    case Level::kQuorum:
    case Level::kLocalQuorum:
    case Level::kEachQuorum:
      return Majority(static_cast<size_t>(n));
  }
  return own;
}

std::string LevelText(Level level) {
  return level == Level::kNumber ? std::string() : absl::StrCat(" (", LevelName(level), ")");
}

}  // namespace

Nodes LocalReplicas(const NodeContext& node, absl::Span<const NodeId> replicas) {
  const absl::string_view ours = DataCenterOf(node, node.self());
  Nodes local;
  for (const NodeId replica : replicas) {
    if (DataCenterOf(node, replica) == ours) local.push_back(replica);
  }
  return local;
}

absl::Status CheckLevel(const NodeContext& node, const BucketConfig& bucket,
                        const ClientRequest& request) {
  if (request.quorum == 0 && request.level == Level::kNumber && request.primary == 0) {
    return absl::OkStatus();
  }
  const bool get = request.kind == ClientRequest::Kind::kGet;
  const char* const letter = get ? "R" : "W";
  if (request.primary < 0 || request.primary > bucket.n) {
    return absl::InvalidArgumentError(absl::StrCat("P", letter, " is ", request.primary,
                                                   ": bucket ", bucket.name, " permits 1 to ",
                                                   bucket.n, " (n)"));
  }
  if (request.level != Level::kNumber && request.quorum != 0) {
    return absl::InvalidArgumentError(absl::StrCat(letter, " is given as a number, ",
                                                   request.quorum, ", and as a level, ",
                                                   LevelName(request.level), ": choose one"));
  }
  const std::string key = MakeRecordKey(request.bucket, request.key);
  const absl::Span<const NodeId> replicas = node.ReplicasOf(key, node.layout.PartitionOf(key));
  int count = CountOf(request, get ? bucket.r : bucket.w, bucket.n);
  const auto groups = MajorityGroups(node, request.level, replicas);
  if (!groups.empty()) {
    count = 0;
    for (const Nodes& group : groups) {
      if (group.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("local_quorum: no replica of this key is in data center \"",
                         DataCenterOf(node, node.self()), "\" of node ", node.self(),
                         ": ask a node of another data center, or use another level"));
      }
      count += Majority(group.size());
    }
  }
  const int least = get ? bucket.RMin() : bucket.WMin();
  if (count < least || count > bucket.n) {
    return absl::InvalidArgumentError(
        absl::StrCat(letter, " is ", count, LevelText(request.level), ": bucket ", bucket.name,
                     " permits ", least, " to ", bucket.n, get ? " (r_min, n)" : " (w_min, n)"));
  }
  return absl::OkStatus();
}

Quorum WriteQuorum(const NodeContext& node, const BucketConfig& bucket,
                   const ClientRequest& request, absl::Span<const NodeId> replicas) {
  const auto groups = MajorityGroups(node, request.level, replicas);
  const int n = static_cast<int>(replicas.size());
  Quorum quorum(replicas, groups.empty() ? CountOf(request, bucket.w, n) : 0);
  for (const Nodes& group : groups) quorum.Require(group, Majority(group.size()));
  if (request.primary > 0) quorum.Require(replicas, request.primary);
  return quorum;
}

ReadQuorums MakeReadQuorums(const NodeContext& node, const BucketConfig& bucket,
                            const ClientRequest& request, absl::Span<const NodeId> replicas) {
  const int n = static_cast<int>(replicas.size());
  const bool overlapping = !bucket.sloppy && bucket.RMin() + bucket.WMin() > n;
  const auto groups = MajorityGroups(node, request.level, replicas);
  const bool within = !groups.empty() && request.level == Level::kLocalQuorum;
  const int holders =
      overlapping && !within ? HoldersForAnswer(n, bucket.RMin(), bucket.WMin()) : 0;
  const int r = groups.empty() ? CountOf(request, bucket.r, n) : 0;
  ReadQuorums quorums{Quorum(replicas, std::max(r, holders)), Quorum(replicas, holders)};
  for (const Nodes& group : groups) {
    const int majority = Majority(group.size());
    quorums.reads.Require(group, majority);
    if (bucket.sloppy) continue;
    quorums.holders.Require(group,
                            HoldersForAnswer(static_cast<int>(group.size()), majority, majority));
  }
  if (request.primary > 0) quorums.reads.Require(replicas, request.primary);
  return quorums;
}

}  // namespace norn
