// verify on directories that the engine wrote: fine ones, and ones with damage of every kind.

#include "tools/dump/verify.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "core/crc32c.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/file_names.h"
#include "storage/file_system.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "storage/testing/engine_driver.h"
#include "tools/dump/console.h"
#include "tools/dump/testing/store_fixture.h"
#include "tools/dump/wal_inspector.h"

namespace norn::dump {
namespace {

using storage::FileKind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class VerifyTest : public StoreTest {
 protected:
  storage::VersionState Version() const {
    const std::string path = Files(FileKind::kManifest).at(0);
    const absl::StatusOr<storage::VersionState> version =
        storage::ReadManifest(path, ReadBytes(path));
    EXPECT_TRUE(version.ok()) << version.status();
    return version.ok() ? *version : storage::VersionState();
  }

  // How many bytes of a log count, as the log behind it says; nothing for the last one.
  std::optional<uint64_t> CountedBytes(const std::string& path) const {
    const storage::VersionState version = Version();
    for (size_t i = 0; i + 1 < version.wals.size(); ++i) {
      if (storage::WalPath(options_.dir, version.wals[i].number) != path) continue;
      const storage::WalRef& next = version.wals[i + 1];
      const std::optional<storage::WalOpening> opening =
          FindWalOpening(ReadBytes(storage::WalPath(options_.dir, next.number)), next.file_id);
      EXPECT_TRUE(opening.has_value());
      if (opening.has_value()) return opening->previous_bytes;
    }
    return std::nullopt;
  }

  // Verifies with `bytes` in place of a file, and puts the file back.
  Outcome VerifyWith(const std::string& path, absl::string_view bytes) const {
    const std::string before = ReadBytes(path);
    WriteBytes(path, bytes);
    Outcome outcome = Verify({"--json"});
    WriteBytes(path, before);
    return outcome;
  }

  static std::vector<std::string> Damages(const Outcome& outcome, const std::string& path) {
    return LinesWith(outcome.out, {"\"type\":\"damage\"", absl::StrCat("\"file\":\"", path, "\"")});
  }

  // Flips a bit in every `step`-th byte of the file, each in turn.
  void ExpectFlipsAreFound(const std::string& path, size_t step) const {
    const std::string good = ReadBytes(path);
    const std::optional<uint64_t> counted = CountedBytes(path);
    for (size_t i = 0; i < good.size(); i += step) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
      const Outcome outcome = VerifyWith(path, bad);
      if (counted.has_value() && i >= *counted) {
        ASSERT_EQ(outcome.exit_code, kExitFine) << path << " at " << i << ": " << outcome.out;
        ASSERT_THAT(outcome.out, HasSubstr("does not count")) << path << " at " << i;
        continue;
      }
      ASSERT_EQ(outcome.exit_code, kExitDamage) << path << " at " << i << ": " << outcome.out;
      ASSERT_THAT(Damages(outcome, path), Not(IsEmpty())) << path << " at " << i;
    }
  }
};

TEST_F(VerifyTest, WhatTheEngineWroteIsFine) {
  BuildStore();
  const std::map<std::string, std::string> before = Snapshot();
  const Outcome text = Verify();
  EXPECT_EQ(text.exit_code, kExitFine) << text.out;
  EXPECT_EQ(text.err, "");
  EXPECT_THAT(text.out, HasSubstr("not in use"));
  EXPECT_THAT(text.out, HasSubstr("checked the store of \"cluster/3\""));
  EXPECT_THAT(text.out, HasSubstr("fine: no damage was found"));
  EXPECT_THAT(text.out, HasSubstr("1 slots; 1 temporary and 0 stray files"));
  const Outcome json = Verify({"--json"});
  EXPECT_EQ(json.exit_code, kExitFine);
  EXPECT_EQ(JsonErrors(json.out), "");
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"table\"", "\"bad_blocks\":0", "\"damages\":0"}),
              SizeIs(Files(FileKind::kTable).size()));
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"log\"", "\"verdict\":\"clean\""}),
              SizeIs(Files(FileKind::kWal).size()));
  EXPECT_THAT(LinesWith(json.out, {"\"type\":\"summary\"", "\"verdict\":\"fine\""}), SizeIs(1));
  EXPECT_EQ(Snapshot(), before) << "verify changed the directory";
  size_t in_logs = 0;
  for (const std::string& path : Files(FileKind::kWal)) {
    in_logs += LinesWith(RunDump({"wal", path, "--json"}).out, {"\"type\":\"entry\""}).size();
  }
  EXPECT_GE(in_logs, 80u) << "what was written last";
  EXPECT_THAT(json.out, HasSubstr(absl::StrCat("\"log_entries\":", in_logs, ",")));
  EXPECT_THAT(json.out, Not(HasSubstr("no records")));
}

