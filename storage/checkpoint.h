// Writes a checkpoint: a directory of its own that the engine can open (Engine::Checkpoint).
//
//   tables   hard links, or copies where there can be none
//   slots    written anew, from memory
//   manifest a snapshot, which says that it is a checkpoint's; no logs
//   CURRENT  last
//
// Everything is synced, the directory too, before CURRENT names it, and that is before the
// directory's own entry in its parent is: at any moment a crash leaves no checkpoint or a whole
// one. An error ends it; what it made is then removed, so that the same name can be tried again.
//
// It runs in slices, each a job of its own, so that a flush does not wait for a copy. A step does
// one file operation.

#ifndef NORN_STORAGE_CHECKPOINT_H_
#define NORN_STORAGE_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/log_jobs.h"
#include "storage/table.h"

namespace norn::storage {

struct CheckpointPlan {
  std::string dir;
  std::string owner;
  uint64_t sequence = 0;                                   // what it holds: writes up to this one
  std::vector<std::shared_ptr<const Table>> tables;        // held, so that no file goes meanwhile
  std::vector<std::pair<std::string, std::string>> slots;  // name, value
  std::string snapshot;                                    // the manifest's only edit
  uint64_t manifest_number = 0;
  uint64_t manifest_file_id = 0;
  uint64_t temporary_number = 0;
};

class CheckpointWriter {
 public:
  CheckpointWriter(FileSystem* file_system, CheckpointPlan plan);

  // One file operation. Not when done().
  void Step();

  bool done() const { return phase_ == Phase::kDone; }
  const absl::Status& status() const { return status_; }
  const std::string& dir() const { return plan_.dir; }
  uint64_t sequence() const { return plan_.sequence; }
  uint64_t tables_linked() const { return linked_; }
  uint64_t tables_copied() const { return copied_; }

 private:
  enum class Phase { kLook, kCreateDir, kTables, kSlots, kManifest, kSyncParent, kUndo, kDone };
  // Copied in pieces of this size.
  static constexpr uint64_t kPieceBytes = 256u << 10;

  absl::Status StepPhase();
  absl::Status Look();
  absl::Status StepTable(const Table& table);
  absl::Status StepCopy(const Table& table, const std::string& path);
  absl::Status StepSlot(const std::string& name, const std::string& value);
  absl::Status StepManifest();
  void Undo();

  FileSystem* file_system_;
  CheckpointPlan plan_;
  Phase phase_ = Phase::kLook;
  absl::Status status_;
  std::vector<std::string> made_;  // files
  size_t next_ = 0;                // table or slot
  bool copying_ = false;
  std::unique_ptr<WritableFile> file_;  // the one that is being written
  uint64_t file_bytes_ = 0;             // of it, as far as it has been copied
  std::string piece_;                   // read and not written yet
  bool written_ = false;                // the slot's file: it lacks its sync
  std::optional<ManifestJob> manifest_;
  bool current_removed_ = false;  // and that is not durable yet
  uint64_t linked_ = 0;
  uint64_t copied_ = 0;
};

// A slice of it.
class CheckpointJob : public EngineJob {
 public:
  explicit CheckpointJob(std::shared_ptr<CheckpointWriter> checkpoint);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

 private:
  // Some 2 MiB of a copy: a flush waits for as long.
  static constexpr int kStepsMax = 16;

  std::shared_ptr<CheckpointWriter> checkpoint_;
  std::string name_;
  int steps_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_CHECKPOINT_H_
