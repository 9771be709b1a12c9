#include "storage/engine_impl.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/random.h"
#include "storage/engine_iterator.h"
#include "storage/file_names.h"
#include "storage/write_debt.h"

namespace norn::storage {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(FileSystem& file_system,
                                                     const EngineOptions& options,
                                                     RecoveryReport* report) {
  absl::StatusOr<RecoveredState> state = Recover(file_system, options, report);
  if (!state.ok()) return state.status();
  return std::unique_ptr<Engine>(
      std::make_unique<EngineImpl>(&file_system, options, *std::move(state), *report));
}

TableOptions TableOptionsOf(const EngineOptions& options) {
  return {.block_bytes = options.block_bytes,
          .index_partition_bytes = options.index_partition_bytes,
          .restart_interval = options.block_restart_interval,
          .bloom_bits_per_key = options.bloom_bits_per_key,
          .compression = options.compression};
}

uint64_t FileId(const EngineOptions& options, uint64_t number) {
  return SplitMix64(SplitMix64(options.seed) ^ number);
}

EngineImpl::EngineImpl(FileSystem* file_system, EngineOptions options, RecoveredState state,
                       const RecoveryReport& report)
    : file_system_(file_system),
      options_(std::move(options)),
      lock_(std::move(state.lock)),
      last_sequence_(state.last_sequence),
      durable_sequence_(state.last_sequence),
      wal_(std::move(state.wal)),
      wals_({state.wal_ref}),
      wal_synced_bytes_(wal_->encoder.synced()),
      next_file_number_(state.next_file_number),
      flushed_sequence_(state.last_sequence),
      suspect_(report.suspect),
      lost_from_(report.possibly_lost_from.value_or(0)),
      levels_(std::move(state.levels)),
      manifest_(std::move(state.manifest)),
      manifest_number_(manifest_->encoder.number()),
      quarantine_(std::make_shared<const QuarantineSet>(std::move(state.quarantine))),
      drops_(std::make_shared<const RangeDrops>(std::move(state.drops))),
      reclaim_dropped_(!drops_->empty()),
      slots_(std::move(state.slots)),
      cache_(options_.block_cache_bytes),
      filter_(options_.compaction_filter),
      picker_({.level0_tables = std::max(options_.level0_tables_to_compact, 1),
               .level0_percent = options_.level0_percent,
               .level0_tables_max =
                   std::max(options_.level0_tables_max, options_.level0_tables_to_compact),
               .level1_bytes = options_.level1_bytes,
               .level_growth = options_.level_growth}),
      pace_(options_.compaction_bytes_per_second) {
  memtable_ = std::make_shared<Memtable>();
}

absl::Status EngineImpl::Put(absl::string_view key, absl::string_view value, uint64_t* sequence) {
  const absl::Status status = Write(key, value, EntryKind::kValue, sequence);
  if (status.ok()) ++stats_.puts;
  return status;
}

absl::Status EngineImpl::Delete(absl::string_view key, uint64_t* sequence) {
  const absl::Status status = Write(key, absl::string_view(), EntryKind::kDeletion, sequence);
  if (!status.ok()) return status;
  last_deletion_ = *sequence;
  ++stats_.deletes;
  return status;
}

absl::Status EngineImpl::Write(absl::string_view key, absl::string_view value, EntryKind kind,
                               uint64_t* sequence) {
  if (!health_.ok()) return health_;
  if (key.size() > kKeyBytesMax || value.size() > kValueBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("key of ", key.size(), " and value of ",
                                                   value.size(), " bytes: the limits are ",
                                                   kKeyBytesMax, " and ", kValueBytesMax));
  }
  if (!full_.ok()) return full_;
  if (absl::IsResourceExhausted(flush_failure_)) return flush_failure_;
  if (memtable_->bytes() >= options_.memtable_bytes) {
    if (immutables_.size() >= static_cast<size_t>(options_.immutable_memtables_max)) {
      return absl::ResourceExhaustedError(
          flush_failure_.ok()
              ? absl::StrCat(options_.dir, ": ", immutables_.size(),
                             " memtables wait to be flushed; slow down and try again")
              : flush_failure_.message());
    }
    RetireMemtable();
  } else if (memtable_->bytes() > 0 && immutables_.empty() &&
             Forced(options_.rare, RareBranch::kEarlyMemtable)) {
    RetireMemtable();
  }
  ++last_sequence_;
  memtable_->Add(last_sequence_, key, value, kind);
  if (open_group_ == nullptr) open_group_ = std::make_unique<WalGroup>(last_sequence_);
  open_group_->Add(key, value, kind);
  *sequence = last_sequence_;
  return absl::OkStatus();
}

int EngineImpl::write_debt() const {
  return WriteDebt(
      {.memtable_bytes = memtable_->bytes(),
       .memtable_bytes_max = options_.memtable_bytes,
       .immutable_memtables = immutables_.size(),
       .immutable_memtables_max = static_cast<uint64_t>(options_.immutable_memtables_max),
       .level0_tables = levels_[0].size(),
       .level0_tables_max = static_cast<uint64_t>(options_.level0_tables_max),
       .level0_tables_crowd = Level0Crowd()});
}

void EngineImpl::RetireMemtable() {
  CORE_CHECK(!memtable_->empty());
  CloseGroup();
  open_group_starts_wal_ = true;
  immutables_.push_back(std::move(memtable_));
  memtable_ = std::make_shared<Memtable>();
}

