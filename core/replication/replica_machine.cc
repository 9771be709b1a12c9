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
  if (pending_.size() >= 2 * node_.options.requests_in_flight_max) {
    return ReplicaStatus::kOverloaded;
  }
  if (standing_.LevelOf(partition) < least) return ReplicaStatus::kIncomplete;
  return ReplicaStatus::kOk;
}

void ReplicaMachine::OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write) {
  const ReplicaStatus admitted =
      Admit(write.layout, write.partition, write.key, StandingLevel::kTaking);
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaWriteReply{write.request, admitted, 0, {}, 0});
    return;
  }
  node_.epochs.Learn(write.partition, write.epoch);
  const uint64_t epoch = node_.epochs.Of(write.partition);
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
  const ReplicaStatus admitted =
      Admit(read.layout, read.partition, read.key, StandingLevel::kComplete);
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaReadReply{read.request, admitted, std::string(), 0, {}, 0});
    return;
  }
  node_.epochs.Learn(read.partition, read.epoch);
  const uint64_t id = ++next_id_;
  Pending& pending = pending_[id];
  pending.from = from;
  pending.request = read.request;
  pending.partition = read.partition;
  pending.life = standing_.LifeIn(read.partition);
  pending.epoch = node_.epochs.Of(read.partition);
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
}

}  // namespace norn
