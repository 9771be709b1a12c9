// Damage while the engine runs: what passes is forgiven, what does not is put into quarantine by
// key range, and the owner declares it gone when it has repaired it from its replicas.

#include <algorithm>
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
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "storage/iterator.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::FileOperation;

constexpr int kKeys = 300;
// Retries of what the device could not read pause for up to 256 occasions.
constexpr int kPatience = 8000;

class EngineRepairTest : public EngineTest {
 protected:
  EngineRepairTest() {
    options_.memtable_bytes = 1u << 20;
    options_.block_cache_bytes = 0;
    disk_.set_page_cache(false);
  }

  void Reopen() {
    Crash(CrashLoss::kAllUnsynced);
    ASSERT_TRUE(Open().ok());
  }

  // Keys 0 to 299 with the value "old", and then "new", each in a table of its own.
  void MakeTwoTables() {
    ASSERT_TRUE(Open().ok());
    for (const char* value : {"old", "new"}) {
      for (int i = 0; i < kKeys; ++i) MustPut(Key(i), absl::StrCat(value, std::string(80, '.')));
      RunJobs(engine_.get());
      Reopen();  // recovery flushes
    }
    ASSERT_EQ(engine_->stats().tables, 2u);
    table_ = FilesEndingIn(".sst").back();
  }

  // The word of key i's value, "(absent)", or "(error)".
  std::string Word(int i) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), Key(i));
    if (!value.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(value.status())) << value.status();
      return "(error)";
    }
    return value->has_value() ? (*value)->substr(0, 3) : "(absent)";
  }

  int Count(absl::string_view word, int begin = 0, int end = kKeys) {
    int count = 0;
    for (int i = begin; i < end; ++i) count += Word(i) == word ? 1 : 0;
    return count;
  }

  void Flip(uint64_t offset) { ASSERT_TRUE(disk_.FlipBit(table_, offset, 3).ok()); }

  // Damages a block of the newer table; the quarantine is in the manifest.
  void MakeQuarantine(uint64_t offset = 1500) {
    Flip(offset);
    ASSERT_GT(Count("(error)"), 0);
    RunJobs(engine_.get());
    ASSERT_FALSE(engine_->damaged_ranges().empty());
    for (const DamagedRange& range : engine_->damaged_ranges()) ASSERT_TRUE(range.settled);
  }

  void Excise(const DamagedRange& range) {
    ASSERT_TRUE(engine_->ExciseDamage(range.from, range.until, range.sequence).ok());
    RunJobs(engine_.get());
  }

  std::string table_;  // the newer one
};

TEST_F(EngineRepairTest, AReadErrorThatPassesIsForgiven) {
  MakeTwoTables();
  ASSERT_TRUE(disk_.AddReadError(table_, 1500, 1600).ok());
  const int errors = Count("(error)");
  EXPECT_GT(errors, 3);
  RunJobs(engine_.get(), kPatience);
  const std::vector<DamagedRange> ranges = engine_->damaged_ranges();
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].file, table_);
  EXPECT_FALSE(ranges[0].settled);
  EXPECT_TRUE(absl::StrContains(ranges[0].reason.message(), table_)) << ranges[0].reason;
  const absl::Status told = GetNow(engine_.get(), Key(15)).status();
  EXPECT_TRUE(absl::StrContains(told.message(), table_)) << told;
  EXPECT_TRUE(absl::StrContains(told.message(), "\"key0000")) << told;
  EXPECT_EQ(engine_->stats().damaged_tables, 1u);
  EXPECT_GT(engine_->stats().read_errors, 10u);
  EXPECT_EQ(engine_->stats().bad_blocks, 0u);
  // Nothing is given up for it, however often it fails.
  ASSERT_TRUE(disk_.ClearReadErrors(table_).ok());
  RunJobs(engine_.get(), 300);
  EXPECT_TRUE(engine_->damaged_ranges().empty());
  EXPECT_EQ(engine_->stats().damaged_tables, 0u);
  EXPECT_EQ(engine_->stats().read_errors_passed, 1u);
  EXPECT_EQ(Count("new"), kKeys);
}

