#include "core/replication/hint_handoff.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "core/replication/hint_record.h"

namespace norn {

namespace {

constexpr size_t kUnderWayMax = 16;

}  // namespace

void HintHandoff::Wake(const StepContext& step) {
  next_us_ = std::min(next_us_, step.now.monotonic_us);
}

void HintHandoff::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  for (auto it = deliveries_.begin(); it != deliveries_.end();) {
    const Delivery& delivery = it->second;
    const bool late =
        delivery.phase == Phase::kSent && step.now.monotonic_us >= delivery.deadline_us;
    if (late) LeaveAlone(step, delivery.place.first);
    it = late ? deliveries_.erase(it) : std::next(it);
  }
  GoOn(step);
}

// Takes up what may be taken up now, and says when to look again.
void HintHandoff::GoOn(StepContext& step) {
  const int64_t now_us = step.now.monotonic_us;
  while (deliveries_.size() < kUnderWayMax && pace_us_ <= now_us) {
    if (!TakeUpOne(step, /*owed=*/false) && !TakeUpOne(step, /*owed=*/true)) break;
  }
  next_us_ = kNever;
  if (Idle()) return;
  // Who became reachable is looked for as often as heartbeats come.
  next_us_ = now_us + node_.options.gossip_interval_us;
  if (pace_us_ > now_us) next_us_ = std::min(next_us_, pace_us_);
  for (const auto& [id, delivery] : deliveries_) {
    next_us_ = std::min(next_us_, std::max(delivery.deadline_us, now_us + 1));
  }
}

bool HintHandoff::IsUnderWay(bool owed, const HintIndex::Place& place) const {
  return std::any_of(deliveries_.begin(), deliveries_.end(), [&](const auto& it) {
    return it.second.is_owed == owed && it.second.place == place;
  });
}

void HintHandoff::Pace(const StepContext& step, uint64_t bytes) {
  pace_us_ = std::max(pace_us_, step.now.monotonic_us) +
             static_cast<int64_t>(bytes * 1'000'000 / node_.options.hint_bytes_per_second);
}

bool HintHandoff::TakeUpOne(StepContext& step, bool owed) {
  Rounds& rounds = rounds_[owed ? 1 : 0];
  const NodeId began = rounds.last_owner;
  bool wrapped = false;
  while (true) {
    rounds.last_owner = IndexOf(owed).NextOwner(rounds.last_owner);
    if (rounds.last_owner == kNoNode) {
      if (wrapped) return false;
      wrapped = true;
      continue;
    }
    const HintIndex::Place* const place = Choose(step, owed, rounds.last_owner);
    if (place != nullptr) {
      TakeUp(step, owed, *place);
      return true;
    }
    if (wrapped && rounds.last_owner >= began) return false;
  }
}

const HintIndex::Place* HintHandoff::Choose(StepContext& step, bool owed, NodeId owner) {
  HintIndex& index = IndexOf(owed);
  Course& course = rounds_[owed ? 1 : 0].courses[owner];
  if (!membership_.IsReachable(owner) || step.now.monotonic_us < course.not_before_us) {
    return nullptr;
  }
  const HintIndex::Place* place = index.Next(owner, course.behind);
  while (place != nullptr) {
    const HintIndex::Place found = *place;
    const bool old = owed && owed_.ForgetIfOld(step, found);
    if (!old && !IsUnderWay(owed, found)) return place;
    place = index.Next(owner, found.second);
  }
  // Once through: what is left was refused, or has changed meanwhile.
  course.behind.clear();
  course.not_before_us = step.now.monotonic_us + node_.options.gossip_interval_us;
  return nullptr;
}

void HintHandoff::TakeUp(StepContext& step, bool owed, const HintIndex::Place& place) {
  rounds_[owed ? 1 : 0].courses[place.first].behind = place.second;
  const HintIndex& index = IndexOf(owed);
  const uint64_t id = ++next_id_;
  Delivery& delivery = deliveries_[id];
  delivery.is_owed = owed;
  delivery.place = place;
  delivery.writes = index.WritesOf(place);
  const PartitionId partition = node_.layout.PartitionOf(place.second);
  delivery.epoch = owed ? node_.epochs.Of(partition) : node_.stand_in_epochs.Of(partition);
  Pace(step, index.BytesOf(place));
  StoreRead read;
  read.ticket = MakeTicket(TicketKind::kHandoff, id);
  read.partition = owed ? partition : kHintSpace;
  read.key = place.second;
  step.out.store.emplace_back(std::move(read));
}

void HintHandoff::LeaveAlone(StepContext& step, NodeId owner) {
  for (Rounds& rounds : rounds_) {
    rounds.courses[owner].not_before_us = step.now.monotonic_us + node_.options.gossip_interval_us;
  }
}

