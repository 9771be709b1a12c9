// What the engine does about a disk that breaks its promises: bits that rot, blocks that
// land elsewhere, files that go missing (section 7 of the design).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/crc32c.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;

class EngineDamageTest : public EngineTest {
 protected:
  // 300 keys in one table, and nothing else.
  void MakeOneTable() {
    options_.memtable_bytes = 1u << 20;
    ASSERT_TRUE(Open().ok());
    Fill(0, 300, std::string(100, 'x'));
    Reopen();  // recovery flushes
    ASSERT_EQ(engine_->stats().tables, 1u);
    table_ = FilesEndingIn(".sst").front();
  }

  void Reopen() {
    Crash(CrashLoss::kAllUnsynced);
    ASSERT_TRUE(Open().ok());
  }

  void Flip(const std::string& path, uint64_t offset) {
    ASSERT_TRUE(disk_.FlipBit(path, offset, 3).ok());
  }

  int CountErrors(int begin, int end) {
    int errors = 0;
    for (int i = begin; i < end; ++i) {
      const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), Key(i));
      if (value.ok()) {
        // Never absent, never another value.
        EXPECT_EQ(value->value_or("(absent)"), absl::StrCat(std::string(100, 'x'), i));
      } else {
        EXPECT_TRUE(absl::IsDataLoss(value.status())) << value.status();
        ++errors;
      }
    }
    return errors;
  }

  std::string table_;
};

TEST_F(EngineDamageTest, ABadBlockIsAnErrorForItsKeysOnly) {
  MakeOneTable();
  Flip(table_, 1500);  // in the second block
  const int errors = CountErrors(0, 300);
  EXPECT_GE(errors, 5);
  EXPECT_LE(errors, 15);
  EXPECT_EQ(engine_->stats().damaged_tables, 1u);
  const absl::Status status = GetNow(engine_.get(), Key(12)).status();
  EXPECT_TRUE(absl::StrContains(status.message(), table_)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "offset")) << status;
  // A new value covers the damage.
  MustPut(Key(12), "repaired");
  EXPECT_EQ(Value(Key(12)), "repaired");
}

TEST_F(EngineDamageTest, AScanStopsAtDamageAndCanGoOnBehindIt) {
  MakeOneTable();
  Flip(table_, 1500);
  std::vector<Engine::Entry> entries;
  std::string next;
  ASSERT_TRUE(engine_->Scan("", "", 1000, 1u << 20, &entries, &next).ok());
  ASSERT_FALSE(entries.empty());
  const size_t before = entries.size();
  EXPECT_GT(next, entries.back().key);
  std::string behind;
  EXPECT_TRUE(absl::IsDataLoss(engine_->Scan(next, "", 1000, 1u << 20, &entries, &behind)));
  EXPECT_TRUE(entries.empty());
  EXPECT_GT(behind, next);
  ASSERT_TRUE(engine_->Scan(behind, "", 1000, 1u << 20, &entries, &next).ok());
  EXPECT_EQ(next, "");
  EXPECT_EQ(entries.back().key, Key(299));
  EXPECT_EQ(before + entries.size() + static_cast<size_t>(CountErrors(0, 300)), 300u);
}

TEST_F(EngineDamageTest, ABadFilterOrIndexIsAnErrorForTheWholeTable) {
  MakeOneTable();
  const uint64_t size = disk_.Contents(table_)->size();
  // From the end: footer, properties, index, filter. All of them are checksummed.
  for (const uint64_t from_end : {10u, 60u, 120u, 500u, 900u}) {
    const std::unique_ptr<sim::SimDisk> saved = disk_.Fork();
    Flip(table_, size - from_end);
    Reopen();
    EXPECT_EQ(CountErrors(0, 300), 300) << from_end;
    EXPECT_FALSE(report_.notes.empty());
    EXPECT_EQ(Value("zzz: not in the table's range"), "(absent)");
    Flip(table_, size - from_end);  // flips back
    Reopen();
    EXPECT_EQ(CountErrors(0, 300), 0);
  }
}

