// The slot "standing", and what waits until it is durable: answers, and raised epochs.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/replication/standing.h"

namespace norn {

namespace {

constexpr uint8_t kFormat = 0x03;
constexpr int64_t kRetryAfterUs = 1'000'000;

}  // namespace

uint64_t Standing::NextDurable(StepContext& step) {
  dirty_ |= node_.epochs.TakeChanged();
  dirty_ |= node_.stand_in_epochs.TakeChanged();
  const uint64_t write = dirty_ ? writes_ + 1 : writes_;
  if (dirty_ && !writing_ && retry_us_ == kNever) WriteSlot(step);
  return write;
}

void Standing::OnRaise(StepContext& step, NodeId from, const EpochRaise& raise) {
  const Replica* const replica = Find(raise.partition);
  EpochAnswer refusal;
  refusal.request = raise.request;
  if (replica == nullptr || raise.layout != node_.layout.version()) {
    refusal.status = ReplicaStatus::kWrongLayout;
    step.Send(from, refusal);
    return;
  }
  // What it vouched for in another life it may not hold any more.
  const bool whole = replica->level == StandingLevel::kComplete &&
                     LifeIn(raise.partition) == raise.life &&
                     !node_.epochs.IsSuspect(raise.partition);
  // What another replica vouched for in another life it may have lost, and what it hears from here
  // meanwhile is not the new epoch.
  if (!KnowsNoOtherThan(raise.partition, raise.lives)) {
    refusal.status = ReplicaStatus::kIncomplete;
    step.Send(from, refusal);
    return;
  }
  if (!whole || node_.epochs.Of(raise.partition) > raise.epoch) {
    refusal.status = whole ? ReplicaStatus::kStale : ReplicaStatus::kIncomplete;
    step.Send(from, refusal);
    return;
  }
  Owed owed;
  owed.to = from;
  owed.request = raise.request;
  owed.partitions.push_back(raise.partition);
  owed.raised = true;
  owed.life = raise.life;
  owed.after = RaiseHere(step, raise.partition, raise.epoch, raise.floor);
  if (IsDurable(owed.after)) {
    Answer(step, owed);
  } else {
    owed_.push_back(std::move(owed));
  }
}

bool Standing::KnowsNoOtherThan(PartitionId partition, const std::vector<Fence>& lives) const {
  for (const Fence& known : FencesIn(partition)) {
    for (const Fence& life : lives) {
      const bool same_node = NodeOf(life.incarnation) == NodeOf(known.incarnation);
      if (same_node && life.incarnation != known.incarnation) return false;
    }
  }
  return true;
}

uint64_t Standing::RaiseHere(StepContext& step, PartitionId partition, uint64_t epoch, bool floor) {
  node_.epochs.Learn(partition, epoch);
  if (floor) node_.epochs.LearnFloor(partition, epoch);
  node_.epochs.Vouch(partition, node_.last_sequence);
  return NextDurable(step);
}

void Standing::WriteSlot(StepContext& step) {
  StoreSlot slot;
  slot.ticket = MakeTicket(TicketKind::kStanding, 0);
  slot.name = "standing";
  slot.bytes.push_back(static_cast<char>(kFormat));
  AppendVarint(&slot.bytes, replicas_.size());
  for (const Replica& replica : replicas_) {
    AppendVarint(&slot.bytes, replica.partition);
    AppendFixed64(&slot.bytes, LifeIn(replica.partition));
    AppendVarint(&slot.bytes, replica.number);
    slot.bytes.push_back(static_cast<char>(replica.level));
    AppendVarint(&slot.bytes, node_.epochs.Of(replica.partition));
    AppendVarint(&slot.bytes, node_.epochs.FloorOf(replica.partition));
    AppendVarint(&slot.bytes, node_.epochs.VouchedAt(replica.partition));
    const std::optional<uint64_t> suspected_of = node_.epochs.SuspectedOf(replica.partition);
    AppendVarint(&slot.bytes, suspected_of.has_value() ? *suspected_of + 1 : 0);
    AppendVarint(&slot.bytes, replica.peers.size());
    for (const Peer& peer : replica.peers) {
      AppendFixed64(&slot.bytes, peer.life.incarnation);
      AppendVarint(&slot.bytes, peer.life.number);
    }
  }
  AppendVarint(&slot.bytes, node_.stand_in_epochs.size());
  node_.stand_in_epochs.ForEach(
      [&slot](PartitionId partition, uint64_t promised, StandInEpochs::Trust trust) {
        AppendVarint(&slot.bytes, partition);
        AppendVarint(&slot.bytes, promised);
        slot.bytes.push_back(static_cast<char>(trust));
      });
  dirty_ = false;
  writing_ = true;
  ++writes_;
  step.out.store.emplace_back(std::move(slot));
}

void Standing::OnStoreReply(StepContext& step, const StoreReply& reply) {
  CORE_CHECK(writing_);
  writing_ = false;
  if (!reply.status.ok()) {
    step.Note(Note::Level::kError,
              absl::StrCat("what is known of other replicas cannot be made durable: ",
                           absl::string_view(reply.status.message())));
    dirty_ = true;
    retry_us_ = step.now.monotonic_us + kRetryAfterUs;
    next_us_ = std::min(introduce_us_, retry_us_);
    for (Owed& owed : owed_) owed.after = writes_ + 1;
    return;
  }
  writes_durable_ = writes_;
  const auto due = [this](const Owed& owed) { return owed.after <= writes_; };
  for (const Owed& owed : owed_) {
    if (due(owed)) Answer(step, owed);
  }
  owed_.erase(std::remove_if(owed_.begin(), owed_.end(), due), owed_.end());
  if (dirty_) WriteSlot(step);
}

bool Standing::Decode(absl::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.ReadByte() != kFormat) return false;
  const uint64_t count = reader.ReadVarintUpTo(bytes.size());
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    const auto partition = static_cast<PartitionId>(reader.ReadVarintUpTo(UINT16_MAX));
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t number = reader.ReadVarint();
    const uint8_t level = reader.ReadByte();
    const uint64_t epoch = reader.ReadVarint();
    const uint64_t floor = reader.ReadVarint();
    const uint64_t vouched_at = reader.ReadVarint();
    const uint64_t suspected_of = reader.ReadVarint();
    const uint64_t known = reader.ReadVarintUpTo(bytes.size());
    if (level > static_cast<uint8_t>(StandingLevel::kComplete)) return false;
    Replica* const replica = Find(partition);
    for (uint64_t j = 0; j < known && !reader.failed(); ++j) {
      KnownLife life;
      life.incarnation = reader.ReadFixed64();
      life.number = reader.ReadVarint();
      Peer* const peer =
          replica == nullptr ? nullptr : FindPeer(*replica, NodeOf(life.incarnation));
      if (peer != nullptr && !reader.failed()) peer->life = life;
    }
    if (replica == nullptr || reader.failed()) continue;
    replica->number = number;
    node_.epochs.Learn(partition, epoch);
    node_.epochs.LearnFloor(partition, floor);
    node_.epochs.Vouch(partition, vouched_at);
    if (suspected_of != 0) node_.epochs.Suspect(partition, suspected_of - 1);
    if (incarnation == LifeIn(partition)) {
      replica->level = static_cast<StandingLevel>(level);
    } else {
      BeginLife(*replica, number + 1);
    }
  }
  const uint64_t stand_ins = reader.ReadVarintUpTo(bytes.size());
  for (uint64_t i = 0; i < stand_ins && !reader.failed(); ++i) {
    const auto partition = static_cast<PartitionId>(reader.ReadVarintUpTo(UINT16_MAX));
    const uint64_t promised = reader.ReadVarint();
    const uint8_t trust = reader.ReadByte();
    if (reader.failed() || trust > static_cast<uint8_t>(StandInEpochs::Trust::kVoid)) return false;
    node_.stand_in_epochs.Restore(partition, promised, static_cast<StandInEpochs::Trust>(trust));
  }
  return reader.Done();
}

}  // namespace norn
