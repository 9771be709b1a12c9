#include "core/replication/put_machine.h"

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

// A token may be given to the writer only when its version stands alone: with siblings
// it has not read beside it, the record's context covers more than the writer knows.
std::string TokenAfterWrite(const TokenSealer& sealer, absl::string_view key,
                            absl::string_view bytes) {
  RecordView record;
  CORE_CHECK(RecordView::Parse(bytes, &record));
  if (record.versions.size() != 1) return std::string();
  return sealer.Seal(key, record.context, record.last_writer_wins ? record.NewestWallUs() : 0);
}

// The bucket's own limit, or the node's if the bucket has none or a greater one.
size_t LimitOf(size_t of_bucket, size_t of_node) {
  return of_bucket == 0 ? of_node : std::min(of_bucket, of_node);
}

}  // namespace

void PutMachine::Begin(StepContext& step, ClientRequest&& request, const WriteOrigin& origin,
                       int64_t deadline_us) {
  const RequestId id = node_.NextRequestId();
  Put& put = puts_[id];
  put.origin = origin;
  put.deadline_us = deadline_us;
  put.key = MakeRecordKey(request.bucket, request.key);
  put.partition = node_.layout.PartitionOf(put.key);
  put.request = std::move(request);
  const BucketConfig* const bucket = node_.FindBucket(put.request.bucket);
  CORE_CHECK(bucket != nullptr);
  const absl::Span<const NodeId> replicas = node_.ReplicasOf(put.key, put.partition);
  put.quorum = WriteQuorum(node_, *bucket, put.request, replicas);
  put.sloppy = bucket->sloppy;
  if (!node_.IsReplicaOf(node_.self(), put.key, put.partition)) {
    CORE_CHECK(put.sloppy);
    const auto unreachable = [this](NodeId replica) { return !membership_.IsReachable(replica); };
    const auto owner = std::find_if(replicas.begin(), replicas.end(), unreachable);
    put.stands_for = owner == replicas.end() ? replicas.front() : *owner;
    put.stand_ins.Assign(put.stands_for, node_.self());
  }
  if (put.request.base == ClientRequest::Base::kToken) {
    absl::StatusOr<VersionVector> base =
        node_.sealer.Open(put.key, put.request.context, &put.base_wall_us);
    if (!base.ok()) {
      Finish(step, id, Outcome::kInvalid, std::string(base.status().message()));
      return;
    }
    put.base = *std::move(base);
  }
  deadlines_.Add(deadline_us, id);
  Mint(step, id, put);
}

MintOp PutMachine::MakeMint(const StepContext& step, Put& put) const {
  MintOp mint;
  mint.wall_us = step.now.wall_us;
  mint.tombstone = put.request.kind == ClientRequest::Kind::kDelete;
  mint.base = put.request.base;
  mint.context = put.base;
  mint.context_wall_us = put.base_wall_us;
  mint.value = put.request.value;
  mint.expires_us = put.request.expires_us;
  const BucketConfig& bucket = *node_.FindBucket(put.request.bucket);
  mint.last_writer_wins = bucket.conflicts == ConflictPolicy::kLww;
  mint.max_clock_skew_us = node_.options.max_clock_skew_us;
  mint.siblings_max = LimitOf(bucket.siblings_max, node_.options.siblings_max);
  mint.record_bytes_max = node_.options.record_bytes_max;
  mint.context_entries_max = node_.options.context_entries_max;
  mint.prune_entries_above = bucket.prune_entries_above;
  return mint;
}

void PutMachine::Mint(StepContext& step, RequestId id, Put& put) {
  if (put.stands_for != kNoNode) {
    MintOp mint = MakeMint(step, put);
    mint.dot = hints_.minter().Mint(put.partition);
    put.phase = Phase::kMinting;
    put.dot = mint.dot;
    put.epoch = node_.stand_in_epochs.Of(put.partition);
    if (hints_.Mint(step, put.stands_for, put.key, std::move(mint), id)) return;
    Finish(
        step, id, Outcome::kOverloaded,
        "no replica can be reached, and this stand-in has no room for hints (hint_bytes_max), is "
        "still looking for those that it has, or must first hear from a replica: try again later, "
        "or another node");
    return;
  }
  if (node_.epochs.IsSuspect(put.partition)) {
    put.phase = Phase::kLease;
    waiting_for_lease_.push_back(id);
    return;
  }
  Dot dot;
  if (!minter_.TryMint(step, put.partition, &dot)) {
    put.phase = Phase::kLease;
    waiting_for_lease_.push_back(id);
    return;
  }
  MintOp mint = MakeMint(step, put);
  mint.dot = dot;
  put.phase = Phase::kMinting;
  put.dot = dot;
  put.epoch = node_.epochs.Of(put.partition);
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kPut, id);
  update.partition = put.partition;
  update.key = put.key;
  update.op = std::move(mint);
  const bool alone = node_.FindBucket(put.request.bucket)->n == 1;
  update.record_wanted = !alone || put.request.context_wanted;
  step.out.store.emplace_back(std::move(update));
}

