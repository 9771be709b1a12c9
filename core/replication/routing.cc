#include "core/replication/routing.h"

#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "core/replication/level.h"

namespace norn {

namespace {

using Nodes = absl::InlinedVector<NodeId, 5>;

// The stand-in that is to mint, or kNoNode. `n`: so many that can be reached are looked at.
NodeId PickStandIn(const NodeContext& node, const Membership& membership, const Nodes& stand_ins,
                   size_t n) {
  NodeId first = kNoNode;
  size_t healthy = 0;
  for (const NodeId stand_in : stand_ins) {
    if (stand_in == node.self()) return stand_in;
    // To whom was never heard of nothing can be forwarded: a forward names a generation.
    if (membership.GenerationOf(stand_in) == 0 || !membership.IsReachable(stand_in)) continue;
    if (first == kNoNode) first = stand_in;
    if (++healthy == n) break;
  }
  return first;
}

}  // namespace

NodeId PickMinter(const NodeContext& node, const Membership& membership,
                  const ClientRequest& request) {
  const std::string key = MakeRecordKey(request.bucket, request.key);
  const PartitionId partition = node.layout.PartitionOf(key);
  if (node.IsReplicaOf(node.self(), key, partition)) return node.self();
  const absl::Span<const NodeId> replicas = node.ReplicasOf(key, partition);
  const auto candidates = [&](absl::Span<const NodeId> nodes) {
    if (request.level == Level::kLocalQuorum) return LocalReplicas(node, nodes);
    return Nodes(nodes.begin(), nodes.end());
  };
  NodeId heard_of = kNoNode;
  for (const NodeId replica : candidates(replicas)) {
    if (membership.GenerationOf(replica) == 0) continue;
    if (membership.IsReachable(replica)) return replica;
    if (heard_of == kNoNode) heard_of = replica;
  }
  const NodeId stand_in =
      PickStandIn(node, membership, candidates(node.StandInsOf(key, partition)), replicas.size());
  return stand_in == kNoNode ? heard_of : stand_in;
}

}  // namespace norn
