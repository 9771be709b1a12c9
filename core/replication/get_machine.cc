#include "core/replication/get_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "core/replication/level.h"

namespace norn {

namespace {

using Outcome = ClientReply::Outcome;

constexpr int64_t kAgainAfterUs = 50'000;

std::string NotWhole(size_t replicas) {
  if (replicas == 0) return std::string();
  return absl::StrCat(", while ", replicas,
                      " replicas may have forgotten something and are mended");
}

}  // namespace

void GetMachine::Begin(StepContext& step, ClientRequest&& request, int64_t deadline_us) {
  const RequestId id = node_.NextRequestId();
  Get& get = gets_[id];
  get.client = request.client;
  get.context_wanted = request.context_wanted;
  get.deadline_us = deadline_us;
  get.key = MakeRecordKey(request.bucket, request.key);
  get.partition = node_.layout.PartitionOf(get.key);
  const BucketConfig* const bucket = node_.FindBucket(request.bucket);
  CORE_CHECK(bucket != nullptr);
  get.sloppy = bucket->sloppy;
  const absl::Span<const NodeId> replicas = node_.ReplicasOf(get.key, get.partition);
  ReadQuorums quorums = MakeReadQuorums(node_, *bucket, request, replicas);
  get.reads = std::move(quorums.reads);
  get.holders = std::move(quorums.holders);

  // Ourselves first, then who is alive, then the rest; each in the list's order.
  absl::InlinedVector<NodeId, 5> order;
  for (int rank = 0; rank < 3; ++rank) {
    for (const NodeId replica : replicas) {
      const int its_rank = replica == node_.self() ? 0 : membership_.IsReachable(replica) ? 1 : 2;
      if (its_rank != rank) continue;
      const NodeId stand_in = its_rank == 2 && get.sloppy ? AssignStandIn(get, replica) : kNoNode;
      if (stand_in != kNoNode) order.push_back(stand_in);
      // Where replicas must reply themselves, no stand-in will do.
      if (stand_in == kNoNode || get.reads.HasGroups()) order.push_back(replica);
    }
  }
  // As many as are needed, if all of them answer; the others are spare.
  Quorum wished = get.reads;
  bool record_asked = false;  // of a replica
  for (const NodeId replica : order) {
    const NodeId owner = get.stand_ins.OwnerOf(replica);
    if (owner == kNoNode ? wished.Wants(replica) : wished.WantsInstead(owner)) {
      owner == kNoNode ? wished.Ack(replica) : wished.AckInstead(owner, replica);
      Ask(step, id, get, replica, /*digest_will_do=*/record_asked && owner == kNoNode);
      record_asked |= owner == kNoNode;
    } else {
      get.unasked.push_back(replica);
    }
  }
  const int64_t now_us = step.now.monotonic_us;
  if (!get.unasked.empty()) {
    const bool at_once = Forced(node_.options.rare, RareBranch::kSpeculatesAtOnce);
    get.speculate_us = now_us + (at_once ? 0 : node_.options.speculate_after_us);
  }
  if (replicas.size() > 1) get.nudge_us = now_us + (deadline_us - now_us) / 2;
  deadlines_.Add(get.NextWake(), id);
}

NodeId GetMachine::AssignStandIn(Get& get, NodeId owner) {
  return get.stand_ins.Assign(owner, node_.StandInsOf(get.key, get.partition),
                              [this](NodeId node) { return membership_.IsReachable(node); });
}

bool GetMachine::AskInstead(StepContext& step, RequestId id, Get& get, NodeId owner, NodeId from) {
  if (!node_.IsReplicaOf(owner, get.key, get.partition)) return false;
  if (get.reads.HasAnswered(owner)) return false;
  const NodeId current = get.stand_ins.StandInOf(owner);
  if (current != kNoNode && current != from) return true;  // it may answer
  if (current == from) get.stand_ins.GiveUp(from);
  const NodeId next = AssignStandIn(get, owner);
  if (next == kNoNode) return false;
  Ask(step, id, get, next);
  AskSpares(step, id, get);
  return true;
}

// For replicas that became unreachable since the read began.
void GetMachine::LookForStandIns(StepContext& step, RequestId id, Get& get) {
  for (const NodeId owner : node_.ReplicasOf(get.key, get.partition)) {
    if (get.reads.HasAnswered(owner) || membership_.IsReachable(owner)) continue;
    if (get.stand_ins.StandInOf(owner) != kNoNode) continue;
    const NodeId stand_in = AssignStandIn(get, owner);
    if (stand_in != kNoNode) Ask(step, id, get, stand_in);
  }
}

void GetMachine::Ask(StepContext& step, RequestId id, Get& get, NodeId replica,
                     bool digest_will_do) {
  const NodeId hint_for = get.stand_ins.OwnerOf(replica);
  if (replica == node_.self() && hint_for != kNoNode) {
    hints_.Read(step, get.key, id, get.least_epoch);
    return;
  }
  if (replica == node_.self()) {
    if (std::exchange(get.own_asked, true)) return;
    StoreRead read;
    read.ticket = MakeTicket(TicketKind::kGetRead, id);
    read.partition = get.partition;
    read.key = get.key;
    get.own_epoch = node_.LeastEpoch(get.key, get.partition);
    step.out.store.emplace_back(std::move(read));
    return;
  }
  ReplicaRead read;
  read.request = id;
  read.layout = node_.layout.version();
  read.partition = get.partition;
  read.key = get.key;
  read.hint_for = hint_for;
  read.epoch = get.least_epoch;
  read.remaining_us = RemainingUs(step.now, get.deadline_us);
  get.digest_asked.Remove(replica);
  if (digest_will_do && node_.options.digest_above_bytes != 0) {
    const bool of_all = Forced(node_.options.rare, RareBranch::kDigestOfAll);
    read.digest_above = of_all ? 1 : node_.options.digest_above_bytes;
    get.digest_asked.Add(replica);
  }
  step.Send(replica, std::move(read));
}

void GetMachine::AskSpares(StepContext& step, RequestId id, Get& get) {
  for (const NodeId replica : get.unasked) Ask(step, id, get, replica);
  get.unasked.clear();
}

void GetMachine::OnStoreRead(StepContext& step, RequestId id, StoreReply&& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  it->second.own_asked = false;
  const PartitionId partition = it->second.partition;
  ReplicaStatus status = reply.status.ok() ? ReplicaStatus::kOk : ReplicaStatus::kError;
  if (standing_.LevelOf(partition) != StandingLevel::kComplete) status = ReplicaStatus::kIncomplete;
  TakeReply(step, id, status,
            {node_.self(),
             std::move(reply.record),
             standing_.LifeIn(partition),
             standing_.FencesIn(partition),
             it->second.own_epoch,
             {}});
}

void GetMachine::OnHintRead(StepContext& step, RequestId id, uint64_t epoch, StoreReply&& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  const bool ok = reply.status.ok() && node_.stand_in_epochs.Serves(it->second.partition);
  TakeReply(step, id, ok ? ReplicaStatus::kOk : ReplicaStatus::kError,
            {node_.self(), std::move(reply.record), 0, {}, epoch, {}});
}

void GetMachine::OnReplicaReply(StepContext& step, NodeId from, ReplicaReadReply&& reply) {
  TakeReply(step, reply.request, reply.status,
            {from,
             std::move(reply.record),
             reply.life,
             std::move(reply.fences),
             reply.epoch,
             {reply.digest_high, reply.digest_low}});
}

void GetMachine::Hold(Get& get, NodeId holder, Incarnation life, std::vector<Fence>&& fences) {
  if (!get.holders.Ack(holder)) return;
  const NodeId other = get.lives.Add(holder, life, std::move(fences));
  if (other == kNoNode) return;
  get.lives.Remove(other);
  get.holders.Retract(other);
  get.holders.Retract(holder);
}

void GetMachine::HoldHere(Get& get) const {
  Hold(get, node_.self(), standing_.LifeIn(get.partition), standing_.FencesIn(get.partition));
}

void GetMachine::TakeReply(StepContext& step, RequestId id, ReplicaStatus status,
                           ReadReply&& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  Get& get = it->second;
  const NodeId from = reply.from;
  if (reply.IsDigest() && !get.digest_asked.Has(from)) return;  // its record is on its way
  const NodeId owner = get.stand_ins.OwnerOf(from);
  const NodeId place = owner == kNoNode ? from : owner;
  const bool ok = status == ReplicaStatus::kOk;
  if (ok && reply.epoch < get.least_epoch) {
    if (from == node_.self()) Ask(step, id, get, from);
    return;  // or it was asked before that was known
  }
  const auto known = std::find(get.incomplete.begin(), get.incomplete.end(), from);
  const bool incomplete = status == ReplicaStatus::kIncomplete && known == get.incomplete.end();
  // Who may have forgotten something is soon mended: a stand-in that holds nothing is no better.
  const bool replaceable = !ok && get.sloppy && status != ReplicaStatus::kIncomplete;
  if (replaceable && AskInstead(step, id, get, place, from)) return;
  const bool counts = !ok                ? get.reads.Fail(place)
                      : owner == kNoNode ? get.reads.Ack(from)
                                         : get.reads.AckInstead(owner, from);
  if (!counts) return;  // doubled, or no replica
  if (!ok) AskSpares(step, id, get);
  if (incomplete) AskAgainSoon(step, id, get, from);
  if (get.phase == Phase::kRepairing) {
    // A late reply: it holds what we are about to answer, or is to be made to.
    if (!ok) {
      get.holders.Fail(from);
    } else if (reply.IsDigest() ? HoldsMerged(get, reply) : IsCoveredBy(get.merged, reply.record)) {
      Hold(get, from, reply.life, std::move(reply.fences));
    } else {
      Repair(step, id, get, from, /*awaited=*/true);
    }
    JudgeRepair(step, id, get);
    return;
  }
  if (ok) get.replies.push_back(std::move(reply));
  switch (get.reads.state()) {
    case QuorumState::kPending:
      return;
    case QuorumState::kMet:
      Decide(step, id, get);
      return;
    case QuorumState::kImpossible:
      if (!get.incomplete.empty()) return;  // they are asked again
      Fail(step, id, get,
           absl::StrCat("only ", get.reads.acks(), " of ", get.reads.needed(),
                        " replicas could read it, ", get.reads.failures(), " failed"));
      return;
  }
}

void GetMachine::AskAgainSoon(StepContext& step, RequestId id, Get& get, NodeId replica) {
  get.incomplete.push_back(replica);
  get.nudge_us = std::min(get.nudge_us, step.now.monotonic_us + kAgainAfterUs);
  deadlines_.Add(get.NextWake(), id);
}

bool GetMachine::MixesEpochs(Get& get) {
  for (const ReadReply& reply : get.replies) {
    if (get.stand_ins.OwnerOf(reply.from) != kNoNode) continue;
    get.least_epoch = std::max(get.least_epoch, reply.epoch);
  }
  node_.LearnLeastEpoch(get.key, get.partition, get.least_epoch);
  return std::any_of(get.replies.begin(), get.replies.end(),
                     [&get](const ReadReply& reply) { return reply.epoch < get.least_epoch; });
}

bool GetMachine::FetchUnexplained(StepContext& step, RequestId id, Get& get) {
  const auto unexplained = TakeUnexplained(node_.hasher, get.key, get.replies);
  if (unexplained.empty()) return false;
  for (const NodeId replica : unexplained) {
    ++node_.status.digests_other;
    get.reads.Retract(replica);
    Ask(step, id, get, replica);
  }
  if (get.reads.state() == QuorumState::kMet) return false;
  if (get.nudge_us == kNever) {  // these may get lost as well
    const int64_t now_us = step.now.monotonic_us;
    get.nudge_us = now_us + (get.deadline_us - now_us) / 2;
    deadlines_.Add(get.NextWake(), id);
  }
  return true;
}

void GetMachine::Decide(StepContext& step, RequestId id, Get& get) {
  if (MixesEpochs(get)) {
    Restart(step, id, get);
    return;
  }
  if (FetchUnexplained(step, id, get)) return;
  const auto whole = std::find_if(get.replies.begin(), get.replies.end(),
                                  [](const ReadReply& reply) { return !reply.IsDigest(); });
  CORE_CHECK(whole != get.replies.end());  // each digest that is left is of one of them
  get.merged = whole->record;
  get.epoch = whole->epoch;
  for (const ReadReply& reply : get.replies) {
    get.epoch = std::min(get.epoch, reply.epoch);
    if (reply.IsDigest()) ++node_.status.digests_equal;
    if (reply.IsDigest() || reply.record == get.merged) continue;
    std::string merged;
    if (!MergeEncoded(get.merged, reply.record, &merged)) {
      Fail(step, id, get, absl::StrCat("replica ", reply.from, " sent a damaged record"));
      return;
    }
    get.merged = std::move(merged);
  }
  for (const NodeId replica : node_.ReplicasOf(get.key, get.partition)) {
    if (get.reads.HasAnswered(replica) && !get.reads.HasAcked(replica)) get.holders.Fail(replica);
  }
  absl::InlinedVector<NodeId, 3> behind;
  for (ReadReply& reply : get.replies) {
    if (HoldsMerged(get, reply)) {
      Hold(get, reply.from, reply.life, std::move(reply.fences));
    } else if (get.stand_ins.OwnerOf(reply.from) == kNoNode) {
      behind.push_back(reply.from);  // a hint is not repaired: it goes to its owner as it is
    }
  }
  const bool answerable = get.holders.state() == QuorumState::kMet;
  get.phase = Phase::kRepairing;
  for (const NodeId replica : behind) {
    ++node_.status.read_repairs;
    Repair(step, id, get, replica, /*awaited=*/!answerable);
  }
  get.replies.clear();  // they may be large, and a repair may take its time
  if (!answerable) AskSpares(step, id, get);
  JudgeRepair(step, id, get);
}

void GetMachine::Repair(StepContext& step, RequestId id, Get& get, NodeId replica, bool awaited) {
  if (replica == node_.self()) {
    if (!node_.Takes(get.key, get.partition, get.epoch)) {
      get.stale |= awaited;
      return;
    }
    StoreUpdate update;
    update.ticket = MakeTicket(awaited ? TicketKind::kGetRepair : TicketKind::kNone, id);
    update.partition = get.partition;
    update.key = get.key;
    update.op = MergeOp{get.merged, standing_.NewestDotIn(get.partition)};
    step.out.store.emplace_back(std::move(update));
    return;
  }
  ReplicaWrite write;
  write.request = id;
  write.layout = node_.layout.version();
  write.partition = get.partition;
  write.key = get.key;
  write.record = get.merged;
  write.epoch = get.epoch;
  write.remaining_us = RemainingUs(step.now, get.deadline_us);
  step.Send(replica, std::move(write));
}

void GetMachine::OnStoreRepair(StepContext& step, RequestId id, const StoreReply& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  if (reply.status.ok()) {
    HoldHere(it->second);
  } else {
    it->second.holders.Fail(node_.self());
  }
  JudgeRepair(step, id, it->second);
}

void GetMachine::OnReplicaWriteReply(StepContext& step, NodeId from, ReplicaWriteReply&& reply) {
  const auto it = gets_.find(reply.request);
  if (it == gets_.end()) return;
  if (it->second.phase != Phase::kRepairing) return;  // nothing was sent yet: not an answer to us
  if (reply.status == ReplicaStatus::kStale) {
    node_.epochs.Learn(it->second.partition, reply.epoch);
    it->second.stale = true;
  } else if (reply.status == ReplicaStatus::kOk) {
    Hold(it->second, from, reply.life, std::move(reply.fences));
  } else {
    it->second.holders.Fail(from);
  }
  JudgeRepair(step, reply.request, it->second);
}

void GetMachine::Restart(StepContext& step, RequestId id, Get& get) {
  get.phase = Phase::kReading;
  get.stale = false;
  get.lives = Lives();
  get.replies.clear();
  get.unasked.clear();
  for (const NodeId replica : node_.ReplicasOf(get.key, get.partition)) {
    get.reads.Retract(replica);
    get.reads.RetractInstead(replica);
    get.holders.Retract(replica);
    Ask(step, id, get, replica);
    const NodeId stand_in = get.stand_ins.StandInOf(replica);
    if (stand_in != kNoNode) Ask(step, id, get, stand_in);
  }
}

void GetMachine::JudgeRepair(StepContext& step, RequestId id, Get& get) {
  if (get.stale && get.holders.state() != QuorumState::kMet) {
    Restart(step, id, get);
    return;
  }
  switch (get.holders.state()) {
    case QuorumState::kPending:
      return;
    case QuorumState::kMet:
      Answer(step, id, get);
      return;
    case QuorumState::kImpossible:
      Fail(step, id, get,
           absl::StrCat("what was read is durable on ", get.holders.acks(), " of the ",
                        get.holders.needed(), " replicas that a monotonic read needs"));
      return;
  }
}

void GetMachine::Answer(StepContext& step, RequestId id, const Get& get) {
  RecordView record;
  if (!RecordView::Parse(get.merged, &record)) {
    Fail(step, id, get, "the record is damaged");
    return;
  }
  ClientReply reply;
  reply.client = get.client;
  reply.outcome = Outcome::kOk;
  reply.replicas = get.reads.acks();
  reply.zones = node_.CountZones(get.reads.Acked());
  reply.durable = get.holders.acks();
  reply.hints = get.reads.stood_in();
  // What has expired by our clock is a tombstone: it still covers what it replaced, and the
  // token says so.
  const int64_t wall_us = step.now.wall_us;
  std::vector<const VersionView*> alive;
  for (const VersionView& version : record.versions) {
    if (!version.IsDeadAt(wall_us)) alive.push_back(&version);
  }
  std::sort(alive.begin(), alive.end(),
            [](const VersionView* a, const VersionView* b) { return WinsOver(*a, *b); });
  for (const VersionView* version : alive) {
    const int64_t ttl_us = version->expires_us == 0 ? 0 : version->expires_us - wall_us;
    reply.siblings.push_back(Sibling{std::string(version->value), version->wall_us, ttl_us});
  }
  if (alive.size() > 1) ++node_.status.siblings_seen;
  if (get.context_wanted) {
    reply.context = node_.sealer.Seal(get.key, record.context,
                                      record.last_writer_wins ? record.NewestWallUs() : 0);
  }
  step.out.replies.push_back(std::move(reply));
  gets_.erase(id);
}

void GetMachine::Fail(StepContext& step, RequestId id, const Get& get, absl::string_view why) {
  ClientReply reply;
  reply.client = get.client;
  reply.outcome = Outcome::kUnavailable;
  reply.message = absl::StrCat("key \"", ClientKeyOf(get.key), "\": ", why,
                               ": try again, or see `norn status` for who is missing");
  reply.replicas = get.reads.acks();
  step.out.replies.push_back(std::move(reply));
  gets_.erase(id);
}

// Messages get lost, and reading or merging twice is harmless: half-way to the deadline
// whoever is silent is asked once more.
void GetMachine::Nudge(StepContext& step, RequestId id, Get& get) {
  get.nudge_us = kNever;
  get.unasked.clear();
  const std::vector<NodeId> incomplete = std::exchange(get.incomplete, {});
  if (get.phase == Phase::kReading) {
    for (const NodeId replica : incomplete) get.reads.Retract(replica);
  }
  for (const NodeId replica : node_.ReplicasOf(get.key, get.partition)) {
    if (!get.reads.HasAnswered(replica)) {
      // Our own store does not lose requests: unless it has answered, it will.
      const bool again =
          std::find(incomplete.begin(), incomplete.end(), replica) != incomplete.end();
      if (replica == node_.self() && !again) continue;
      Ask(step, id, get, replica);
      const NodeId stand_in = get.stand_ins.StandInOf(replica);
      if (stand_in != kNoNode) Ask(step, id, get, stand_in);
    } else if (get.phase == Phase::kRepairing && !get.holders.HasAnswered(replica)) {
      Repair(step, id, get, replica, /*awaited=*/true);
    }
  }
}

void GetMachine::OnTimer(StepContext& step) {
  RequestId id = 0;
  while (deadlines_.PopDue(step.now.monotonic_us, &id)) {
    const auto it = gets_.find(id);
    if (it == gets_.end()) continue;
    Get& get = it->second;
    if (step.now.monotonic_us < get.deadline_us) {
      if (step.now.monotonic_us >= get.nudge_us) Nudge(step, id, get);
      if (step.now.monotonic_us >= get.speculate_us) {
        get.speculate_us = kNever;
        AskSpares(step, id, get);
      }
      if (get.sloppy) LookForStandIns(step, id, get);
      deadlines_.Add(get.NextWake(), id);
      continue;
    }
    Fail(step, id, get,
         get.phase == Phase::kReading
             ? absl::StrCat("timed out with ", get.reads.acks(), " of ", get.reads.needed(),
                            " replies", NotWhole(get.incomplete.size()))
             : absl::StrCat("timed out: what was read is durable on ", get.holders.acks(),
                            " of the ", get.holders.needed(), " replicas needed"));
  }
}

}  // namespace norn
