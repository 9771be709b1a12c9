#include "core/replication/tombstone_collector.h"

#include <algorithm>
#include <utility>

#include "core/causality/record.h"
#include "core/replication/record_ops.h"

namespace norn {

void TombstoneCollector::Start(StepContext& step) {
  if (node_.options.tombstone_interval_us == 0) return;
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    if (node_.layout.Replicas(partition).front() == node_.self()) partitions_.push_back(partition);
  }
  if (partitions_.empty()) return;
  at_ = node_.random.Below(partitions_.size());
  next_us_ = step.now.monotonic_us + node_.random.Between(1, node_.options.tombstone_interval_us);
}

std::vector<NodeId> TombstoneCollector::Others() const {
  std::vector<NodeId> others;
  for (const NodeId replica : node_.layout.Replicas(partitions_[at_])) {
    if (replica != node_.self()) others.push_back(replica);
  }
  return others;
}

bool TombstoneCollector::CanLead(PartitionId partition) const {
  if (standing_.LevelOf(partition) != StandingLevel::kComplete) return false;
  const absl::Span<const NodeId> replicas = node_.layout.Replicas(partition);
  return std::all_of(replicas.begin(), replicas.end(), [this](NodeId replica) {
    return replica == node_.self() || membership_.IsReachable(replica);
  });
}

void TombstoneCollector::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  switch (phase_) {
    case Phase::kIdle:
      break;
    case Phase::kScanning:
      return;  // our own store answers, sooner or later
    case Phase::kAsking:
    case Phase::kRaising:
      GiveUp(step);  // somebody does not answer
      return;
  }
  if (node_.status.draining || !CanLead(partitions_[at_])) {
    GiveUp(step);
    return;
  }
  ScanPage(step);
}

void TombstoneCollector::ScanPage(StepContext& step) {
  phase_ = Phase::kScanning;
  next_us_ = kNever;
  life_ = standing_.LifeIn(partitions_[at_]);
  epoch_ = node_.epochs.Of(partitions_[at_]);
  dead_.clear();
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kTombstones, ++scan_id_);
  scan.partition = partitions_[at_];
  scan.from = from_;
  scan.entries_max = node_.options.exchange_page_entries;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

bool TombstoneCollector::IsDead(const StepContext& step, const KeyRecord& entry) const {
  const BucketConfig* const bucket = node_.FindBucket(BucketOf(entry.key));
  if (bucket == nullptr || bucket->sloppy) return false;
  if (!node_.IsReplicaOf(node_.self(), entry.key, partitions_[at_])) return false;
  RecordView record;
  if (!RecordView::Parse(entry.record, &record) || record.versions.empty()) return false;
  int64_t past_us = step.now.wall_us - node_.options.tombstone_keep_us;
  if (record.last_writer_wins) past_us -= 2 * node_.options.max_clock_skew_us;
  return std::all_of(record.versions.begin(), record.versions.end(),
                     [past_us](const VersionView& version) {
                       return version.IsDeadAt(past_us) && version.wall_us <= past_us;
                     });
}

void TombstoneCollector::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (id == kRemovalId && reply.change.has_value()) ++node_.status.tombstones_removed;
  if (phase_ == Phase::kScanning && id == scan_id_) OnScanned(step, std::move(reply));
}

void TombstoneCollector::OnScanned(StepContext& step, StoreReply&& reply) {
  next_ = std::move(reply.next);
  size_t bytes = 0;
  for (KeyRecord& entry : reply.entries) {
    bytes += entry.key.size() + entry.record.size();
    if (IsDead(step, entry)) {
      dead_[std::move(entry.key)] = HashOf(entry.record);
    }
  }
  throttle_.Take(step.now.monotonic_us, bytes);
  if (!reply.status.ok() && next_ <= from_) next_.clear();  // there is no way past the damage
  if (dead_.empty()) {
    GoOn(step);
  } else {
    Ask(step);
  }
}

std::vector<KeyHash> TombstoneCollector::Entries() const {
  std::vector<KeyHash> entries;
  entries.reserve(dead_.size());
  for (const auto& [key, hash] : dead_) entries.push_back({key, hash.high, hash.low});
  return entries;
}

