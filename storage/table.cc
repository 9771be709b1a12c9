#include "storage/table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"
#include "storage/bloom.h"
#include "storage/index_block.h"
#include "storage/read_error.h"

namespace norn::storage {
namespace {

absl::Status Damage(const std::string& path, uint64_t offset, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("table ", path, " at offset ", offset, ": ", what,
                                          "; the keys concerned are to be repaired from "
                                          "replicas"));
}

// Says where it happened. To whoever asked, a device that cannot read is as good as a block that
// is bad.
absl::Status ReadError(const std::string& path, uint64_t offset, const absl::Status& status) {
  return WithCause(Damage(path, offset, absl::StrCat("cannot be read (", status.ToString(), ")")),
                   status);
}

std::string Behind(absl::string_view key) {
  std::string behind(key);
  behind.push_back('\0');
  return behind;
}

}  // namespace

bool Table::MayContain(uint64_t hash) const { return BloomMayContain(filter_, hash); }

TablePlace Table::PlaceOfPartition(size_t p) const {
  return {.handle = partition(p),
          .from = p == 0 ? meta_.smallest : Behind(index_->Separator(p - 1)),
          .until = Behind(p + 1 == partitions() ? meta_.largest : index_->Separator(p))};
}

TablePlace Table::PlaceOfBlock(size_t p, const IndexBlock& index, size_t i) const {
  TablePlace place{.handle = index.handle(i)};
  if (i > 0) {
    place.from = Behind(index.Separator(i - 1));
  } else {
    place.from = p == 0 ? meta_.smallest : Behind(index_->Separator(p - 1));
  }
  const bool is_last = i + 1 == index.size() && p + 1 == partitions();
  place.until = Behind(is_last ? meta_.largest : index.Separator(i));
  return place;
}