void PutMachine::OnStoreReply(StepContext& step, RequestId id, StoreReply&& reply) {
  const auto it = puts_.find(id);
  if (it == puts_.end()) return;  // timed out meanwhile: answered kUnknown
  Put& put = it->second;
  if (put.rereading) {
    OnReread(step, id, put, std::move(reply));
    return;
  }
  CORE_CHECK(put.phase == Phase::kMinting);
  if (!reply.status.ok()) {
    const std::string why(reply.status.message());
    if (reply.applied) {
      Finish(step, id, Outcome::kUnknown, absl::StrCat("the local copy is in doubt: ", why));
    } else if (absl::IsAborted(reply.status)) {
      if (put.stands_for == kNoNode) {
        minter_.Retire(step, put.partition, put.dot.incarnation);
      } else {
        hints_.minter().Retire(put.partition, put.dot.incarnation);
      }
      Mint(step, id, put);
    } else if (absl::IsInvalidArgument(reply.status)) {
      Finish(step, id, Outcome::kInvalid, why);
    } else if (absl::IsResourceExhausted(reply.status)) {
      Finish(step, id, Outcome::kOverloaded, why);
    } else {
      Finish(step, id, Outcome::kNotApplied, why);
    }
    return;
  }
  put.phase = Phase::kReplicating;
  put.record = std::move(reply.record);
  put.request.value = std::string();  // it may be large: give the memory back
  if (put.stands_for == kNoNode) {
    put.quorum.Ack(node_.self());
  } else {
    put.quorum.AckInstead(put.stands_for, node_.self());
  }
  SendToSilent(step, id, put);
  if (put.sloppy) LookForStandIns(step, id, put);
  const int64_t left_us = put.deadline_us - step.now.monotonic_us;
  if (put.quorum.state() == QuorumState::kPending && left_us > 0) {
    // Messages get lost; merging twice is harmless. One repetition half-way.
    put.resend_us = step.now.monotonic_us + left_us / 2;
    deadlines_.Add(put.resend_us, id);
  }
  Judge(step, id, put);
}

void PutMachine::SendTo(StepContext& step, RequestId id, const Put& put, NodeId replica,
                        NodeId hint_for) {
  ReplicaWrite write;
  write.request = id;
  write.layout = node_.layout.version();
  write.partition = put.partition;
  write.key = put.key;
  write.record = put.record;
  write.epoch = put.epoch;
  write.hint_for = hint_for;
  write.remaining_us = RemainingUs(step.now, put.deadline_us);
  step.Send(replica, std::move(write));
}

void PutMachine::SendToSilent(StepContext& step, RequestId id, const Put& put) {
  for (const NodeId replica : node_.ReplicasOf(put.key, put.partition)) {
    if (replica == node_.self()) continue;
    if (put.stands_for != replica && put.quorum.HasAnswered(replica)) continue;
    SendTo(step, id, put, replica, kNoNode);
    const NodeId stand_in = put.stand_ins.StandInOf(replica);
    if (stand_in != kNoNode && stand_in != node_.self()) {
      SendTo(step, id, put, stand_in, replica);
    }
  }
}

void PutMachine::Reread(StepContext& step, RequestId id, Put& put) {
  const uint64_t epoch = node_.epochs.Of(put.partition);
  if (put.rereading || epoch <= put.epoch) return;  // it comes, or has just been sent
  put.rereading = true;
  put.reread_epoch = epoch;
  StoreRead read;
  read.ticket = MakeTicket(TicketKind::kPut, id);
  read.partition = put.partition;
  read.key = put.key;
  step.out.store.emplace_back(std::move(read));
}

void PutMachine::OnReread(StepContext& step, RequestId id, Put& put, StoreReply&& reply) {
  put.rereading = false;
  RecordView record;
  if (!reply.status.ok() || !RecordView::Parse(reply.record, &record)) return;  // time will tell
  if (!record.context.Covers(put.dot)) {
    // All replicas had seen it, and had seen it deleted, or it would still be here.
    Finish(step, id, Outcome::kUnknown,
           "it was deleted again, and that forgotten, before it was acknowledged");
    return;
  }
  put.record = std::move(reply.record);
  put.epoch = put.reread_epoch;
  SendToSilent(step, id, put);
}