void HintHandoff::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  const auto it = deliveries_.find(id);
  CORE_CHECK(it != deliveries_.end());
  Delivery& delivery = it->second;
  const NodeId owner = delivery.place.first;
  if (delivery.phase == Phase::kReading) {
    HintView hint;
    const bool is_owed = delivery.is_owed;
    const bool readable = reply.status.ok() && (is_owed || HintView::Parse(reply.record, &hint));
    const PartitionId partition = node_.layout.PartitionOf(delivery.place.second);
    if (is_owed && node_.epochs.IsSuspect(partition)) {
      deliveries_.erase(it);
      GoOn(step);
      return;
    }
    if (readable && !is_owed && hint.IsFor(owner) && node_.stand_in_epochs.IsVoid(partition)) {
      RecordView view;
      if (RecordView::Parse(hint.record, &view)) delivery.context = std::move(view.context);
      delivery.remove = MakeHintRemoveOp(owner, hint.record);
      delivery.is_void = true;
      Remove(step, id, delivery);
      return;
    }
    if (readable && (is_owed ? !reply.record.empty() : hint.IsFor(owner))) {
      if (is_owed) Pace(step, reply.record.size());
      Send(step, id, delivery, is_owed ? absl::string_view(reply.record) : hint.record);
      return;
    }
    // An error is no absence: the hint stays, and is tried again.
    if (readable) IndexOf(is_owed).Removed(delivery.place, delivery.writes);
  } else {
    CORE_CHECK(delivery.phase == Phase::kRemoving);
    if (reply.status.ok()) {
      hints_.index().Removed(delivery.place, delivery.writes);
      if (delivery.is_void) {
        step.Note(Note::Level::kWarning,
                  absl::StrCat("the hint of key \"", ClientKeyOf(delivery.place.second),
                               "\" was thrown away: it is older than tombstones that have been "
                               "removed since this node kept none"));
      } else {
        ++node_.status.hints_delivered;
      }
    }
  }
  deliveries_.erase(it);
  GoOn(step);
}

void HintHandoff::Send(StepContext& step, uint64_t id, Delivery& delivery,
                       absl::string_view record) {
  RecordView view;
  if (!RecordView::Parse(record, &view)) {
    step.Note(Note::Level::kError, "a hint is damaged: it is not handed over");
    deliveries_.erase(id);
    return;
  }
  delivery.phase = Phase::kSent;
  delivery.request = node_.NextRequestId();
  delivery.deadline_us = step.now.monotonic_us + node_.options.request_timeout_us;
  delivery.remove = MakeHintRemoveOp(delivery.place.first, record);
  delivery.context = std::move(view.context);
  next_us_ = std::min(next_us_, delivery.deadline_us);
  ReplicaWrite write;
  write.request = delivery.request;
  write.layout = node_.layout.version();
  write.key = delivery.place.second;
  write.partition = node_.layout.PartitionOf(write.key);
  write.record = std::string(record);
  write.epoch = delivery.epoch;
  write.remaining_us = node_.options.request_timeout_us;
  step.Send(delivery.place.first, std::move(write));
}

bool HintHandoff::OnReplicaReply(StepContext& step, NodeId from, const ReplicaWriteReply& reply) {
  const auto it = std::find_if(deliveries_.begin(), deliveries_.end(), [&](const auto& entry) {
    const Delivery& delivery = entry.second;
    return delivery.phase == Phase::kSent && delivery.request == reply.request &&
           delivery.place.first == from;
  });
  if (it == deliveries_.end()) return false;
  Delivery& delivery = it->second;
  if (reply.status == ReplicaStatus::kStale) {
    const PartitionId partition = node_.layout.PartitionOf(delivery.place.second);
    if (delivery.is_owed) {
      node_.epochs.Learn(partition, reply.epoch);
    } else {
      node_.stand_in_epochs.LearnFloor(partition, reply.epoch);
    }
  }
  if (reply.status != ReplicaStatus::kOk) {
    LeaveAlone(step, from);
    deliveries_.erase(it);
    GoOn(step);
    return true;
  }
  if (delivery.is_owed) {
    owed_.index().Removed(delivery.place, delivery.writes);
    ++node_.status.owed_sent;
    deliveries_.erase(it);
    GoOn(step);
    return true;
  }
  Remove(step, it->first, delivery);
  return true;
}

void HintHandoff::Remove(StepContext& step, uint64_t id, Delivery& delivery) {
  hints_.minter().Forget(node_.layout.PartitionOf(delivery.place.second), delivery.context);
  delivery.phase = Phase::kRemoving;
  delivery.deadline_us = kNever;
  delivery.writes = hints_.index().WritesOf(delivery.place);
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kHandoff, id);
  update.partition = kHintSpace;
  update.key = delivery.place.second;
  update.op = delivery.remove;
  step.out.store.emplace_back(std::move(update));
}

}  // namespace norn
