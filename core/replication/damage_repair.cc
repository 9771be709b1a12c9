#include "core/replication/damage_repair.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/antientropy/exchange_parts.h"
#include "core/check.h"

namespace norn {

namespace {

constexpr int64_t kDebtUs = 10'000;        // of the throttle: below it nothing pauses
constexpr int64_t kFetchAgainUs = 50'000;  // after a round that too few have answered
constexpr int kRounds = 40;                // of fetches, before other partitions have their turn
constexpr int64_t kRetryAfterUs = 1'000'000;

}  // namespace

void DamageRepair::Start(StepContext& step) {
  if (node_.options.damage_check_interval_us > 0) Idle(step);
}

void DamageRepair::Idle(StepContext& step) {
  phase_ = Phase::kIdle;
  next_us_ = step.now.monotonic_us + node_.options.damage_check_interval_us;
}

void DamageRepair::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  switch (phase_) {
    case Phase::kIdle:
      Look(step);
      return;
    case Phase::kAsking:  // no answer
      AskNext(step);
      return;
    case Phase::kPaused:
      if (peer_ == kNoNode) {
        BeginRound(step, /*probe=*/false);
      } else {
        AskPage(step);
      }
      return;
    case Phase::kFencing:
      next_us_ = kNever;
      ForgetSave(step);
      return;
    case Phase::kLooking:
    case Phase::kMerging:
    case Phase::kExcising:
      next_us_ = kNever;  // our own store answers, sooner or later
      return;
  }
}

// ---- What is to be mended -----------------------------------------------------------

void DamageRepair::Look(StepContext& step) {
  if (node_.status.draining) return Idle(step);
  phase_ = Phase::kLooking;
  next_us_ = kNever;
  awaited_ = {++next_id_};
  step.out.store.emplace_back(
      StoreDamage{MakeTicket(TicketKind::kDamage, next_id_), node_.layout.partitions()});
}

void DamageRepair::OnLooked(StepContext& step, StoreReply&& reply) {
  damaged_.clear();
  node_.status.damaged_ranges = reply.damaged.size();
  for (DamagedCursors& damaged : reply.damaged) {
    damaged_[damaged.partition].push_back(std::move(damaged));
  }
  std::erase_if(waiting_, [this](PartitionId waiting) { return damaged_.count(waiting) == 0; });
  Next(step);
}

bool DamageRepair::IsHeld() const {
  return partition_ < node_.layout.partitions() && node_.layout.IsReplica(partition_, node_.self());
}

void DamageRepair::Next(StepContext& step) {
  while (!damaged_.empty()) {
    const auto first = damaged_.begin();
    partition_ = first->first;
    ranges_ = std::move(first->second);
    damaged_.erase(first);
    records_ = 0;
    rounds_ = 0;
    told_.clear();
    if (partition_ == kHintSpace) stand_in_minter_.RetireAll();
    if (!IsHeld()) return Excise(step);
    // Whoever is kNew may be about to throw all of it away.
    if (standing_.LevelOf(partition_) == StandingLevel::kNew) continue;
    const bool goes_on = standing_.GoOnMending(partition_, ranges_);
    return BeginRound(step, /*probe=*/!goes_on);
  }
  Idle(step);
}

// ---- Asking the others --------------------------------------------------------------

void DamageRepair::BeginRound(StepContext& step, bool probe) {
  probe_ = probe;
  life_ = standing_.LifeIn(partition_);
  told_.clear();
  complete_.clear();
  peers_.clear();
  for (const NodeId replica : node_.layout.Replicas(partition_)) {
    if (replica == node_.self() || !membership_.IsReachable(replica)) continue;
    if (probe || standing_.HasMet(partition_, replica)) peers_.push_back(replica);
  }
  // Nor is there any use in records while we may not take any.
  if (!probe && standing_.LevelOf(partition_) == StandingLevel::kNew) peers_.clear();
  const std::set<NodeId> all(peers_.begin(), peers_.end());
  if (standing_.CoverageOf(partition_, all, all) == Standing::Coverage::kTooFew) peers_.clear();
  AskNext(step);
}

void DamageRepair::AskNext(StepContext& step) {
  const Standing::Coverage coverage = standing_.CoverageOf(partition_, complete_, told_);
  if (coverage == Standing::Coverage::kEnough || peers_.empty()) return EndRound(step, coverage);
  peer_ = peers_.front();
  peers_.pop_front();
  all_complete_ = true;
  range_ = 0;
  from_ = ranges_[range_].from;
  AskPage(step);
}

void DamageRepair::AskPage(StepContext& step) {
  if (node_.status.draining) return Idle(step);
  if (throttle_.DebtUs(step.now.monotonic_us) > kDebtUs) {
    phase_ = Phase::kPaused;
    next_us_ = throttle_.free_us();
    return;
  }
  phase_ = Phase::kAsking;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  ExchangeOffer offer;
  offer.request = request_;
  offer.layout = node_.layout.version();
  offer.partition = partition_;
  offer.epoch = node_.epochs.Of(partition_);
  offer.from = from_;
  offer.to = ranges_[range_].to;
  throttle_.Take(step.now.monotonic_us, BytesOf(offer));
  node_.status.exchange_bytes += BytesOf(offer);
  step.Send(peer_, std::move(offer));
}