bool Table::IsPartition(const BlockHandle& handle) const {
  if (!partitioned_) return false;
  // Partitions are in the order of the file; if this index is not, some are not found, and cannot
  // be used.
  size_t low = 0;
  for (size_t high = index_->size(); low < high;) {
    const size_t middle = low + (high - low) / 2;
    if (index_->handle(middle).offset < handle.offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < index_->size() && index_->handle(low).offset == handle.offset;
}

absl::StatusOr<const IndexBlock*> Table::AsPartition(const BlockHandle& handle,
                                                     const Block& block) const {
  const IndexBlock* const index = block.AsIndex();
  if (index == nullptr) return Damage(path_, handle.offset, "a block of the index is malformed");
  return index;
}

absl::StatusOr<std::shared_ptr<const Block>> Table::ReadBlock(const BlockHandle& handle) const {
  std::string stored(static_cast<size_t>(handle.size) + kBlockTrailerBytes, '\0');
  const absl::Status read = file_->Read(handle.offset, stored.size(), stored.data());
  if (!read.ok()) return ReadError(path_, handle.offset, read);
  return ParseBlock(handle, std::move(stored));
}

std::shared_ptr<const Block> Table::TryReadBlock(const BlockHandle& handle) const {
  std::string stored(static_cast<size_t>(handle.size) + kBlockTrailerBytes, '\0');
  if (!file_->TryRead(handle.offset, stored.size(), stored.data())) return nullptr;
  absl::StatusOr<std::shared_ptr<const Block>> block = ParseBlock(handle, std::move(stored));
  return block.ok() ? *std::move(block) : nullptr;
}

absl::StatusOr<std::shared_ptr<const Block>> Table::ParseBlock(const BlockHandle& handle,
                                                               std::string stored) const {
  std::optional<std::string> payload = TakeBlock(std::move(stored), meta_.file_id, handle.offset);
  if (!payload.has_value()) return Damage(path_, handle.offset, "a block's checksum is wrong");
  if (IsPartition(handle)) {
    std::shared_ptr<const Block> index = IndexBlock::Parse(std::move(*payload), handle.offset);
    if (index == nullptr) return Damage(path_, handle.offset, "a block of the index is malformed");
    return index;
  }
  std::shared_ptr<const Block> block = Block::Parse(std::move(*payload));
  if (block == nullptr) return Damage(path_, handle.offset, "a block is malformed");
  return block;
}

TableOpener::TableOpener(FileSystem* file_system, std::string path,
                         std::optional<TableMeta> expected)
    : file_system_(file_system), expected_(std::move(expected)), table_(new Table()) {
  table_->path_ = std::move(path);
}

bool TableOpener::Step() {
  CORE_CHECK(done_ == nullptr && status_.ok());
  switch (step_++) {
    case 0:
      status_ = Open();
      break;
    case 1:
      status_ = ReadFooter();
      break;
    default:
      status_ = ReadTail();
      if (status_.ok()) done_ = std::move(table_);
      break;
  }
  return !status_.ok() || done_ != nullptr;
}

absl::Status TableOpener::Open() {
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file = file_system_->OpenForRead(table_->path_);
  if (!file.ok()) return ReadError(table_->path_, 0, file.status());
  table_->file_ = *std::move(file);
  const uint64_t size = table_->file_->Size();
  if (size < kFooterBytes) return Damage(table_->path_, 0, "too short for a table");
  if (expected_.has_value() && expected_->bytes != size) {
    return Damage(table_->path_, 0,
                  absl::StrCat("it has ", size, " bytes instead of ", expected_->bytes));
  }
  return absl::OkStatus();
}

absl::Status TableOpener::ReadFooter() {
  const uint64_t size = table_->file_->Size();
  const uint64_t offset = size - kFooterBytes;
  char bytes[kFooterBytes];
  const absl::Status read = table_->file_->Read(offset, kFooterBytes, bytes);
  if (!read.ok()) return ReadError(table_->path_, offset, read);
  absl::StatusOr<Footer> footer = DecodeFooter(absl::string_view(bytes, kFooterBytes), size);
  if (absl::IsFailedPrecondition(footer.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("table ", table_->path_, ": ", footer.status().message()));
  }
  if (!footer.ok()) return Damage(table_->path_, offset, footer.status().message());
  footer_ = *footer;
  if (expected_.has_value() &&
      (footer_.file_id != expected_->file_id || footer_.number != expected_->number)) {
    return Damage(table_->path_, offset, "it is another table than the manifest names");
  }
  return absl::OkStatus();
}

absl::Status TableOpener::ReadTail() {
  // Filter, index and properties lie next to each other: one read.
  const uint64_t start =
      std::min({footer_.filter.offset, footer_.index.offset, footer_.properties.offset});
  const uint64_t end = table_->file_->Size() - kFooterBytes;
  std::string tail(static_cast<size_t>(end - start), '\0');
  const absl::Status read = table_->file_->Read(start, tail.size(), tail.data());
  if (!read.ok()) return ReadError(table_->path_, start, read);
  const auto extract = [&](const BlockHandle& handle) {
    const absl::string_view stored =
        absl::string_view(tail).substr(static_cast<size_t>(handle.offset - start),
                                       static_cast<size_t>(handle.size) + kBlockTrailerBytes);
    return ExtractBlock(stored, footer_.file_id, handle.offset);
  };
  std::optional<std::string> filter = extract(footer_.filter);
  if (!filter.has_value()) {
    return Damage(table_->path_, footer_.filter.offset, "the filter's checksum is wrong");
  }
  if (!TakeIndex(extract(footer_.index), start)) {
    return Damage(table_->path_, footer_.index.offset, "the index is bad");
  }
  const std::optional<std::string> properties = extract(footer_.properties);
  if (!properties.has_value()) {
    return Damage(table_->path_, footer_.properties.offset, "the properties' checksum is wrong");
  }
  table_->filter_ = std::move(*filter);
  return TakeProperties(*properties);
}

bool TableOpener::TakeIndex(std::optional<std::string> payload, uint64_t limit) {
  if (!payload.has_value()) return false;
  table_->index_ = IndexBlock::Parse(*std::move(payload), limit);
  if (table_->index_ == nullptr) return false;
  table_->partitioned_ = footer_.has_partitions();
  table_->data_end_ =
      table_->partitioned_ ? table_->index_->handle(table_->index_->size() - 1).offset : limit;
  return true;
}

absl::Status TableOpener::TakeProperties(absl::string_view bytes) {
  TableMeta& meta = table_->meta_;
  meta.number = footer_.number;
  meta.file_id = footer_.file_id;
  meta.bytes = table_->file_->Size();
  ByteReader reader(bytes);
  while (!reader.empty() && !reader.failed()) {
    const absl::string_view name = reader.ReadBytes();
    const absl::string_view value = reader.ReadBytes();
    ByteReader number(value);
    if (name == "entries") meta.entries = number.ReadVarint();
    if (name == "largest_sequence") meta.largest_sequence = number.ReadVarint();
    if (name == "smallest_sequence") meta.smallest_sequence = number.ReadVarint();
    if (name == "smallest") meta.smallest = std::string(value);
    if (name == "largest") meta.largest = std::string(value);
  }
  if (!reader.Done()) {
    return Damage(table_->path_, footer_.properties.offset, "the properties are malformed");
  }
  if (expected_.has_value() && !(meta == *expected_)) {
    return Damage(table_->path_, footer_.properties.offset,
                  "its properties are not what the manifest says");
  }
  return absl::OkStatus();
}

}  // namespace norn::storage
