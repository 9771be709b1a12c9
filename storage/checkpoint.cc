#include "storage/checkpoint.h"

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
#include "core/check.h"
#include "storage/file_names.h"

namespace norn::storage {

CheckpointWriter::CheckpointWriter(FileSystem* file_system, CheckpointPlan plan)
    : file_system_(file_system), plan_(std::move(plan)) {}

void CheckpointWriter::Step() {
  CORE_CHECK(!done());
  if (phase_ == Phase::kUndo) return Undo();
  const absl::Status status = StepPhase();
  if (status.ok()) return;
  status_ =
      absl::Status(status.code(), absl::StrCat("checkpoint ", plan_.dir, ": ", status.message()));
  file_.reset();
  manifest_.reset();
  phase_ = made_.empty() ? Phase::kDone : Phase::kUndo;
}

absl::Status CheckpointWriter::StepPhase() {
  switch (phase_) {
    case Phase::kLook:
      return Look();
    case Phase::kCreateDir:
      phase_ = Phase::kTables;
      return file_system_->CreateDir(plan_.dir);
    case Phase::kTables:
      if (next_ < plan_.tables.size()) return StepTable(*plan_.tables[next_]);
      phase_ = Phase::kSlots;
      next_ = 0;
      [[fallthrough]];
    case Phase::kSlots:
      if (next_ < plan_.slots.size()) {
        return StepSlot(plan_.slots[next_].first, plan_.slots[next_].second);
      }
      phase_ = Phase::kManifest;
      [[fallthrough]];
    case Phase::kManifest:
      return StepManifest();
    case Phase::kSyncParent:
      phase_ = Phase::kDone;
      return file_system_->SyncDir(ParentDirectory(plan_.dir));
    case Phase::kUndo:
    case Phase::kDone:
      break;
  }
  return absl::OkStatus();
}

absl::Status CheckpointWriter::Look() {
  const absl::StatusOr<std::vector<std::string>> names = file_system_->List(plan_.dir);
  phase_ = Phase::kCreateDir;
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  if (names->empty()) return absl::OkStatus();
  const bool whole = file_system_->Exists(CurrentPath(plan_.dir));
  return absl::AlreadyExistsError(
      absl::StrCat(whole ? "there is a store or a checkpoint already"
                         : "there are files already (an unfinished checkpoint has no file CURRENT)",
                   "; name a new directory, or remove this one"));
}

absl::Status CheckpointWriter::StepTable(const Table& table) {
  const std::string path = TablePath(plan_.dir, table.meta().number);
  if (copying_) return StepCopy(table, path);
  const absl::Status linked = file_system_->Link(table.path(), path);
  if (absl::IsUnimplemented(linked)) {
    copying_ = true;  // this one and, without asking again, all that follow
    return absl::OkStatus();
  }
  if (!linked.ok()) return linked;
  made_.push_back(path);
  ++linked_;
  ++next_;
  return absl::OkStatus();
}

absl::Status CheckpointWriter::StepCopy(const Table& table, const std::string& path) {
  if (file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<WritableFile>> created =
        file_system_->CreateNew(path, table.meta().bytes);
    if (!created.ok()) return created.status();
    made_.push_back(path);
    file_ = *std::move(created);
    file_bytes_ = 0;
    return absl::OkStatus();
  }
  if (!piece_.empty()) {
    const absl::Status appended = file_->Append(piece_);
    file_bytes_ += piece_.size();
    piece_.clear();
    return appended;
  }
  if (file_bytes_ < table.meta().bytes) {
    piece_.resize(static_cast<size_t>(std::min(kPieceBytes, table.meta().bytes - file_bytes_)));
    return table.file().Read(file_bytes_, piece_.size(), piece_.data());
  }
  const absl::Status synced = file_->Sync();
  file_.reset();
  ++copied_;
  ++next_;
  return synced;
}

absl::Status CheckpointWriter::StepSlot(const std::string& name, const std::string& value) {
  if (file_ == nullptr) {
    const std::string path = SlotPath(plan_.dir, name);
    absl::StatusOr<std::unique_ptr<WritableFile>> created = file_system_->CreateNew(path, 0);
    if (!created.ok()) return created.status();
    made_.push_back(path);
    file_ = *std::move(created);
    return absl::OkStatus();
  }
  if (!std::exchange(written_, true)) return file_->Append(EncodeSlot(name, value));
  written_ = false;
  const absl::Status synced = file_->Sync();
  file_.reset();
  ++next_;
  return synced;
}

absl::Status CheckpointWriter::StepManifest() {
  if (!manifest_.has_value()) {
    manifest_.emplace(file_system_,
                      ManifestJob::Fresh{.dir = plan_.dir,
                                         .owner = plan_.owner,
                                         .number = plan_.manifest_number,
                                         .file_id = plan_.manifest_file_id,
                                         .temporary_number = plan_.temporary_number},
                      std::vector<std::string>{plan_.snapshot});
    // CURRENT first: without it the rest is no checkpoint. (Removed from the back.)
    made_.push_back(TemporaryPath(plan_.dir, plan_.temporary_number));
    made_.push_back(ManifestPath(plan_.dir, plan_.manifest_number));
    made_.push_back(CurrentPath(plan_.dir));
  }
  if (manifest_->RunStep()) phase_ = Phase::kSyncParent;
  return manifest_->status();
}

void CheckpointWriter::Undo() {
  if (std::exchange(current_removed_, false)) {
    // Were CURRENT to come back after a crash, what it leads to must be there.
    if (!file_system_->SyncDir(plan_.dir).ok()) phase_ = Phase::kDone;
    return;
  }
  // What cannot be removed, or was never there, is left to whoever reads the error.
  file_system_->Remove(made_.back()).IgnoreError();
  current_removed_ = made_.back() == CurrentPath(plan_.dir);
  made_.pop_back();
  if (made_.empty()) phase_ = Phase::kDone;
}

CheckpointJob::CheckpointJob(std::shared_ptr<CheckpointWriter> checkpoint)
    : EngineJob(Kind::kCheckpoint, Lane::kBackground),
      checkpoint_(std::move(checkpoint)),
      name_(absl::StrCat("checkpoint ", checkpoint_->dir())) {}

bool CheckpointJob::RunStep() {
  checkpoint_->Step();
  ++steps_;
  return checkpoint_->done() || steps_ >= kStepsMax;
}

}  // namespace norn::storage
