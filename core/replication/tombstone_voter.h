// Our part in the rounds that others lead to remove tombstones: tombstone_collector.h has the
// whole of it. Here: what we hold, said of a complete replica in one life, or not at all; and the
// removal itself. (An epoch is raised by Standing, which makes it durable.)

#ifndef NORN_CORE_REPLICATION_TOMBSTONE_VOTER_H_
#define NORN_CORE_REPLICATION_TOMBSTONE_VOTER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/node_context.h"
#include "core/replication/standing.h"

namespace norn {

class TombstoneVoter {
 public:
  TombstoneVoter(NodeContext& node, const Standing& standing) : node_(node), standing_(standing) {}

  void OnOffer(StepContext& step, NodeId from, TombstoneOffer&& offer);
  void OnStoreReply(StepContext& step, uint64_t id, const StoreReply& reply);
  void OnRemoval(StepContext& step, TombstoneRemoval&& removal);

 private:
  struct Vote {
    NodeId from = kNoNode;
    PartitionId partition = 0;
    TombstoneAnswer answer;
    std::map<uint64_t, KeyHash> awaited;  // by store id
  };

  bool IsWhole(PartitionId partition, Incarnation life) const;
  void Answer(StepContext& step, Vote&& vote);

  NodeContext& node_;
  const Standing& standing_;
  std::map<uint64_t, Vote> votes_;        // by number
  std::map<uint64_t, uint64_t> vote_of_;  // store id -> vote
  uint64_t next_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_TOMBSTONE_VOTER_H_
