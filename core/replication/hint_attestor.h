// What a member of the cluster promises before tombstones of sloppy buckets go, and how it learns
// what it may have promised: stand_in_epochs.h has the whole of it.

#ifndef NORN_CORE_REPLICATION_HINT_ATTESTOR_H_
#define NORN_CORE_REPLICATION_HINT_ATTESTOR_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/node_context.h"
#include "core/replication/hint_machine.h"
#include "core/replication/standing.h"

namespace norn {

class HintAttestor {
 public:
  HintAttestor(NodeContext& node, Standing& standing, const HintMachine& hints)
      : node_(node), standing_(standing), hints_(hints) {}

  void OnAttest(StepContext& step, NodeId from, const HintAttest& attest);
  // As if we were asked, by ourselves. kOk: on its way to the disk, to which the next slot write
  // goes that is asked for.
  ReplicaStatus Promise(PartitionId partition, uint64_t epoch);
  // Answers what has become durable, and takes up what replicas told.
  void Pump(StepContext& step);

 private:
  struct Owed {
    NodeId to = kNoNode;
    RequestId request = 0;
    uint64_t after = 0;  // the slot write that makes it durable
  };

  // Of this process; drawn anew by every start, and never 0.
  uint64_t Session() const { return node_.request_base | 1; }
  void Answer(StepContext& step, NodeId to, RequestId request, ReplicaStatus status,
              uint64_t epoch = 0);

  NodeContext& node_;
  Standing& standing_;
  const HintMachine& hints_;
  std::vector<Owed> owed_;
  std::map<PartitionId, RequestId> promised_;  // the last request of each: it may come twice
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_ATTESTOR_H_
