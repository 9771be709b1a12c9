#include "storage/recheck_job.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/block.h"

namespace norn::storage {

RecheckJob::RecheckJob(std::shared_ptr<const Table> table, const BlockHandle& handle)
    : EngineJob(Kind::kRecheck, Lane::kBackground),
      number_(table->meta().number),
      table_(std::move(table)),
      handle_(handle),
      name_(absl::StrCat("read table ", number_, " again at ", handle.offset)) {}

RecheckJob::RecheckJob(FileSystem* file_system, const std::string& path, const TableMeta& meta)
    : EngineJob(Kind::kRecheck, Lane::kBackground),
      number_(meta.number),
      name_(absl::StrCat("open table ", number_, " again")) {
  opener_.emplace(file_system, path, meta);
}

std::optional<uint64_t> RecheckJob::offset() const {
  if (!handle_.has_value()) return std::nullopt;
  return handle_->offset;
}

bool RecheckJob::RunStep() {
  if (opener_.has_value()) {
    if (!opener_->Step()) return false;
    table_ = opener_->table();
    status_ = opener_->status();
    return true;
  }
  const absl::StatusOr<std::shared_ptr<const Block>> block = table_->ReadBlock(*handle_);
  status_ = block.status();
  if (!status_.ok()) return true;
  // Good bytes may still be nonsense, which only who walks them notices.
  BlockCursor cursor(*block);
  cursor.SeekToFirst();
  while (cursor.Valid()) cursor.Next();
  if (cursor.damaged()) {
    status_ = absl::DataLossError(absl::StrCat("table ", table_->path(), " at offset ",
                                               handle_->offset, ": a block is malformed"));
  }
  return true;
}

}  // namespace norn::storage
