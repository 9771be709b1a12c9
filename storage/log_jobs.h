// The jobs of Lane::kLog: group commits, manifest edits, slots.
//
// Each owns what it writes to, and hands it back to the engine when it is finished. One
// is out at a time, so WAL, manifest and slots are written in one order.

#ifndef NORN_STORAGE_LOG_JOBS_H_
#define NORN_STORAGE_LOG_JOBS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/atomic_replace.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "storage/wal.h"

namespace norn::storage {

// A log that is being written.
struct OpenLog {
  LogEncoder encoder;
  std::unique_ptr<WritableFile> file;
};

// Creates WAL `ref` with an opening that names no file before it, and makes it durable,
// but for its name in a manifest. Blocks; for recovery.
absl::StatusOr<std::unique_ptr<OpenLog>> StartWal(FileSystem* file_system, const std::string& dir,
                                                  const WalRef& ref, uint64_t preallocate_bytes,
                                                  bool lazy);

// The WAL that a group is to start.
struct NewWal {
  WalRef wal;
  WalOpening opening;
  std::string edit;  // names the new WAL
  std::unique_ptr<OpenLog> manifest;
  uint64_t preallocate_bytes = 0;
  // The WAL before it, if that has bytes that were not synced yet, up to opening.previous_bytes:
  // comes first.
  std::unique_ptr<OpenLog> unsynced;
};

// Writes one group to the WAL and, unless told otherwise, syncs it; before that, if asked,
// starts a new WAL and names it in the manifest.
class GroupJob : public EngineJob {
 public:
  enum class Outcome {
    kDone,
    kNoRoom,          // the disk is full; nothing of the group counts, try again
    kManifestFailed,  // the manifest must be written anew; then try again
    kPoisoned,        // a write or a sync of the WAL failed
  };

  GroupJob(FileSystem* file_system, std::string dir, std::unique_ptr<WalGroup> group,
           std::unique_ptr<OpenLog> wal, std::optional<NewWal> new_wal, bool sync);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  Outcome outcome() const { return outcome_; }
  const absl::Status& status() const { return status_; }
  int syncs() const { return syncs_; }
  // The new WAL is in the manifest, durably.
  bool named() const { return named_; }
  // What there was of the WAL before it was synced to its end.
  bool old_synced() const { return old_synced_; }
  // Where the group starts in its WAL; 0: it did not come to that.
  uint64_t bytes_before() const { return bytes_before_; }

  std::unique_ptr<WalGroup> group;
  std::unique_ptr<OpenLog> wal;
  std::optional<NewWal> new_wal;

 private:
  enum class Phase {
    kSyncOld,
    kCreate,
    kWriteOpening,
    kSyncOpening,
    kSyncDir,
    kWriteEdit,
    kSyncEdit,
    kWriteGroup,
    kSyncGroup,
    kDone,
  };

  absl::Status StepPhase(Phase phase);
  static Outcome OutcomeOf(Phase phase, const absl::Status& status);

  FileSystem* file_system_;
  std::string dir_;
  std::string name_;
  const bool sync_;
  Phase phase_;
  Outcome outcome_ = Outcome::kDone;
  absl::Status status_;
  int syncs_ = 0;
  bool named_ = false;
  bool old_synced_ = false;
  uint64_t bytes_before_ = 0;
};

// Syncs what earlier groups left unsynced.
class SyncJob : public EngineJob {
 public:
  explicit SyncJob(std::unique_ptr<OpenLog> wal);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }
  const absl::Status& status() const { return status_; }

  std::unique_ptr<OpenLog> wal;

 private:
  std::string name_;
  absl::Status status_;
};

// Makes edits durable: appends them to the manifest, or writes a new manifest.
class ManifestJob : public EngineJob {
 public:
  // To a manifest that is in order.
  ManifestJob(FileSystem* file_system, std::unique_ptr<OpenLog> manifest,
              std::vector<std::string> edits);

  struct Fresh {
    std::string dir;
    std::string owner;
    uint64_t number = 0;
    uint64_t file_id = 0;
    uint64_t temporary_number = 0;
  };
  // To a new one; the first of `edits` is the snapshot.
  ManifestJob(FileSystem* file_system, Fresh fresh, std::vector<std::string> edits);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  const absl::Status& status() const { return status_; }
  bool is_fresh() const { return fresh_.has_value(); }
  size_t edits() const { return edits_.size(); }

  std::unique_ptr<OpenLog> manifest;

 private:
  enum class Phase { kCreate, kWrite, kSync, kSyncDir, kPointCurrent, kDone };

  absl::Status StepPhase();

  FileSystem* file_system_;
  std::optional<Fresh> fresh_;
  std::vector<std::string> edits_;
  std::optional<AtomicReplace> current_;
  std::string name_;
  Phase phase_;
  absl::Status status_;
};

// Replaces a slot's file.
class SlotJob : public EngineJob {
 public:
  SlotJob(FileSystem* file_system, const std::string& dir, std::string slot_name,
          std::string slot_bytes, uint64_t slot_ticket, uint64_t temporary_number);

  bool RunStep() override { return replace_.Step(); }
  const char* Name() const override { return job_name_.c_str(); }

  const absl::Status& status() const { return replace_.status(); }

  const std::string name;
  const std::string bytes;
  const uint64_t ticket;

 private:
  std::string job_name_;
  AtomicReplace replace_;
};

// slot-file := magic[8] name:bytes value:bytes crc:fixed32 (CRC-32C of what is before it)
std::string EncodeSlot(absl::string_view name, absl::string_view value);
std::optional<std::string> DecodeSlot(absl::string_view name, absl::string_view file);

}  // namespace norn::storage

#endif  // NORN_STORAGE_LOG_JOBS_H_
