// Hinted handoff: what this node keeps for others goes to its owners when they can be reached;
// and so does what they missed of what it coordinated, though nobody counted it (owed_writes.h).
//
//   kReading ──► kSent ──────────► kRemoving ──► gone, or handed over again
//   the hint,    to the owner, as  once the owner has acknowledged it as durable; only if it
//   as it is     any write         still is what was sent
//
// What is owed is read where it lies, and is done with once it is acknowledged. Hints come first.
//
// A few hints are on their way at once, at a bounded rate of bytes; an owner that does not answer
// or refuses is left alone for a while, and does not hold up the others. All steps may be
// repeated: a doubled or late delivery merges what is there. (Dynamo, section 4.6.)
//
// Before a hint is removed, the incarnation that minted into it ends (stand_in_minter.h).
//
// A hint that is older than what we once promised is not handed over, but removed
// (stand_in_epochs.h).

#ifndef NORN_CORE_REPLICATION_HINT_HANDOFF_H_
#define NORN_CORE_REPLICATION_HINT_HANDOFF_H_

#include <cstdint>
#include <map>
#include <string>

#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/hint_machine.h"
#include "core/replication/owed_writes.h"

namespace norn {

class HintHandoff {
 public:
  HintHandoff(NodeContext& node, const Membership& membership, HintMachine& hints, OwedWrites& owed)
      : node_(node), membership_(membership), hints_(hints), owed_(owed) {}

  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  // False: it answers nothing of ours.
  bool OnReplicaReply(StepContext& step, NodeId from, const ReplicaWriteReply& reply);
  void OnTimer(StepContext& step);
  // An owner came back: look at once.
  void Wake(const StepContext& step);
  // Called with every step. What is new was refused just now, or is for who cannot be reached:
  // neither is to be tried at once.
  void LookLater(const StepContext& step) {
    if (next_us_ != kNever || Idle()) return;
    next_us_ = step.now.monotonic_us + node_.options.gossip_interval_us;
  }

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kReading, kSent, kRemoving };

  struct Delivery {
    Phase phase = Phase::kReading;
    bool is_owed = false;    // no hint
    HintIndex::Place place;  // the owner, and the key
    uint64_t writes = 0;     // of the hint, when it was read, then when its removal began
    uint64_t epoch = 0;      // in which it is read: the label of what is sent
    bool is_void = false;    // kRemoving: nobody got it
    RequestId request = 0;   // kSent
    int64_t deadline_us = kNever;
    HintRemoveOp remove;    // kSent: what will be removed
    VersionVector context;  // of the record that was sent
  };

  // How far one owner's hints, or what is owed to it, have been gone through.
  struct Course {
    std::string behind;         // the key of the last that was taken up
    int64_t not_before_us = 0;  // the owner is left alone until then
  };
  struct Rounds {
    std::map<NodeId, Course> courses;
    NodeId last_owner = kNoNode;  // owners take turns
  };

  void GoOn(StepContext& step);
  bool TakeUpOne(StepContext& step, bool owed);
  // The next of `owner` that is not under way; null: all have had their turn.
  const HintIndex::Place* Choose(StepContext& step, bool owed, NodeId owner);
  void TakeUp(StepContext& step, bool owed, const HintIndex::Place& place);
  HintIndex& IndexOf(bool owed) { return owed ? owed_.index() : hints_.index(); }
  bool Idle() const { return hints_.index().empty() && owed_.index().empty(); }
  void Pace(const StepContext& step, uint64_t bytes);
  bool IsUnderWay(bool owed, const HintIndex::Place& place) const;
  void Send(StepContext& step, uint64_t id, Delivery& delivery, absl::string_view record);
  // Removes the hint, if it still is what `delivery.remove` says.
  void Remove(StepContext& step, uint64_t id, Delivery& delivery);
  void LeaveAlone(StepContext& step, NodeId owner);

  NodeContext& node_;
  const Membership& membership_;
  HintMachine& hints_;
  OwedWrites& owed_;
  std::map<uint64_t, Delivery> deliveries_;  // by store id
  Rounds rounds_[2];                         // of hints, and of what is owed
  uint64_t next_id_ = 0;
  int64_t pace_us_ = 0;  // the rate allows no more before
  int64_t next_us_ = kNever;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_HANDOFF_H_
