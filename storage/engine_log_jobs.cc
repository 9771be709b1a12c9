// The part of EngineImpl that makes the jobs of the log lane, group commits, manifest edits
// and slots, and takes them back. The version changes here: when an edit has become durable.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "storage/engine_impl.h"
#include "storage/file_names.h"

namespace norn::storage {
namespace {

// A manifest that grew beyond this is replaced by a snapshot.
constexpr uint64_t kManifestBytesMax = 1u << 20;
// Keys that a filter changed and nobody has asked for yet: above, all count as changed.
constexpr size_t kFilteredKeysMax = 1u << 16;

}  // namespace

std::unique_ptr<Job> EngineImpl::NextLogJob() {
  if (!health_.ok()) return nullptr;
  for (int i = 0; i < 3; ++i) {
    log_turn_ = static_cast<LogTurn>((static_cast<int>(log_turn_) + 1) % 3);
    std::unique_ptr<Job> job;
    switch (log_turn_) {
      case LogTurn::kGroup:
        job = NextGroupJob();
        break;
      case LogTurn::kManifest:
        job = NextManifestJob();
        break;
      case LogTurn::kSlot:
        job = NextSlotJob();
        break;
    }
    if (job != nullptr) return job;
  }
  return nullptr;
}

std::unique_ptr<Job> EngineImpl::NextGroupJob() {
  if (groups_.empty()) CloseGroup();
  if (groups_.empty()) return NextSyncJob();
  if (!wal_backoff_.Ready()) return nullptr;
  PendingGroup& front = groups_.front();
  std::optional<NewWal> new_wal;
  if (front.starts_wal || wal_ == nullptr) {
    if (manifest_ == nullptr) return nullptr;  // it could not be named
    const uint64_t number = NewFileNumber();
    const uint64_t first = front.group->first_sequence();
    new_wal.emplace();
    new_wal->wal = {.number = number, .file_id = FileId(options_, number), .first_sequence = first};
    new_wal->opening = {.first_sequence = first,
                        .previous_number = wals_.back().number,
                        .previous_bytes = wal_synced_bytes_,
                        .lazy = options_.sync_mode != SyncMode::kAlways};
    VersionEdit edit;
    edit.next_file_number = next_file_number_;
    edit.added_wals.push_back(new_wal->wal);
    new_wal->edit = EncodeEdit(edit);
    new_wal->manifest = std::move(manifest_);
    new_wal->preallocate_bytes = options_.wal_preallocate_bytes;
    if (HasUnsynced()) {
      wal_unsynced_bytes_ = wal_->encoder.offset();
      unsynced_wal_ = std::move(wal_);
    }
    wal_ = nullptr;  // complete: closed here
    if (unsynced_wal_ != nullptr) {
      new_wal->opening.previous_bytes = wal_unsynced_bytes_;
      new_wal->unsynced = std::move(unsynced_wal_);
    }
  }
  const bool sync = options_.sync_mode == SyncMode::kAlways || sync_requested_;
  sync_requested_ = false;
  return std::make_unique<GroupJob>(file_system_, options_.dir, std::move(front.group),
                                    std::move(wal_), std::move(new_wal), sync);
}

bool EngineImpl::HasUnsynced() const {
  return wal_ != nullptr && wal_->encoder.synced() < wal_->encoder.offset();
}

std::unique_ptr<Job> EngineImpl::NextSyncJob() {
  if (!sync_requested_) return nullptr;
  sync_requested_ = false;
  if (!HasUnsynced()) return nullptr;
  return std::make_unique<SyncJob>(std::move(wal_));
}

void EngineImpl::FinishSync(SyncJob* job) {
  ++stats_.wal_syncs;
  if (!job->status().ok()) return Poison(job->status());
  wal_ = std::move(job->wal);
  wal_synced_bytes_ = wal_->encoder.synced();
}

void EngineImpl::FinishGroup(GroupJob* job) {
  const GroupJob::Outcome outcome = job->outcome();
  stats_.wal_syncs += static_cast<uint64_t>(job->syncs());
  if (job->new_wal.has_value()) {
    if (job->old_synced()) wal_synced_bytes_ = job->new_wal->opening.previous_bytes;
    if (outcome != GroupJob::Outcome::kManifestFailed) {
      manifest_ = std::move(job->new_wal->manifest);
    }
    if (job->named()) {
      wals_.push_back(job->new_wal->wal);
      wal_synced_bytes_ = job->wal->encoder.synced();
    } else {
      abandoned_.push_back(WalPath(options_.dir, job->new_wal->wal.number));
    }
  }
  switch (outcome) {
    case GroupJob::Outcome::kDone:
      wal_backoff_.Succeeded();
      full_ = absl::OkStatus();
      durable_sequence_ = job->group->last_sequence();
      stats_.wal_bytes += job->group->bytes();
      wal_ = std::move(job->wal);
      wal_synced_bytes_ = wal_->encoder.synced();
      groups_.pop_front();
      return;
    case GroupJob::Outcome::kNoRoom:
      wal_backoff_.Failed();
      full_ = absl::ResourceExhaustedError(
          absl::StrCat("the disk of ", options_.dir, " is full (", job->status().message(),
                       "); free space, writing then resumes by itself"));
      // Groups before this one may have been answered without a sync (SyncMode).
      if (job->wal != nullptr && job->wal->encoder.synced() < job->bytes_before()) {
        unsynced_wal_ = std::move(job->wal);
        wal_unsynced_bytes_ = job->bytes_before();
      }
      break;
    case GroupJob::Outcome::kManifestFailed:
      manifest_backoff_.Failed();
      break;
    case GroupJob::Outcome::kPoisoned:
      return Poison(job->status());
  }
  // To be written again, as a whole, into a new file.
  groups_.front().group = std::move(job->group);
}

void EngineImpl::Poison(const absl::Status& why) {
  health_ =
      absl::UnavailableError(absl::StrCat("the log of ", options_.dir, " failed (", why.ToString(),
                                          "); writes are refused until the node is restarted"));
  for (PendingSlot& slot : pending_slots_) {
    finished_slots_.push_back({.ticket = slot.ticket, .status = health_});
  }
  pending_slots_.clear();
  FailRangeWork();
}

std::unique_ptr<Job> EngineImpl::NextManifestJob() {
  QueueDrops();
  const bool fresh = manifest_ == nullptr || manifest_->encoder.offset() > kManifestBytesMax;
  if (!fresh && edits_.empty()) return nullptr;
  if (!manifest_backoff_.Ready()) return nullptr;
  ManifestJob::Fresh file;
  if (fresh) {
    const uint64_t number = NewFileNumber();
    file = {.dir = options_.dir,
            .owner = options_.owner,
            .number = number,
            .file_id = FileId(options_, number),
            .temporary_number = NewFileNumber()};
    // What replaces the old one must be durable before the old one goes.
    abandoned_.push_back(ManifestPath(options_.dir, manifest_number_));
    manifest_number_ = number;
    manifest_ = nullptr;
  }
  std::vector<std::string> bodies;
  if (fresh) bodies.push_back(EncodeEdit(Snapshot()));
  for (PendingEdit& pending : edits_) {
    pending.edit.next_file_number = next_file_number_;
    bodies.push_back(EncodeEdit(pending.edit));
  }
  edits_out_ = edits_.size();
  if (fresh) {
    return std::make_unique<ManifestJob>(file_system_, std::move(file), std::move(bodies));
  }
  return std::make_unique<ManifestJob>(file_system_, std::move(manifest_), std::move(bodies));
}

void EngineImpl::FinishManifest(ManifestJob* job) {
  if (!job->status().ok()) {
    // The edits may be in that file or not. They stay, and go into a new manifest.
    manifest_backoff_.Failed();
    return;
  }
  manifest_backoff_.Succeeded();
  manifest_ = std::move(job->manifest);
  for (; edits_out_ > 0; --edits_out_) {
    ApplyEdit(&edits_.front());
    edits_.pop_front();
  }
  if (!job->is_fresh()) return;
  for (std::string& path : abandoned_) obsolete_.push_back({.path = std::move(path), .reader = {}});
  abandoned_.clear();
}

VersionEdit EngineImpl::Snapshot() const {
  VersionEdit edit;
  edit.flushed_sequence = flushed_sequence_;
  edit.next_file_number = next_file_number_;
  edit.added_wals = wals_;
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const std::shared_ptr<LiveTable>& table : levels_[i]) {
      edit.added_tables.push_back({.level = static_cast<int>(i), .meta = table->meta});
    }
  }
  edit.suspect = suspect_;
  edit.lost_from = lost_from_;
  SnapshotDamage(levels_, *quarantine_, &edit);
  edit.added_drops = drops_->all();
  return edit;
}

