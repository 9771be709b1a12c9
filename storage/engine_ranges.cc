// The part of EngineImpl that drops ranges of keys and takes checkpoints.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/engine_impl.h"

namespace norn::storage {
namespace {

absl::Status CheckRange(absl::string_view from, absl::string_view to) {
  if (to.empty() || from < to) return absl::OkStatus();
  return absl::InvalidArgumentError("an empty range: `from` must be below `to`");
}

}  // namespace

// --- Ranges that are dropped ---

void EngineImpl::DropRange(absl::string_view from, absl::string_view to, uint64_t ticket) {
  absl::Status status = health_;
  if (status.ok()) status = CheckRange(from, to);
  if (!status.ok()) {
    finished_drops_.push_back({.ticket = ticket, .status = std::move(status), .sequence = 0});
    return;
  }
  pending_drops_.push_back(
      {.drop = {.from = std::string(from), .to = std::string(to), .sequence = last_sequence_},
       .ticket = ticket});
}

// A drop that was durable before the writes that came before it would, after a crash, be of
// another history than the one that was told.
void EngineImpl::QueueDrops() {
  while (!pending_drops_.empty() && pending_drops_.front().drop.sequence <= durable_sequence_) {
    PendingEdit pending;
    // What was there cannot be read, and is not wanted any more.
    const RangeDrop& drop = pending_drops_.front().drop;
    pending.edit.lifted.push_back({.from = drop.from, .until = drop.to, .sequence = drop.sequence});
    pending.edit.added_drops.push_back(std::move(pending_drops_.front().drop));
    pending.drop_ticket = pending_drops_.front().ticket;
    edits_.push_back(std::move(pending));
    pending_drops_.pop_front();
  }
}

bool EngineImpl::IsDropped(absl::string_view from, absl::string_view until,
                           uint64_t sequence) const {
  const auto hides = [&](const RangeDrop& drop) {
    return from >= absl::string_view(drop.from) && sequence <= drop.sequence &&
           (drop.to.empty() || (!until.empty() && until <= absl::string_view(drop.to)));
  };
  const auto any = [&](const std::vector<RangeDrop>& drops) {
    return std::any_of(drops.begin(), drops.end(), hides);
  };
  return any(drops_->all()) || std::any_of(edits_.begin(), edits_.end(), [&](const PendingEdit& e) {
           return any(e.edit.added_drops);
         });
}

void EngineImpl::ApplyDrops(const PendingEdit& pending) {
  const VersionEdit& edit = pending.edit;
  if (!edit.added_drops.empty() || !edit.settled_drops.empty()) {
    std::vector<RangeDrop> drops = drops_->all();
    for (const RangeDrop& settled : edit.settled_drops) {
      drops.erase(std::find(drops.begin(), drops.end(), settled));
    }
    drops.insert(drops.end(), edit.added_drops.begin(), edit.added_drops.end());
    drops_ = std::make_shared<const RangeDrops>(std::move(drops));
  }
  if (pending.drop_ticket.has_value()) {
    finished_drops_.push_back({.ticket = *pending.drop_ticket,
                               .status = absl::OkStatus(),
                               .sequence = edit.added_drops.front().sequence});
  }
  reclaim_dropped_ = !drops_->empty();
}

void EngineImpl::ReclaimDropped() {
  // A compaction holds on to the tables that it merges, and so do its edits.
  if (!reclaim_dropped_ || compaction_ != nullptr || pieces_pending_ > 0 || settling_) return;
  reclaim_dropped_ = false;
  PendingEdit pending;
  std::vector<const TableMeta*> staying;
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const std::shared_ptr<LiveTable>& table : levels_[i]) {
      const TableMeta& meta = table->meta;
      if (drops_->HidesAll(meta.smallest, meta.largest, meta.largest_sequence)) {
        pending.edit.dropped_tables.push_back(
            {.level = static_cast<int>(i), .number = meta.number});
      } else {
        staying.push_back(&meta);
      }
    }
  }
  for (const RangeDrop& drop : drops_->all()) {
    // Memory and logs hold only what is newer.
    const bool settled = drop.sequence <= flushed_sequence_ &&
                         std::none_of(staying.begin(), staying.end(), [&](const TableMeta* meta) {
                           return meta->smallest_sequence <= drop.sequence &&
                                  drop.Overlaps(meta->smallest, meta->largest);
                         });
    if (settled) pending.edit.settled_drops.push_back(drop);
  }
  if (pending.edit.dropped_tables.empty() && pending.edit.settled_drops.empty()) return;
  pending.is_piece = true;
  ++pieces_pending_;
  edits_.push_back(std::move(pending));
}

std::vector<Engine::FinishedRangeDrop> EngineImpl::TakeFinishedRangeDrops() {
  return std::exchange(finished_drops_, {});
}

// --- Checkpoints ---

void EngineImpl::Checkpoint(CheckpointRequest request) {
  absl::Status status = health_;
  if (status.ok()) status = CheckRange(request.from, request.to);
  if (!status.ok()) {
    FailCheckpoint(request.ticket, std::move(status));
    return;
  }
  pending_checkpoints_.push_back({.request = std::move(request), .sequence = last_sequence_});
}

