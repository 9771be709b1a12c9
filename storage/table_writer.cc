#include "storage/table_writer.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/file_names.h"

namespace norn::storage {

TableWriter::TableWriter(FileSystem* file_system, std::string dir, const TableOptions& options,
                         uint64_t number, uint64_t file_id)
    : file_system_(file_system),
      dir_(std::move(dir)),
      path_(TablePath(dir_, number)),
      builder_(options, number, file_id) {}

bool TableWriter::NeedsStep() const {
  return phase_ != Phase::kWrite || builder_.ready_bytes() >= kPieceBytes;
}

void TableWriter::Add(absl::string_view key, uint64_t sequence, absl::string_view value,
                      EntryKind kind) {
  CORE_CHECK(phase_ == Phase::kWrite && !finished_);
  builder_.Add(key, sequence, value, kind);
}

void TableWriter::Finish() {
  CORE_CHECK(!finished_);
  finished_ = true;
  builder_.Finish();
}

void TableWriter::Step() {
  CORE_CHECK(!Done());
  status_ = StepPhase();
  if (!status_.ok()) {
    phase_ = Phase::kDone;
    file_.reset();
  }
}

absl::Status TableWriter::StepPhase() {
  switch (phase_) {
    case Phase::kCreate: {
      absl::StatusOr<std::unique_ptr<WritableFile>> file = file_system_->CreateNew(path_, 0);
      if (!file.ok()) return file.status();
      file_ = *std::move(file);
      phase_ = Phase::kWrite;
      return absl::OkStatus();
    }
    case Phase::kWrite: {
      const std::string piece = builder_.TakeReady();
      bytes_written_ += piece.size();
      not_begun_bytes_ += piece.size();
      if (finished_) {
        phase_ = Phase::kSync;
      } else if (not_begun_bytes_ >= kWritebackBytes) {
        phase_ = Phase::kWriteback;
      }
      return file_->Append(piece);
    }
    case Phase::kWriteback:
      phase_ = Phase::kWrite;
      not_begun_bytes_ = 0;
      return file_->StartWriteback();
    case Phase::kSync:
      phase_ = Phase::kClose;
      return file_->Sync();
    case Phase::kClose: {
      phase_ = Phase::kSyncDir;
      const absl::Status closed = file_->Close();
      file_.reset();
      return closed;
    }
    case Phase::kSyncDir:
      phase_ = Phase::kOpen;
      opener_.emplace(file_system_, path_, builder_.meta());
      return file_system_->SyncDir(dir_);
    case Phase::kOpen:
      if (opener_->Step()) {
        phase_ = Phase::kDone;
        table_ = opener_->table();
      }
      return opener_->status();
    case Phase::kDone:
      break;
  }
  return absl::OkStatus();
}

}  // namespace norn::storage
