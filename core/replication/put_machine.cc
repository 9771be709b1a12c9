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
  CORE_CHECK(bucket != nullptr && node_.IsReplicaOf(node_.self(), put.key, put.partition));
  put.quorum = WriteQuorum(node_, *bucket, put.request, node_.ReplicasOf(put.key, put.partition));
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

void PutMachine::Mint(StepContext& step, RequestId id, Put& put) {
  MintOp mint;
  if (!minter_.TryMint(step, put.partition, &mint.dot)) {
    put.phase = Phase::kLease;
    waiting_for_lease_.push_back(id);
    return;
  }
  put.phase = Phase::kMinting;
  put.incarnation = mint.dot.incarnation;
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
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kPut, id);
  update.partition = put.partition;
  update.key = put.key;
  update.op = std::move(mint);
  const bool alone = bucket.n == 1;
  update.record_wanted = !alone || put.request.context_wanted;
  step.out.store.emplace_back(std::move(update));
}

void PutMachine::OnStoreReply(StepContext& step, RequestId id, StoreReply&& reply) {
  const auto it = puts_.find(id);
  if (it == puts_.end()) return;  // timed out meanwhile: answered kUnknown
  Put& put = it->second;
  CORE_CHECK(put.phase == Phase::kMinting);
  if (!reply.status.ok()) {
    const std::string why(reply.status.message());
    if (reply.applied) {
      Finish(step, id, Outcome::kUnknown, absl::StrCat("the local copy is in doubt: ", why));
    } else if (absl::IsAborted(reply.status)) {
      minter_.Retire(step, put.partition, put.incarnation);
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
  put.quorum.Ack(node_.self());
  SendToSilent(step, id, put);
  const int64_t left_us = put.deadline_us - step.now.monotonic_us;
  if (put.quorum.state() == QuorumState::kPending && left_us > 0) {
    // Messages get lost; merging twice is harmless. One repetition half-way.
    put.resend_us = step.now.monotonic_us + left_us / 2;
    deadlines_.Add(put.resend_us, id);
  }
  Judge(step, id, put);
}

void PutMachine::SendToSilent(StepContext& step, RequestId id, const Put& put) {
  for (const NodeId replica : node_.ReplicasOf(put.key, put.partition)) {
    if (replica == node_.self() || put.quorum.HasAnswered(replica)) continue;
    ReplicaWrite write;
    write.request = id;
    write.layout = node_.layout.version();
    write.partition = put.partition;
    write.key = put.key;
    write.record = put.record;
    step.Send(replica, std::move(write));
  }
}

void PutMachine::OnReplicaReply(StepContext& step, NodeId from, ReplicaWriteReply&& reply) {
  const auto it = puts_.find(reply.request);
  if (it == puts_.end()) return;
  Put& put = it->second;
  if (put.phase != Phase::kReplicating) return;  // nothing was sent yet: not an answer to us
  if (reply.status == ReplicaStatus::kIncomplete) {
    // It has just begun, and will take writes once it has met others.
    const int64_t again_us = step.now.monotonic_us + kAgainAfterUs;
    if (!put.quorum.HasAnswered(from) && again_us < std::min(put.resend_us, put.deadline_us)) {
      put.resend_us = again_us;
      deadlines_.Add(again_us, reply.request);
    }
    return;
  }
  if (reply.status != ReplicaStatus::kOk) {
    put.quorum.Fail(from);
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

void PutMachine::OnLeaseExtended(StepContext& step) {
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
      continue;
    }
    if (put.phase == Phase::kLease) {
      Finish(step, id, Outcome::kNotApplied,
             "timed out before anything was written: this replica waits for its lease of version "
             "numbers to be durable; see its log");
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

void PutMachine::Finish(StepContext& step, RequestId id, Outcome outcome, std::string message) {
  const auto it = puts_.find(id);
  CORE_CHECK(it != puts_.end());
  Put& put = it->second;
  ClientReply reply;
  reply.client = put.origin.client;
  reply.outcome = outcome;
  reply.message = std::move(message);
  reply.replicas = put.quorum.acks();
  reply.zones = node_.CountZones(put.quorum.Acked());
  reply.durable = put.quorum.acks();
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