void EngineImpl::CloseGroup() {
  if (open_group_ == nullptr) return;
  groups_.push_back({.group = std::move(open_group_), .starts_wal = open_group_starts_wal_});
  open_group_starts_wal_ = false;
}

absl::Status EngineImpl::InDoubt(uint64_t sequence) const {
  if (health_.ok() || sequence <= durable_sequence_) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("write ", sequence, " is in doubt: ", health_.message()));
}

std::optional<std::string> EngineImpl::ReadSlot(absl::string_view name) const {
  const auto slot = slots_.find(name);
  if (slot == slots_.end()) return std::nullopt;
  return slot->second;
}

void EngineImpl::WriteSlot(absl::string_view name, std::string bytes, uint64_t ticket) {
  if (!health_.ok()) {
    finished_slots_.push_back({.ticket = ticket, .status = health_});
  } else if (!IsSlotName(name)) {
    finished_slots_.push_back(
        {.ticket = ticket,
         .status = absl::InvalidArgumentError(
             absl::StrCat("slot name \"", name, "\": use 1 to 64 letters, digits, '-' and '_'"))});
  } else {
    pending_slots_.push_back(
        {.name = std::string(name), .bytes = std::move(bytes), .ticket = ticket});
  }
}

void EngineImpl::AcknowledgeRecovery() {
  if (!suspect_ && lost_from_ == 0) return;
  PendingEdit pending;
  pending.edit.suspect = false;
  pending.edit.lost_from = 0;
  edits_.push_back(std::move(pending));
}

absl::Status EngineImpl::Scan(absl::string_view from, absl::string_view to, size_t entries_max,
                              size_t bytes_max, std::vector<Entry>* entries, std::string* next) {
  entries->clear();
  next->clear();
  const std::unique_ptr<Iterator> at = NewIterator();
  size_t bytes = 0;
  for (at->Seek(from); at->state() != Iterator::State::kEnd; at->Next()) {
    const bool failed = at->state() == Iterator::State::kError;
    const absl::string_view key = failed ? at->error_from() : at->key();
    if (!to.empty() && key >= to) return absl::OkStatus();
    // What was found before an error is a page of its own; the error comes with the next one.
    if (entries->size() >= entries_max || bytes >= bytes_max || (failed && !entries->empty())) {
      *next = std::string(key);
      return absl::OkStatus();
    }
    if (failed) {
      *next = std::string(at->error_until());
      if (absl::IsDataLoss(at->status())) ++stats_.damaged_reads;
      return at->status();
    }
    entries->push_back(
        {.key = std::string(key), .value = std::string(at->value()), .sequence = at->sequence()});
    bytes += key.size() + at->value().size();
  }
  return absl::OkStatus();
}

std::unique_ptr<Iterator> EngineImpl::NewIterator() {
  std::vector<std::shared_ptr<const Memtable>> memtables = {memtable_};
  memtables.insert(memtables.end(), immutables_.rbegin(), immutables_.rend());
  if (frozen_levels_ == nullptr) {
    frozen_levels_ = std::make_shared<const EngineIterator::Levels>(levels_);
  }
  BlocksOfScan source(
      &cache_, [this](const Table& table, const TablePlace& place, const absl::Status& status) {
        NoteDamage(table.meta().number, place, status);
      });
  return std::make_unique<EngineIterator>(std::move(memtables), frozen_levels_, quarantine_, drops_,
                                          std::move(source), last_sequence_,
                                          [this](uint64_t sequence) { return InDoubt(sequence); });
}

std::vector<std::shared_ptr<PendingRead>> EngineImpl::TakeFinishedReads() {
  return std::exchange(finished_reads_, {});
}

std::vector<Engine::FinishedSlot> EngineImpl::TakeFinishedSlots() {
  return std::exchange(finished_slots_, {});
}

EngineStats EngineImpl::stats() const {
  EngineStats stats = stats_;
  stats.damaged_ranges = quarantine_->all().size();
  stats.block_cache_hits = cache_.hits();
  stats.block_cache_misses = cache_.misses();
  stats.memtable_bytes = memtable_->bytes();
  stats.immutable_memtables = immutables_.size();
  for (const std::shared_ptr<const Memtable>& full : immutables_) {
    stats.immutable_memtable_bytes += full->bytes();
  }
  for (const std::shared_ptr<const Memtable>& flushed : flushed_) {
    stats.immutable_memtable_bytes += flushed->bytes();
  }
  stats.block_cache_bytes = cache_.bytes();
  stats.block_cache_index_bytes = cache_.index_bytes();
  for (const Level& level : levels_) {
    stats.tables_per_level.push_back(static_cast<int>(level.size()));
    stats.tables += level.size();
    for (const std::shared_ptr<LiveTable>& table : level) {
      stats.table_bytes += table->meta.bytes;
      if (table->table != nullptr) {
        stats.index_bytes += table->table->index_bytes();
        stats.filter_bytes += table->table->filter_bytes();
      }
      if (table->damage.ok()) continue;
      ++stats.damaged_tables;
      stats.damaged_ranges += table->damage.whole.has_value() ? 1 : table->damage.blocks.size();
    }
  }
  return stats;
}

}  // namespace norn::storage
