#include "storage/background_jobs.h"

#include <algorithm>
#include <cstddef>
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

namespace norn::storage {

ReadBlockJob::ReadBlockJob(WantedBlock wanted)
    : EngineJob(Kind::kReadBlock, Lane::kRead),
      wanted_(std::move(wanted)),
      name_(absl::StrCat("read ", wanted_.table->path(), " at ", wanted_.place.handle.offset)) {}

bool ReadBlockJob::RunStep() {
  std::optional<TablePlace> place = fetched_.empty() ? wanted_.place : PlaceOfKey();
  CORE_CHECK(place.has_value());
  absl::StatusOr<std::shared_ptr<const Block>> block = table().ReadBlock(place->handle);
  fetched_.push_back({.place = *std::move(place), .block = std::move(block)});
  return fetched_.size() > 1 || !wanted_.partition.has_value() || !PlaceOfKey().has_value();
}

std::optional<TablePlace> ReadBlockJob::PlaceOfKey() const {
  const Fetched& partition = fetched_.front();
  if (!partition.block.ok()) return std::nullopt;
  const IndexBlock* const index = (*partition.block)->AsIndex();
  if (index == nullptr) return std::nullopt;  // the lookup will say so
  const size_t i = index->FirstBlockFor(wanted_.key);
  if (i == index->size()) return std::nullopt;
  const std::vector<uint64_t>& given_up = wanted_.given_up;
  if (std::binary_search(given_up.begin(), given_up.end(), index->handle(i).offset)) {
    return std::nullopt;
  }
  return table().PlaceOfBlock(*wanted_.partition, *index, i);
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

PurgeJob::PurgeJob(FileSystem* file_system, std::vector<std::string> paths,
                   std::vector<std::shared_ptr<const Memtable>> memtables)
    : EngineJob(Kind::kPurge, Lane::kBackground),
      file_system_(file_system),
      paths_(std::move(paths)),
      memtables_(std::move(memtables)) {}

bool PurgeJob::RunStep() {
  memtables_.clear();
  if (next_ == paths_.size()) return true;
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