void EngineImpl::ApplyEdit(PendingEdit* pending) {
  const VersionEdit& edit = pending->edit;
  flushed_sequence_ = edit.flushed_sequence.value_or(flushed_sequence_);
  suspect_ = edit.suspect.value_or(suspect_);
  lost_from_ = edit.lost_from.value_or(lost_from_);
  for (const uint64_t number : edit.dropped_wals) {
    CORE_CHECK(wals_.front().number == number);
    wals_.erase(wals_.begin());
    obsolete_.push_back({.path = WalPath(options_.dir, number), .reader = {}});
  }
  frozen_levels_ = nullptr;
  std::vector<std::shared_ptr<LiveTable>> dropped;
  for (const VersionEdit::DroppedTable& drop : edit.dropped_tables) {
    Level& level = levels_[static_cast<size_t>(drop.level)];
    const auto table = std::find_if(level.begin(), level.end(), [&](const auto& live) {
      return live->meta.number == drop.number;
    });
    CORE_CHECK(table != level.end());
    dropped.push_back(std::move(*table));
    level.erase(table);
  }
  for (size_t i = 0; i < edit.added_tables.size(); ++i) {
    const VersionEdit::AddedTable& added = edit.added_tables[i];
    InsertTable(added.level, pending->added[i], &levels_[static_cast<size_t>(added.level)]);
  }
  for (const std::shared_ptr<LiveTable>& table : dropped) {
    const bool moved =
        std::find(pending->added.begin(), pending->added.end(), table) != pending->added.end();
    if (moved) continue;
    obsolete_.push_back(
        {.path = TablePath(options_.dir, table->meta.number), .reader = table->table});
  }
  ApplyDamage(*pending);
  ApplyDrops(*pending);
  filtered_.all = filtered_.all || pending->filtered.all;
  for (std::string& key : pending->filtered.keys) filtered_.keys.push_back(std::move(key));
  if (filtered_.keys.size() > kFilteredKeysMax) filtered_ = {.keys = {}, .all = true};
  if (pending->ends_flush) {
    flushed_.push_back(std::move(immutables_.front()));
    immutables_.pop_front();
    flush_out_ = false;
  }
  if (pending->ends_compaction) compaction_ = nullptr;
  if (pending->is_piece) --pieces_pending_;
}

std::unique_ptr<Job> EngineImpl::NextSlotJob() {
  if (pending_slots_.empty()) return nullptr;
  PendingSlot slot = std::move(pending_slots_.front());
  pending_slots_.pop_front();
  return std::make_unique<SlotJob>(file_system_, options_.dir, std::move(slot.name),
                                   std::move(slot.bytes), slot.ticket, NewFileNumber());
}

void EngineImpl::FinishSlot(SlotJob* job) {
  if (job->status().ok()) slots_.insert_or_assign(job->name, job->bytes);
  finished_slots_.push_back({.ticket = job->ticket, .status = job->status()});
}

}  // namespace norn::storage
