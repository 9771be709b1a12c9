#include "storage/table.h"

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
#include "core/crc32c.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/file_names.h"
#include "storage/live_table.h"
#include "storage/table_builder.h"
#include "storage/table_iterator.h"
#include "storage/table_writer.h"

namespace norn::storage {
namespace {

std::string KeyOf(int i) { return absl::StrCat("key", absl::Dec(i, absl::kZeroPad5)); }
std::string ValueOf(int i) { return absl::StrCat("value", i, std::string(90, 'v')); }

class DirectSource : public BlockSource {
 public:
  absl::StatusOr<std::shared_ptr<const Block>> Get(const Table& table,
                                                   const BlockHandle& handle) override {
    return table.ReadBlock(handle);
  }
};

// The place of the block that may hold `key`; nothing behind the last one.
absl::StatusOr<std::optional<BlockHandle>> FindBlock(const Table& table, absl::string_view key) {
  const size_t p = table.PartitionFor(key);
  if (p == table.partitions()) return std::optional<BlockHandle>();
  std::shared_ptr<const Block> partition = table.pinned_index();
  if (partition == nullptr) {
    absl::StatusOr<std::shared_ptr<const Block>> read = table.ReadBlock(table.partition(p));
    if (!read.ok()) return read.status();
    partition = *std::move(read);
  }
  const IndexBlock& index = *partition->AsIndex();
  const size_t i = index.FirstBlockFor(key);
  if (i == index.size()) return std::optional<BlockHandle>();
  return std::optional<BlockHandle>(index.handle(i));
}

class TableTest : public testing::Test {
 protected:
  TableTest() { EXPECT_TRUE(file_system_.CreateDir("/d").ok()); }

  // Even keys below 2 * n.
  std::shared_ptr<const Table> Write(int n, const TableOptions& options, uint64_t number = 7) {
    TableWriter writer(&file_system_, "/d", options, number, 1000 + number);
    for (int i = 0; i < n; ++i) {
      while (writer.NeedsStep()) writer.Step();
      writer.Add(KeyOf(2 * i), static_cast<uint64_t>(i) + 5, ValueOf(2 * i));
    }
    writer.Finish();
    while (!writer.Done()) writer.Step();
    EXPECT_TRUE(writer.status().ok()) << writer.status();
    return writer.table();
  }

  absl::Status OpenStatus(const TableMeta& meta) {
    TableOpener opener(&file_system_, TablePath("/d", meta.number), meta);
    while (!opener.Step()) {
    }
    return opener.status();
  }

