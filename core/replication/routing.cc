#include "core/replication/routing.h"

#include "absl/types/span.h"

namespace norn {

NodeId PickMinter(const NodeContext& node, const Membership& membership, PartitionId partition,
                  bool sloppy) {
  if (node.layout.IsReplica(partition, node.self())) return node.self();
  // To whom was never heard of nothing can be forwarded: a forward names a generation.
  const auto known = [&membership](NodeId id) { return membership.GenerationOf(id) != 0; };
  const absl::Span<const NodeId> replicas = node.layout.Replicas(partition);
  NodeId heard_of = kNoNode;
  for (const NodeId replica : replicas) {
    if (!known(replica)) continue;
    if (membership.IsReachable(replica)) return replica;
    if (heard_of == kNoNode) heard_of = replica;
  }
  if (!sloppy) return heard_of;
  NodeId first = kNoNode;
  size_t healthy = 0;
  for (const NodeId stand_in : node.layout.StandIns(partition)) {
    if (stand_in == node.self()) return stand_in;
    if (!known(stand_in) || !membership.IsReachable(stand_in)) continue;
    if (first == kNoNode) first = stand_in;
    if (++healthy == replicas.size()) break;
  }
  return first == kNoNode ? heard_of : first;
}

}  // namespace norn
