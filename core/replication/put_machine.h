// Writes coordinated here: one state per put or delete, on a replica of its key; of a key in a
// sloppy bucket none of whose replicas can be reached, on a stand-in.
//
//   kLease ──────► kMinting ─────────► kReplicating ──► done
//   waits for a    the store runs the  the durable, merged record goes to the
//   lease of dots  mint, and syncs it  other replicas; counts until W are durable
//
// Nothing leaves before the local mint is durable. The client is told kOk when W copies
// are durable; kNotApplied only while it is certain that nothing was minted; otherwise
// kUnknown. Nothing is rolled back. (Dynamo, section 4.5; riak_kv's put state machine.)
//
// A slow replica, speculatively: a write is sent to all N at once and needs W of them, so there is
// no spare replica to turn to, as a read does. What is done about silence is
//   * the record goes once more, to the same replica, half-way to the deadline, in case it or its
//     acknowledgement got lost: merging twice is harmless. A replica that refused (kOverloaded)
//     counts as failed: it has nothing, while the others may, so the outcome is kUnknown and never
//     kNotApplied if W are not reached;
//   * what it missed is remembered, and sent when it answers again (owed_writes.h).
// And what is not, on purpose:
//   * a forward is never repeated, here or elsewhere: the request, unlike a record, mints, and two
//     mints are two siblings (forward_machine.h);
//   * no stand-in takes a hint for a replica that is merely slow. It would count toward W in the
//     place of a replica that may hold the record already, so that W copies promised would be
//     fewer places than they look, and slowness would make hints that must be stored, handed over
//     and deleted where there is the least time for it: the hint storm. A stand-in comes in when
//     its owner cannot be reached by the failure detector's word, has failed or has refused.
//
// In a sloppy bucket the write goes to all replicas just the same, and besides, as a hint, to a
// stand-in for each that cannot be reached or refused (stand_in_plan.h says who and when). The
// hint's durable copy counts in the replica's place; the reply tells how many did.

#ifndef NORN_CORE_REPLICATION_PUT_MACHINE_H_
#define NORN_CORE_REPLICATION_PUT_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "core/deadlines.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/hint_machine.h"
#include "core/replication/lives.h"
#include "core/replication/minter.h"
#include "core/replication/owed_writes.h"
#include "core/replication/quorum.h"
#include "core/replication/stand_in_plan.h"

namespace norn {

// Whom a coordinated write is for: a client of this node, or a forwarding peer's.
struct WriteOrigin {
  NodeId peer = kNoNode;  // kNoNode: our own client
  RequestId request = 0;  // the peer's
  uint64_t client = 0;    // our client's ticket
};

class PutMachine {
 public:
  PutMachine(NodeContext& node, const Membership& membership, Minter& minter, HintMachine& hints,
             OwedWrites& owed)
      : node_(node), membership_(membership), minter_(minter), hints_(hints), owed_(owed) {}

  // `request` was validated, and this node is a replica of its partition, or the bucket is
  // sloppy and it stands in for one.
  void Begin(StepContext& step, ClientRequest&& request, const WriteOrigin& origin,
             int64_t deadline_us);

  void OnStoreReply(StepContext& step, RequestId id, StoreReply&& reply);
  void OnReplicaReply(StepContext& step, NodeId from, ReplicaWriteReply&& reply);
  // A lease was extended, or a partition is suspect no more.
  void MintWaiting(StepContext& step);
  void OnTimer(StepContext& step);

  int64_t NextDeadline() const { return deadlines_.Next(); }
  size_t in_flight() const { return puts_.size(); }
  bool Knows(RequestId id) const { return puts_.contains(id); }

 private:
  enum class Phase : uint8_t { kLease, kMinting, kReplicating };

  struct Put {
    Phase phase = Phase::kLease;
    WriteOrigin origin;
    PartitionId partition = 0;
    int64_t deadline_us = 0;
    int64_t resend_us = kNever;  // when silent replicas are asked again
    int64_t look_us = kNever;    // sloppy: when to look again for who must be stood in for,
    int64_t look_gap_us = 0;     // and how long after the last time that is
    ClientRequest request;       // until minted; then only what the reply needs
    VersionVector base;          // Base::kToken: what the put replaces
    int64_t base_wall_us = 0;    // ... and the newest timestamp of that
    Dot dot;                     // that it was given
    uint64_t epoch = 0;          // that `record` is of
    bool rereading = false;      // its epoch was over; `reread_epoch` will be
    uint64_t reread_epoch = 0;
    std::string key;     // record key
    std::string record;  // once minted
    Quorum quorum;
    Lives lives;  // that the other replicas acknowledged in
    bool sloppy = false;
    NodeId stands_for = kNoNode;  // the replica that we mint in the stead of
    StandInPlan stand_ins;
    absl::InlinedVector<NodeId, 2> refused;  // replicas that failed and may be stood in for
  };

  void Mint(StepContext& step, RequestId id, Put& put);
  MintOp MakeMint(const StepContext& step, Put& put) const;
  // `record` is of an epoch that is over: whoever refused it gets what our store has by now.
  void Reread(StepContext& step, RequestId id, Put& put);
  void OnReread(StepContext& step, RequestId id, Put& put, StoreReply&& reply);
  void SendTo(StepContext& step, RequestId id, const Put& put, NodeId replica, NodeId hint_for);
  // Asks the next stand-in for `owner`; false: there is none.
  bool AskStandIn(StepContext& step, RequestId id, Put& put, NodeId owner);
  // Stand-ins for whoever has become unreachable meanwhile, stand-ins themselves among them.
  void LookForStandIns(StepContext& step, RequestId id, Put& put);
  // Remembers who misses the write, and has nobody who stands in for it.
  void RememberWhoMissesIt(const StepContext& step, const Put& put);
  // It may have forgotten something, and will take writes in a moment.
  void OnIncomplete(StepContext& step, RequestId id, Put& put, NodeId from);
  void OnFailure(StepContext& step, RequestId id, Put& put, NodeId from, ReplicaStatus status);
  void SendToSilent(StepContext& step, RequestId id, const Put& put);
  // Ends the put if its quorum has decided.
  void Judge(StepContext& step, RequestId id, Put& put);
  void Finish(StepContext& step, RequestId id, ClientReply::Outcome outcome, std::string message);

  NodeContext& node_;
  const Membership& membership_;
  Minter& minter_;
  HintMachine& hints_;
  OwedWrites& owed_;
  absl::flat_hash_map<RequestId, Put> puts_;
  std::vector<RequestId> waiting_for_lease_;  // some may have timed out since
  Deadlines deadlines_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_PUT_MACHINE_H_