TEST_F(VerifyTest, SeesSeveralLevels) {
  BuildStore();
  const storage::VersionState version = Version();
  const auto levels = std::count_if(version.levels.begin(), version.levels.end(),
                                    [](const auto& level) { return !level.empty(); });
  EXPECT_GE(levels, 2);
}

TEST_F(VerifyTest, EveryFlippedByteOfATableIsFound) {
  BuildStore();
  ExpectFlipsAreFound(Files(FileKind::kTable).front(), 3);
  ExpectFlipsAreFound(Files(FileKind::kTable).back(), 7);
}

TEST_F(VerifyTest, EveryFlippedByteOfACompressedTableIsFound) {
  options_.compress_blocks = true;
  BuildStore();
  ExpectFlipsAreFound(Files(FileKind::kTable).front(), 3);
}

TEST_F(VerifyTest, EveryFlippedByteOfALogIsFoundOrSlack) {
  BuildStore();
  const std::vector<std::string> wals = Files(FileKind::kWal);
  EXPECT_TRUE(CountedBytes(wals[0]).has_value());
  EXPECT_FALSE(CountedBytes(wals.back()).has_value());
  ExpectFlipsAreFound(wals[0], 13);
  ExpectFlipsAreFound(wals[1], 13);
  ExpectFlipsAreFound(wals.back(), 3);
}

TEST_F(VerifyTest, EveryFlippedByteOfTheSmallFilesIsFound) {
  BuildStore();
  ExpectFlipsAreFound(Files(FileKind::kManifest)[0], 3);
  ExpectFlipsAreFound(Files(FileKind::kSlot)[0], 1);
  ExpectFlipsAreFound(storage::CurrentPath(options_.dir), 1);
}

TEST_F(VerifyTest, CutTablesAndSmallFilesAreFound) {
  BuildStore();
  for (const std::string& path :
       {Files(FileKind::kTable)[0], Files(FileKind::kSlot)[0], storage::CurrentPath(options_.dir),
        Files(FileKind::kManifest)[0]}) {
    const std::string good = ReadBytes(path);
    for (const size_t left : {good.size() - 1, good.size() / 2, size_t{81}, size_t{1}, size_t{0}}) {
      if (left >= good.size()) continue;
      const Outcome outcome = VerifyWith(path, absl::string_view(good).substr(0, left));
      EXPECT_EQ(outcome.exit_code, kExitDamage) << path << " cut to " << left;
      EXPECT_THAT(Damages(outcome, path), Not(IsEmpty())) << path << " cut to " << left;
    }
  }
}

TEST_F(VerifyTest, ACutLogIsFoundUnlessTheCutIsBetweenRecords) {
  BuildStore();
  const std::string path = Files(FileKind::kWal).back();
  const std::string good = ReadBytes(path);
  const storage::LogContents contents =
      storage::ReadLog(storage::LogKind::kWal, good, std::nullopt, 0);
  ASSERT_GE(contents.records.size(), 3u);
  // The last record may be cut off as a whole: nothing behind it says that it was there.
  const uint64_t last = contents.records.back().offset;
  EXPECT_EQ(VerifyWith(path, absl::string_view(good).substr(0, last)).exit_code, kExitFine);
  for (const uint64_t left :
       {last + 1, last + 25, last - 1, uint64_t{40}, uint64_t{32}, uint64_t{31}, uint64_t{0}}) {
    const Outcome outcome = VerifyWith(path, absl::string_view(good).substr(0, left));
    EXPECT_EQ(outcome.exit_code, kExitDamage) << left;
    EXPECT_THAT(Damages(outcome, path), Not(IsEmpty())) << left;
  }
}

