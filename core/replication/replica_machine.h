// Our part as a replica in the reads and writes that others coordinate.
//
// A write is acknowledged when the merged record is durable; a read tells only what is
// durable; a store that fails says so, and is never taken for an empty one. Requests
// under another layout, or for a partition that is not ours, are refused.

#ifndef NORN_CORE_REPLICATION_REPLICA_MACHINE_H_
#define NORN_CORE_REPLICATION_REPLICA_MACHINE_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "core/node_context.h"

namespace norn {

class ReplicaMachine {
 public:
  explicit ReplicaMachine(NodeContext& node) : node_(node) {}

  void OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write);
  void OnRead(StepContext& step, NodeId from, ReplicaRead&& read);
  void OnStoreWrite(StepContext& step, uint64_t id, const StoreReply& reply);
  void OnStoreRead(StepContext& step, uint64_t id, StoreReply&& reply);

  size_t in_flight() const { return pending_.size(); }

 private:
  struct Pending {
    NodeId from = kNoNode;
    RequestId request = 0;
  };

  ReplicaStatus Admit(uint64_t layout, PartitionId partition, absl::string_view key) const;

  NodeContext& node_;
  absl::flat_hash_map<uint64_t, Pending> pending_;
  uint64_t next_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_REPLICA_MACHINE_H_