TEST_F(EngineDamageTest, AMisdirectedBlockIsNoticed) {
  MakeOneTable();
  // The first block, with its good checksum, in the place of a later one.
  const std::string bytes = *disk_.Contents(table_);
  ASSERT_TRUE(disk_.Overwrite(table_, 3072, absl::string_view(bytes).substr(0, 1024)).ok());
  EXPECT_GT(CountErrors(0, 300), 0);
}

TEST_F(EngineDamageTest, ATableOfAnotherLifeIsNoticed) {
  MakeOneTable();
  const std::string stale = *disk_.Contents(table_);
  // Another store, other file ids, the same bytes otherwise.
  disk_.Wipe();
  disk_.Restart();
  engine_.reset();
  options_.seed += 1000;
  MakeOneTable();
  ASSERT_EQ(disk_.Contents(table_)->size(), stale.size());
  ASSERT_TRUE(disk_.Overwrite(table_, 0, absl::string_view(stale).substr(0, 4096)).ok());
  EXPECT_GT(CountErrors(0, 300), 20);
}

TEST_F(EngineDamageTest, AReadErrorIsNeverAbsent) {
  MakeOneTable();
  ASSERT_TRUE(disk_.AddReadError(table_, 0, 4000).ok());
  EXPECT_GT(CountErrors(0, 300), 20);
  ASSERT_TRUE(disk_.ClearReadErrors(table_).ok());
  EXPECT_EQ(CountErrors(0, 300), 0);
}

TEST_F(EngineDamageTest, CompactionTakesADamagedTableAndKeepsItsKeysInQuarantine) {
  ASSERT_TRUE(Open().ok());
  const std::string padding(100, 'x');
  // One table in level 0, damaged; then many more over the same keys.
  for (int i = 0; FilesEndingIn(".sst").empty(); ++i) {
    MustPut(Key(i), absl::StrCat(padding, i));
    RunJobs(engine_.get());
  }
  const std::string damaged = FilesEndingIn(".sst").front();
  Flip(damaged, 100);
  EXPECT_FALSE(GetNow(engine_.get(), Key(0)).ok());
  for (int round = 0; round < 10; ++round) {
    for (int i = 5; i < 200; ++i) {
      MustPut(Key(i), absl::StrCat(padding, i));
      RunJobs(engine_.get());
    }
  }
  EXPECT_FALSE(disk_.Contents(damaged).ok());
  EXPECT_EQ(engine_->stats().damaged_tables, 0u);
  EXPECT_EQ(engine_->stats().damaged_ranges, 1u);
  EXPECT_LE(engine_->stats().tables_per_level[0], options_.level0_tables_max);
  // Only what nobody wrote again is lost to the damage, and it says so.
  EXPECT_EQ(CountErrors(0, 5), 5);
  EXPECT_EQ(CountErrors(5, 200), 0);
  Reopen();
  EXPECT_EQ(CountErrors(0, 5), 5);
  EXPECT_EQ(CountErrors(5, 200), 0);
}

TEST_F(EngineDamageTest, CompactionFindsDamageByItself) {
  options_.level0_tables_to_compact = 3;
  ASSERT_TRUE(Open().ok());
  const std::string padding(100, 'x');
  // Keys 0 to 149; the even ones of them again and again; up to 449 in order, in tables that
  // meet no other; and the last fifty again and again.
  const auto number = [](int n) {
    if (n < 150) return n;
    if (n < 450) return n % 75 * 2;
    return n < 750 ? n - 300 : 450 + n % 50;
  };
  int i = 0;
  for (; FilesEndingIn(".sst").size() < 2; ++i) {
    MustPut(Key(number(i)), absl::StrCat(padding, number(i)));
    RunJobs(engine_.get());
  }
  Flip(FilesEndingIn(".sst").front(), 5000);
  for (; i < 1300; ++i) {
    MustPut(Key(number(i)), absl::StrCat(padding, number(i)));
    RunJobs(engine_.get());
  }
  EXPECT_EQ(engine_->stats().damaged_tables, 0u);
  EXPECT_EQ(engine_->stats().damaged_ranges, 1u);
  EXPECT_GT(engine_->stats().compactions, 0u);
  const int errors = CountErrors(0, 500);
  EXPECT_GE(errors, 1);
  EXPECT_LE(errors, 15);
}