TEST_F(VerifyTest, ALogThatLostItsSyncedEndIsDamagedThoughWhatIsLeftIsClean) {
  BuildStore();
  const std::string path = Files(FileKind::kWal)[0];
  const std::string good = ReadBytes(path);
  const storage::LogContents contents =
      storage::ReadLog(storage::LogKind::kWal, good, std::nullopt, 0);
  const uint64_t last = contents.records.back().offset;
  const Outcome outcome = VerifyWith(path, absl::string_view(good).substr(0, last));
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {"damage", path, "the file ends here"}), SizeIs(1));
  // The log behind it starts too late.
  EXPECT_THAT(LinesWith(outcome.out, {"damage", Files(FileKind::kWal)[1], "missing"}), SizeIs(1));
}

TEST_F(VerifyTest, MissingFilesAreNamed) {
  BuildStore();
  for (const std::string& path :
       {Files(FileKind::kTable)[1], Files(FileKind::kWal)[1], Files(FileKind::kWal).back(),
        Files(FileKind::kManifest)[0], storage::CurrentPath(options_.dir)}) {
    std::filesystem::rename(path, options_.dir + "-away");
    const Outcome outcome = Verify({"--json"});
    std::filesystem::rename(options_.dir + "-away", path);
    EXPECT_EQ(outcome.exit_code, kExitDamage) << path;
    EXPECT_THAT(Damages(outcome, path), SizeIs(1)) << path << outcome.out;
    EXPECT_EQ(JsonErrors(outcome.out), "") << path;
  }
  EXPECT_EQ(Verify().exit_code, kExitFine);
}

TEST_F(VerifyTest, WithoutAManifestTheFilesAreCheckedByThemselves) {
  BuildStore();
  std::filesystem::remove(Files(FileKind::kManifest)[0]);
  const std::string table = Files(FileKind::kTable)[0];
  std::string bytes = ReadBytes(table);
  bytes[10] ^= 1;
  const Outcome outcome = VerifyWith(table, bytes);
  EXPECT_THAT(Damages(outcome, table), Not(IsEmpty()));
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"table\""}),
              SizeIs(Files(FileKind::kTable).size()));
}

TEST_F(VerifyTest, ATableInAnothersPlaceIsFound) {
  BuildStore();
  const std::vector<std::string> tables = Files(FileKind::kTable);
  const Outcome outcome = VerifyWith(tables[0], ReadBytes(tables[1]));
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {tables[0], "renamed or is a copy"}), SizeIs(1));
  EXPECT_THAT(LinesWith(outcome.out, {tables[0], "another table than the manifest names"}),
              SizeIs(1));
}

TEST_F(VerifyTest, ALogInAnothersPlaceIsFound) {
  BuildStore();
  const std::vector<std::string> wals = Files(FileKind::kWal);
  const Outcome outcome = VerifyWith(wals.back(), ReadBytes(wals[0]));
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {wals.back(), "another file than the manifest names"}),
              SizeIs(1));
}

// A log whose checksums are all good but whose writes do not follow each other.
TEST_F(VerifyTest, AMissingGroupIsFoundThoughEveryChecksumIsGood) {
  BuildStore();
  const std::string path = Files(FileKind::kWal).back();
  const std::string good = ReadBytes(path);
  const storage::LogContents contents =
      storage::ReadLog(storage::LogKind::kWal, good, std::nullopt, 0);
  storage::LogEncoder encoder(storage::LogKind::kWal, contents.number, contents.file_id);
  std::string bytes;
  encoder.AppendHeader(&bytes);
  for (size_t i = 0; i < contents.records.size(); ++i) {
    if (i != 2) encoder.AppendRecord(contents.records[i].body, &bytes);
  }
  const Outcome outcome = VerifyWith(path, bytes);
  EXPECT_EQ(outcome.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(outcome.out, {"damage", path, "are missing before this group"}), SizeIs(1));
}

