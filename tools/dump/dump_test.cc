// wal, sst and manifest: what they print of good files and of bad ones.

#include "tools/dump/dump.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/crc32c.h"
#include "core/ring/position.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/file_names.h"
#include "storage/record_log.h"
#include "storage/record_storage.h"
#include "storage/table_format.h"
#include "storage/testing/engine_driver.h"
#include "tools/dump/console.h"
#include "tools/dump/testing/store_fixture.h"

namespace norn::dump {
namespace {

using storage::FileKind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class DumpTest : public StoreTest {
 protected:
  std::string Table() const { return Files(FileKind::kTable).at(0); }
  std::string Wal() const { return Files(FileKind::kWal).at(0); }
  std::string Manifest() const { return Files(FileKind::kManifest).at(0); }

  static size_t Entries(const Outcome& outcome) {
    return LinesWith(outcome.out, {"\"type\":\"entry\""}).size();
  }

  static storage::Footer FooterOf(const std::string& bytes) {
    const auto footer = storage::DecodeFooter(
        absl::string_view(bytes).substr(bytes.size() - storage::kFooterBytes), bytes.size());
    EXPECT_TRUE(footer.ok()) << footer.status();
    return footer.ok() ? *footer : storage::Footer();
  }

  // Dumps a copy of a table under a name that says nothing, with `bytes` in it.
  Outcome DumpCopy(const std::string& command, absl::string_view bytes,
                   const std::vector<std::string>& options = {"--json"}) const {
    const std::string path = options_.dir + "-copy";
    WriteBytes(path, bytes);
    std::vector<std::string> arguments = {command, path};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return RunDump(arguments);
  }
};

TEST_F(DumpTest, LogInText) {
  OpenEngine();
  Put(3, "user:1", RecordOf(17, "hello"));
  Put(3, std::string("\x00\xff", 2), "raw");
  storage::RunJobs(engine_.get());
  CloseEngine();
  const Outcome sizes = RunDump({"wal", Wal()});
  EXPECT_EQ(sizes.exit_code, kExitFine) << sizes.err;
  EXPECT_THAT(LinesWith(sizes.out, {"wal: file " + Wal(), "number"}), SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"opening at offset 32: starts with write 1, no log before"}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"group at offset", "writes 1 to 2"}), SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"  write 1: partition 3, bucket 0, key \"user:1\""}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"3.abcdef:17 = 5 bytes, written 2023-11-14T22:13:20.000017Z"}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"write 2", "key 0x00ff, 3 bytes that are no record"}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(sizes.out, {"summary: verdict clean", "entries 2"}), SizeIs(1));
  EXPECT_THAT(sizes.out, Not(HasSubstr("hello")));
  const Outcome values = RunDump({"wal", Wal(), "--values"});
  EXPECT_THAT(values.out, HasSubstr(": \"hello\""));
  EXPECT_THAT(values.out, HasSubstr("no record: \"raw\""));
}

TEST_F(DumpTest, DeletionsAreNamed) {
  OpenEngine();
  Put(3, "user:1", RecordOf(17, "hello"));
  uint64_t sequence = 0;
  ASSERT_TRUE(
      engine_->Delete(storage::MakeEngineKey(3, MakeRecordKey(0, "user:1")), &sequence).ok());
  storage::RunJobs(engine_.get());
  CloseEngine();
  const Outcome text = RunDump({"wal", Wal()});
  EXPECT_THAT(LinesWith(text.out, {"write 2: partition 3", "\"user:1\", deleted"}), SizeIs(1));
  OpenEngine();  // which writes the log's writes into a table
  CloseEngine();
  const Outcome json = RunDump({"sst", Table(), "--json"});
  EXPECT_THAT(LinesWith(json.out, {"\"sequence\":2", "\"deletion\":true"}), SizeIs(1));
  EXPECT_EQ(JsonErrors(json.out), "");
  const Outcome verified = Verify();
  EXPECT_EQ(verified.exit_code, kExitFine) << verified.out;
}

TEST_F(DumpTest, LogAsJson) {
  BuildStore();
  const Outcome outcome = RunDump({"wal", Wal(), "--json", "--values"});
  EXPECT_EQ(outcome.exit_code, kExitFine);
  EXPECT_EQ(JsonErrors(outcome.out), "");
  EXPECT_GT(Entries(outcome), 5u);
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"tombstone\"", "\"siblings\":0"}), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"\"siblings\":2", "\"value\":\"the other\""}),
              Not(IsEmpty()));
  const Outcome limited = RunDump({"wal", Wal(), "--json", "--limit", "2"});
  EXPECT_EQ(Entries(limited), 2u);
  EXPECT_THAT(LinesWith(limited.out,
                        {"\"type\":\"summary\"", absl::StrCat("\"entries\":", Entries(outcome)),
                         absl::StrCat("not_shown\":", Entries(outcome) - 2)}),
              SizeIs(1));
}

