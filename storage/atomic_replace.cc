#include "storage/atomic_replace.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace norn::storage {
namespace {

constexpr int kSteps = 5;

}  // namespace

bool AtomicReplace::Step() {
  status_ = StepOnce();
  ++step_;
  return !status_.ok() || step_ == kSteps;
}

absl::Status AtomicReplace::StepOnce() {
  switch (step_) {
    case 0: {
      absl::StatusOr<std::unique_ptr<WritableFile>> file = file_system_->CreateNew(temporary_, 0);
      if (file.ok()) file_ = *std::move(file);
      return file.status();
    }
    case 1:
      return file_->Append(bytes_);
    case 2: {
      const absl::Status synced = file_->Sync();
      file_.reset();
      return synced;
    }
    case 3:
      return file_system_->Rename(temporary_, path_);
    default:
      return file_system_->SyncDir(dir_);
  }
}

}  // namespace norn::storage