TEST_F(EngineRepairTest, ABitThatFlippedOnItsWayIsForgiven) {
  MakeTwoTables();
  Flip(1500);
  EXPECT_EQ(Word(15), "(error)");
  Flip(1500);
  RunJobs(engine_.get());
  EXPECT_TRUE(engine_->damaged_ranges().empty());
  EXPECT_EQ(engine_->stats().bad_blocks_passed, 1u);
  EXPECT_EQ(engine_->stats().bad_blocks, 1u);
  EXPECT_EQ(Count("new"), kKeys);
}

TEST_F(EngineRepairTest, BadBytesPutTheirKeysIntoQuarantineAndNoOthers) {
  MakeTwoTables();
  MakeQuarantine();
  const int errors = Count("(error)");
  EXPECT_GE(errors, 5);
  EXPECT_LE(errors, 15);
  EXPECT_EQ(Count("new"), kKeys - errors);
  std::vector<DamagedRange> ranges = engine_->damaged_ranges();
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].file, table_);
  EXPECT_EQ(ranges[0].sequence, 2u * kKeys);
  for (int i = 0; i < kKeys; ++i) {
    const bool within = ranges[0].from <= Key(i) && Key(i) < ranges[0].until;
    EXPECT_EQ(Word(i), within ? "(error)" : "new") << i;
    if (!within) continue;
    const absl::Status status = GetNow(engine_.get(), Key(i)).status();
    EXPECT_TRUE(absl::StrContains(status.message(), table_)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), Key(i).substr(0, 7))) << status;
  }
  EXPECT_EQ(engine_->stats().damaged_ranges, 1u);
  // It is remembered, also where no table tells of it any more.
  Reopen();
  Reopen();
  EXPECT_EQ(engine_->damaged_ranges().size(), 1u);
  EXPECT_EQ(Count("(error)"), errors);
}

TEST_F(EngineRepairTest, NeitherCompactionNorRestartsBringAnOlderValueBack) {
  MakeTwoTables();
  MakeQuarantine();
  const int errors = Count("(error)");
  options_.level0_tables_to_compact = 2;
  Reopen();
  MustPut("zzz", "another table");
  RunJobs(engine_.get());
  Reopen();
  RunJobs(engine_.get());
  EXPECT_GT(engine_->stats().tables_per_level[1], 0);
  EXPECT_FALSE(disk_.Contents(table_).ok());
  EXPECT_EQ(Count("(error)"), errors);
  EXPECT_EQ(Count("new"), kKeys - errors);
  Reopen();
  EXPECT_EQ(Count("(error)"), errors);
}

TEST_F(EngineRepairTest, ALaterWriteIsServedWithoutALookAtTheDamage) {
  MakeTwoTables();
  Flip(1500);
  ASSERT_EQ(Word(15), "(error)");
  MustPut(Key(15), "newer");  // while it is not settled
  const uint64_t reads = disk_.operations(FileOperation::kRead);
  EXPECT_EQ(Word(15), "new");
  EXPECT_EQ(disk_.operations(FileOperation::kRead), reads);
  RunJobs(engine_.get());
  ASSERT_EQ(engine_->stats().damaged_tables, 0u);
  MustPut(Key(16), "newer");  // and when it is
  RunJobs(engine_.get());
  Reopen();
  EXPECT_EQ(Value(Key(15)), "newer");
  EXPECT_EQ(Value(Key(16)), "newer");
  EXPECT_EQ(engine_->stats().damaged_reads, 0u);
}

TEST_F(EngineRepairTest, WhatIsExcisedStaysSo) {
  MakeTwoTables();
  MakeQuarantine();
  const int errors = Count("(error)");
  const std::vector<DamagedRange> ranges = engine_->damaged_ranges();
  MustPut(Key(15), "newer");
  Excise(ranges[0]);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(engine_->damaged_ranges().empty());
    EXPECT_EQ(Count("(error)"), 0);
    // An older version may be one that was deleted since.
    EXPECT_EQ(Count("(absent)"), errors - 1);
    EXPECT_EQ(Count("old"), 0);
    EXPECT_EQ(Value(Key(15)), "newer");
    const auto all = ScanAll(engine_.get(), 50);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->size(), static_cast<size_t>(kKeys - errors + 1));
    Reopen();
  }
  // A scrub does not stumble over the same block again.
  const uint64_t passes = engine_->stats().scrub_passes;
  while (engine_->stats().scrub_passes < passes + 1) {
    engine_->GrantScrub(1u << 20);
    RunJobs(engine_.get());
  }
  EXPECT_TRUE(engine_->damaged_ranges().empty());
}