TEST_F(DumpTest, ABadGroupIsNamedAndThoseBehindItAreShown) {
  BuildStore();
  const std::string path = Files(FileKind::kWal).back();
  std::string bytes = ReadBytes(path);
  const storage::LogContents contents =
      storage::ReadLog(storage::LogKind::kWal, bytes, std::nullopt, 0);
  const size_t all = Entries(RunDump({"wal", path, "--json"}));
  ASSERT_GE(contents.records.size(), 5u);
  const uint64_t bad = contents.records[2].offset;
  bytes[bad + 25] ^= 4;
  const Outcome outcome = DumpCopy("wal", bytes);
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_EQ(Entries(outcome), all - 1);
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\"", absl::StrCat("\"offset\":", bad, ","),
                                      "had been synced"}),
              SizeIs(1));
  EXPECT_THAT(outcome.out, HasSubstr("\"verdict\":\"damaged\""));
}

TEST_F(DumpTest, GroupsBehindABadHeaderAreShown) {
  BuildStore();
  const std::string good = ReadBytes(Wal());
  const size_t all = Entries(RunDump({"wal", Wal(), "--json"}));
  for (const size_t at : {0u, 8u, 13u, 30u}) {
    std::string bytes = good;
    bytes[at] ^= 1;
    const Outcome outcome = DumpCopy("wal", bytes);
    EXPECT_EQ(outcome.exit_code, kExitDamage) << at;
    EXPECT_EQ(Entries(outcome), all) << at;
  }
}

TEST_F(DumpTest, TableInTextAndJson) {
  BuildStore();
  const Outcome text = RunDump({"sst", Table()});
  EXPECT_EQ(text.exit_code, kExitFine) << text.out;
  for (const char* const part : {"sst: file ", "footer: offset", "properties: offset",
                                 "filter: ", "index: ", "index partition: offset",
                                 "block: offset 0", "probes 6", "summary: verdict clean"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
  const Outcome json = RunDump({"sst", Table(), "--json", "--values"});
  EXPECT_EQ(JsonErrors(json.out), "");
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"block\"", "\"state\":\"good\""}), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(json.out,
                        {"\"type\":\"summary\"", absl::StrCat("\"entries\":", Entries(json), ",")}),
              SizeIs(1));
}

TEST_F(DumpTest, ARangeOfKeys) {
  OpenEngine();
  for (const char* const key : {"a", "b", "c", "d"}) {
    for (const PartitionId partition : {PartitionId{1}, PartitionId{2}})
      Put(partition, key, RecordOf(1, key));
  }
  storage::RunJobs(engine_.get());
  CloseEngine();
  OpenEngine();  // recovery writes the log into a table
  CloseEngine();
  EXPECT_EQ(Entries(RunDump({"sst", Table(), "--json"})), 8u);
  const Outcome client = RunDump({"sst", Table(), "--json", "--from", "b", "--to", "d"});
  EXPECT_EQ(Entries(client), 4u) << client.out;
  EXPECT_THAT(LinesWith(client.out, {"\"key\":\"b\""}), SizeIs(2));
  EXPECT_THAT(LinesWith(client.out, {"\"key\":\"c\""}), SizeIs(2));
  const std::string from =
      "0x" + absl::BytesToHexString(storage::MakeEngineKey(1, MakeRecordKey(0, "d")));
  const Outcome engine = RunDump({"sst", Table(), "--json", "--from", from, "--to", "0x00020000"});
  size_t expected = 0;  // in the engine's order of keys
  for (const char* const key : {"a", "b", "c", "d"}) {
    expected += ComesBefore(MakeRecordKey(0, key), MakeRecordKey(0, "d")) ? 0u : 1u;
  }
  EXPECT_EQ(Entries(engine), expected);
  EXPECT_EQ(Entries(RunDump({"sst", Table(), "--json", "--limit", "3"})), 3u);
  EXPECT_THAT(RunDump({"sst", Table(), "--json", "--keys-hex"}).out,
              HasSubstr("\"key_hex\":\"61\""));
}