void EngineImpl::FailCheckpoint(uint64_t ticket, absl::Status why) {
  FinishedCheckpoint finished;
  finished.ticket = ticket;
  finished.status = std::move(why);
  finished_checkpoints_.push_back(std::move(finished));
}

std::unique_ptr<Job> EngineImpl::NextCheckpointJob() {
  if (pending_checkpoints_.empty()) return nullptr;
  const PendingCheckpoint& next = pending_checkpoints_.front();
  if (checkpoint_ == nullptr) {
    absl::Status status = flush_failure_;
    if (status.ok() && flushed_sequence_ < next.sequence) {
      if (immutables_.empty() && !memtable_->empty()) RetireMemtable();
      return NextFlushJob();
    }
    if (status.ok()) {
      absl::StatusOr<CheckpointPlan> plan = PlanCheckpoint(next.request);
      if (plan.ok()) {
        checkpoint_ = std::make_shared<CheckpointWriter>(file_system_, *std::move(plan));
      }
      status = plan.status();
    }
    if (!status.ok()) {
      FailCheckpoint(next.request.ticket, std::move(status));
      pending_checkpoints_.pop_front();
      return nullptr;
    }
  }
  return std::make_unique<CheckpointJob>(checkpoint_);
}

absl::StatusOr<CheckpointPlan> EngineImpl::PlanCheckpoint(const CheckpointRequest& request) {
  const RangeDrop range{.from = request.from, .to = request.to, .sequence = flushed_sequence_};
  CheckpointPlan plan;
  VersionEdit edit = Snapshot();
  edit.added_wals.clear();
  edit.added_tables.clear();
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const std::shared_ptr<LiveTable>& table : levels_[i]) {
      if (!range.Overlaps(table->meta.smallest, table->meta.largest)) continue;
      if (!table->damage.ok()) {
        return absl::DataLossError(absl::StrCat(
            "checkpoint ", request.dir, ": ", table->damage.status().message(),
            "; try again when that has been repaired, or copy the directory of another replica"));
      }
      edit.added_tables.push_back({.level = static_cast<int>(i), .meta = table->meta});
      plan.tables.push_back(table->table);
    }
  }
  for (const Quarantine& quarantine : quarantine_->all()) {
    if (!range.Overlaps(quarantine.from, quarantine.until)) continue;
    return absl::DataLossError(absl::StrCat(
        "checkpoint ", request.dir, ": ", QuarantineError(quarantine).message(),
        "; try again when that has been repaired, or copy the directory of another replica"));
  }
  // What is in those tables beside the range is not in the checkpoint.
  if (!range.from.empty()) {
    edit.added_drops.push_back({.from = "", .to = range.from, .sequence = range.sequence});
  }
  if (!range.to.empty()) {
    edit.added_drops.push_back({.from = range.to, .to = "", .sequence = range.sequence});
  }
  edit.checkpoint = flushed_sequence_;
  // Whoever opens it may have forgotten what came later, dots of its own among it.
  if (lost_from_ == 0) edit.lost_from = flushed_sequence_ + 1;
  plan.dir = request.dir;
  plan.owner = options_.owner;
  plan.sequence = flushed_sequence_;
  plan.slots.assign(slots_.begin(), slots_.end());
  plan.manifest_number = NewFileNumber();
  plan.manifest_file_id = FileId(options_, plan.manifest_number);
  plan.temporary_number = NewFileNumber();
  edit.next_file_number = next_file_number_;
  plan.snapshot = EncodeEdit(edit);
  return plan;
}

void EngineImpl::FinishCheckpointSlice() {
  if (checkpoint_ == nullptr || !checkpoint_->done()) return;
  finished_checkpoints_.push_back({.ticket = pending_checkpoints_.front().request.ticket,
                                   .status = checkpoint_->status(),
                                   .sequence = checkpoint_->sequence(),
                                   .tables_linked = checkpoint_->tables_linked(),
                                   .tables_copied = checkpoint_->tables_copied()});
  pending_checkpoints_.pop_front();
  checkpoint_ = nullptr;
}

std::vector<Engine::FinishedCheckpoint> EngineImpl::TakeFinishedCheckpoints() {
  return std::exchange(finished_checkpoints_, {});
}

// --- The end of both ---

void EngineImpl::FailRangeWork() {
  for (const PendingEdit& pending : edits_) {
    if (!pending.drop_ticket.has_value()) continue;
    finished_drops_.push_back({.ticket = *pending.drop_ticket, .status = health_, .sequence = 0});
  }
  for (const PendingDrop& pending : pending_drops_) {
    finished_drops_.push_back({.ticket = pending.ticket, .status = health_, .sequence = 0});
  }
  pending_drops_.clear();
  for (const PendingCheckpoint& pending : pending_checkpoints_) {
    FailCheckpoint(pending.request.ticket, health_);
  }
  pending_checkpoints_.clear();
  checkpoint_ = nullptr;
}

}  // namespace norn::storage