TEST_F(EngineRepairTest, DamageThatWasFoundLaterIsNotExcisedAlong) {
  MakeTwoTables();
  MakeQuarantine();
  const std::vector<DamagedRange> seen = engine_->damaged_ranges();
  // The repair, in a table of its own, that goes bad in its turn.
  for (int i = 0; i < kKeys; ++i) MustPut(Key(i), absl::StrCat("rep", std::string(80, '.')));
  RunJobs(engine_.get());
  Reopen();
  table_ = FilesEndingIn(".sst").back();
  MakeQuarantine();
  Excise(seen[0]);
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  EXPECT_GT(engine_->damaged_ranges()[0].sequence, seen[0].sequence);
  EXPECT_GT(Count("(error)"), 0);
  EXPECT_EQ(Count("old") + Count("new"), 0);
}

TEST_F(EngineRepairTest, APartOfARangeCanBeExcised) {
  MakeTwoTables();
  MakeQuarantine();
  const DamagedRange range = engine_->damaged_ranges()[0];
  int begin = 0;
  while (begin < kKeys && Word(begin) != "(error)") ++begin;
  ASSERT_LT(begin, kKeys - 4);
  const int errors = Count("(error)");
  ASSERT_TRUE(engine_->ExciseDamage(Key(begin + 2), Key(begin + 4), range.sequence).ok());
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->damaged_ranges().size(), 2u);
  EXPECT_EQ(Count("(error)"), errors - 2);
  EXPECT_EQ(Count("(absent)", begin + 2, begin + 4), 2);
}

TEST_F(EngineRepairTest, AReadErrorCanBeExcisedToo) {
  MakeTwoTables();
  ASSERT_TRUE(disk_.AddReadError(table_, 1500, 1600).ok());
  const int errors = Count("(error)");
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  Excise(engine_->damaged_ranges()[0]);
  EXPECT_TRUE(engine_->damaged_ranges().empty());
  EXPECT_EQ(Count("(absent)"), errors);
  Reopen();
  EXPECT_EQ(Count("(absent)"), errors);
}

TEST_F(EngineRepairTest, ATableThatCannotBeOpenedIsDroppedAndAllItsKeysAreInQuarantine) {
  MakeTwoTables();
  Flip(disk_.Contents(table_)->size() - 60);
  Reopen();
  EXPECT_EQ(Count("(error)"), kKeys);
  EXPECT_FALSE(engine_->damaged_ranges()[0].settled);
  RunJobs(engine_.get());
  EXPECT_FALSE(disk_.Contents(table_).ok());
  EXPECT_EQ(Count("(error)"), kKeys);
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  EXPECT_TRUE(engine_->damaged_ranges()[0].settled);
  Reopen();
  EXPECT_TRUE(report_.notes.empty());
  EXPECT_EQ(Count("(error)"), kKeys);
  Excise(engine_->damaged_ranges()[0]);
  EXPECT_EQ(Count("(absent)"), kKeys);
}

TEST_F(EngineRepairTest, ATableThatCouldNotBeOpenedIsOpenedWhenThatPasses) {
  MakeTwoTables();
  const uint64_t size = disk_.Contents(table_)->size();
  ASSERT_TRUE(disk_.AddReadError(table_, size - 60, size).ok());
  Reopen();
  EXPECT_EQ(Count("(error)"), kKeys);
  RunJobs(engine_.get(), kPatience);
  EXPECT_EQ(Count("(error)"), kKeys);
  const std::unique_ptr<Iterator> before = engine_->NewIterator();
  ASSERT_TRUE(disk_.ClearReadErrors(table_).ok());
  RunJobs(engine_.get(), 300);
  EXPECT_EQ(Count("new"), kKeys);
  EXPECT_EQ(engine_->stats().read_errors_passed, 1u);
  before->Seek("");
  EXPECT_EQ(before->state(), Iterator::State::kError);
}