TEST_F(DumpTest, ABadBlockIsNamedAndThoseBehindItAreShown) {
  BuildStore();
  std::string bytes = ReadBytes(Table());
  const size_t all = Entries(RunDump({"sst", Table(), "--json"}));
  const std::vector<std::string> blocks =
      LinesWith(RunDump({"sst", Table(), "--json"}).out, {"\"type\":\"block\""});
  ASSERT_GE(blocks.size(), 3u);
  bytes[10] ^= 1;
  const Outcome outcome = DumpCopy("sst", bytes);
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\"", "\"offset\":0,", "block 0"}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"block\"", "\"offset\":0,", "bad checksum"}),
              SizeIs(1));
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"block\"", "\"state\":\"good\""}),
              SizeIs(blocks.size() - 1));
  EXPECT_LT(Entries(outcome), all);
  EXPECT_GT(Entries(outcome), 0u);
}

TEST_F(DumpTest, WithoutAnIndexBlocksAreFoundByTheirChecksums) {
  for (const bool compressed : {false, true}) {
    options_.compression = compressed ? storage::Compression::kLz4 : storage::Compression::kNone;
    options_.last_level_compression = options_.compression;
    std::filesystem::remove_all(options_.dir);
    BuildStore();
    std::string bytes = ReadBytes(Table());
    const size_t all = Entries(RunDump({"sst", Table(), "--json"}));
    bytes[FooterOf(bytes).index.offset] ^= 1;
    const Outcome outcome = DumpCopy("sst", bytes);
    EXPECT_EQ(outcome.exit_code, kExitDamage);
    EXPECT_EQ(Entries(outcome), all);
    EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\""}), SizeIs(1)) << outcome.out;
    bytes[10] ^= 1;  // the first block as well: nothing says where it ends
    const Outcome worse = DumpCopy("sst", bytes);
    EXPECT_EQ(Entries(worse), 0u);
    EXPECT_THAT(LinesWith(worse.out, {"\"type\":\"damage\"", "cannot be read without the index"}),
                SizeIs(1));
  }
}

TEST_F(DumpTest, WithoutAPartitionOfTheIndexItsBlocksAreFound) {
  BuildStore();
  const std::string good = ReadBytes(Table());
  const Outcome before = RunDump({"sst", Table(), "--json"});
  const std::vector<std::string> partitions =
      LinesWith(before.out, {"\"type\":\"index_partition\"", "\"state\":\"good\""});
  ASSERT_THAT(partitions, SizeIs(testing::Ge(2u)));
  for (const std::string& line : partitions) {
    const absl::string_view digits = absl::string_view(line).substr(line.find("\"offset\":") + 9);
    uint64_t offset = 0;
    ASSERT_TRUE(absl::SimpleAtoi(digits.substr(0, digits.find(',')), &offset)) << line;
    std::string bytes = good;
    bytes[static_cast<size_t>(offset)] ^= 1;
    const Outcome outcome = DumpCopy("sst", bytes);
    EXPECT_EQ(outcome.exit_code, kExitDamage);
    EXPECT_EQ(Entries(outcome), Entries(before));
    EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\"", "of the index"}), SizeIs(1));
    EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\""}), SizeIs(1)) << outcome.out;
    EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"index_partition\"", "bad checksum"}),
                SizeIs(1));
    bytes[10] ^= 1;  // a block of data, found no longer if its partition is bad
    EXPECT_LT(Entries(DumpCopy("sst", bytes)), Entries(before));
  }
}

TEST_F(DumpTest, ABitOfTheFooterDoesNotHideTheTable) {
  BuildStore();
  const std::string good = ReadBytes(Table());
  const size_t all = Entries(RunDump({"sst", Table(), "--json"}));
  // The number, the format, the checksum, the magic: the places are still right.
  for (const size_t from_end : {30u, 14u, 10u, 1u}) {
    std::string bytes = good;
    bytes[bytes.size() - from_end] ^= 1;
    const Outcome outcome = DumpCopy("sst", bytes);
    EXPECT_EQ(outcome.exit_code, kExitDamage) << from_end;
    EXPECT_EQ(Entries(outcome), all) << from_end;
  }
}

TEST_F(DumpTest, ManifestInWords) {
  BuildStore();
  const Outcome outcome = RunDump({"manifest", Manifest()});
  EXPECT_EQ(outcome.exit_code, kExitFine) << outcome.out;
  EXPECT_THAT(
      LinesWith(outcome.out, {"  adds table ", " on level 0: ", "entries", "from partition"}),
      Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"  drops table ", " from level 0"}), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"  drops log "}), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"  writes up to ", "are in tables"}), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"version: usable yes"}), SizeIs(1));
  const Outcome json = RunDump({"manifest", Manifest(), "--json"});
  EXPECT_EQ(JsonErrors(json.out), "");
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"version_table\""}),
              SizeIs(Files(FileKind::kTable).size()));
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"version_wal\""}),
              SizeIs(Files(FileKind::kWal).size()));
  EXPECT_THAT(LinesWith(RunDump({"manifest", Manifest(), "--json", "--limit", "1"}).out,
                        {"\"type\":\"edit\""}),
              SizeIs(1));
}

