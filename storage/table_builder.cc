#include "storage/table_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn::storage {

std::string Separator(absl::string_view last, absl::string_view next) {
  CORE_CHECK(last < next);
  size_t shared = 0;
  while (shared < last.size() && last[shared] == next[shared]) ++shared;
  if (shared + 1 >= last.size()) return std::string(last);
  const auto above = static_cast<unsigned char>(last[shared] + 1);
  if (above >= static_cast<unsigned char>(next[shared])) return std::string(last);
  std::string separator(last.substr(0, shared + 1));
  separator.back() = static_cast<char>(above);
  return separator;
}

TableBuilder::TableBuilder(const TableOptions& options, uint64_t number, uint64_t file_id)
    : options_(options),
      data_(options.restart_interval),
      index_(1),
      partitions_(1),
      filter_(options.bloom_bits_per_key) {
  meta_.number = number;
  meta_.file_id = file_id;
}

void TableBuilder::Add(absl::string_view key, uint64_t sequence, absl::string_view value,
                       EntryKind kind) {
  CORE_CHECK(meta_.entries == 0 || absl::string_view(meta_.largest) < key);
  if (pending_) {
    IndexPending(Separator(meta_.largest, key));
    // More data comes: the next partition will not be empty.
    if (index_.bytes() >= options_.index_partition_bytes) EndPartition();
  }
  if (meta_.entries == 0) {
    meta_.smallest.assign(key.data(), key.size());
    meta_.smallest_sequence = sequence;
  }
  meta_.largest.assign(key.data(), key.size());
  meta_.smallest_sequence = std::min(meta_.smallest_sequence, sequence);
  meta_.largest_sequence = std::max(meta_.largest_sequence, sequence);
  ++meta_.entries;
  key_bytes_ += key.size();
  value_bytes_ += value.size();
  filter_.Add(key);
  data_.Add(key, sequence, value, kind);
  if (data_.bytes() >= options_.block_bytes) EndDataBlock();
}

void TableBuilder::EndDataBlock() {
  pending_handle_ = Append(data_.Finish(), options_.compression);
  pending_ = true;
  data_.Reset();
}

void TableBuilder::IndexPending(absl::string_view separator) {
  index_.Add(separator, 0, EncodeHandle(pending_handle_));
  pending_ = false;
}

void TableBuilder::EndPartition() {
  const BlockHandle handle = Append(index_.Finish(), options_.compression);
  partitions_.Add(index_.last_key(), 0, EncodeHandle(handle));
  index_.Reset();
}

BlockHandle TableBuilder::Append(absl::string_view payload, Compression compression) {
  BlockHandle handle;
  const size_t before = ready_.size();
  AppendBlock(payload, compression, meta_.file_id, meta_.bytes, &handle, &ready_);
  meta_.bytes += ready_.size() - before;
  return handle;
}

std::string TableBuilder::EncodeProperties() const {
  std::string bytes;
  const auto number = [&bytes](absl::string_view name, uint64_t value) {
    std::string encoded;
    AppendVarint(&encoded, value);
    AppendBytes(&bytes, name);
    AppendBytes(&bytes, encoded);
  };
  number("entries", meta_.entries);
  number("key_bytes", key_bytes_);
  AppendBytes(&bytes, "largest");
  AppendBytes(&bytes, meta_.largest);
  number("largest_sequence", meta_.largest_sequence);
  AppendBytes(&bytes, "smallest");
  AppendBytes(&bytes, meta_.smallest);
  number("smallest_sequence", meta_.smallest_sequence);
  number("value_bytes", value_bytes_);
  return bytes;
}

void TableBuilder::Finish() {
  CORE_CHECK(meta_.entries > 0);
  if (!data_.empty()) EndDataBlock();
  if (pending_) IndexPending(meta_.largest);
  Footer footer;
  footer.number = meta_.number;
  footer.file_id = meta_.file_id;
  if (!partitions_.empty()) {
    EndPartition();
    footer.format = kTableFormat;
  }
  BlockBuilder& index = partitions_.empty() ? index_ : partitions_;
  footer.filter = Append(filter_.Finish(), Compression::kNone);
  footer.index = Append(index.Finish(), options_.compression);
  footer.properties = Append(EncodeProperties(), Compression::kNone);
  const std::string bytes = EncodeFooter(footer);
  ready_ += bytes;
  meta_.bytes += bytes.size();
}

}  // namespace norn::storage
