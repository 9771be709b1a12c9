#include "core/replication/tombstone_collector.h"

#include <algorithm>
#include <iterator>
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

bool TombstoneCollector::AllMembersReachable() const {
  const std::vector<MemberConfig>& members = node_.cluster.members;
  return std::all_of(members.begin(), members.end(), [this](const MemberConfig& member) {
    return member.id == node_.self() || membership_.IsReachable(member.id);
  });
}

void TombstoneCollector::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  switch (phase_) {
    case Phase::kIdle:
      break;
    case Phase::kScanning:
      return;  // our own store answers, sooner or later
    case Phase::kPromising:
    case Phase::kConfirming:
      LeaveSloppy(step);
      return;
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
  floor_ = false;
  sloppy_too_ &= AllMembersReachable();
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kTombstones, ++scan_id_);
  scan.partition = partitions_[at_];
  scan.from = from_;
  scan.entries_max = node_.options.exchange_page_entries;
  if (Forced(node_.options.rare, RareBranch::kTombstoneScanOfOne)) scan.entries_max = 1;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

bool TombstoneCollector::IsDead(const StepContext& step, const KeyRecord& entry) const {
  const BucketConfig* const bucket = node_.FindBucket(BucketOf(entry.key));
  if (bucket == nullptr || (bucket->sloppy && !sloppy_too_)) return false;
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
  if (others.empty()) GoAhead(step);
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
  GoAhead(step);
}

void TombstoneCollector::GoAhead(StepContext& step) {
  const bool sloppy = std::any_of(dead_.begin(), dead_.end(),
                                  [this](const auto& it) { return node_.IsSloppy(it.first); });
  if (dead_.empty()) {
    GoOn(step);
  } else if (sloppy) {
    AskForPromises(step);
  } else {
    Raise(step);
  }
}

// Nobody has labelled anything with it that was read before all had answered.
uint64_t TombstoneCollector::NewEpoch() const {
  const PartitionId partition = partitions_[at_];
  return std::max({epoch_, node_.epochs.Of(partition), node_.stand_in_epochs.Of(partition)}) + 1;
}

void TombstoneCollector::AskForPromises(StepContext& step) {
  const PartitionId partition = partitions_[at_];
  epoch_ = NewEpoch();
  if (attestor_.Promise(partition, epoch_) != ReplicaStatus::kOk) {
    LeaveSloppy(step);
    return;
  }
  phase_ = Phase::kPromising;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  sessions_.clear();
  confirmed_.clear();
  own_write_ = standing_.MakeDurable(step);
  for (const MemberConfig& member : node_.cluster.members) {
    if (member.id == node_.self()) continue;
    HintAttest attest;
    attest.request = request_;
    attest.layout = node_.layout.version();
    attest.partition = partition;
    attest.epoch = epoch_;
    step.Send(member.id, attest);
  }
  if (node_.cluster.members.size() == 1) AskForConfirmations(step);
}

void TombstoneCollector::AskForConfirmations(StepContext& step) {
  if (!standing_.IsDurable(own_write_)) return;  // Pump()
  phase_ = Phase::kConfirming;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  for (const auto& [member, session] : sessions_) {
    HintAttest attest;
    attest.request = request_;
    attest.layout = node_.layout.version();
    attest.partition = partitions_[at_];
    attest.epoch = epoch_;
    attest.session = session;
    step.Send(member, attest);
  }
  if (!sessions_.empty()) return;
  floor_ = true;  // there is nobody else
  Raise(step);
}

void TombstoneCollector::OnAttestation(StepContext& step, NodeId from,
                                       const HintAttestation& attestation) {
  if (attestation.request != request_) return;
  if (phase_ != Phase::kPromising && phase_ != Phase::kConfirming) return;
  if (attestation.status != ReplicaStatus::kOk) {
    // Promised before, in a round that came to nothing: the next look goes above that.
    node_.epochs.Learn(partitions_[at_], attestation.epoch);
    LeaveSloppy(step);
    return;
  }
  const size_t others = node_.cluster.members.size() - 1;
  if (phase_ == Phase::kPromising) {
    sessions_.emplace(from, attestation.session);
    if (sessions_.size() == others) AskForConfirmations(step);
    return;
  }
  confirmed_.insert(from);
  if (confirmed_.size() < others) return;
  floor_ = true;
  Raise(step);
}

void TombstoneCollector::LeaveSloppy(StepContext& step) {
  sloppy_too_ = false;
  floor_ = false;
  for (auto it = dead_.begin(); it != dead_.end();) {
    it = node_.IsSloppy(it->first) ? dead_.erase(it) : std::next(it);
  }
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
  if (!floor_) epoch_ = NewEpoch();
  std::vector<Fence> lives;
  for (const auto& [replica, life] : lives_) lives.push_back({life});
  lives.push_back({life_});
  for (const NodeId other : Others()) {
    EpochRaise raise;
    raise.request = request_;
    raise.layout = node_.layout.version();
    raise.partition = partition;
    raise.epoch = epoch_;
    raise.life = lives_.at(other);
    raise.floor = floor_;
    raise.lives = lives;
    step.Send(other, std::move(raise));
  }
  own_write_ = standing_.RaiseHere(step, partition, epoch_, floor_);
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
  if (phase_ == Phase::kPromising && sessions_.size() + 1 == node_.cluster.members.size()) {
    AskForConfirmations(step);
  }
  if (phase_ == Phase::kRaising) MaybeRemove(step);
}

void TombstoneCollector::MaybeRemove(StepContext& step) {
  const std::vector<NodeId> others = Others();
  if (raised_.size() < others.size() || !standing_.IsDurable(own_write_)) return;
  const PartitionId partition = partitions_[at_];
  std::vector<Fence> lives;
  for (const auto& [replica, life] : lives_) lives.push_back({life});
  if (standing_.LevelOf(partition) != StandingLevel::kComplete ||
      standing_.LifeIn(partition) != life_ || !standing_.KnowsNoOtherThan(partition, lives)) {
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
  sloppy_too_ = true;
  at_ = (at_ + 1) % partitions_.size();
  // Once through all of them in an interval.
  const int64_t share_us =
      node_.options.tombstone_interval_us / static_cast<int64_t>(partitions_.size());
  next_us_ = std::max(step.now.monotonic_us + std::max(share_us, int64_t{1}), throttle_.free_us());
}

}  // namespace norn
