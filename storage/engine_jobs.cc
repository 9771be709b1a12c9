// The part of EngineImpl that makes jobs and takes them back; those of the log lane are in
// engine_log_jobs.cc.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/types.h"
#include "storage/engine_impl.h"
#include "storage/file_names.h"
#include "storage/filter_bits.h"
#include "storage/write_debt.h"

namespace norn::storage {

std::unique_ptr<Job> EngineImpl::NextJob(Lane lane) {
  bool& out = job_out_[static_cast<size_t>(lane)];
  if (out && lane != Lane::kRead) return nullptr;
  std::unique_ptr<Job> job;
  switch (lane) {
    case Lane::kLog:
      job = NextLogJob();
      break;
    case Lane::kRead:
      job = NextReadJob();
      break;
    case Lane::kBackground:
      job = NextBackgroundJob();
      break;
  }
  out = job != nullptr;
  return job;
}

void EngineImpl::Finish(std::unique_ptr<Job> job) {
  job_out_[static_cast<size_t>(job->lane())] = false;
  auto* const own = static_cast<EngineJob*>(job.get());
  switch (own->kind()) {
    case EngineJob::Kind::kGroup:
      return FinishGroup(static_cast<GroupJob*>(own));
    case EngineJob::Kind::kSync:
      return FinishSync(static_cast<SyncJob*>(own));
    case EngineJob::Kind::kManifest:
      return FinishManifest(static_cast<ManifestJob*>(own));
    case EngineJob::Kind::kSlot:
      return FinishSlot(static_cast<SlotJob*>(own));
    case EngineJob::Kind::kReadBlock:
      return FinishReadBlock(static_cast<ReadBlockJob*>(own));
    case EngineJob::Kind::kFlush:
      return FinishFlush(static_cast<FlushJob*>(own));
    case EngineJob::Kind::kCompaction:
      return FinishCompaction();
    case EngineJob::Kind::kReserve:
      return FinishReserve(static_cast<ReserveJob*>(own));
    case EngineJob::Kind::kScrub:
      return FinishScrub(static_cast<ScrubJob*>(own));
    case EngineJob::Kind::kRecheck:
      return FinishRecheck(static_cast<RecheckJob*>(own));
    case EngineJob::Kind::kCheckpoint:
      return FinishCheckpointSlice();
    case EngineJob::Kind::kPurge:
      return;
  }
}

// --- The background lane ---

std::unique_ptr<Job> EngineImpl::NextBackgroundJob() {
  compaction_due_us_ = kNever;
  if (!health_.ok()) return nullptr;
  SettleDamage();
  // Room first: it may be what the others lack.
  std::unique_ptr<Job> job = NextPurgeJob();
  // With far too many tables at level 0 no more come there before some are merged: then
  // memtables wait, and so do their writers.
  if (job == nullptr && levels_[0].size() > Level0Crowd()) job = NextCompactionJob();
  if (job == nullptr) job = NextFlushJob();
  // Before compactions, which damage keeps from their tables.
  if (job == nullptr) job = NextRecheckJob();
  if (job == nullptr) job = NextCheckpointJob();
  ReclaimDropped();
  if (job == nullptr) job = NextCompactionJob();
  if (job == nullptr) job = NextReserveJob();
  if (job == nullptr) job = NextScrubJob();
  // It is asked for again when the lane is free: until then there is nothing to wake up for.
  if (job != nullptr) compaction_due_us_ = kNever;
  return job;
}

std::unique_ptr<Job> EngineImpl::NextFlushJob() {
  if (flush_out_ || immutables_.empty()) return nullptr;
  const std::shared_ptr<const Memtable>& oldest = immutables_.front();
  if (oldest->last_sequence() > durable_sequence_ || !flush_backoff_.Ready()) return nullptr;
  flush_out_ = true;
  const uint64_t number = NewFileNumber();
  TableOptions table = TableOptionsOf(options_);
  table.bloom_bits_per_key =
      FilterBitsForFlush(levels_, picker_.limits(), oldest->entries(), options_.bloom_bits_per_key);
  return std::make_unique<FlushJob>(
      oldest, std::make_unique<TableWriter>(file_system_, options_.dir, table, number,
                                            FileId(options_, number)));
}

void EngineImpl::FinishFlush(FlushJob* job) {
  const TableWriter& writer = job->writer();
  if (!writer.status().ok()) {
    flush_out_ = false;
    flush_backoff_.Failed();
    flush_failure_ = absl::Status(
        writer.status().code(),
        absl::StrCat("memtables of ", options_.dir, " cannot be flushed (",
                     writer.status().message(), "); writing resumes by itself once that works"));
    obsolete_.push_back({.path = TablePath(options_.dir, writer.number()), .reader = {}});
    ReleaseReserveIfFull(writer.status());
    return;
  }
  flush_backoff_.Succeeded();
  flush_failure_ = absl::OkStatus();
  ++stats_.flushes;
  PendingEdit pending;
  pending.ends_flush = true;
  AddTable(0, writer.table(), &pending);
  const uint64_t flushed = immutables_.front()->last_sequence();
  pending.edit.flushed_sequence = flushed;
  // A log is done with when the next one starts right behind what is in tables.
  for (size_t i = 0; i + 1 < wals_.size() && wals_[i + 1].first_sequence <= flushed + 1; ++i) {
    pending.edit.dropped_wals.push_back(wals_[i].number);
  }
  edits_.push_back(std::move(pending));
}

void EngineImpl::AddTable(int level, const std::shared_ptr<const Table>& table,
                          PendingEdit* pending) {
  auto live = std::make_shared<LiveTable>();
  live->meta = table->meta();
  live->table = table;
  pending->edit.added_tables.push_back({.level = level, .meta = live->meta});
  pending->added.push_back(std::move(live));
  stats_.table_bytes_written += table->meta().bytes;
}

std::unique_ptr<Job> EngineImpl::NextPurgeJob() {
  std::vector<std::string> paths;
  std::vector<ObsoleteFile> kept;
  for (ObsoleteFile& file : obsolete_) {
    if (file.reader.expired()) {
      paths.push_back(std::move(file.path));
    } else {
      kept.push_back(std::move(file));
    }
  }
  obsolete_ = std::move(kept);
  if (paths.empty() && flushed_.empty()) return nullptr;
  return std::make_unique<PurgeJob>(file_system_, std::move(paths), std::exchange(flushed_, {}));
}

std::unique_ptr<Job> EngineImpl::NextCompactionJob() {
  if (compaction_ == nullptr) {
    if (pieces_pending_ > 0 || !compaction_backoff_.Ready()) return nullptr;
    std::optional<CompactionChoice> choice = picker_.Pick(levels_);
    if (!choice.has_value() && !levels_[0].empty() &&
        Forced(options_.rare, RareBranch::kEarlyCompaction)) {
      choice = picker_.PickLevel0(levels_);
    }
    if (!choice.has_value()) return nullptr;
    OlderData older(levels_, quarantine_, *choice);
    TableOptions output = TableOptionsOf(options_);
    if (older.empty()) output.compression = options_.last_level_compression;
    output.bloom_bits_per_key =
        FilterBitsForCompaction(levels_, picker_.limits(), *choice, options_.bloom_bits_per_key);
    compaction_ = std::make_shared<Compaction>(file_system_, options_.dir, output,
                                               options_.table_bytes, options_.group_prefix_bytes,
                                               drops_, *choice, std::move(older), filter_);
    if (choice->IsMove()) {
      PendingEdit pending;
      pending.ends_compaction = true;
      for (const std::shared_ptr<LiveTable>& table : choice->upper) {
        pending.edit.dropped_tables.push_back(
            {.level = choice->level, .number = table->meta.number});
        pending.edit.added_tables.push_back({.level = choice->level + 1, .meta = table->meta});
        pending.added.push_back(table);
      }
      edits_.push_back(std::move(pending));
      compaction_->Release();
      return nullptr;
    }
  }
  if (compaction_->done() || compaction_->released()) return nullptr;  // its edit is on its way
  const int64_t start_us = NextSliceAt();
  if (start_us > now_us_) {
    compaction_due_us_ = start_us;
    return nullptr;
  }
  slice_started_us_ = now_us_;
  bytes_before_slice_ = compaction_->bytes_written();
  if (compaction_->needs_number()) {
    const uint64_t number = NewFileNumber();
    compaction_->OfferNumber(number, FileId(options_, number));
  }
  return std::make_unique<CompactionJob>(compaction_);
}

int64_t EngineImpl::NextSliceAt() const {
  // What has been merged gives room.
  const bool full = !full_.ok() || absl::IsResourceExhausted(flush_failure_);
  return pace_.StartAt(full ? kWriteDebtMax : write_debt());
}

void EngineImpl::FinishCompaction() {
  pace_.Wrote(slice_started_us_, compaction_->bytes_written() - bytes_before_slice_);
  const bool done = compaction_->done();
  const bool failed = done && !compaction_->status().ok();
  const CompactionChoice& choice = compaction_->choice();
  PendingEdit pending;
  if (!failed) {
    Compaction::Piece piece = compaction_->TakePiece();
    if (!done && piece.outputs.empty()) return;
    for (const uint64_t number : piece.lower) {
      pending.edit.dropped_tables.push_back({.level = choice.level + 1, .number = number});
    }
    for (const std::shared_ptr<const Table>& table : piece.outputs) {
      AddTable(choice.level + 1, table, &pending);
    }
    pending.filtered = std::move(piece.filtered);
    if (done) stats_.filtered_entries += compaction_->filtered_entries();
  }
  if (!done) {
    pending.is_piece = true;
    ++pieces_pending_;
    edits_.push_back(std::move(pending));
    return;
  }
  compaction_->Release();
  if (failed) {
    for (const uint64_t number : compaction_->Leftovers()) {
      obsolete_.push_back({.path = TablePath(options_.dir, number), .reader = {}});
    }
    if (compaction_->damaged_table() != 0) {
      NoteDamage(compaction_->damaged_table(), compaction_->damaged_place(), compaction_->status());
      // Or a device that fails now and then would have the same work done again and again.
      if (IsReadError(compaction_->status())) compaction_backoff_.Failed();
    } else {
      compaction_backoff_.Failed();
      ReleaseReserveIfFull(compaction_->status());
    }
    compaction_ = nullptr;
    return;
  }
  compaction_backoff_.Succeeded();
  ++stats_.compactions;
  pending.ends_compaction = true;
  for (const std::shared_ptr<LiveTable>& table : choice.upper) {
    pending.edit.dropped_tables.push_back({.level = choice.level, .number = table->meta.number});
  }
  edits_.push_back(std::move(pending));
}

// --- Scrubbing ---

std::unique_ptr<Job> EngineImpl::NextScrubJob() {
  if (scrub_bytes_left_ == 0) return nullptr;
  const LiveTable* next = nullptr;
  for (const Level& level : levels_) {
    for (const std::shared_ptr<LiveTable>& table : level) {
      if (table->table == nullptr || table->meta.number < scrub_table_) continue;
      if (next == nullptr || table->meta.number < next->meta.number) next = table.get();
    }
  }
  if (next == nullptr) {
    // All have been read. The next pass begins with the next grant, or it would never rest.
    if (scrub_table_ > 0) ++stats_.scrub_passes;
    scrub_table_ = 0;
    scrub_bytes_left_ = 0;
    return nullptr;
  }
  // The table that it was at may be gone by now.
  if (next->meta.number != scrub_table_) scrub_position_ = {};
  scrub_table_ = next->meta.number;
  return std::make_unique<ScrubJob>(next->table, scrub_position_);
}

void EngineImpl::FinishScrub(ScrubJob* job) {
  scrub_bytes_left_ -= std::min(scrub_bytes_left_, job->bytes());
  stats_.scrubbed_bytes += job->bytes();
  scrub_position_ = job->end();
  for (const auto& [place, status] : job->damage()) {
    NoteDamage(job->table_number(), place, status);
  }
  if (job->at_end()) {
    scrub_table_ = job->table_number() + 1;
    scrub_position_ = {};
  }
}

// --- Room in reserve ---

std::unique_ptr<Job> EngineImpl::NextReserveJob() {
  const bool full = wal_backoff_.failing() || flush_backoff_.failing() ||
                    manifest_backoff_.failing() || compaction_backoff_.failing();
  if (reserve_ != nullptr || full || !reserve_backoff_.Ready()) return nullptr;
  // A flush, and a compaction as small as they come.
  const uint64_t bytes = 2 * (options_.memtable_bytes + options_.table_bytes);
  return std::make_unique<ReserveJob>(file_system_, TemporaryPath(options_.dir, NewFileNumber()),
                                      bytes);
}

void EngineImpl::FinishReserve(ReserveJob* job) {
  if (job->file == nullptr) return reserve_backoff_.Failed();
  reserve_backoff_.Succeeded();
  reserve_ = std::move(job->file);
  reserve_path_ = job->path;
}

void EngineImpl::ReleaseReserveIfFull(const absl::Status& failure) {
  if (!absl::IsResourceExhausted(failure) || reserve_ == nullptr) return;
  reserve_.reset();
  obsolete_.push_back({.path = std::move(reserve_path_), .reader = {}});
  // With the room that this gives, at once.
  flush_backoff_.Retry();
  compaction_backoff_.Retry();
}

}  // namespace norn::storage
