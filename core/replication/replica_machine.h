// Our part as a replica in the reads and writes that others coordinate.
//
// A write is acknowledged when the merged record is durable; a read tells only what is
// durable, or its digest where that will do; a store that fails says so, and is never taken for an
// empty one. Requests under another layout, or for a partition that is not ours, are refused; so
// are those that our standing in the partition does not permit (standing.h).
//
// The store has replica_work_max requests of ours at most; as many more wait, in order, and what
// is past that is refused at once (kOverloaded), before anything is done. Deadlines travel with the
// requests: one that is over before its turn comes is dropped, as if the message had been lost. Its
// coordinator has given its answer; a write that it acknowledged is durable on W others, and comes
// here through an exchange.

#ifndef NORN_CORE_REPLICATION_REPLICA_MACHINE_H_
#define NORN_CORE_REPLICATION_REPLICA_MACHINE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "core/node_context.h"
#include "core/replication/standing.h"

namespace norn {

class ReplicaMachine {
 public:
  ReplicaMachine(NodeContext& node, const Standing& standing) : node_(node), standing_(standing) {}

  void OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write);
  void OnRead(StepContext& step, NodeId from, ReplicaRead&& read);
  void OnStoreWrite(StepContext& step, uint64_t id, const StoreReply& reply);
  void OnStoreRead(StepContext& step, uint64_t id, StoreReply&& reply);

  size_t in_flight() const { return pending_.size() + waiting_.size(); }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    NodeId from = kNoNode;
    int64_t deadline_us = kNever;
    std::variant<ReplicaWrite, ReplicaRead> work;
  };
  struct Pending {
    NodeId from = kNoNode;
    RequestId request = 0;
    PartitionId partition = 0;
    Incarnation life = 0;  // that it was begun in
    uint64_t epoch = 0;    // ... and the epoch
    uint64_t digest_above = 0;
    std::string key;  // of what may be answered by digest
  };

  bool IsBusy() const { return pending_.size() >= node_.options.replica_work_max; }
  // It was admitted; our store may have it now.
  void BeginWrite(StepContext& step, NodeId from, ReplicaWrite&& write);
  void BeginRead(StepContext& step, NodeId from, ReplicaRead&& read);
  void Wait(const StepContext& step, NodeId from, int64_t remaining_us,
            std::variant<ReplicaWrite, ReplicaRead>&& work);
  // What waits and nobody wants any more, from the oldest on.
  void DropExpired(const StepContext& step);
  // Whose turn it is.
  void BeginWaiting(StepContext& step);
  ReplicaStatus Admit(uint64_t layout, PartitionId partition, absl::string_view key,
                      StandingLevel least) const;
  // How what the store was asked for ended; an error if a new life has begun since.
  ReplicaStatus StatusOf(const Pending& pending, const absl::Status& status,
                         StandingLevel least) const;

  NodeContext& node_;
  const Standing& standing_;
  absl::flat_hash_map<uint64_t, Pending> pending_;
  std::deque<Waiting> waiting_;
  uint64_t next_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_REPLICA_MACHINE_H_