// A manifest whose checksums are good but which says what cannot be.
TEST_F(VerifyTest, ManifestsThatCannotBeAreFound) {
  BuildStore();
  const std::string path = Files(FileKind::kManifest)[0];
  const std::string good = ReadBytes(path);
  const storage::VersionState version = Version();
  const auto with_edit = [&](const storage::VersionEdit& edit) {
    const storage::LogContents contents =
        storage::ReadLog(storage::LogKind::kManifest, good, std::nullopt, 0);
    storage::LogEncoder encoder(storage::LogKind::kManifest, contents.number, contents.file_id);
    std::string bytes;
    encoder.AppendHeader(&bytes);
    for (const auto& record : contents.records) encoder.AppendRecord(record.body, &bytes);
    encoder.AppendRecord(storage::EncodeEdit(edit), &bytes);
    return VerifyWith(path, bytes);
  };
  EXPECT_EQ(with_edit({}).exit_code, kExitFine) << "an edit that changes nothing";
  storage::VersionEdit drop;
  drop.dropped_tables.push_back({.level = 3, .number = 999});
  EXPECT_THAT(LinesWith(with_edit(drop).out, {"damage", path, "does not fit"}), SizeIs(1));
  storage::VersionEdit behind;
  behind.flushed_sequence = 1;
  EXPECT_THAT(LinesWith(with_edit(behind).out, {"damage", path, "are said to be in tables"}),
              Not(IsEmpty()));
  storage::VersionEdit overlap;
  storage::TableMeta meta = version.levels[0].empty() ? version.levels[1][0] : version.levels[0][0];
  meta.number = 777;
  overlap.added_tables.push_back({.level = 5, .meta = meta});
  meta.number = 778;
  overlap.added_tables.push_back({.level = 5, .meta = meta});
  EXPECT_THAT(LinesWith(with_edit(overlap).out, {"damage", path, "overlap"}), SizeIs(1));
  storage::VersionEdit no_logs;
  for (const storage::WalRef& wal : version.wals) no_logs.dropped_wals.push_back(wal.number);
  EXPECT_THAT(LinesWith(with_edit(no_logs).out, {"damage", "names no write-ahead log"}), SizeIs(1));
  storage::VersionEdit gap;
  gap.dropped_wals.push_back(version.wals[1].number);
  EXPECT_THAT(LinesWith(with_edit(gap).out, {"damage", "are missing"}), SizeIs(1));
}

TEST_F(VerifyTest, StrayFilesAreNotesOnly) {
  BuildStore();
  WriteBytes(options_.dir + "/999999.sst", "left over");
  WriteBytes(options_.dir + "/000999.tmp", "left over");
  WriteBytes(options_.dir + "/notes.txt", "mine");
  const Outcome outcome = Verify();
  EXPECT_EQ(outcome.exit_code, kExitFine);
  EXPECT_THAT(LinesWith(outcome.out, {"note: ", "999999.sst", "does not name"}), SizeIs(1));
  EXPECT_THAT(LinesWith(outcome.out, {"note: ", ".tmp"}), IsEmpty());
  EXPECT_THAT(LinesWith(outcome.out, {"note: ", "notes.txt", "no file of Norn"}), SizeIs(1));
  EXPECT_THAT(outcome.out, HasSubstr("2 temporary and 2 stray files"));
}

TEST_F(VerifyTest, LaterFormatsAreNotDamage) {
  BuildStore();
  const std::string current = storage::CurrentPath(options_.dir);
  std::string text = absl::StrReplaceAll(ReadBytes(current), {{"format 2", "format 3"}});
  text.resize(text.find("crc "));
  absl::StrAppend(&text, "crc ", absl::Hex(Crc32c(text), absl::kZeroPad8), "\n");
  const Outcome outcome = VerifyWith(current, text);
  EXPECT_EQ(outcome.exit_code, kExitUnusable) << outcome.out;
  EXPECT_THAT(LinesWith(outcome.out, {"\"type\":\"unreadable\"", current, "newer"}), SizeIs(1));
  EXPECT_THAT(outcome.out, HasSubstr("\"verdict\":\"incomplete\""));
}

