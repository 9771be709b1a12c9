// Follows what one node's store holds, for the listener of a trace, without touching the store: a
// read would be a file operation, and another run.
//
// It begins with what the disk holds when the node starts, performs every update again once it is
// durable, by the same pure function as the store does, and compares hashes with what the store
// says it did.

#ifndef NORN_SIM_REPLICA_WATCH_H_
#define NORN_SIM_REPLICA_WATCH_H_

#include <functional>
#include <map>
#include <string>

#include "core/causality/record_hasher.h"
#include "core/store.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {

// A record in words: "{c2-14 @3.9f2c01:17, deleted @...} seen {...}"; of a hint also for whom.
std::string DescribeStored(const std::string& engine_key, const std::string& bytes);

class ReplicaWatch {
 public:
  // What the disk holds now, by the engine's keys.
  using Snapshot = std::function<std::map<std::string, std::string>()>;

  ReplicaWatch(Scheduler& scheduler, Trace& trace, NodeId node, RecordHasher hasher,
               Snapshot snapshot)
      : scheduler_(scheduler),
        trace_(trace),
        node_(node),
        hasher_(hasher),
        snapshot_(std::move(snapshot)) {}

  // The node starts.
  void Begin();
  // Its process is no more; the disk may have lost what was not synced, or all.
  void End() { Look(); }
  void Submitted(const StoreRequest& request);
  void Replied(const StoreReply& reply);

 private:
  // Takes what the disk holds, and tells what is another than before.
  void Look();
  void Set(const std::string& engine_key, std::string bytes);

  Scheduler& scheduler_;
  Trace& trace_;
  const NodeId node_;
  const RecordHasher hasher_;
  const Snapshot snapshot_;
  std::map<std::string, std::string> held_;  // by the engine's keys
  std::map<StoreTicket, StoreUpdate> under_way_;
  std::map<StoreTicket, bool> excising_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_REPLICA_WATCH_H_
