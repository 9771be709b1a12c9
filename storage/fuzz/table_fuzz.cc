// Hostile tables: opening, seeking and walking end, inside the file, with an answer or an
// error.
//
// Two views of an input. As a file, whose checksums stop most of what is wrong; and as
// the payloads of its blocks, which are put together with good checksums, so that the
// parsers behind them meet what no checksum stopped.

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
#include "core/coding.h"
#include "core/crc32c.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/block.h"
#include "storage/live_table.h"
#include "storage/table.h"
#include "storage/table_builder.h"
#include "storage/table_format.h"
#include "storage/table_iterator.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

using storage::Iterator;

constexpr uint64_t kFileId = 99;

class DirectSource : public storage::BlockSource {
 public:
  absl::StatusOr<std::shared_ptr<const storage::Block>> Get(
      const storage::Table& table, const storage::BlockHandle& handle) override {
    return table.ReadBlock(handle);
  }
};

// Reads every byte, so that a sanitizer sees one that is out of bounds.
void Touch(absl::string_view bytes) {
  volatile uint32_t crc = Crc32c(bytes);
  static_cast<void>(crc);
}

void WalkBlock(absl::string_view bytes) {
  const auto block = storage::Block::Parse(std::string(bytes));
  if (block == nullptr) return;
  storage::BlockCursor cursor(block);
  size_t entries = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    ++entries;
    Touch(cursor.key());
    Touch(cursor.value());
  }
  CORE_CHECK(entries <= bytes.size());
  for (const char* key : {"", "key00007", "zzz"}) {
    cursor.Seek(key);
    if (cursor.Valid()) Touch(cursor.value());
  }
}

void ReadTable(const std::string& file) {
  sim::SimDisk disk(1);
  sim::SimFileSystem file_system(&disk);
  {
    auto written = file_system.CreateNew("/t", 0);
    CORE_CHECK(written.ok() && (*written)->Append(file).ok());
  }
  storage::TableOpener opener(&file_system, "/t", std::nullopt);
  while (!opener.Step()) {
  }
  if (!opener.status().ok()) return;
  auto live = std::make_shared<storage::LiveTable>();
  live->table = opener.table();
  live->meta = live->table->meta();
  DirectSource source;
  const storage::Level tables = {live};
  storage::TableIterator iterator(tables, &source);
  // Damaged keys may be out of order, but blocks that overlap cannot be walked for ever:
  // the index has as many entries as it has bytes at most.
  const size_t steps_max = file.size() * file.size() + 1;
  size_t steps = 0;
  for (iterator.Seek(""); iterator.state() == Iterator::State::kEntry; iterator.Next()) {
    CORE_CHECK(++steps <= steps_max);
    Touch(iterator.key());
    Touch(iterator.value());
  }
  for (const char* key : {"key00003", "key00050", "zzz"}) {
    live->table->MayContain(key);
    iterator.Seek(key);
    if (iterator.state() == Iterator::State::kError) {
      const std::optional<storage::TablePlace> place = iterator.damaged_place();
      CORE_CHECK(place.has_value());
      Touch(place->until);
    }
  }
}

// Payloads of a data block, a partition of the index ("": there are none), the filter, the index
// and the properties.
std::string Assemble(absl::string_view input) {
  ByteReader reader(input);
  const absl::string_view data = reader.ReadBytes();
  const absl::string_view partition = reader.ReadBytes();
  const absl::string_view filter = reader.ReadBytes();
  const absl::string_view index = reader.ReadBytes();
  const absl::string_view properties = reader.ReadBytes();
  std::string file;
  storage::BlockHandle ignored;
  storage::Footer footer;
  footer.file_id = kFileId;
  const auto append = [&file](absl::string_view payload, storage::BlockHandle* handle) {
    storage::AppendBlock(payload, storage::Compression::kNone, kFileId, file.size(), handle, &file);
  };
  append(data, &ignored);
  if (!partition.empty()) {
    append(partition, &ignored);
    footer.format = storage::kTableFormat;
  }
  append(filter, &footer.filter);
  append(index, &footer.index);
  append(properties, &footer.properties);
  return file + storage::EncodeFooter(footer);
}

// The inverse of Assemble, for a table of one data block; or of the same with an index of two
// levels.
std::string TakeApart(const std::string& file, bool partitioned) {
  const auto footer = storage::DecodeFooter(
      absl::string_view(file).substr(file.size() - storage::kFooterBytes), file.size());
  CORE_CHECK(footer.ok());
  const storage::BlockHandle data{.offset = 0,
                                  .size = footer->filter.offset - storage::kBlockTrailerBytes};
  const auto payload_at = [&file](const storage::BlockHandle& handle) {
    const std::optional<std::string> payload =
        storage::ExtractBlock(file.substr(handle.offset, handle.size + storage::kBlockTrailerBytes),
                              kFileId, handle.offset);
    CORE_CHECK(payload.has_value());
    return *payload;
  };
  std::string partition;
  std::string index = payload_at(footer->index);
  if (partitioned) {
    partition = std::exchange(index, std::string());
    storage::BlockBuilder upper(1);
    upper.Add("key99999", 0,
              storage::EncodeHandle({.offset = data.end(), .size = partition.size()}));
    index = std::string(upper.Finish());
  }
  std::string input;
  AppendBytes(&input, payload_at(data));
  AppendBytes(&input, partition);
  AppendBytes(&input, payload_at(footer->filter));
  AppendBytes(&input, index);
  AppendBytes(&input, payload_at(footer->properties));
  return input;
}

std::string Build(int entries, storage::TableOptions options) {
  storage::TableBuilder builder(options, 7, kFileId);
  for (int i = 0; i < entries; ++i) {
    builder.Add(absl::StrCat("key", absl::Dec(i, absl::kZeroPad5)), static_cast<uint64_t>(i) + 1,
                absl::StrCat("value", i));
  }
  builder.Finish();
  return builder.TakeReady();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const int entries : {1, 5, 40}) {
    seeds.push_back(Build(entries, {.block_bytes = 200}));
    for (const auto compression : {storage::Compression::kLz4, storage::Compression::kZstd}) {
      seeds.push_back(Build(entries, {.block_bytes = 200, .compression = compression}));
    }
    seeds.push_back(Build(entries, {.block_bytes = 100, .index_partition_bytes = 60}));
    for (const bool partitioned : {false, true}) {
      seeds.push_back(
          TakeApart(Build(entries, {.block_bytes = 1u << 20, .restart_interval = 4}), partitioned));
    }
  }
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  norn::WalkBlock(input);
  norn::ReadTable(std::string(input));
  norn::ReadTable(norn::Assemble(input));
  // Compressed or not, a block comes back as it was.
  for (const auto compression :
       {norn::storage::Compression::kLz4, norn::storage::Compression::kZstd}) {
    std::string block;
    norn::storage::BlockHandle handle;
    norn::storage::AppendBlock(input, compression, 1, 0, &handle, &block);
    const std::optional<std::string> expanded = norn::storage::ExtractBlock(block, 1, 0);
    CORE_CHECK(expanded.has_value() && *expanded == input);
    const std::optional<std::string> hostile = norn::storage::Expand(compression, input);
    CORE_CHECK(!hostile.has_value() || hostile->size() <= norn::storage::kPayloadBytesMax);
  }
  return 0;
}