  sim::SimDisk disk_{1};
  sim::SimFileSystem file_system_{&disk_};
};

TEST_F(TableTest, IteratesAndSeeks) {
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    const uint64_t number = 1 + static_cast<uint64_t>(compression);
    const auto table =
        Write(500, {.block_bytes = 1000, .index_partition_bytes = 300, .compression = compression},
              number);
    EXPECT_GT(table->partitions(), 3u);
    EXPECT_EQ(table->meta().entries, 500u);
    EXPECT_EQ(table->meta().smallest, KeyOf(0));
    EXPECT_EQ(table->meta().largest, KeyOf(998));
    EXPECT_EQ(table->meta().smallest_sequence, 5u);
    EXPECT_EQ(table->meta().largest_sequence, 504u);
    auto live = std::make_shared<LiveTable>();
    live->meta = table->meta();
    live->table = table;
    DirectSource source;
    const Level tables = {live};
    TableIterator iterator(tables, &source);
    iterator.Seek("");
    for (int i = 0; i < 500; ++i, iterator.Next()) {
      ASSERT_EQ(iterator.state(), Iterator::State::kEntry) << iterator.status();
      ASSERT_EQ(iterator.key(), KeyOf(2 * i));
      ASSERT_EQ(iterator.value(), ValueOf(2 * i));
    }
    EXPECT_EQ(iterator.state(), Iterator::State::kEnd);
    for (int i = 0; i < 998; i += 7) {
      iterator.Seek(KeyOf(i));
      ASSERT_EQ(iterator.key(), KeyOf(i + i % 2));
    }
    iterator.Seek(KeyOf(999));
    EXPECT_EQ(iterator.state(), Iterator::State::kEnd);
  }
  EXPECT_LT(disk_.Contents(TablePath("/d", 2))->size(),
            disk_.Contents(TablePath("/d", 1))->size() * 2 / 3);
  EXPECT_LT(disk_.Contents(TablePath("/d", 3))->size(),
            disk_.Contents(TablePath("/d", 2))->size() * 9 / 10);
}

TEST_F(TableTest, FindsTheBlockOfEveryKey) {
  for (const size_t partition_bytes : {size_t{1}, size_t{200}, size_t{4096}}) {
    const auto table = Write(500, {.block_bytes = 1000, .index_partition_bytes = partition_bytes},
                             10 + partition_bytes);
    EXPECT_EQ(table->partitions() > 1, partition_bytes < 4096) << table->partitions();
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(table->MayContain(KeyOf(2 * i)));
      const auto handle = FindBlock(*table, KeyOf(2 * i));
      ASSERT_TRUE(handle.ok() && handle->has_value());
      const auto block = table->ReadBlock(**handle);
      ASSERT_TRUE(block.ok());
      BlockCursor cursor(*block);
      cursor.Seek(KeyOf(2 * i));
      ASSERT_TRUE(cursor.Valid());
      ASSERT_EQ(cursor.value(), ValueOf(2 * i));
    }
    const auto behind = FindBlock(*table, "zzz");
    ASSERT_TRUE(behind.ok());
    EXPECT_FALSE(behind->has_value());
  }
}

// Data and partitions fill the file up to the filter; each stands behind the data that it names.
TEST_F(TableTest, PartitionsStandBehindTheirData) {
  const auto table = Write(500, {.block_bytes = 1000, .index_partition_bytes = 200});
  ASSERT_GT(table->partitions(), 4u);
  EXPECT_EQ(table->pinned_index(), nullptr);
  uint64_t place = 0;
  std::string until = KeyOf(0);
  for (size_t p = 0; p < table->partitions(); ++p) {
    EXPECT_EQ(table->PartitionBegin(p), place);
    const auto block = table->ReadBlock(table->partition(p));
    ASSERT_TRUE(block.ok()) << block.status();
    const IndexBlock* const index = (*block)->AsIndex();
    ASSERT_NE(index, nullptr);
    const TablePlace whole = table->PlaceOfPartition(p);
    EXPECT_EQ(whole.from, until);
    for (size_t i = 0; i < index->size(); ++i) {
      const TablePlace part = table->PlaceOfBlock(p, *index, i);
      EXPECT_EQ(part.handle.offset, place);
      EXPECT_EQ(part.from, until);
      EXPECT_LT(part.from, part.until);
      until = part.until;
      place = part.handle.end();
    }
    EXPECT_EQ(whole.until, until);
    EXPECT_EQ(table->partition(p).offset, place);
    place = table->partition(p).end();
  }
  EXPECT_EQ(until, KeyOf(998) + std::string(1, '\0'));
  EXPECT_EQ(table->data_end(), table->partition(table->partitions() - 1).offset);
}

// What releases before the partitioned index wrote, byte by byte: a table whose index is one
// partition is written as then, and larger ones can be read.
TEST_F(TableTest, AnIndexInOnePieceIsOfTheOlderFormat) {
  const auto table =
      Write(500, {.block_bytes = 1000, .index_partition_bytes = kPayloadBytesMax}, 7);
  const std::string bytes = *disk_.Contents(table->path());
  EXPECT_EQ(Crc32c(bytes), 1923594582u);
  EXPECT_EQ(table->partitions(), 1u);
  EXPECT_EQ(table->pinned_index()->size(), 50u);
  const auto footer =
      DecodeFooter(absl::string_view(bytes).substr(bytes.size() - kFooterBytes), bytes.size());
  ASSERT_TRUE(footer.ok());
  EXPECT_EQ(footer->format, 2u);
  const auto partitioned = Write(500, {.block_bytes = 1000, .index_partition_bytes = 1000}, 8);
  EXPECT_GT(partitioned->partitions(), 1u);
  EXPECT_LT(partitioned->index_bytes(), table->index_bytes() / 8);
}