TEST_F(VerifyTest, ADirectoryInUseIsReadAsItIs) {
  BuildStore();
  OpenEngine();
  Put(1, "user:1", RecordOf(1000, "in flight"));
  storage::RunJobs(engine_.get());
  const Outcome outcome = Verify();
  EXPECT_EQ(outcome.exit_code, kExitFine) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr(absl::StrCat("in use by process ", ::getpid())));
  // What the node is writing this moment is not whole yet.
  const std::string wal = Files(FileKind::kWal).back();
  std::string bytes = ReadBytes(wal);
  const size_t end = bytes.find_last_not_of('\0') + 1;
  bytes.resize(end);
  bytes += "half a record";
  const Outcome growing = VerifyWith(wal, bytes);
  EXPECT_EQ(growing.exit_code, kExitFine) << growing.out;
  EXPECT_THAT(LinesWith(growing.out, {"\"type\":\"notice\"", wal, "is not whole"}), SizeIs(1));
  // Once the node is gone, it is a torn tail.
  CloseEngine();
  const Outcome torn = VerifyWith(wal, bytes);
  EXPECT_EQ(torn.exit_code, kExitDamage);
  EXPECT_THAT(LinesWith(torn.out, {"\"type\":\"damage\"", wal, "torn or rotten"}), SizeIs(1));
}

// Tables, logs and manifests come and go while they are looked at.
TEST_F(VerifyTest, BesideARunningNodeNothingIsTakenForDamage) {
  OpenEngine();
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> compactions = 0;
  std::thread node([&] {
    for (uint64_t i = 1; !stop; ++i) {
      Put(static_cast<PartitionId>(i % 4), absl::StrCat("user:", i % 500),
          RecordOf(i, std::string(100, 'v')));
      if (i % 3 == 0) storage::RunJobs(engine_.get());
      compactions = engine_->stats().compactions;
    }
  });
  int in_use = 0;
  for (int i = 0; i < 100 || compactions < 30; ++i) {
    const Outcome outcome = Verify();
    EXPECT_EQ(outcome.exit_code, kExitFine) << outcome.out << outcome.err;
    in_use += LinesWith(outcome.out, {"in use by process"}).empty() ? 0 : 1;
  }
  stop = true;
  node.join();
  EXPECT_GE(in_use, 100);
  CloseEngine();
  EXPECT_EQ(Verify().exit_code, kExitFine);
}

TEST_F(VerifyTest, VerifyingDoesNotKeepANodeOut) {
  BuildStore();
  std::filesystem::remove(options_.dir + "/LOCK");
  EXPECT_EQ(Verify().exit_code, kExitFine);
  EXPECT_FALSE(std::filesystem::exists(options_.dir + "/LOCK"));
}

TEST_F(VerifyTest, NoStoreAndNoDirectory) {
  const Outcome missing = Verify();
  EXPECT_EQ(missing.exit_code, kExitUnusable);
  EXPECT_THAT(missing.err, HasSubstr(options_.dir));
  std::filesystem::create_directory(options_.dir);
  const Outcome empty = Verify();
  EXPECT_EQ(empty.exit_code, kExitFine);
  EXPECT_THAT(empty.out, HasSubstr("there is no store in this directory"));
  WriteBytes(options_.dir + "/000001.sst", "");
  EXPECT_EQ(Verify().exit_code, kExitDamage);
}

TEST_F(VerifyTest, ValuesThatAreNoRecordsAreNoted) {
  OpenEngine();
  Put(5, "plain", "not a record");
  storage::RunJobs(engine_.get());
  CloseEngine();
  const Outcome outcome = Verify();
  EXPECT_EQ(outcome.exit_code, kExitFine);
  EXPECT_THAT(LinesWith(outcome.out, {"1 values are no records", "partition 5", "\"plain\""}),
              SizeIs(1));
}

}  // namespace
}  // namespace norn::dump