void DamageRepair::OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer) {
  if (!Knows(answer.request) || from != peer_) return;
  const bool stuck = !answer.covered_to.empty() && answer.covered_to <= from_;
  const bool told = answer.status == ReplicaStatus::kOk && !stuck;
  if (!told || standing_.LifeIn(partition_) != life_) return AskNext(step);
  throttle_.Take(step.now.monotonic_us, BytesOf(answer));
  node_.status.exchange_bytes += BytesOf(answer);
  all_complete_ &= answer.complete;
  covered_to_ = std::move(answer.covered_to);
  page_failed_ = false;
  awaited_.clear();
  phase_ = Phase::kMerging;
  next_us_ = kNever;
  node_.epochs.Learn(partition_, answer.epoch);
  if (!probe_) {
    for (KeyRecord& record : answer.records) {
      const uint64_t id = ++next_id_;
      if (SubmitMerge(node_, minter_, step, MakeTicket(TicketKind::kDamage, id), partition_,
                      answer.epoch, std::move(record), /*over_damage=*/true)) {
        awaited_.insert(id);
        ++records_;
      } else {
        page_failed_ = true;
      }
    }
  }
  if (awaited_.empty()) OnPageEnd(step);
}

void DamageRepair::OnPageEnd(StepContext& step) {
  if (page_failed_) return AskNext(step);
  from_ = std::move(covered_to_);
  const std::string& to = ranges_[range_].to;
  const bool range_done = from_.empty() || (!to.empty() && from_ >= to);
  if (range_done && ++range_ == ranges_.size()) {
    told_.insert(peer_);
    if (all_complete_) complete_.insert(peer_);
    return AskNext(step);
  }
  if (range_done) from_ = ranges_[range_].from;
  AskPage(step);
}

void DamageRepair::EndRound(StepContext& step, Standing::Coverage coverage) {
  peer_ = kNoNode;
  const bool too_few = coverage == Standing::Coverage::kTooFew;
  if (!too_few && standing_.LifeIn(partition_) == life_) {
    return probe_ ? Fence(step) : Excise(step);
  }
  if (!probe_ && standing_.LifeIn(partition_) == life_ && ++rounds_ < kRounds) {
    phase_ = Phase::kPaused;
    next_us_ = step.now.monotonic_us + kFetchAgainUs;
    return;
  }
  if (too_few && waiting_.insert(partition_).second) {
    step.Note(Note::Level::kWarning,
              absl::StrCat("partition ", partition_, ": ", ranges_.size(),
                           " ranges of keys cannot be read, and answer errors until enough other "
                           "complete replicas can tell all of them (there are ",
                           complete_.size(), ")"));
  }
  Next(step);
}

// ---- Mending ------------------------------------------------------------------------

void DamageRepair::Fence(StepContext& step) {
  phase_ = Phase::kFencing;
  next_us_ = kNever;
  standing_.BeginMending(step, partition_, ranges_);
  life_ = standing_.LifeIn(partition_);
  forest_.Forget(partition_);
  ForgetSave(step);
  step.Note(Note::Level::kWarning,
            absl::StrCat("partition ", partition_, ": ", ranges_.size(),
                         " ranges of keys cannot be read: a new life, until they are mended from "
                         "replicas ",
                         absl::StrJoin(told_, " ")));
}

// A save that stays could be taken for the truth by the next start.
void DamageRepair::ForgetSave(StepContext& step) {
  awaited_ = {++next_id_};
  step.out.store.emplace_back(forest_.NoSave(MakeTicket(TicketKind::kDamage, next_id_)));
}

void DamageRepair::Pump(StepContext& step) {
  if (phase_ != Phase::kFencing || !awaited_.empty() || next_us_ != kNever) return;
  if (!minter_.IsLeased(partition_)) return;
  peer_ = kNoNode;
  phase_ = Phase::kPaused;  // until they have noted our life
  next_us_ = step.now.monotonic_us;
}

void DamageRepair::Excise(StepContext& step) {
  phase_ = Phase::kExcising;
  next_us_ = kNever;
  page_failed_ = false;
  awaited_.clear();
  for (const DamagedCursors& damaged : ranges_) {
    awaited_.insert(++next_id_);
    step.out.store.emplace_back(StoreExcise{MakeTicket(TicketKind::kDamage, next_id_), damaged});
  }
}

void DamageRepair::OnExcised(StepContext& step) {
  if (page_failed_) return Idle(step);
  node_.status.damage_mended += ranges_.size();
  node_.status.damaged_ranges -= std::min<uint64_t>(node_.status.damaged_ranges, ranges_.size());
  if (partition_ == kHintSpace) {
    step.Note(Note::Level::kError,
              "what there was of hints in some ranges of keys could not be read and is given up: "
              "their owners have to get what they missed from the other replicas");
  }
  if (!IsHeld()) return Next(step);
  forest_.Rebuild(step, partition_);
  if (standing_.LifeIn(partition_) == life_) standing_.OnMended(step, partition_);
  waiting_.erase(partition_);
  const bool enough =
      standing_.CoverageOf(partition_, complete_, told_) == Standing::Coverage::kEnough;
  step.Note(Note::Level::kWarning,
            absl::StrCat("partition ", partition_, ": ", ranges_.size(),
                         " ranges of keys were mended with ", records_, " records of replicas ",
                         absl::StrJoin(told_, " "),
                         enough ? ""
                                : ", which is fewer than hold every acknowledged write: some may "
                                  "be lost"));
  Next(step);
}

void DamageRepair::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (awaited_.erase(id) == 0) return;  // of a round that was given up
  page_failed_ |= !reply.status.ok();
  switch (phase_) {
    case Phase::kLooking:
      return OnLooked(step, std::move(reply));
    case Phase::kMerging:
      if (awaited_.empty()) OnPageEnd(step);
      return;
    case Phase::kFencing:
      if (!reply.status.ok()) next_us_ = step.now.monotonic_us + kRetryAfterUs;
      return;
    case Phase::kExcising:
      if (awaited_.empty()) OnExcised(step);
      return;
    case Phase::kIdle:
    case Phase::kAsking:
    case Phase::kPaused:
      return;
  }
}

}  // namespace norn
