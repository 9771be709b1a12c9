// The node: a pure step machine. An event and one reading of the clocks go in, effects
// come out; no I/O, nothing blocks. This file dispatches; the machines do the work:
//
//   membership/membership.h       heartbeats, suspicion, who is reachable
//   replication/minter.h          incarnation and counter leases: no dot twice
//   replication/standing.h        what a replica may do that may have forgotten something
//   replication/put_machine.h     writes coordinated here
//   replication/get_machine.h     reads coordinated here, and read repair
//   replication/forward_machine.h writes handed to a replica, and those handed to us
//   replication/replica_machine.h our part in reads and writes of other coordinators
//   replication/hint_machine.h    our part as a stand-in: what we keep for others, durably
//   replication/hint_handoff.h    ... and hand over when they are back
//   replication/owed_writes.h     what replicas missed that nobody stands in for
//   replication/tombstone_collector.h, tombstone_voter.h
//                                 removal of tombstones, by proof; epochs.h says why
//   replication/discarder.h       what a suspect replica throws away
//   replication/damage_repair.h   what the disk has lost is taken from other replicas
//   antientropy/merkle_forest.h   a Merkle tree of each partition, kept up to date
//   antientropy/exchange.h        replicas of a partition compare their trees and mend
//
// (etcd/raft's Ready and scylladb's raft/fsm.hh are the models of the shape.)

#ifndef NORN_CORE_NODE_H_
#define NORN_CORE_NODE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/events.h"
#include "core/types.h"

namespace norn {

enum class Liveness : uint8_t { kAlive = 0, kSuspect = 1, kDown = 2 };
const char* LivenessName(Liveness liveness);

struct MemberStatus {
  NodeId id = kNoNode;
  std::string address;
  std::string zone;
  Liveness liveness = Liveness::kAlive;
  Generation generation = 0;
  uint64_t heartbeat = 0;
  uint32_t partitions_owned = 0;  // of which it is the first replica
};

// A snapshot for people and metrics. Counters only rise while the node lives.
struct NodeStatus {
  NodeId id = kNoNode;
  Generation generation = 0;
  bool started = false;  // identity and lease are durable: clients are served
  bool draining = false;
  uint64_t layout = 0;
  std::vector<MemberStatus> members;  // ourselves included, by id
  uint64_t requests_in_flight = 0;
  uint64_t gets = 0, puts = 0, deletes = 0, forwards = 0;
  // Of other coordinators: refused for want of room; given up because nobody waited any more.
  uint64_t replica_work_refused = 0, replica_work_expired = 0;
  uint64_t replica_work_waiting = 0;  // now
  uint64_t failed_not_applied = 0, failed_unknown = 0, failed_unavailable = 0, refused = 0;
  uint64_t read_repairs = 0;  // records written back to replicas that were behind
  // Replies to reads that were a digest: of the record that another one sent, or of another record
  // (then it was asked for).
  uint64_t digests_equal = 0, digests_other = 0;
  uint64_t siblings_seen = 0;         // gets that answered more than one value
  uint64_t exchanges = 0;             // partitions compared with another replica to the end
  uint64_t exchange_roots_equal = 0;  // of which the whole trees were equal
  uint64_t exchange_ranges = 0;       // ranges of buckets whose keys were compared one by one
  uint64_t exchange_records = 0;      // records sent or taken
  uint64_t exchange_bytes = 0;        // sent or taken by exchanges begun here or elsewhere, about
  uint64_t exchanges_failed = 0;      // partitions whose comparison was cut short
  uint64_t trees_building = 0;        // partitions whose Merkle tree is not there yet
  uint64_t tree_builds = 0, tree_scrubs = 0, tree_scanned_bytes = 0;
  uint64_t tree_mismatches = 0;  // scrubs that found other data than what was written
  // Ranges of keys that cannot be read, as the store told it lately; those that were mended since.
  uint64_t damaged_ranges = 0, damage_mended = 0;
  uint64_t dots_minted = 0, incarnations = 0;
  uint64_t partitions_held = 0;      // of which this node is a replica
  uint64_t partitions_complete = 0;  // ... and answers reads: see replication/standing.h
  // Where it may not stand in yet: it must first hear from a replica
  // (replication/stand_in_epochs.h).
  uint64_t partitions_unheard = 0;
  // Hints, as a stand-in: held now, in bytes, and since when (wall time, 0: none is held).
  uint64_t hints_held = 0, hint_bytes = 0;
  int64_t hints_oldest_wall_us = 0;
  // Taken in; handed over; refused for want of room.
  uint64_t hints_taken = 0, hints_delivered = 0, hints_refused = 0;
  uint64_t tombstones_removed = 0;  // records without anything alive that are forgotten here
  // Keys that replicas missed while they were away, as far as it is remembered; sent since.
  uint64_t owed_held = 0, owed_sent = 0;
};

class Node {
 public:
  // `cluster` and `options` must pass Validate().
  Node(const ClusterConfig& cluster, const NodeOptions& options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // The only way in. `out` must be clear. The first event must be Start, and Start only
  // comes once. The event's strings may be moved from.
  void Step(const Now& now, Event&& event, Effects& out);

  // When TimerFired is due (monotonic); kNever: nothing is awaited.
  int64_t NextDeadline() const;

  // True after Drain once nothing is in flight.
  bool drained() const;

  NodeStatus Status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace norn

#endif  // NORN_CORE_NODE_H_