void TombstoneCollector::Ask(StepContext& step) {
  phase_ = Phase::kAsking;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  lives_.clear();
  const std::vector<NodeId> others = Others();
  for (const NodeId other : others) {
    TombstoneOffer offer;
    offer.request = request_;
    offer.layout = node_.layout.version();
    offer.partition = partitions_[at_];
    offer.entries = Entries();
    step.Send(other, std::move(offer));
  }
  if (others.empty()) Raise(step);
}

void TombstoneCollector::OnAnswer(StepContext& step, NodeId from, TombstoneAnswer&& answer) {
  if (phase_ != Phase::kAsking || answer.request != request_) return;
  if (answer.status != ReplicaStatus::kOk) {
    GiveUp(step);
    return;
  }
  if (!lives_.emplace(from, answer.life).second) return;  // doubled
  epoch_ = std::max(epoch_, answer.epoch);
  for (const std::string& key : answer.others) dead_.erase(key);
  if (lives_.size() < Others().size()) return;
  if (dead_.empty()) {
    GoOn(step);
  } else {
    Raise(step);
  }
}

void TombstoneCollector::Raise(StepContext& step) {
  const PartitionId partition = partitions_[at_];
  if (!CanLead(partition) || standing_.LifeIn(partition) != life_) {
    GiveUp(step);
    return;
  }
  phase_ = Phase::kRaising;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  raised_.clear();
  // Nobody has labelled anything with it that was read before all had answered.
  epoch_ = std::max(epoch_, node_.epochs.Of(partition)) + 1;
  for (const NodeId other : Others()) {
    EpochRaise raise;
    raise.request = request_;
    raise.layout = node_.layout.version();
    raise.partition = partition;
    raise.epoch = epoch_;
    raise.life = lives_.at(other);
    step.Send(other, std::move(raise));
  }
  own_write_ = standing_.RaiseHere(step, partition, epoch_);
  MaybeRemove(step);
}

void TombstoneCollector::OnRaised(StepContext& step, NodeId from, const EpochAnswer& answer) {
  if (phase_ != Phase::kRaising || answer.request != request_) return;
  if (answer.status != ReplicaStatus::kOk) {
    GiveUp(step);
    return;
  }
  raised_.insert(from);
  MaybeRemove(step);
}

void TombstoneCollector::Pump(StepContext& step) {
  if (phase_ == Phase::kRaising) MaybeRemove(step);
}

void TombstoneCollector::MaybeRemove(StepContext& step) {
  const std::vector<NodeId> others = Others();
  if (raised_.size() < others.size() || !standing_.IsDurable(own_write_)) return;
  const PartitionId partition = partitions_[at_];
  if (standing_.LevelOf(partition) != StandingLevel::kComplete ||
      standing_.LifeIn(partition) != life_) {
    GiveUp(step);
    return;
  }
  for (const NodeId other : others) {
    TombstoneRemoval removal;
    removal.layout = node_.layout.version();
    removal.partition = partition;
    removal.entries = Entries();
    step.Send(other, std::move(removal));
  }
  for (const auto& [key, hash] : dead_) {
    StoreUpdate update;
    update.ticket = MakeTicket(TicketKind::kTombstones, kRemovalId);
    update.partition = partition;
    update.key = key;
    update.op = RemoveOp{hash};
    step.out.store.emplace_back(std::move(update));
  }
  GoOn(step);
}

// The next page, or partition.
void TombstoneCollector::GoOn(StepContext& step) {
  if (next_.empty()) {
    GiveUp(step);
    return;
  }
  phase_ = Phase::kIdle;
  from_ = std::move(next_);
  next_.clear();
  next_us_ = std::max(step.now.monotonic_us, throttle_.free_us());
}

void TombstoneCollector::GiveUp(StepContext& step) {
  phase_ = Phase::kIdle;
  dead_.clear();
  from_.clear();
  next_.clear();
  at_ = (at_ + 1) % partitions_.size();
  // Once through all of them in an interval.
  const int64_t share_us =
      node_.options.tombstone_interval_us / static_cast<int64_t>(partitions_.size());
  next_us_ = std::max(step.now.monotonic_us + std::max(share_us, int64_t{1}), throttle_.free_us());
}

}  // namespace norn