TEST_F(EngineDamageTest, AMissingTableIsSuspectUntilAcknowledged) {
  MakeOneTable();
  MustPut("zzz", "elsewhere");
  RunJobs(engine_.get());
  Crash(CrashLoss::kAllUnsynced);
  {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove(table_).ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(report_.suspect);
  ASSERT_FALSE(report_.notes.empty());
  EXPECT_TRUE(absl::StrContains(report_.notes.front(), table_));
  EXPECT_EQ(CountErrors(0, 300), 300);
  EXPECT_EQ(Value("zzz"), "elsewhere");
}

// A log with three synced groups, "a", "b" and "c", and where each group starts.
class EngineLogDamageTest : public EngineDamageTest {
 protected:
  void MakeLog() {
    ASSERT_TRUE(Open().ok());
    log_ = FilesEndingIn(".wal").front();
    for (const char* key : {"a", "b", "c"}) {
      starts_.push_back(disk_.Contents(log_)->size());
      MustPut(key, absl::StrCat("value of ", key));
      while (RunJob(engine_.get(), Lane::kLog)) {
      }
    }
    Crash(CrashLoss::kAllUnsynced);
  }

  void RemoveLog() {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove(log_).ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }

  // Opens again and again: the verdict stays until it is acknowledged.
  void ExpectSuspectUntilAcknowledged() {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(Open().ok());
      EXPECT_TRUE(report_.suspect);
      EXPECT_FALSE(report_.notes.empty());
      Crash(CrashLoss::kAllUnsynced);
    }
    ASSERT_TRUE(Open().ok());
    engine_->AcknowledgeRecovery();
    RunJobs(engine_.get());
    Reopen();
    EXPECT_FALSE(report_.suspect);
  }

  std::string log_;
  std::vector<uint64_t> starts_;
};

TEST_F(EngineLogDamageTest, ABadTailIsCutAndReported) {
  MakeLog();
  Flip(log_, starts_[2] + 30);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Open().ok());
    EXPECT_FALSE(report_.suspect);
    EXPECT_EQ(report_.possibly_lost_from, 3u);
    EXPECT_EQ(report_.last_sequence, 2u);
    EXPECT_EQ(Value("b"), "value of b");
    EXPECT_EQ(Value("c"), "(absent)");
    Crash(CrashLoss::kAllUnsynced);
  }
  ASSERT_TRUE(Open().ok());
  engine_->AcknowledgeRecovery();
  RunJobs(engine_.get());
  Reopen();
  EXPECT_EQ(report_.possibly_lost_from, std::nullopt);
}

TEST_F(EngineLogDamageTest, ABadRecordBelowASyncOffsetIsSuspect) {
  MakeLog();
  Flip(log_, starts_[1] + 30);
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(report_.suspect);
  EXPECT_TRUE(absl::StrContains(report_.notes.front(), log_)) << report_.notes.front();
  EXPECT_EQ(Value("a"), "value of a");
  EXPECT_EQ(Value("b"), "(absent)");
  // What stands behind the damage is as good as it was.
  EXPECT_EQ(Value("c"), "value of c");
  EXPECT_EQ(report_.last_sequence, 3u);
  Crash(CrashLoss::kAllUnsynced);
  ExpectSuspectUntilAcknowledged();
}

TEST_F(EngineLogDamageTest, ABadHeaderIsSuspectAndTheRecordsBehindItAreRead) {
  MakeLog();
  Flip(log_, 3);
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(report_.suspect);
  EXPECT_EQ(Value("a"), "value of a");
  EXPECT_EQ(Value("c"), "value of c");
}

