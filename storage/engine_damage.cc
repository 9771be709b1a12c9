// The part of EngineImpl that knows what cannot be read: table_damage.h tells a flaw's life.
//
// Flaws are noted by whoever meets them, read again by a job of the background lane, and settled
// by an edit of the manifest: the block counts as absent (a table that cannot be looked up at all
// is dropped), and its keys go into quarantine. From then on the table is as good as any other,
// so damage keeps compactions from level 0 only for as long as it is being read again; a device
// that goes on failing, until level 0 is full.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/engine_impl.h"
#include "storage/file_names.h"

namespace norn::storage {
namespace {

TablePlace PlaceOfWhole(const LiveTable& live) {
  TablePlace whole{.from = live.meta.smallest, .until = live.meta.largest};
  whole.until.push_back('\0');
  return whole;
}

bool IsWithin(const TablePlace& place, const VersionEdit::LiftedQuarantine& excision) {
  return excision.from <= place.from && (excision.until.empty() || place.until <= excision.until);
}

// A range of which something is lifted: what is older there must not show again. It is hidden by
// the same edit.
RangeDrop OlderThan(const VersionEdit::LiftedQuarantine& lift) {
  return {.from = lift.from, .to = lift.until, .sequence = lift.sequence};
}

}  // namespace

// --- Noting ---

absl::Status EngineImpl::WithKeys(const LiveTable& live, const std::optional<TablePlace>& place,
                                  const absl::Status& status) {
  const TablePlace keys = place.has_value() ? *place : PlaceOfWhole(live);
  return absl::Status(status.code(), absl::StrCat("keys ", KeyRangeText(keys.from, keys.until),
                                                  " cannot be read: ", status.message()));
}

absl::Status EngineImpl::NoteDamage(const std::shared_ptr<LiveTable>& live,
                                    const std::optional<TablePlace>& place,
                                    const absl::Status& status) {
  ++(IsReadError(status) ? stats_.read_errors : stats_.bad_blocks);
  if (!place.has_value()) {
    if (!live->damage.whole.has_value()) live->damage.whole = Flaw::Of(status);
    has_damage_ = true;
  } else if (!live->IsGivenUp(place->handle.offset)) {
    live->damage.blocks.emplace(place->handle.offset, Flaw::Of(status, *place));
    has_damage_ = true;
  }
  return WithKeys(*live, place, status);
}

void EngineImpl::NoteDamage(uint64_t table_number, const std::optional<TablePlace>& place,
                            const absl::Status& status) {
  const std::shared_ptr<LiveTable>* const live = FindTable(table_number);
  if (live != nullptr) NoteDamage(*live, place, status).IgnoreError();  // noted is all
}

std::shared_ptr<LiveTable>* EngineImpl::FindTable(uint64_t number) {
  for (Level& level : levels_) {
    for (std::shared_ptr<LiveTable>& table : level) {
      if (table->meta.number == number) return &table;
    }
  }
  return nullptr;
}

Lookup EngineImpl::InQuarantine(const Quarantine& quarantine) {
  ++stats_.damaged_reads;
  Lookup lookup;
  lookup.state = Lookup::State::kError;
  lookup.status = QuarantineError(quarantine);
  return lookup;
}

std::vector<DamagedRange> EngineImpl::damaged_ranges() const {
  std::vector<DamagedRange> ranges;
  for (const Quarantine& quarantine : quarantine_->all()) {
    ranges.push_back({.from = quarantine.from,
                      .until = quarantine.until,
                      .sequence = quarantine.sequence,
                      .file = TablePath(options_.dir, quarantine.table),
                      .reason = absl::DataLossError(quarantine.reason),
                      .settled = true});
  }
  const auto add = [&](const LiveTable& live, const TablePlace& place, const Flaw& flaw) {
    ranges.push_back({.from = place.from,
                      .until = place.until,
                      .sequence = live.meta.largest_sequence,
                      .file = TablePath(options_.dir, live.meta.number),
                      .reason = flaw.status,
                      .settled = false});
  };
  for (const Level& level : levels_) {
    for (const std::shared_ptr<LiveTable>& live : level) {
      if (live->damage.whole.has_value()) {
        add(*live, PlaceOfWhole(*live), *live->damage.whole);
        continue;
      }
      for (const auto& [offset, flaw] : live->damage.blocks) add(*live, flaw.place, flaw);
    }
  }
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const DamagedRange& a, const DamagedRange& b) { return a.from < b.from; });
  return ranges;
}

// --- Reading again ---

std::unique_ptr<Job> EngineImpl::NextRecheckJob() {
  if (!has_damage_ || settling_) return nullptr;
  const LiveTable* table = nullptr;
  const Flaw* next = nullptr;
  const auto consider = [&](const LiveTable& live, const Flaw& flaw) {
    if (flaw.certain() || (next != nullptr && next->failed_reads <= flaw.failed_reads)) return;
    table = &live;
    next = &flaw;
  };
  has_damage_ = false;
  for (const Level& level : levels_) {
    for (const std::shared_ptr<LiveTable>& live : level) {
      has_damage_ = has_damage_ || !live->damage.ok();
      if (live->damage.whole.has_value()) {
        consider(*live, *live->damage.whole);
        continue;
      }
      for (const auto& [offset, flaw] : live->damage.blocks) consider(*live, flaw);
    }
  }
  if (next == nullptr) return nullptr;
  // Bad bytes are read again at once, and only once.
  if (next->failed_reads > 0 && !recheck_backoff_.Ready()) return nullptr;
  if (!table->damage.whole.has_value()) {
    return std::make_unique<RecheckJob>(table->table, next->place.handle);
  }
  return std::make_unique<RecheckJob>(file_system_, TablePath(options_.dir, table->meta.number),
                                      table->meta);
}

