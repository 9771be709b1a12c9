#include "tools/dump/table_inspector.h"

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
#include "storage/block.h"
#include "storage/bloom.h"
#include "storage/file_system.h"
#include "storage/index_block.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"
#include "tools/dump/block_search.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/table_tail.h"

namespace norn::dump {
namespace {

using storage::Block;
using storage::BlockCursor;
using storage::BlockHandle;
using storage::TableMeta;

// Walks the data blocks.
class DataWalk {
 public:
  DataWalk(const TableFile& table, const TailContents& contents, const TableHooks& hooks,
           TableReport* report)
      : table_(table), contents_(contents), hooks_(hooks), report_(report) {}

  // By the index, or without it.
  void Run();

 private:
  // Takes what can be found up to `end` without an index.
  void Search(uint64_t end);
  // Whether the block is a partition of an index whose upper level is lost: it names everything
  // since the one before it.
  bool IsPartition(const BlockHandle& handle) const;
  void CheckPlace(const BlockHandle& handle);
  void TakeBlock(const BlockHandle& handle, const std::string* separator);
  std::shared_ptr<const Block> ReadBlock(const BlockHandle& handle, StoredBlock* stored);
  // The first thing that is wrong with the entries, or "". Counts them.
  std::string CheckEntries(const std::shared_ptr<const Block>& block, const std::string* separator,
                           StoredBlock* stored);
  std::string CheckEntry(const BlockCursor& cursor, const std::string* separator);
  void TellEntries(const std::shared_ptr<const Block>& block);
  void Count(const BlockCursor& cursor);
  void CheckProperties();

  const TableFile& table_;
  const TailContents& contents_;
  const TableHooks& hooks_;
  TableReport* report_;
  uint64_t place_ = 0;            // where the next block should be
  uint64_t partition_begin_ = 0;  // behind the last partition that a search has found
  std::string last_key_;          // of a good block
  bool has_last_key_ = false;
  std::string last_separator_;
  bool has_last_separator_ = false;
  TableMeta found_;  // what the properties should say
  uint64_t key_bytes_ = 0;
  uint64_t value_bytes_ = 0;
};

void DataWalk::CheckPlace(const BlockHandle& handle) {
  if (handle.offset != place_) {
    table_.Damage(place_, absl::StrCat("the index says that the next block is at offset ",
                                       handle.offset, ": blocks overlap or leave a gap"));
  }
  place_ = handle.end();
}

std::shared_ptr<const Block> DataWalk::ReadBlock(const BlockHandle& handle, StoredBlock* stored) {
  std::optional<std::string> payload =
      ReadStoredBlock(table_, contents_.tail.footer.file_id, handle,
                      absl::StrCat("block ", report_->blocks), stored);
  if (!payload.has_value()) return nullptr;
  std::shared_ptr<const Block> block = Block::Parse(std::move(*payload));
  if (block == nullptr) {
    stored->state = StoredBlock::State::kMalformed;
    table_.Damage(handle.offset, "the block is malformed: its restarts do not fit");
  }
  return block;
}

void DataWalk::Count(const BlockCursor& cursor) {
  const uint64_t sequence = cursor.sequence();
  if (found_.entries == 0) {
    found_.smallest = std::string(cursor.key());
    found_.smallest_sequence = sequence;
  }
  found_.largest.assign(cursor.key().data(), cursor.key().size());
  found_.smallest_sequence = std::min(found_.smallest_sequence, sequence);
  found_.largest_sequence = std::max(found_.largest_sequence, sequence);
  ++found_.entries;
  key_bytes_ += cursor.key().size();
  value_bytes_ += cursor.value().size();
}

std::string DataWalk::CheckEntry(const BlockCursor& cursor, const std::string* separator) {
  const absl::string_view key = cursor.key();
  const auto wrong = [&](absl::string_view what) {
    return absl::StrCat(what, " (", KeyText(key, false), ")");
  };
  if (has_last_key_ && key <= last_key_) return wrong("a key is not above the one before it");
  if (has_last_separator_ && key <= last_separator_) {
    return wrong("a key belongs into an earlier block, as the index says");
  }
  if (separator != nullptr && key > *separator) {
    return wrong("a key belongs into a later block, as the index says");
  }
  if (contents_.filter.has_value() && !storage::BloomMayContain(*contents_.filter, key)) {
    return wrong("the filter denies a key that is there");
  }
  return std::string();
}

std::string DataWalk::CheckEntries(const std::shared_ptr<const Block>& block,
                                   const std::string* separator, StoredBlock* stored) {
  std::string wrong;
  BlockCursor cursor(block);
  BlockCursor search(block);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (wrong.empty()) wrong = CheckEntry(cursor, separator);
    ++stored->entries;
    Count(cursor);
    last_key_.assign(cursor.key().data(), cursor.key().size());
    has_last_key_ = true;
  }
  if (cursor.damaged()) wrong = "an entry is cut or malformed";
  if (wrong.empty() && stored->entries > 0) {
    search.Seek(last_key_);
    if (!search.Valid() || search.key() != last_key_) wrong = "search misses the block's last key";
  }
  if (stored->entries == 0 && wrong.empty()) wrong = "the block is empty";
  return wrong;
}

void DataWalk::TellEntries(const std::shared_ptr<const Block>& block) {
  if (!hooks_.entry) return;
  BlockCursor cursor(block);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    const bool deletion = cursor.kind() == storage::EntryKind::kDeletion;
    hooks_.entry(cursor.key(), cursor.sequence(),
                 deletion ? std::nullopt : std::optional(cursor.value()));
  }
}

