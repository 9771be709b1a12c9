#include "storage/background_jobs.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"

namespace norn::storage {

ReadBlockJob::ReadBlockJob(std::shared_ptr<const Table> table, const BlockHandle& handle)
    : EngineJob(Kind::kReadBlock, Lane::kRead),
      table_(std::move(table)),
      handle_(handle),
      name_(absl::StrCat("read ", table_->path(), " at ", handle.offset)),
      block_(absl::UnavailableError("not read yet")) {}

bool ReadBlockJob::RunStep() {
  block_ = table_->ReadBlock(handle_);
  return true;
}

FlushJob::FlushJob(std::shared_ptr<const Memtable> memtable, std::unique_ptr<TableWriter> writer)
    : EngineJob(Kind::kFlush, Lane::kBackground),
      memtable_(std::move(memtable)),
      writer_(std::move(writer)),
      entries_(memtable_.get()),
      name_(absl::StrCat("flush to table ", writer_->number())) {
  CORE_CHECK(!memtable_->empty());
}

bool FlushJob::RunStep() {
  if (!finished_ && !writer_->NeedsStep()) {
    if (!started_) entries_.Seek("");
    while (entries_.state() == Iterator::State::kEntry && !writer_->NeedsStep()) {
      // The newest entry of a key comes first; the others are not written.
      if (!started_ || entries_.key() != absl::string_view(last_key_)) {
        writer_->Add(entries_.key(), entries_.sequence(), entries_.value(), entries_.kind());
        last_key_.assign(entries_.key().data(), entries_.key().size());
        started_ = true;
      }
      entries_.Next();
    }
    if (entries_.state() == Iterator::State::kEnd) {
      writer_->Finish();
      finished_ = true;
    }
  }
  writer_->Step();
  return writer_->Done();
}

PurgeJob::PurgeJob(FileSystem* file_system, std::vector<std::string> paths)
    : EngineJob(Kind::kPurge, Lane::kBackground),
      file_system_(file_system),
      paths_(std::move(paths)) {
  CORE_CHECK(!paths_.empty());
}

bool PurgeJob::RunStep() {
  file_system_->Remove(paths_[next_]).IgnoreError();
  return ++next_ == paths_.size();
}

ReserveJob::ReserveJob(FileSystem* file_system, std::string reserve_path, uint64_t bytes)
    : EngineJob(Kind::kReserve, Lane::kBackground),
      path(std::move(reserve_path)),
      file_system_(file_system),
      bytes_(bytes) {}

bool ReserveJob::RunStep() {
  absl::StatusOr<std::unique_ptr<WritableFile>> created = file_system_->CreateNew(path, bytes_);
  if (created.ok()) file = *std::move(created);
  return true;
}

}  // namespace norn::storage