TEST_F(EngineRepairTest, AnIteratorDoesNotSeeWhatWasGivenUpAfterItsMoment) {
  MakeTwoTables();
  Flip(1500);
  const std::unique_ptr<Iterator> iterator = engine_->NewIterator();
  ASSERT_GT(Count("(error)"), 0);
  RunJobs(engine_.get());
  Excise(engine_->damaged_ranges()[0]);
  ASSERT_GT(Count("(absent)"), 0);
  int errors = 0;
  for (iterator->Seek(""); iterator->state() != Iterator::State::kEnd;) {
    if (iterator->state() == Iterator::State::kError) {
      ++errors;
      iterator->Seek(std::string(iterator->error_until()));
      continue;
    }
    EXPECT_EQ(iterator->value().substr(0, 3), "new") << iterator->key();
    iterator->Next();
  }
  EXPECT_EQ(errors, 1);
}

TEST_F(EngineRepairTest, AScanNotesWhatItMeets) {
  MakeTwoTables();
  Flip(1500);
  std::vector<Engine::Entry> entries;
  std::string next;
  std::string behind;
  ASSERT_TRUE(engine_->Scan("", "", 1000, 1u << 20, &entries, &next).ok());
  EXPECT_TRUE(absl::IsDataLoss(engine_->Scan(next, "", 1000, 1u << 20, &entries, &behind)));
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  // And answers the same when it is in quarantine.
  RunJobs(engine_.get());
  ASSERT_TRUE(engine_->damaged_ranges()[0].settled);
  std::string next_again;
  std::string behind_again;
  ASSERT_TRUE(engine_->Scan("", "", 1000, 1u << 20, &entries, &next_again).ok());
  EXPECT_EQ(engine_->damaged_ranges()[0].from, next_again);
  EXPECT_TRUE(
      absl::IsDataLoss(engine_->Scan(next_again, "", 1000, 1u << 20, &entries, &behind_again)));
  EXPECT_EQ(behind_again, behind);
  EXPECT_EQ(engine_->damaged_ranges()[0].until, behind);
  ASSERT_TRUE(engine_->Scan(behind, "", 1000, 1u << 20, &entries, &next).ok());
  EXPECT_EQ(entries.back().key, Key(kKeys - 1));
}

TEST_F(EngineRepairTest, ACompactionBlamesTheBlockAndNotItsNeighbours) {
  options_.level0_tables_to_compact = 2;
  MakeTwoTables();
  ASSERT_TRUE(disk_.AddReadError(table_, 5000, 5100).ok());
  MustPut("zzz", "another table");
  RunJobs(engine_.get());
  Reopen();
  RunJobs(engine_.get(), kPatience);
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  const int errors = Count("(error)");
  EXPECT_GE(errors, 5);
  EXPECT_LE(errors, 15);
}

// A scrub reads whole stretches: here, too, only the block that is bad may be blamed, and the
// ones behind it are looked at.
TEST_F(EngineRepairTest, AScrubFindsEveryBadBlockAndNoOther) {
  MakeTwoTables();
  ASSERT_TRUE(disk_.AddReadError(table_, 5000, 5100).ok());
  Flip(12000);
  Flip(20000);
  while (engine_->stats().scrub_passes < 1) {
    engine_->GrantScrub(1u << 20);
    RunJobs(engine_.get());
  }
  EXPECT_EQ(engine_->damaged_ranges().size(), 3u);
  const int errors = Count("(error)");
  EXPECT_GE(errors, 15);
  EXPECT_LE(errors, 45);
}

// A device that cannot read one block for good must not make level 0 grow without end.
TEST_F(EngineRepairTest, Level0StaysBoundedBesideABlockThatCannotBeRead) {
  options_.level0_tables_max = 8;
  MakeTwoTables();
  ASSERT_TRUE(disk_.AddReadError(table_, 1500, 1600).ok());
  const int errors = Count("(error)");
  options_.memtable_bytes = 16u << 10;
  Reopen();
  int most = 0;
  for (int i = 0; i < 20000; ++i) {
    MustPut(absl::StrCat("key", i % 2 == 0 ? "000000a" : "000299a", i % 100), std::string(80, 'v'));
    RunJobs(engine_.get());
    most = std::max(most, engine_->stats().tables_per_level[0]);
  }
  EXPECT_GE(most, options_.level0_tables_max);  // it was tried until then
  EXPECT_LE(most, options_.level0_tables_max * 2);
  EXPECT_EQ(Count("(error)"), errors);
  EXPECT_EQ(Count("old"), 0);
}

}  // namespace
}  // namespace norn::storage