TEST_F(EngineLogDamageTest, AMissingLogIsSuspect) {
  MakeLog();
  RemoveLog();
  ExpectSuspectUntilAcknowledged();
}

TEST_F(EngineLogDamageTest, AnEmptyLogIsSuspect) {
  MakeLog();
  RemoveLog();
  {
    sim::SimFileSystem direct(&disk_);
    const auto file = direct.CreateNew(log_, 0);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }
  ExpectSuspectUntilAcknowledged();
}

TEST_F(EngineLogDamageTest, AReadErrorOfALogLosesNothing) {
  MakeLog();
  ASSERT_TRUE(disk_.AddReadError(log_, 0, 10).ok());
  EXPECT_FALSE(Open().ok());
  ASSERT_TRUE(disk_.ClearReadErrors(log_).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_FALSE(report_.suspect);
  EXPECT_EQ(Value("c"), "value of c");
}

TEST_F(EngineLogDamageTest, ADamagedManifestOrCurrentIsRefusedWithARemedy) {
  MakeLog();
  for (const std::string& path :
       {FilesEndingIn(".manifest").front(), std::string("/data/CURRENT")}) {
    Flip(path, 20);
    const absl::Status status = Open();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "rebuild")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    Flip(path, 20);
  }
  EXPECT_TRUE(Open().ok());
}

TEST_F(EngineLogDamageTest, ANewerFormatIsRefused) {
  MakeLog();
  std::string text = absl::StrCat("norn storage\nformat ", kStorageFormat + 1, "\nowner o\n");
  absl::StrAppend(&text, "crc ", absl::Hex(Crc32c(text), absl::kZeroPad8), "\n");
  {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove("/data/CURRENT").ok());
    const auto file = direct.CreateNew("/data/CURRENT", 0);
    ASSERT_TRUE((*file)->Append(text).ok());
  }
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "newer")) << status;
}

TEST_F(EngineLogDamageTest, ADamagedSlotIsSuspect) {
  ASSERT_TRUE(Open().ok());
  engine_->WriteSlot("lease", "17", 1);
  RunJobs(engine_.get());
  Crash(CrashLoss::kAllUnsynced);
  Flip("/data/lease.slot", 15);
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(report_.suspect);
  EXPECT_EQ(engine_->ReadSlot("lease"), std::nullopt);
}

TEST_F(EngineLogDamageTest, TablesWithoutACurrentAreNotTakenForAnEmptyDirectory) {
  MakeOneTable();
  Crash(CrashLoss::kAllUnsynced);
  sim::SimFileSystem(&disk_).Remove("/data/CURRENT").IgnoreError();
  EXPECT_TRUE(absl::IsDataLoss(Open()));
}

TEST_F(EngineDamageTest, AScrubFindsWhatNobodyReads) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 600, std::string(100, 'x'));
  ASSERT_GT(engine_->stats().tables, 2u);
  uint64_t passes = 0;
  const auto scrub = [&](uint64_t bytes) {
    engine_->GrantScrub(bytes);
    RunJobs(engine_.get());
    passes = engine_->stats().scrub_passes;
  };
  // A grant is a bound, but for the last stretch.
  scrub(1);
  const uint64_t first = engine_->stats().scrubbed_bytes;
  EXPECT_GT(first, 0u);
  for (int i = 0; i < 1000 && passes == 0; ++i) scrub(1);
  EXPECT_EQ(passes, 1u);
  EXPECT_GT(engine_->stats().scrubbed_bytes, first);
  EXPECT_LE(engine_->stats().scrubbed_bytes, engine_->stats().table_bytes);
  EXPECT_EQ(engine_->stats().damaged_tables, 0u);
  Flip(FilesEndingIn(".sst").back(), 3000);
  for (int i = 0; i < 1000 && passes < 3; ++i) scrub(1u << 20);
  EXPECT_EQ(engine_->stats().damaged_ranges, 1u);
  EXPECT_EQ(engine_->stats().damaged_reads, 0u);
  EXPECT_GE(CountErrors(0, 600), 1);
}

}  // namespace
}  // namespace norn::storage
