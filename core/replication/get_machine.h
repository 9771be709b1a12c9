// Reads coordinated here, by any node, and the repair of replicas that are behind.
//
//   kReading ──► enough replies ──► all hold the merged record ─────────────► answer
//                               └─► kRepairing: write it back, wait for acks ─┘
//
// With R + W > N a read answers only when what it answers is known durable on
// max(n - r_min + 1, w_min) replicas: replies that hold it, and acknowledgements of repair.
// A later read then never sees less: quorum reads are monotonic. So it waits for that many
// replies, or R if that is more. Otherwise it answers at R replies, and repairs in the
// background. Repair merges whole records, so it can never
// put an older sibling set over a newer one.
//
// In a sloppy bucket a stand-in answers in the place of a replica that cannot be reached or
// failed, with what it holds as a hint, be it nothing; nothing is claimed of such reads, and none
// waits for a repair.
//
// Replies of different epochs (epochs.h) are never merged: what the one had seen deleted, the other
// may still show beside what came later. Then all are asked again, for the later epoch. (In sloppy
// buckets the epoch is the floor. A stand-in's label may be greater, and says nothing.)
//
// Large records are sent by one of the replicas that are asked first, and vouched for by digest by
// the others (digest_read.h); where those differ, one more round brings their records.
//
// A replica that fails is not a replica that has nothing: an error never counts. Nor does
// one that may have forgotten something, be it ourselves (standing.h).

#ifndef NORN_CORE_REPLICATION_GET_MACHINE_H_
#define NORN_CORE_REPLICATION_GET_MACHINE_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "core/deadlines.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/digest_read.h"
#include "core/replication/hint_machine.h"
#include "core/replication/lives.h"
#include "core/replication/quorum.h"
#include "core/replication/stand_in_plan.h"
#include "core/replication/standing.h"

namespace norn {

class GetMachine {
 public:
  GetMachine(NodeContext& node, const Membership& membership, const Standing& standing,
             HintMachine& hints)
      : node_(node), membership_(membership), standing_(standing), hints_(hints) {}

  // `request` was validated.
  void Begin(StepContext& step, ClientRequest&& request, int64_t deadline_us);

  void OnStoreRead(StepContext& step, RequestId id, StoreReply&& reply);
  // Of what we hold as a stand-in.
  void OnHintRead(StepContext& step, RequestId id, uint64_t epoch, StoreReply&& reply);
  void OnStoreRepair(StepContext& step, RequestId id, const StoreReply& reply);
  void OnReplicaReply(StepContext& step, NodeId from, ReplicaReadReply&& reply);
  void OnReplicaWriteReply(StepContext& step, NodeId from, ReplicaWriteReply&& reply);
  void OnTimer(StepContext& step);

  int64_t NextDeadline() const { return deadlines_.Next(); }
  size_t in_flight() const { return gets_.size(); }

 private:
  enum class Phase : uint8_t { kReading, kRepairing };

  struct Get {
    Phase phase = Phase::kReading;
    uint64_t client = 0;
    bool context_wanted = true;
    PartitionId partition = 0;
    int64_t deadline_us = 0;
    int64_t speculate_us = kNever;  // when the spare replicas are asked
    int64_t nudge_us = kNever;      // when silent replicas are asked again
    std::string key;
    absl::InlinedVector<NodeId, 5> unasked;  // spare replicas, in order of preference
    ReadReplies replies;
    DigestAsked digest_asked;
    std::vector<NodeId> incomplete;  // said so: they may be whole in a moment
    bool sloppy = false;
    StandInPlan stand_ins;
    Quorum reads;              // enough of N have replied
    Quorum holders;            // known to hold `merged` durably
    Lives lives;               // ... in which life
    std::string merged;        // kRepairing: what will be answered
    uint64_t epoch = 0;        // ... the least of those that it was read in
    uint64_t own_epoch = 0;    // in which our own store was asked
    uint64_t least_epoch = 0;  // that replies must be of
    bool own_asked = false;    // ... and has not answered yet
    bool stale = false;        // a repair was refused: that epoch is over

    // One entry of Deadlines at a time: most gets end before their first.
    int64_t NextWake() const { return std::min({speculate_us, nudge_us, deadline_us}); }
  };

  void Ask(StepContext& step, RequestId id, Get& get, NodeId replica, bool digest_will_do = false);
  // Who is to stand in for `owner`, if anybody can; kNoNode: nobody.
  NodeId AssignStandIn(Get& get, NodeId owner);
  // `from` failed to answer in the place of `owner`: whether someone else may do so yet.
  bool AskInstead(StepContext& step, RequestId id, Get& get, NodeId owner, NodeId from);
  void LookForStandIns(StepContext& step, RequestId id, Get& get);
  void AskSpares(StepContext& step, RequestId id, Get& get);
  void TakeReply(StepContext& step, RequestId id, ReplicaStatus status, ReadReply&& reply);
  // The replica is not whole yet: it may be in a moment.
  void AskAgainSoon(StepContext& step, RequestId id, Get& get, NodeId replica);
  // `holder` holds `get.merged` durably.
  static void Hold(Get& get, NodeId holder, Incarnation life, std::vector<Fence>&& fences);
  void HoldHere(Get& get) const;
  void Decide(StepContext& step, RequestId id, Get& get);
  // Asks for the records behind digests that no record explains. Whether to wait for them: without
  // those votes there are too few.
  bool FetchUnexplained(StepContext& step, RequestId id, Get& get);
  bool HoldsMerged(const Get& get, const ReadReply& reply) const {
    return HeldExactly(reply, node_.hasher, get.key, get.merged);
  }
  void Nudge(StepContext& step, RequestId id, Get& get);
  void Repair(StepContext& step, RequestId id, Get& get, NodeId replica, bool awaited);
  // Whether replies are of different epochs. From now on only the latest counts.
  bool MixesEpochs(Get& get);
  // What was read is of an epoch that is over: from the start.
  void Restart(StepContext& step, RequestId id, Get& get);
  void JudgeRepair(StepContext& step, RequestId id, Get& get);
  void Answer(StepContext& step, RequestId id, const Get& get);
  void Fail(StepContext& step, RequestId id, const Get& get, absl::string_view why);

  NodeContext& node_;
  const Membership& membership_;
  const Standing& standing_;
  HintMachine& hints_;
  absl::flat_hash_map<RequestId, Get> gets_;
  Deadlines deadlines_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_GET_MACHINE_H_
