// Tables whose checksums are all good but which are not what a table should be: what only
// a bug writes, and only an inspection of everything finds.

#include "tools/dump/table_inspector.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "gtest/gtest.h"
#include "storage/block.h"
#include "storage/bloom.h"
#include "storage/posix_file_system.h"
#include "storage/table_format.h"
#include "tools/dump/console.h"
#include "tools/dump/testing/store_fixture.h"

namespace norn::dump {
namespace {

struct TestEntry {
  std::string key;
  uint64_t sequence = 0;
  std::string value;
};

struct TestBlock {
  std::vector<TestEntry> entries;
  std::string separator;
};

// A table as its parts say, true or not.
struct TestTable {
  std::vector<TestBlock> blocks;
  std::vector<std::string> filter_keys;
  std::vector<std::pair<std::string, std::string>> properties;
  std::string gap;  // behind the data

  std::string Encode() const;
};

constexpr uint64_t kFileId = 0x1122334455667788;

std::string TestTable::Encode() const {
  std::string file;
  storage::BlockBuilder index(1);
  const auto append = [&](absl::string_view payload) {
    storage::BlockHandle handle;
    storage::AppendBlock(payload, storage::Compression::kNone, kFileId, file.size(), &handle,
                         &file);
    return handle;
  };
  for (const TestBlock& block : blocks) {
    storage::BlockBuilder data(4);
    for (const TestEntry& entry : block.entries) data.Add(entry.key, entry.sequence, entry.value);
    index.Add(block.separator, 0, storage::EncodeHandle(append(data.Finish())));
  }
  file += gap;
  storage::BloomBuilder filter(10);
  for (const std::string& key : filter_keys) filter.Add(key);
  storage::Footer footer;
  footer.number = 7;
  footer.file_id = kFileId;
  footer.filter = append(filter.Finish());
  footer.index = append(index.Finish());
  std::string encoded;
  for (const auto& [name, value] : properties) {
    AppendBytes(&encoded, name);
    AppendBytes(&encoded, value);
  }
  footer.properties = append(encoded);
  return file + storage::EncodeFooter(footer);
}

std::string Varint(uint64_t n) {
  std::string out;
  AppendVarint(&out, n);
  return out;
}

TestTable TrueTable() {
  TestTable table;
  table.blocks = {{{{"aaaa1", 1, "one"}, {"aaaa2", 2, "two"}}, "aaaa2"},
                  {{{"bbbb1", 3, "three"}, {"bbbb2", 4, "four"}}, "bbbb2"}};
  table.filter_keys = {"aaaa1", "aaaa2", "bbbb1", "bbbb2"};
  table.properties = {{"entries", Varint(4)},     {"key_bytes", Varint(20)},
                      {"largest", "bbbb2"},       {"largest_sequence", Varint(4)},
                      {"smallest", "aaaa1"},      {"smallest_sequence", Varint(1)},
                      {"value_bytes", Varint(15)}};
  return table;
}

// The findings about the table, joined.
std::string Inspect(const TestTable& table, TableReport* report = nullptr) {
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/000007.sst");
  WriteBytes(path, table.Encode());
  storage::PosixFileSystem file_system;
  std::string findings;
  TableHooks hooks;
  hooks.report = [&](const Finding& finding) {
    EXPECT_EQ(finding.file, path);
    EXPECT_TRUE(finding.offset.has_value()) << finding.what;
    EXPECT_NE(finding.remedy, "");
    absl::StrAppend(&findings, "[", finding.what, "]");
  };
  const TableReport found = InspectTable(&file_system, path, std::nullopt, hooks);
  if (report != nullptr) *report = found;
  return findings;
}

TEST(TableInspectorTest, ATrueTable) {
  TableReport report;
  EXPECT_EQ(Inspect(TrueTable(), &report), "");
  EXPECT_EQ(report.blocks, 2u);
  EXPECT_EQ(report.entries, 4u);
  EXPECT_EQ(report.bad_blocks, 0u);
}

TEST(TableInspectorTest, PropertiesMustBeTrue) {
  const TestTable good = TrueTable();
  for (size_t i = 0; i < good.properties.size(); ++i) {
    TestTable table = good;
    std::string& value = table.properties[i].second;
    value.back() = static_cast<char>(value.back() ^ 1);
    EXPECT_TRUE(absl::StrContains(Inspect(table),
                                  absl::StrCat("properties say ", table.properties[i].first)))
        << table.properties[i].first << ": " << Inspect(table);
    table.properties.erase(table.properties.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(absl::StrContains(Inspect(table), "some are missing"));
  }
  TestTable later = good;
  later.properties.insert(later.properties.begin(), {"about", "of a later release"});
  EXPECT_EQ(Inspect(later), "");
}

TEST(TableInspectorTest, EveryKeyMustPassTheFilter) {
  for (int i = 0; i < 4; ++i) {
    TestTable table = TrueTable();
    table.filter_keys.erase(table.filter_keys.begin() + i);
    EXPECT_TRUE(absl::StrContains(Inspect(table), "the filter denies a key")) << i;
  }
}

TEST(TableInspectorTest, BlocksMustAscend) {
  TestTable table = TrueTable();
  std::swap(table.blocks[0].entries, table.blocks[1].entries);
  const std::string findings = Inspect(table);
  EXPECT_TRUE(absl::StrContains(findings, "into a later block")) << findings;
  EXPECT_TRUE(absl::StrContains(findings, "not above the one before")) << findings;
}

TEST(TableInspectorTest, TheIndexMustAgreeWithTheKeys) {
  TestTable low = TrueTable();
  low.blocks[0].separator = "aaaa1";  // below the block's last key
  EXPECT_TRUE(absl::StrContains(Inspect(low), "into a later block")) << Inspect(low);
  TestTable high = TrueTable();
  high.blocks[0].separator = "bbbb1";  // not below the next block's first key
  EXPECT_TRUE(absl::StrContains(Inspect(high), "into an earlier block")) << Inspect(high);
}

TEST(TableInspectorTest, BlocksMustFillTheFile) {
  TestTable table = TrueTable();
  table.gap = "what is this";
  EXPECT_TRUE(absl::StrContains(Inspect(table), "bytes that the index does not know"))
      << Inspect(table);
}

}  // namespace
}  // namespace norn::dump