void DataWalk::TakeBlock(const BlockHandle& handle, const std::string* separator) {
  StoredBlock stored;
  const std::shared_ptr<const Block> block = ReadBlock(handle, &stored);
  if (block != nullptr) {
    const std::string wrong = CheckEntries(block, separator, &stored);
    if (!wrong.empty()) {
      stored.state = StoredBlock::State::kMalformed;
      table_.Damage(handle.offset, absl::StrCat("block ", report_->blocks, ": ", wrong));
    }
  }
  if (hooks_.block) hooks_.block(report_->blocks, stored);
  ++report_->blocks;
  report_->bad_blocks += stored.state == StoredBlock::State::kGood ? 0 : 1;
  report_->entries += stored.entries;
  if (block != nullptr) TellEntries(block);
  if (separator != nullptr) {
    last_separator_ = *separator;
    has_last_separator_ = true;
  }
}

void DataWalk::CheckProperties() {
  const TableTail& tail = contents_.tail;
  const uint64_t offset = tail.footer.properties.offset;
  const auto check = [&](absl::string_view name, auto said, auto found) {
    if (said == found) return;
    table_.Damage(offset, absl::StrCat("the properties say ", name, " ", said, ", found ", found));
  };
  const auto key_text = [](const std::string& key) { return KeyText(key, false); };
  check("entries", tail.meta.entries, found_.entries);
  check("key_bytes", tail.key_bytes, key_bytes_);
  check("value_bytes", tail.value_bytes, value_bytes_);
  check("smallest", key_text(tail.meta.smallest), key_text(found_.smallest));
  check("largest", key_text(tail.meta.largest), key_text(found_.largest));
  check("smallest_sequence", tail.meta.smallest_sequence, found_.smallest_sequence);
  check("largest_sequence", tail.meta.largest_sequence, found_.largest_sequence);
}

bool DataWalk::IsPartition(const BlockHandle& handle) const {
  std::string stored(static_cast<size_t>(handle.size) + storage::kBlockTrailerBytes, '\0');
  if (!table_.file->Read(handle.offset, stored.size(), stored.data()).ok()) return false;
  std::optional<std::string> payload =
      storage::ExtractBlock(stored, contents_.tail.footer.file_id, handle.offset);
  if (!payload.has_value()) return false;
  const auto index = storage::IndexBlock::Parse(std::move(*payload), handle.offset);
  if (index == nullptr) return false;
  uint64_t end = partition_begin_;
  for (size_t i = 0; i < index->size(); ++i) {
    if (index->handle(i).offset != end) return false;
    end = index->handle(i).end();
  }
  return end == handle.offset;
}

void DataWalk::Search(uint64_t end) {
  partition_begin_ = place_;
  while (place_ < end) {
    const std::optional<BlockHandle> handle =
        FindBlock(table_, contents_.tail.footer.file_id, place_, end);
    if (!handle.has_value()) break;
    place_ = handle->end();
    if (contents_.tail.footer.has_partitions() && IsPartition(*handle)) {
      partition_begin_ = place_;
    } else {
      TakeBlock(*handle, nullptr);
    }
  }
  if (place_ < end) {
    table_.Damage(place_, absl::StrCat("what is here up to offset ", end,
                                       " cannot be read without the index"));
  }
}

void DataWalk::Run() {
  const uint64_t end = contents_.tail.footer.filter.offset;
  bool whole_index = true;
  if (contents_.index.has_value()) {
    for (const IndexEntry& entry : *contents_.index) {
      switch (entry.kind) {
        case IndexEntry::Kind::kData:
          CheckPlace(entry.handle);
          TakeBlock(entry.handle, &entry.separator);
          break;
        case IndexEntry::Kind::kPartition:
          CheckPlace(entry.handle);
          break;
        case IndexEntry::Kind::kBadPartition:
          whole_index = false;
          Search(entry.handle.offset);
          place_ = entry.handle.end();
          last_separator_ = entry.separator;
          has_last_separator_ = true;
          break;
      }
    }
    if (place_ != end) {
      table_.Damage(place_,
                    absl::StrCat("up to offset ", end, " are bytes that the index does not ",
                                 "know: blocks are missing from it"));
    }
  } else {
    Search(end);
  }
  const bool complete = whole_index && report_->bad_blocks == 0 && place_ == end;
  if (complete && contents_.properties_good) CheckProperties();
}

}  // namespace

TableReport InspectTable(storage::FileSystem* file_system, const std::string& path,
                         const std::optional<TableMeta>& expected, const TableHooks& hooks) {
  TableReport report;
  absl::StatusOr<std::unique_ptr<storage::RandomAccessFile>> file = file_system->OpenForRead(path);
  if (!file.ok()) {
    hooks.report({Gravity::kUnreadable, path, std::nullopt,
                  absl::StrCat("cannot be opened (", file.status().ToString(), ")"),
                  "check its name and permissions"});
    return report;
  }
  const TableFile table{.path = path, .file = *std::move(file), .report = hooks.report};
  report.opened = true;
  report.file_bytes = table.file->Size();
  const std::optional<TailContents> contents = ReadTail(table, expected);
  if (!contents.has_value()) return report;
  if (hooks.tail) hooks.tail(contents->tail);
  DataWalk(table, *contents, hooks, &report).Run();
  return report;
}

absl::string_view StateName(StoredBlock::State state) {
  switch (state) {
    case StoredBlock::State::kGood:
      return "good";
    case StoredBlock::State::kUnreadable:
      return "unreadable";
    case StoredBlock::State::kBadChecksum:
      return "bad checksum";
    case StoredBlock::State::kMalformed:
      return "malformed";
  }
  return "";
}

std::string CompressionName(uint8_t compression) {
  const absl::string_view name =
      storage::CompressionName(static_cast<storage::Compression>(compression));
  return name.empty() ? absl::StrCat("unknown ", compression) : std::string(name);
}

}  // namespace norn::dump
