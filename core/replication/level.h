// What a request's level asks of a key's replicas: numbers, names and data centers become
// quorums, and bounds are kept.
//
//   one 1 | quorum N/2+1 | all N | local_quorum, each_quorum: a majority of the replicas in the
//   coordinator's data center, or in each. Where all replicas are in one data center, the last
//   two are quorum.
//
// In a strict bucket R + W > N makes reads monotonic: an answer must be durable on
// HoldersForAnswer() replicas. With local_quorum over several data centers the same holds
// among the replicas of the coordinator's own, and nothing is claimed across.
//
// In a sloppy bucket stand-ins count toward numbers alone: PR, PW and the levels that name data
// centers count a key's owners. Nothing is claimed of its reads, so they wait for no repair.

#ifndef NORN_CORE_REPLICATION_LEVEL_H_
#define NORN_CORE_REPLICATION_LEVEL_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/node_context.h"
#include "core/replication/quorum.h"

namespace norn {

// OK, or which bound the request's level, number or primary breaks. `request` names a bucket
// that exists.
absl::Status CheckLevel(const NodeContext& node, const BucketConfig& bucket,
                        const ClientRequest& request);

// Who must have taken a write before it is acknowledged. The request passed CheckLevel().
Quorum WriteQuorum(const NodeContext& node, const BucketConfig& bucket,
                   const ClientRequest& request, absl::Span<const NodeId> replicas);

struct ReadQuorums {
  Quorum reads;    // who must have replied
  Quorum holders;  // who must hold the answer durably
};
ReadQuorums MakeReadQuorums(const NodeContext& node, const BucketConfig& bucket,
                            const ClientRequest& request, absl::Span<const NodeId> replicas);

// Those of `replicas` that are in this node's data center.
absl::InlinedVector<NodeId, 5> LocalReplicas(const NodeContext& node,
                                             absl::Span<const NodeId> replicas);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_LEVEL_H_
