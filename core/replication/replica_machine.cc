#include "core/replication/replica_machine.h"

#include <utility>

#include "core/check.h"

namespace norn {

ReplicaStatus ReplicaMachine::StatusOf(const Pending& pending, const absl::Status& status,
                                       StandingLevel least) const {
  if (absl::IsResourceExhausted(status)) return ReplicaStatus::kOverloaded;
  if (!status.ok()) return ReplicaStatus::kError;
  const bool same_life = pending.life == standing_.LifeIn(pending.partition);
  return same_life && standing_.LevelOf(pending.partition) >= least ? ReplicaStatus::kOk
                                                                    : ReplicaStatus::kIncomplete;
}

ReplicaStatus ReplicaMachine::Admit(uint64_t layout, PartitionId partition, absl::string_view key,
                                    StandingLevel least) const {
  if (layout != node_.layout.version() || partition >= node_.layout.partitions() ||
      node_.layout.PartitionOf(key) != partition ||
      !node_.IsReplicaOf(node_.self(), key, partition)) {
    return ReplicaStatus::kWrongLayout;
  }
  if (in_flight() >= 2 * node_.options.requests_in_flight_max ||
      (IsBusy() && waiting_.size() >= node_.options.replica_work_max)) {
    return ReplicaStatus::kOverloaded;
  }
  if (standing_.LevelOf(partition) < least) return ReplicaStatus::kIncomplete;
  const bool refuses = Forced(node_.options.rare, RareBranch::kReplicaRefuses);
  return refuses ? ReplicaStatus::kOverloaded : ReplicaStatus::kOk;
}

void ReplicaMachine::Wait(const StepContext& step, NodeId from, int64_t remaining_us,
                          std::variant<ReplicaWrite, ReplicaRead>&& work) {
  Waiting waiting;
  waiting.from = from;
  // A deadline from far away is as good as none, and must not overflow.
  const int64_t most_us = kNever - step.now.monotonic_us;
  if (remaining_us > 0 && remaining_us < most_us) {
    waiting.deadline_us = step.now.monotonic_us + remaining_us;
  }
  waiting.work = std::move(work);
  waiting_.push_back(std::move(waiting));
}

void ReplicaMachine::DropExpired(const StepContext& step) {
  while (!waiting_.empty() && waiting_.front().deadline_us <= step.now.monotonic_us) {
    ++node_.status.replica_work_expired;
    waiting_.pop_front();
  }
}

void ReplicaMachine::BeginWaiting(StepContext& step) {
  for (DropExpired(step); !waiting_.empty() && !IsBusy(); DropExpired(step)) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    // The node may have changed since: they are judged anew.
    if (ReplicaWrite* const write = std::get_if<ReplicaWrite>(&next.work)) {
      OnWrite(step, next.from, std::move(*write));
    } else {
      OnRead(step, next.from, std::move(std::get<ReplicaRead>(next.work)));
    }
  }
}

void ReplicaMachine::OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write) {
  DropExpired(step);
  const ReplicaStatus admitted =
      Admit(write.layout, write.partition, write.key, StandingLevel::kTaking);
  if (admitted == ReplicaStatus::kOverloaded) ++node_.status.replica_work_refused;
  if (admitted == ReplicaStatus::kOk && IsBusy()) {
    const int64_t remaining_us = write.remaining_us;
    Wait(step, from, remaining_us, std::move(write));
    return;
  }
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaWriteReply{write.request, admitted, 0, {}, 0});
    return;
  }
  BeginWrite(step, from, std::move(write));
}

void ReplicaMachine::BeginWrite(StepContext& step, NodeId from, ReplicaWrite&& write) {
  node_.epochs.Learn(write.partition, write.epoch);
  const uint64_t epoch = node_.LeastEpoch(write.key, write.partition);
  if (!node_.Takes(write.key, write.partition, write.epoch)) {
    step.Send(from, ReplicaWriteReply{write.request, ReplicaStatus::kStale, 0, {}, epoch});
    return;
  }
  const uint64_t id = ++next_id_;
  pending_[id] = Pending{
      from, write.request, write.partition, standing_.LifeIn(write.partition), epoch, 0, {}};
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kReplicaWrite, id);
  update.partition = write.partition;
  update.key = std::move(write.key);
  update.op = MergeOp{std::move(write.record), standing_.NewestDotIn(write.partition)};
  step.out.store.emplace_back(std::move(update));
}

void ReplicaMachine::OnRead(StepContext& step, NodeId from, ReplicaRead&& read) {
  DropExpired(step);
  const ReplicaStatus admitted =
      Admit(read.layout, read.partition, read.key, StandingLevel::kComplete);
  if (admitted == ReplicaStatus::kOverloaded) ++node_.status.replica_work_refused;
  if (admitted == ReplicaStatus::kOk && IsBusy()) {
    const int64_t remaining_us = read.remaining_us;
    Wait(step, from, remaining_us, std::move(read));
    return;
  }
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaReadReply{read.request, admitted, std::string(), 0, {}, 0});
    return;
  }
  BeginRead(step, from, std::move(read));
}

void ReplicaMachine::BeginRead(StepContext& step, NodeId from, ReplicaRead&& read) {
  node_.LearnLeastEpoch(read.key, read.partition, read.epoch);
  const uint64_t id = ++next_id_;
  Pending& pending = pending_[id];
  pending.from = from;
  pending.request = read.request;
  pending.partition = read.partition;
  pending.life = standing_.LifeIn(read.partition);
  pending.epoch = node_.LeastEpoch(read.key, read.partition);
  pending.digest_above = read.digest_above;
  if (read.digest_above != 0) pending.key = read.key;
  StoreRead store_read;
  store_read.ticket = MakeTicket(TicketKind::kReplicaRead, id);
  store_read.partition = read.partition;
  store_read.key = std::move(read.key);
  step.out.store.emplace_back(std::move(store_read));
}

void ReplicaMachine::OnStoreWrite(StepContext& step, uint64_t id, const StoreReply& reply) {
  const auto it = pending_.find(id);
  CORE_CHECK(it != pending_.end());
  const Pending& pending = it->second;
  ReplicaWriteReply answer;
  answer.request = pending.request;
  answer.status = StatusOf(pending, reply.status, StandingLevel::kTaking);
  if (answer.status == ReplicaStatus::kOk) {
    answer.life = pending.life;
    answer.fences = standing_.FencesIn(pending.partition);
  }
  step.Send(pending.from, std::move(answer));
  pending_.erase(it);
  BeginWaiting(step);
}

void ReplicaMachine::OnStoreRead(StepContext& step, uint64_t id, StoreReply&& reply) {
  const auto it = pending_.find(id);
  CORE_CHECK(it != pending_.end());
  const Pending& pending = it->second;
  ReplicaReadReply answer;
  answer.request = pending.request;
  answer.status = StatusOf(pending, reply.status, StandingLevel::kComplete);
  if (answer.status == ReplicaStatus::kOk) {
    if (pending.digest_above != 0 && reply.record.size() > pending.digest_above) {
      const RecordHash digest = node_.hasher.Hash(pending.key, reply.record);
      answer.digest_high = digest.high;
      answer.digest_low = digest.low;
    } else {
      answer.record = std::move(reply.record);
    }
    answer.epoch = pending.epoch;
    answer.life = pending.life;
    answer.fences = standing_.FencesIn(pending.partition);
  }
  step.Send(pending.from, std::move(answer));
  pending_.erase(it);
  BeginWaiting(step);
}

}  // namespace norn