TEST_F(DumpTest, ABadEditIsNamedAndThoseBehindItAreShown) {
  BuildStore();
  std::string bytes = ReadBytes(Manifest());
  const storage::LogContents contents =
      storage::ReadLog(storage::LogKind::kManifest, bytes, std::nullopt, 0);
  ASSERT_GE(contents.records.size(), 4u);
  bytes[contents.records[1].offset + 22] ^= 1;
  const Outcome outcome = DumpCopy("manifest", bytes);
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"edit\""}), SizeIs(contents.records.size() - 1));
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"version\"", "\"usable\":false"}), SizeIs(1));
}

TEST_F(DumpTest, NoFileOfThatKind) {
  for (const std::string command : {"wal", "sst", "manifest"}) {
    for (const absl::string_view bytes :
         {absl::string_view(), absl::string_view("x"),
          absl::string_view("A text that is much longer than a header, longer than a footer, too, "
                            "and nothing that Norn would ever write into a file of its own.")}) {
      const Outcome outcome = DumpCopy(command, bytes);
      EXPECT_EQ(outcome.exit_code, kExitDamage) << command << bytes;
      EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"damage\"", "\"offset\":", "\"remedy\":"}),
                  Not(IsEmpty()))
          << command << bytes;
      EXPECT_EQ(JsonErrors(outcome.out), "");
    }
    EXPECT_EQ(RunDump({command, options_.dir + "-none"}).exit_code, kExitUnusable);
    std::filesystem::create_directories(options_.dir);
    const Outcome directory = RunDump({command, options_.dir});
    EXPECT_EQ(directory.exit_code, kExitUnusable) << command;
    EXPECT_THAT(directory.err, HasSubstr(options_.dir));
  }
}

TEST_F(DumpTest, OneKindForAnother) {
  BuildStore();
  EXPECT_EQ(RunDump({"wal", Manifest()}).exit_code, kExitDamage);
  EXPECT_EQ(RunDump({"manifest", Wal()}).exit_code, kExitDamage);
  EXPECT_EQ(RunDump({"sst", Wal()}).exit_code, kExitDamage);
  EXPECT_EQ(RunDump({"wal", Table()}).exit_code, kExitDamage);
}

TEST_F(DumpTest, LaterFormatsAreLeftToLaterReleases) {
  BuildStore();
  for (const bool wal : {true, false}) {
    std::string bytes = ReadBytes(wal ? Wal() : Manifest());
    StoreFixed32(bytes.data() + 8, storage::kLogFormat + 1);
    StoreFixed32(bytes.data() + 28, Crc32c(absl::string_view(bytes).substr(0, 28)));
    const Outcome outcome = DumpCopy(wal ? "wal" : "manifest", bytes, {});
    EXPECT_EQ(outcome.exit_code, kExitUnusable) << outcome.out;
    EXPECT_THAT(outcome.err, HasSubstr("format 2 is newer than 1"));
    EXPECT_THAT(outcome.err, HasSubstr("the release that wrote it"));
  }
  std::string bytes = ReadBytes(Table());
  char* const footer = bytes.data() + bytes.size() - storage::kFooterBytes;
  StoreFixed32(footer + 64, storage::kTableFormat + 1);
  StoreFixed32(footer + 68, Crc32c(absl::string_view(footer, 68)));
  const Outcome outcome = DumpCopy("sst", bytes, {});
  EXPECT_EQ(outcome.exit_code, kExitUnusable) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("newer"));
}

// Cut and flipped anywhere, with any command: an exit code, whole lines, valid JSON.
TEST_F(DumpTest, NothingCrashesIt) {
  BuildStore();
  std::string all_lines;
  for (const auto& [command, path] : std::vector<std::pair<std::string, std::string>>{
           {"wal", Wal()}, {"sst", Table()}, {"manifest", Manifest()}}) {
    const std::string good = ReadBytes(path);
    for (size_t i = 0; i < good.size(); i += 11) {
      std::string bad = good;
      bad[i] = static_cast<char>(~bad[i]);
      const Outcome flipped = DumpCopy(command, bad);
      EXPECT_EQ(flipped.exit_code, kExitDamage) << command << " at " << i;
      const Outcome cut = DumpCopy(command, absl::string_view(good).substr(0, i));
      EXPECT_LE(cut.exit_code, kExitDamage) << command << " cut to " << i;
      all_lines += flipped.out + cut.out;
    }
  }
  EXPECT_EQ(JsonErrors(all_lines), "");
}

}  // namespace
}  // namespace norn::dump
