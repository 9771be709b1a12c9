#include "core/replication/get_machine.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"

namespace norn {

namespace {

using Outcome = ClientReply::Outcome;

// The winner among siblings, for those who want one: newest wall time, then dot. Total
// and the same everywhere; not a claim about which write was really last.
bool WinsOver(const VersionView& a, const VersionView& b) {
  if (a.wall_us != b.wall_us) return a.wall_us > b.wall_us;
  return b.dot < a.dot;
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
  const int r = request.quorum == 0 ? bucket->r : request.quorum;
  const absl::Span<const NodeId> replicas = node_.layout.Replicas(get.partition);
  const int n = static_cast<int>(replicas.size());
  const bool overlapping = bucket->RMin() + bucket->WMin() > n;
  const int holders = overlapping ? HoldersForAnswer(n, bucket->RMin(), bucket->WMin()) : 0;
  const int asked = std::max(r, holders);
  get.reads = Quorum(replicas, asked);
  get.holders = Quorum(replicas, holders);

  // Ourselves first, then who is alive, then the rest; each in the list's order.
  absl::InlinedVector<NodeId, 5> order;
  for (int rank = 0; rank < 3; ++rank) {
    for (const NodeId replica : replicas) {
      const int its_rank = replica == node_.self() ? 0 : membership_.IsReachable(replica) ? 1 : 2;
      if (its_rank == rank) order.push_back(replica);
    }
  }
  get.unasked.assign(order.begin() + asked, order.end());
  for (int i = 0; i < asked; ++i) Ask(step, id, get, order[static_cast<size_t>(i)]);
  const int64_t now_us = step.now.monotonic_us;
  if (!get.unasked.empty()) get.speculate_us = now_us + node_.options.speculate_after_us;
  if (n > 1) get.nudge_us = now_us + (deadline_us - now_us) / 2;
  deadlines_.Add(get.NextWake(), id);
}

void GetMachine::Ask(StepContext& step, RequestId id, const Get& get, NodeId replica) {
  if (replica == node_.self()) {
    StoreRead read;
    read.ticket = MakeTicket(TicketKind::kGetRead, id);
    read.partition = get.partition;
    read.key = get.key;
    step.out.store.emplace_back(std::move(read));
    return;
  }
  ReplicaRead read;
  read.request = id;
  read.layout = node_.layout.version();
  read.partition = get.partition;
  read.key = get.key;
  step.Send(replica, std::move(read));
}

void GetMachine::AskSpares(StepContext& step, RequestId id, Get& get) {
  for (const NodeId replica : get.unasked) Ask(step, id, get, replica);
  get.unasked.clear();
}

void GetMachine::OnStoreRead(StepContext& step, RequestId id, StoreReply&& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  const PartitionId partition = it->second.partition;
  const bool ok = reply.status.ok() && standing_.LevelOf(partition) == StandingLevel::kComplete;
  TakeReply(step, id, ok,
            {node_.self(), std::move(reply.record), standing_.LifeIn(partition),
             standing_.FencesIn(partition)});
}

void GetMachine::OnReplicaReply(StepContext& step, NodeId from, ReplicaReadReply&& reply) {
  TakeReply(step, reply.request, reply.status == ReplicaStatus::kOk,
            {from, std::move(reply.record), reply.life, std::move(reply.fences)});
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

void GetMachine::TakeReply(StepContext& step, RequestId id, bool ok, Reply&& reply) {
  const auto it = gets_.find(id);
  if (it == gets_.end()) return;
  Get& get = it->second;
  const NodeId from = reply.from;
  if (!(ok ? get.reads.Ack(from) : get.reads.Fail(from))) return;  // doubled, or no replica
  if (!ok) AskSpares(step, id, get);
  if (get.phase == Phase::kRepairing) {
    // A late reply: it holds what we are about to answer, or is to be made to.
    if (!ok) {
      get.holders.Fail(from);
    } else if (IsCoveredBy(get.merged, reply.record)) {
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
      Fail(step, id, get,
           absl::StrCat("only ", get.reads.acks(), " of ", get.reads.needed(),
                        " replicas could read it, ", get.reads.failures(), " failed"));
      return;
  }
}

void GetMachine::Decide(StepContext& step, RequestId id, Get& get) {
  get.merged = get.replies.front().record;
  for (const Reply& reply : get.replies) {
    if (reply.record == get.merged) continue;
    std::string merged;
    if (!MergeEncoded(get.merged, reply.record, &merged)) {
      Fail(step, id, get, absl::StrCat("replica ", reply.from, " sent a damaged record"));
      return;
    }
    get.merged = std::move(merged);
  }
  for (const NodeId replica : node_.layout.Replicas(get.partition)) {
    if (get.reads.HasAnswered(replica) && !get.reads.HasAcked(replica)) get.holders.Fail(replica);
  }
  for (Reply& reply : get.replies) {
    if (reply.record == get.merged) Hold(get, reply.from, reply.life, std::move(reply.fences));
  }
  const bool answerable = get.holders.state() == QuorumState::kMet;
  get.phase = Phase::kRepairing;
  for (const Reply& reply : get.replies) {
    if (reply.record == get.merged) continue;
    ++node_.status.read_repairs;
    Repair(step, id, get, reply.from, /*awaited=*/!answerable);
  }
  get.replies.clear();  // they may be large, and a repair may take its time
  if (!answerable) AskSpares(step, id, get);
  JudgeRepair(step, id, get);
}

void GetMachine::Repair(StepContext& step, RequestId id, const Get& get, NodeId replica,
                        bool awaited) {
  if (replica == node_.self()) {
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
  if (reply.status == ReplicaStatus::kOk) {
    Hold(it->second, from, reply.life, std::move(reply.fences));
  } else {
    it->second.holders.Fail(from);
  }
  JudgeRepair(step, reply.request, it->second);
}

void GetMachine::JudgeRepair(StepContext& step, RequestId id, Get& get) {
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
  std::vector<const VersionView*> alive;
  for (const VersionView& version : record.versions) {
    if (!version.tombstone) alive.push_back(&version);
  }
  std::sort(alive.begin(), alive.end(),
            [](const VersionView* a, const VersionView* b) { return WinsOver(*a, *b); });
  for (const VersionView* version : alive) {
    reply.siblings.push_back(Sibling{std::string(version->value), version->wall_us});
  }
  if (alive.size() > 1) ++node_.status.siblings_seen;
  if (get.context_wanted) reply.context = node_.sealer.Seal(get.key, record.context);
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
  for (const NodeId replica : node_.layout.Replicas(get.partition)) {
    if (!get.reads.HasAnswered(replica)) {
      if (replica == node_.self()) continue;  // our own store does not lose requests
      Ask(step, id, get, replica);
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
      deadlines_.Add(get.NextWake(), id);
      continue;
    }
    Fail(step, id, get,
         get.phase == Phase::kReading
             ? absl::StrCat("timed out with ", get.reads.acks(), " of ", get.reads.needed(),
                            " replies")
             : absl::StrCat("timed out: what was read is durable on ", get.holders.acks(),
                            " of the ", get.holders.needed(), " replicas needed"));
  }
}

}  // namespace norn
