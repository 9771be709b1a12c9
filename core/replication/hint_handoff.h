// Hinted handoff: what this node keeps for others goes to its owners when they can be reached.
//
//   kReading ──► kSent ──────────► kRemoving ──► gone, or handed over again
//   the hint,    to the owner, as  once the owner has acknowledged it as durable; only if it
//   as it is     any write         still is what was sent
//
// A few hints are on their way at once, at a bounded rate of bytes; an owner that does not answer
// or refuses is left alone for a while, and does not hold up the others. All steps may be
// repeated: a doubled or late delivery merges what is there. (Dynamo, section 4.6.)
//
// Before a hint is removed, the incarnation that minted into it ends (stand_in_minter.h).

#ifndef NORN_CORE_REPLICATION_HINT_HANDOFF_H_
#define NORN_CORE_REPLICATION_HINT_HANDOFF_H_

#include <cstdint>
#include <map>
#include <string>

#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/hint_machine.h"

namespace norn {

class HintHandoff {
 public:
  HintHandoff(NodeContext& node, const Membership& membership, HintMachine& hints)
      : node_(node), membership_(membership), hints_(hints) {}

  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnReplicaReply(StepContext& step, NodeId from, const ReplicaWriteReply& reply);
  void OnTimer(StepContext& step);
  // An owner came back, or a hint came in: look soon.
  void Wake(const StepContext& step);

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kReading, kSent, kRemoving };

  struct Delivery {
    Phase phase = Phase::kReading;
    HintIndex::Place place;  // the owner, and the key
    uint64_t writes = 0;     // of the hint, when it was read, then when its removal began
    RequestId request = 0;   // kSent
    int64_t deadline_us = kNever;
    HintRemoveOp remove;     // kSent: what will be removed
    VersionVector context;   // of the record that was sent
  };

  // How far one owner's hints have been gone through.
  struct Course {
    std::string behind;        // the key of the last that was taken up
    int64_t not_before_us = 0;  // the owner is left alone until then
  };

  void GoOn(StepContext& step);
  bool TakeUpOne(StepContext& step);
  bool IsUnderWay(const HintIndex::Place& place) const;
  void Send(StepContext& step, uint64_t id, Delivery& delivery, absl::string_view record);
  void LeaveAlone(StepContext& step, NodeId owner);

  NodeContext& node_;
  const Membership& membership_;
  HintMachine& hints_;
  std::map<uint64_t, Delivery> deliveries_;  // by store id
  std::map<NodeId, Course> courses_;
  NodeId last_owner_ = kNoNode;  // owners take turns
  uint64_t next_id_ = 0;
  int64_t pace_us_ = 0;  // the rate allows no more before
  int64_t next_us_ = kNever;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_HINT_HANDOFF_H_
