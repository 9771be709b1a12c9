#include "storage/scrub_job.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "storage/table_format.h"

namespace norn::storage {

ScrubJob::ScrubJob(std::shared_ptr<const Table> table, const Position& first)
    : EngineJob(Kind::kScrub, Lane::kBackground),
      table_(std::move(table)),
      first_(first),
      index_(table_->pinned_index().get()),
      end_(first.block),
      name_(absl::StrCat("scrub table ", table_->meta().number, " from block ", first.block)) {
  CORE_CHECK(first.partition < table_->partitions());
  if (table_->partitions() > 1) absl::StrAppend(&name_, " of partition ", first.partition);
}

ScrubJob::Position ScrubJob::end() const {
  if (index_ == nullptr || end_ == index_->size()) return {.partition = first_.partition + 1};
  return {.partition = first_.partition, .block = end_};
}

void ScrubJob::Damaged(size_t block, const absl::Status& status) {
  damage_.emplace_back(table_->PlaceOfBlock(first_.partition, *index_, block), status);
}

bool ScrubJob::ReadPartition() {
  const BlockHandle& handle = table_->partition(first_.partition);
  bytes_ += handle.end() - handle.offset;
  absl::StatusOr<std::shared_ptr<const Block>> block = table_->ReadBlock(handle);
  const absl::StatusOr<const IndexBlock*> index =
      block.ok() ? table_->AsPartition(handle, **block) : block.status();
  if (!index.ok()) {
    damage_.emplace_back(table_->PlaceOfPartition(first_.partition), index.status());
    return false;
  }
  holder_ = *std::move(block);
  index_ = *index;
  return first_.block < index_->size();
}

bool ScrubJob::ReadAlone() {
  const BlockHandle& handle = index_->handle(*alone_);
  const absl::Status status = table_->ReadBlock(handle).status();
  if (!status.ok()) Damaged(*alone_, status);
  return ++*alone_ == end_;
}

bool ScrubJob::RunStep() {
  if (index_ == nullptr) return !ReadPartition();
  return alone_.has_value() ? ReadAlone() : ReadStretch();
}

bool ScrubJob::ReadStretch() {
  const uint64_t start = index_->handle(first_.block).offset;
  end_ = first_.block + 1;
  // Blocks lie one behind the other.
  while (end_ < index_->size() && index_->handle(end_).offset == index_->handle(end_ - 1).end() &&
         index_->handle(end_).end() - start <= kStretchBytes) {
    ++end_;
  }
  const uint64_t bytes = index_->handle(end_ - 1).end() - start;
  bytes_ += bytes;
  std::string stretch(static_cast<size_t>(bytes), '\0');
  const absl::Status read = table_->file().Read(start, stretch.size(), stretch.data());
  if (!read.ok()) {
    alone_ = first_.block;
    return false;
  }
  for (size_t i = first_.block; i < end_; ++i) {
    const BlockHandle& handle = index_->handle(i);
    const auto parsed = table_->ParseBlock(
        handle, stretch.substr(static_cast<size_t>(handle.offset - start),
                               static_cast<size_t>(handle.size) + kBlockTrailerBytes));
    if (!parsed.ok()) Damaged(i, parsed.status());
  }
  return true;
}

}  // namespace norn::storage