bool PutMachine::AskStandIn(StepContext& step, RequestId id, Put& put, NodeId owner) {
  const NodeId stand_in = put.stand_ins.Assign(
      owner, node_.StandInsOf(put.key, put.partition),
      [this](NodeId node) { return node != node_.self() && membership_.IsReachable(node); });
  if (stand_in == kNoNode) return false;
  SendTo(step, id, put, stand_in, owner);
  return true;
}

void PutMachine::LookForStandIns(StepContext& step, RequestId id, Put& put) {
  for (const NodeId owner : node_.ReplicasOf(put.key, put.partition)) {
    if (owner == node_.self() || put.quorum.HasAnswered(owner)) continue;
    const NodeId stand_in = put.stand_ins.StandInOf(owner);
    if (stand_in != kNoNode && membership_.IsReachable(stand_in)) continue;
    if (stand_in != kNoNode) put.stand_ins.GiveUp(stand_in);
    if (stand_in != kNoNode || !membership_.IsReachable(owner)) AskStandIn(step, id, put, owner);
  }
  // Seldomer and seldomer: the failure detector has its own pace.
  const int64_t now_us = step.now.monotonic_us;
  const int64_t gap_us = std::max(node_.options.speculate_after_us, int64_t{1});
  put.look_gap_us = put.look_us == kNever ? gap_us : 2 * put.look_gap_us;
  put.look_us = now_us + put.look_gap_us;
  deadlines_.Add(put.look_us, id);
}

void PutMachine::OnReplicaReply(StepContext& step, NodeId from, ReplicaWriteReply&& reply) {
  const auto it = puts_.find(reply.request);
  if (it == puts_.end()) return;
  Put& put = it->second;
  if (put.phase != Phase::kReplicating) return;  // nothing was sent yet: not an answer to us
  // What we minted as a stand-in lies in no replica's store, and goes to its owner as a hint.
  if (reply.status == ReplicaStatus::kStale && put.stands_for == kNoNode) {
    node_.epochs.Learn(put.partition, reply.epoch);
    Reread(step, reply.request, put);
    return;
  }
  const NodeId owner = put.stand_ins.OwnerOf(from);
  if (reply.status == ReplicaStatus::kIncomplete && owner == kNoNode) {
    OnIncomplete(step, reply.request, put, from);
    return;
  }
  if (reply.status != ReplicaStatus::kOk) {
    OnFailure(step, reply.request, put, from, reply.status);
  } else if (owner != kNoNode) {
    put.quorum.AckInstead(owner, from);  // no replica: no life of the partition
  } else if (put.quorum.Ack(from)) {
    // Our own vote needs no life: it was given by this very process, or it is not counted.
    const NodeId other = put.lives.Add(from, reply.life, std::move(reply.fences));
    if (other != kNoNode) {
      put.lives.Remove(other);
      put.quorum.Retract(other);
      put.quorum.Retract(from);
    }
  }
  Judge(step, reply.request, put);
}

void PutMachine::OnIncomplete(StepContext& step, RequestId id, Put& put, NodeId from) {
  if (put.quorum.HasAnswered(from)) return;
  const int64_t again_us = step.now.monotonic_us + kAgainAfterUs;
  if (again_us < std::min(put.resend_us, put.deadline_us)) {
    put.resend_us = again_us;
    deadlines_.Add(again_us, id);
  }
  const bool replica = node_.IsReplicaOf(from, put.key, put.partition);
  if (!put.sloppy || !replica || put.stand_ins.StandInOf(from) != kNoNode) return;
  AskStandIn(step, id, put, from);
}

void PutMachine::OnFailure(StepContext& step, RequestId id, Put& put, NodeId from,
                           ReplicaStatus status) {
  const NodeId owner = put.stand_ins.OwnerOf(from);
  if (owner != kNoNode) {
    if (put.stand_ins.StandInOf(owner) != from) return;  // said so before
    put.stand_ins.GiveUp(from);
    if (put.quorum.HasAnswered(owner) || AskStandIn(step, id, put, owner)) return;
    const bool refused = std::count(put.refused.begin(), put.refused.end(), owner) != 0;
    if (refused) put.quorum.Fail(owner);  // otherwise it may still answer itself
    return;
  }
  if (!node_.IsReplicaOf(from, put.key, put.partition)) return;
  // Who works under another layout would refuse the hint as well, later.
  const bool sloppy = put.sloppy && status != ReplicaStatus::kWrongLayout;
  put.refused.push_back(from);
  if (sloppy && put.stand_ins.StandInOf(from) != kNoNode) return;
  if (sloppy && !put.quorum.HasAnswered(from) && AskStandIn(step, id, put, from)) return;
  put.quorum.Fail(from);
}