TEST_F(TableTest, EveryFlippedBitIsNoticed) {
  const auto table = Write(20, {.block_bytes = 600, .index_partition_bytes = 40});
  ASSERT_GT(table->partitions(), 1u);
  const std::string path = TablePath("/d", 7);
  const uint64_t size = disk_.Contents(path)->size();
  for (uint64_t offset = 0; offset < size; ++offset) {
    ASSERT_TRUE(disk_.FlipBit(path, offset, static_cast<int>(offset % 8)).ok());
    absl::Status status = OpenStatus(table->meta());
    for (int i = 0; status.ok() && i < 20; ++i) {
      const auto handle = FindBlock(*table, KeyOf(2 * i));
      status = handle.ok() ? table->ReadBlock(**handle).status() : handle.status();
    }
    EXPECT_TRUE(absl::IsDataLoss(status)) << offset;
    ASSERT_TRUE(disk_.FlipBit(path, offset, static_cast<int>(offset % 8)).ok());
  }
  EXPECT_TRUE(OpenStatus(table->meta()).ok());
}

TEST_F(TableTest, ABlockInAnotherPlaceIsNoticed) {
  const auto table = Write(100, {.block_bytes = 600});
  // Blocks of one size, so that a copy is aligned.
  std::vector<BlockHandle> handles;
  const IndexBlock& index = *table->pinned_index();
  for (size_t i = 0; i < index.size(); ++i) handles.push_back(index.handle(i));
  const std::string path = TablePath("/d", 7);
  const std::string bytes = *disk_.Contents(path);
  int copies = 0;
  for (size_t i = 1; i < handles.size(); ++i) {
    if (handles[i].size != handles[1].size) continue;
    const auto n = static_cast<size_t>(handles[i].end() - handles[i].offset);
    const std::string source = bytes.substr(static_cast<size_t>(handles[1].offset), n);
    ASSERT_TRUE(disk_.Overwrite(path, handles[i].offset, source).ok());
    EXPECT_EQ(table->ReadBlock(handles[i]).ok(), i == 1);
    ++copies;
  }
  EXPECT_GT(copies, 5);
}

TEST_F(TableTest, AnotherTableUnderItsNameIsNoticed) {
  const auto table = Write(20, {});
  TableMeta meta = table->meta();
  meta.file_id ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus(meta)));
  meta = table->meta();
  ++meta.entries;
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus(meta)));
  meta = table->meta();
  ++meta.bytes;
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus(meta)));
}

TEST_F(TableTest, SaysWhatItIsWithoutTheManifest) {
  const auto table = Write(20, {});
  TableOpener opener(&file_system_, table->path(), std::nullopt);
  while (!opener.Step()) {
  }
  ASSERT_TRUE(opener.status().ok()) << opener.status();
  EXPECT_EQ(opener.table()->meta(), table->meta());
}

TEST(SeparatorTest, LiesBetween) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"abc", "abd"},      {"abc", "b"},           {"a", "aa"},
      {"abcdef", "abzz"},  {"ab\xff", "ac"},       {"", "a"},
      {"key1999", "key2"}, {"a\xff\xff", "b\x01"}, {"same1zzzz", "same9"}};
  for (const auto& [last, next] : pairs) {
    const std::string separator = Separator(last, next);
    EXPECT_GE(separator, last);
    EXPECT_LT(separator, next);
    EXPECT_LE(separator.size(), last.size());
  }
  EXPECT_EQ(Separator("same1zzzz", "same9"), "same2");
}

}  // namespace
}  // namespace norn::storage
