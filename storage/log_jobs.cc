#include "storage/log_jobs.h"

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
#include "core/coding.h"
#include "core/crc32c.h"
#include "storage/file_names.h"

namespace norn::storage {
namespace {

constexpr absl::string_view kSlotMagic = "nornslt\n";

absl::StatusOr<std::unique_ptr<OpenLog>> CreateWal(FileSystem* file_system, const std::string& dir,
                                                   const WalRef& ref, uint64_t preallocate_bytes) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      file_system->CreateLog(WalPath(dir, ref.number), preallocate_bytes);
  if (!file.ok()) return file.status();
  return std::make_unique<OpenLog>(OpenLog{
      .encoder = LogEncoder(LogKind::kWal, ref.number, ref.file_id), .file = *std::move(file)});
}

absl::Status WriteOpening(const WalOpening& opening, OpenLog* wal) {
  std::string bytes;
  wal->encoder.AppendHeader(&bytes);
  wal->encoder.AppendRecord(EncodeWalOpening(opening), &bytes);
  return wal->file->Append(bytes);
}

absl::Status SyncLog(OpenLog* log) {
  const absl::Status synced = log->file->Sync();
  if (synced.ok()) log->encoder.MarkSynced();
  return synced;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OpenLog>> StartWal(FileSystem* file_system, const std::string& dir,
                                                  const WalRef& ref, uint64_t preallocate_bytes,
                                                  bool lazy) {
  absl::StatusOr<std::unique_ptr<OpenLog>> wal =
      CreateWal(file_system, dir, ref, preallocate_bytes);
  if (!wal.ok()) return wal;
  const WalOpening opening{.first_sequence = ref.first_sequence,
                           .previous_number = 0,
                           .previous_bytes = 0,
                           .lazy = lazy};
  absl::Status status = WriteOpening(opening, wal->get());
  if (status.ok()) status = SyncLog(wal->get());
  if (status.ok()) status = file_system->SyncDir(dir);
  if (!status.ok()) return status;
  return wal;
}

GroupJob::GroupJob(FileSystem* file_system, std::string dir, std::unique_ptr<WalGroup> the_group,
                   std::unique_ptr<OpenLog> the_wal, std::optional<NewWal> the_new_wal, bool sync)
    : EngineJob(Kind::kGroup, Lane::kLog),
      group(std::move(the_group)),
      wal(std::move(the_wal)),
      new_wal(std::move(the_new_wal)),
      file_system_(file_system),
      dir_(std::move(dir)),
      sync_(sync),
      phase_(!new_wal.has_value()           ? Phase::kWriteGroup
             : new_wal->unsynced == nullptr ? Phase::kCreate
                                            : Phase::kSyncOld) {
  CORE_CHECK(new_wal.has_value() || wal != nullptr);
  const uint64_t number = new_wal.has_value() ? new_wal->wal.number : wal->encoder.number();
  name_ = absl::StrCat("group ", group->first_sequence(), "+", group->count(), " to wal ", number);
}

bool GroupJob::RunStep() {
  CORE_CHECK(phase_ != Phase::kDone);
  const Phase phase = phase_;
  phase_ = static_cast<Phase>(static_cast<int>(phase) + 1);
  if (phase_ == Phase::kSyncGroup && !sync_) phase_ = Phase::kDone;
  status_ = StepPhase(phase);
  if (status_.ok()) return phase_ == Phase::kDone;
  outcome_ = OutcomeOf(phase, status_);
  phase_ = Phase::kDone;
  return true;
}

GroupJob::Outcome GroupJob::OutcomeOf(Phase phase, const absl::Status& status) {
  if (phase == Phase::kWriteEdit || phase == Phase::kSyncEdit) return Outcome::kManifestFailed;
  // A full disk says so before it takes bytes. A sync that fails leaves them in doubt,
  // whatever the reason.
  const bool is_write = phase != Phase::kSyncOld && phase != Phase::kSyncOpening &&
                        phase != Phase::kSyncDir && phase != Phase::kSyncGroup;
  return is_write && absl::IsResourceExhausted(status) ? Outcome::kNoRoom : Outcome::kPoisoned;
}

absl::Status GroupJob::StepPhase(Phase phase) {
  switch (phase) {
    case Phase::kSyncOld: {
      ++syncs_;
      const absl::Status synced = SyncLog(new_wal->unsynced.get());
      new_wal->unsynced.reset();
      old_synced_ = synced.ok();
      return synced;
    }
    case Phase::kCreate: {
      absl::StatusOr<std::unique_ptr<OpenLog>> created =
          CreateWal(file_system_, dir_, new_wal->wal, new_wal->preallocate_bytes);
      if (created.ok()) wal = *std::move(created);
      return created.status();
    }
    case Phase::kWriteOpening:
      return WriteOpening(new_wal->opening, wal.get());
    case Phase::kSyncDir:
      return file_system_->SyncDir(dir_);
    case Phase::kWriteEdit: {
      std::string bytes;
      new_wal->manifest->encoder.AppendRecord(new_wal->edit, &bytes);
      return new_wal->manifest->file->Append(bytes);
    }
    case Phase::kSyncEdit: {
      const absl::Status synced = SyncLog(new_wal->manifest.get());
      named_ = synced.ok();
      return synced;
    }
    case Phase::kWriteGroup:
      bytes_before_ = wal->encoder.offset();
      return wal->file->Append(group->Seal(&wal->encoder));
    case Phase::kSyncOpening:
    case Phase::kSyncGroup:
      ++syncs_;
      return SyncLog(wal.get());
    case Phase::kDone:
      break;
  }
  return absl::OkStatus();
}

SyncJob::SyncJob(std::unique_ptr<OpenLog> the_wal)
    : EngineJob(Kind::kSync, Lane::kLog),
      wal(std::move(the_wal)),
      name_(absl::StrCat("sync wal ", wal->encoder.number())) {}

bool SyncJob::RunStep() {
  status_ = SyncLog(wal.get());
  return true;
}

ManifestJob::ManifestJob(FileSystem* file_system, std::unique_ptr<OpenLog> the_manifest,
                         std::vector<std::string> edits)
    : EngineJob(Kind::kManifest, Lane::kLog),
      manifest(std::move(the_manifest)),
      file_system_(file_system),
      edits_(std::move(edits)),
      name_(absl::StrCat("edit manifest ", manifest->encoder.number())),
      phase_(Phase::kWrite) {}

ManifestJob::ManifestJob(FileSystem* file_system, Fresh fresh, std::vector<std::string> edits)
    : EngineJob(Kind::kManifest, Lane::kLog),
      file_system_(file_system),
      fresh_(std::move(fresh)),
      edits_(std::move(edits)),
      name_(absl::StrCat("write manifest ", fresh_->number)),
      phase_(Phase::kCreate) {}

bool ManifestJob::RunStep() {
  CORE_CHECK(phase_ != Phase::kDone);
  status_ = StepPhase();
  if (!status_.ok()) phase_ = Phase::kDone;
  return phase_ == Phase::kDone;
}

absl::Status ManifestJob::StepPhase() {
  switch (phase_) {
    case Phase::kCreate: {
      phase_ = Phase::kWrite;
      manifest = std::make_unique<OpenLog>(
          OpenLog{.encoder = LogEncoder(LogKind::kManifest, fresh_->number, fresh_->file_id),
                  .file = nullptr});
      absl::StatusOr<std::unique_ptr<WritableFile>> file =
          file_system_->CreateNew(ManifestPath(fresh_->dir, fresh_->number), 0);
      if (file.ok()) manifest->file = *std::move(file);
      return file.status();
    }
    case Phase::kWrite: {
      phase_ = Phase::kSync;
      std::string bytes;
      if (fresh_.has_value()) manifest->encoder.AppendHeader(&bytes);
      for (const std::string& edit : edits_) manifest->encoder.AppendRecord(edit, &bytes);
      return manifest->file->Append(bytes);
    }
    case Phase::kSync:
      phase_ = fresh_.has_value() ? Phase::kSyncDir : Phase::kDone;
      return SyncLog(manifest.get());
    case Phase::kSyncDir:
      phase_ = Phase::kPointCurrent;
      current_.emplace(file_system_, fresh_->dir,
                       TemporaryPath(fresh_->dir, fresh_->temporary_number),
                       CurrentPath(fresh_->dir),
                       EncodeCurrent({.owner = fresh_->owner, .manifest = fresh_->number}));
      return file_system_->SyncDir(fresh_->dir);
    case Phase::kPointCurrent:
      if (current_->Step()) phase_ = Phase::kDone;
      return current_->status();
    case Phase::kDone:
      break;
  }
  return absl::OkStatus();
}

SlotJob::SlotJob(FileSystem* file_system, const std::string& dir, std::string slot_name,
                 std::string slot_bytes, uint64_t slot_ticket, uint64_t temporary_number)
    : EngineJob(Kind::kSlot, Lane::kLog),
      name(std::move(slot_name)),
      bytes(std::move(slot_bytes)),
      ticket(slot_ticket),
      job_name_(absl::StrCat("slot ", name)),
      replace_(file_system, dir, TemporaryPath(dir, temporary_number), SlotPath(dir, name),
               EncodeSlot(name, bytes)) {}

std::string EncodeSlot(absl::string_view name, absl::string_view value) {
  std::string file(kSlotMagic);
  AppendBytes(&file, name);
  AppendBytes(&file, value);
  AppendFixed32(&file, Crc32c(file));
  return file;
}

std::optional<std::string> DecodeSlot(absl::string_view name, absl::string_view file) {
  ByteReader reader(file);
  const absl::string_view magic = reader.Read(kSlotMagic.size());
  const absl::string_view stored_name = reader.ReadBytes();
  const absl::string_view value = reader.ReadBytes();
  const uint32_t crc = reader.ReadFixed32();
  if (!reader.Done() || magic != kSlotMagic || stored_name != name) return std::nullopt;
  if (crc != Crc32c(file.substr(0, file.size() - 4))) return std::nullopt;
  return std::string(value);
}

}  // namespace norn::storage