void PutMachine::Judge(StepContext& step, RequestId id, Put& put) {
  switch (put.quorum.state()) {
    case QuorumState::kPending:
      return;
    case QuorumState::kMet:
      Finish(step, id, Outcome::kOk, std::string());
      return;
    case QuorumState::kImpossible:
      Finish(step, id, Outcome::kUnknown,
             absl::StrCat("only ", put.quorum.acks(), " of ", put.quorum.needed(),
                          " copies are durable and ", put.quorum.failures(),
                          " replicas failed: it may still take effect; read to find out"));
      return;
  }
}

void PutMachine::MintWaiting(StepContext& step) {
  std::vector<RequestId> waiting;
  waiting.swap(waiting_for_lease_);
  for (const RequestId id : waiting) {
    const auto it = puts_.find(id);
    if (it != puts_.end()) Mint(step, id, it->second);
  }
}

void PutMachine::OnTimer(StepContext& step) {
  RequestId id = 0;
  while (deadlines_.PopDue(step.now.monotonic_us, &id)) {
    const auto it = puts_.find(id);
    if (it == puts_.end()) continue;
    Put& put = it->second;
    if (step.now.monotonic_us < put.deadline_us) {
      if (put.resend_us <= step.now.monotonic_us) {
        put.resend_us = kNever;
        SendToSilent(step, id, put);
      }
      if (put.look_us <= step.now.monotonic_us) LookForStandIns(step, id, put);
      continue;
    }
    if (put.phase == Phase::kLease) {
      Finish(step, id, Outcome::kNotApplied,
             node_.epochs.IsSuspect(put.partition)
                 ? "timed out before anything was written: what this replica holds may be too old, "
                   "and it waits for another one to tell; try another node"
                 : "timed out before anything was written: this replica waits for its lease of "
                   "version numbers to be durable; see its log");
    } else {
      Finish(step, id, Outcome::kUnknown,
             absl::StrCat("timed out with ", put.quorum.acks(), " of ", put.quorum.needed(),
                          " copies durable: it may still take effect; read to find out"));
    }
  }
  // While the disk refuses leases puts come and time out: forget those that are gone.
  if (waiting_for_lease_.size() > 2 * puts_.size() + 64) {
    waiting_for_lease_.erase(
        std::remove_if(waiting_for_lease_.begin(), waiting_for_lease_.end(),
                       [this](RequestId waiting) { return puts_.count(waiting) == 0; }),
        waiting_for_lease_.end());
  }
}

void PutMachine::RememberWhoMissesIt(const StepContext& step, const Put& put) {
  for (const NodeId owner : node_.ReplicasOf(put.key, put.partition)) {
    if (owner == node_.self() || put.quorum.HasAcked(owner)) continue;
    const bool failed = put.quorum.HasAnswered(owner) || !membership_.IsReachable(owner);
    if (failed && put.stand_ins.StandInOf(owner) == kNoNode) owed_.Owe(step, owner, put.key);
  }
}

void PutMachine::Finish(StepContext& step, RequestId id, Outcome outcome, std::string message) {
  const auto it = puts_.find(id);
  CORE_CHECK(it != puts_.end());
  Put& put = it->second;
  if (put.phase == Phase::kReplicating && put.stands_for == kNoNode) RememberWhoMissesIt(step, put);
  ClientReply reply;
  reply.client = put.origin.client;
  reply.outcome = outcome;
  reply.message = std::move(message);
  reply.replicas = put.quorum.acks();
  reply.zones = node_.CountZones(put.quorum.Acked());
  reply.durable = put.quorum.acks();
  reply.hints = put.quorum.stood_in();
  if (outcome == Outcome::kOk && put.request.context_wanted) {
    reply.context = TokenAfterWrite(node_.sealer, put.key, put.record);
  }
  if (put.origin.peer == kNoNode) {
    step.out.replies.push_back(std::move(reply));
  } else {
    ForwardReply answer;
    answer.request = put.origin.request;
    answer.status = ReplicaStatus::kOk;
    answer.reply = std::move(reply);
    step.Send(put.origin.peer, std::move(answer));
  }
  puts_.erase(it);
}

}  // namespace norn