void EngineImpl::FinishRecheck(RecheckJob* job) {
  std::shared_ptr<LiveTable>* const live = FindTable(job->table_number());
  if (live == nullptr) return;
  TableDamage& damage = (*live)->damage;
  const auto block =
      job->offset().has_value() ? damage.blocks.find(*job->offset()) : damage.blocks.end();
  Flaw* const flaw = block != damage.blocks.end()                             ? &block->second
                     : !job->offset().has_value() && damage.whole.has_value() ? &*damage.whole
                                                                              : nullptr;
  if (flaw == nullptr) return;
  if (!job->status().ok()) {
    flaw->status = job->status();
    if (IsReadError(job->status())) {
      ++stats_.read_errors;
      ++flaw->failed_reads;
      recheck_backoff_.Failed();
    } else {
      ++stats_.bad_blocks;
      ++flaw->bad_reads;
    }
    return SettleDamage();
  }
  recheck_backoff_.Succeeded();
  ++(flaw->failed_reads > 0 ? stats_.read_errors_passed : stats_.bad_blocks_passed);
  if (block != damage.blocks.end()) {
    damage.blocks.erase(block);
    return;
  }
  // Iterators keep what they began with.
  auto opened = std::make_shared<LiveTable>(**live);
  opened->table = job->table();
  opened->damage.whole.reset();
  *live = std::move(opened);
  frozen_levels_ = nullptr;
}

// --- Settling ---

absl::Status EngineImpl::ExciseDamage(absl::string_view from, absl::string_view until,
                                      uint64_t sequence) {
  if (!health_.ok()) return health_;
  excisions_.push_back(
      {.from = std::string(from), .until = std::string(until), .sequence = sequence});
  SettleDamage();
  return absl::OkStatus();
}

void EngineImpl::SettleDamage() {
  // A compaction may be about to drop the very tables.
  if (settling_ || compaction_ != nullptr || pieces_pending_ > 0) return;
  if (!has_damage_ && excisions_.empty()) return;
  PendingEdit pending;
  VersionEdit& edit = pending.edit;
  edit.lifted = std::exchange(excisions_, {});
  const bool pressed = levels_[0].size() >= static_cast<size_t>(options_.level0_tables_max);
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const std::shared_ptr<LiveTable>& live : levels_[i]) {
      if (!live->damage.ok()) SettleTable(static_cast<int>(i), *live, pressed, &edit);
    }
  }
  if (!edit.lifted.empty()) {
    QuarantineSet rest = *quarantine_;
    for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
      rest.Lift(lift.from, lift.until, lift.sequence);
    }
    if (rest == *quarantine_) edit.lifted.clear();
  }
  for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
    edit.added_drops.push_back(OlderThan(lift));
  }
  // What was dropped since is not missed.
  std::erase_if(edit.quarantined, [this](const Quarantine& quarantine) {
    return IsDropped(quarantine.from, quarantine.until, quarantine.sequence);
  });
  if (edit.lifted.empty() && edit.given_up.empty() && edit.dropped_tables.empty()) return;
  settling_ = true;
  pending.ends_settling = true;
  edits_.push_back(std::move(pending));
}

void EngineImpl::SettleTable(int level, const LiveTable& live, bool pressed,
                             VersionEdit* edit) const {
  const auto settles = [&](const TablePlace& place, const Flaw& flaw) {
    for (const VersionEdit::LiftedQuarantine& excision : edit->lifted) {
      if (live.meta.largest_sequence > excision.sequence || !IsWithin(place, excision)) continue;
      edit->added_drops.push_back(
          {.from = place.from, .to = place.until, .sequence = live.meta.largest_sequence});
      return true;
    }
    if (!(pressed ? flaw.SettlesUnderPressure() : flaw.certain())) return false;
    edit->quarantined.push_back({.from = place.from,
                                 .until = place.until,
                                 .sequence = live.meta.largest_sequence,
                                 .table = live.meta.number,
                                 .reason = std::string(flaw.status.message())});
    return true;
  };
  if (live.damage.whole.has_value()) {
    if (!settles(PlaceOfWhole(live), *live.damage.whole)) return;
    edit->dropped_tables.push_back({.level = level, .number = live.meta.number});
    return;
  }
  for (const auto& [offset, flaw] : live.damage.blocks) {
    if (!settles(flaw.place, flaw)) continue;
    edit->given_up.push_back({.table = live.meta.number, .offset = offset});
  }
}

void EngineImpl::ApplyDamage(const PendingEdit& pending) {
  if (pending.ends_settling) settling_ = false;
  const VersionEdit& edit = pending.edit;
  if (edit.lifted.empty() && edit.quarantined.empty() && edit.given_up.empty()) return;
  auto quarantine = std::make_shared<QuarantineSet>(*quarantine_);
  for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
    quarantine->Lift(lift.from, lift.until, lift.sequence);
  }
  for (const Quarantine& added : edit.quarantined) quarantine->Add(added);
  quarantine_ = std::move(quarantine);
  // Iterators keep what they began with: to them the blocks are as bad as before.
  for (auto block = edit.given_up.begin(); block != edit.given_up.end();) {
    const uint64_t number = block->table;
    std::shared_ptr<LiveTable>* const live = FindTable(number);
    auto changed = live == nullptr ? nullptr : std::make_shared<LiveTable>(**live);
    for (; block != edit.given_up.end() && block->table == number; ++block) {
      if (changed == nullptr) continue;
      changed->given_up.push_back(block->offset);
      changed->damage.blocks.erase(block->offset);
    }
    if (changed == nullptr) continue;
    std::sort(changed->given_up.begin(), changed->given_up.end());
    *live = std::move(changed);
  }
}

}  // namespace norn::storage
