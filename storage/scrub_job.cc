#include "storage/scrub_job.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "storage/table_format.h"

namespace norn::storage {

ScrubJob::ScrubJob(std::shared_ptr<const Table> table, size_t first)
    : EngineJob(Kind::kScrub, Lane::kBackground),
      table_(std::move(table)),
      first_(first),
      end_(first + 1),
      name_(absl::StrCat("scrub table ", table_->meta().number, " from block ", first)) {
  CORE_CHECK(first < table_->blocks());
}

bool ScrubJob::ReadAlone() {
  const BlockHandle& handle = table_->block(*alone_);
  const absl::Status status = table_->ReadBlock(handle).status();
  if (!status.ok()) damage_.emplace_back(handle.offset, status);
  return ++*alone_ == end_;
}

bool ScrubJob::RunStep() {
  if (alone_.has_value()) return ReadAlone();
  const uint64_t start = table_->block(first_).offset;
  // Blocks lie one behind the other.
  while (end_ < table_->blocks() && table_->block(end_).offset == table_->block(end_ - 1).end() &&
         table_->block(end_).end() - start <= kStretchBytes) {
    ++end_;
  }
  bytes_ = table_->block(end_ - 1).end() - start;
  std::string stretch(static_cast<size_t>(bytes_), '\0');
  const absl::Status read = table_->file().Read(start, stretch.size(), stretch.data());
  if (!read.ok()) {
    alone_ = first_;
    return false;
  }
  for (size_t i = first_; i < end_; ++i) {
    const BlockHandle& handle = table_->block(i);
    const auto parsed = table_->ParseBlock(
        handle, stretch.substr(static_cast<size_t>(handle.offset - start),
                               static_cast<size_t>(handle.size) + kBlockTrailerBytes));
    if (!parsed.ok()) damage_.emplace_back(handle.offset, parsed.status());
  }
  return true;
}

}  // namespace norn::storage
