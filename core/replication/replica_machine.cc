#include "core/replication/replica_machine.h"

#include <utility>

#include "core/check.h"

namespace norn {

namespace {

ReplicaStatus StatusOf(const absl::Status& status) {
  if (status.ok()) return ReplicaStatus::kOk;
  return absl::IsResourceExhausted(status) ? ReplicaStatus::kOverloaded : ReplicaStatus::kError;
}

}  // namespace

ReplicaStatus ReplicaMachine::Admit(uint64_t layout, PartitionId partition,
                                    absl::string_view key) const {
  if (layout != node_.layout.version() || partition >= node_.layout.partitions() ||
      node_.layout.PartitionOf(key) != partition ||
      !node_.IsReplicaOf(node_.self(), key, partition)) {
    return ReplicaStatus::kWrongLayout;
  }
  if (pending_.size() >= 2 * node_.options.requests_in_flight_max) {
    return ReplicaStatus::kOverloaded;
  }
  return ReplicaStatus::kOk;
}

void ReplicaMachine::OnWrite(StepContext& step, NodeId from, ReplicaWrite&& write) {
  const ReplicaStatus admitted = Admit(write.layout, write.partition, write.key);
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaWriteReply{write.request, admitted});
    return;
  }
  const uint64_t id = ++next_id_;
  pending_[id] = Pending{from, write.request};
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kReplicaWrite, id);
  update.partition = write.partition;
  update.key = std::move(write.key);
  update.op = MergeOp{std::move(write.record)};
  step.out.store.emplace_back(std::move(update));
}

void ReplicaMachine::OnRead(StepContext& step, NodeId from, ReplicaRead&& read) {
  const ReplicaStatus admitted = Admit(read.layout, read.partition, read.key);
  if (admitted != ReplicaStatus::kOk) {
    step.Send(from, ReplicaReadReply{read.request, admitted, std::string()});
    return;
  }
  const uint64_t id = ++next_id_;
  pending_[id] = Pending{from, read.request};
  StoreRead store_read;
  store_read.ticket = MakeTicket(TicketKind::kReplicaRead, id);
  store_read.partition = read.partition;
  store_read.key = std::move(read.key);
  step.out.store.emplace_back(std::move(store_read));
}

void ReplicaMachine::OnStoreWrite(StepContext& step, uint64_t id, const StoreReply& reply) {
  const auto it = pending_.find(id);
  CORE_CHECK(it != pending_.end());
  step.Send(it->second.from, ReplicaWriteReply{it->second.request, StatusOf(reply.status)});
  pending_.erase(it);
}

void ReplicaMachine::OnStoreRead(StepContext& step, uint64_t id, StoreReply&& reply) {
  const auto it = pending_.find(id);
  CORE_CHECK(it != pending_.end());
  ReplicaReadReply answer;
  answer.request = it->second.request;
  answer.status = StatusOf(reply.status);
  if (reply.status.ok()) answer.record = std::move(reply.record);
  step.Send(it->second.from, std::move(answer));
  pending_.erase(it);
}

}  // namespace norn
