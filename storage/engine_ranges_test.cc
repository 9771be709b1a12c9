// DropRange: what it takes away, when, and what remains of it on the disk.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/manifest.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;

class EngineRangesTest : public EngineTest {
 protected:
  // Runs jobs until the drop is done.
  Engine::FinishedRangeDrop Drop(const std::string& from, const std::string& to) {
    engine_->DropRange(from, to, 7);
    RunJobs(engine_.get(), 300);
    const std::vector<Engine::FinishedRangeDrop> finished = engine_->TakeFinishedRangeDrops();
    EXPECT_EQ(finished.size(), 1u);
    if (finished.empty()) return {};
    EXPECT_EQ(finished.front().ticket, 7u);
    EXPECT_TRUE(finished.front().status.ok()) << finished.front().status;
    return finished.front();
  }

  void Reopen() {
    Crash(CrashLoss::kAllUnsynced);
    ASSERT_TRUE(Open().ok());
    EXPECT_FALSE(report_.suspect);
  }

  VersionState Version() {
    const std::string manifest = FilesEndingIn(".manifest").back();
    const absl::StatusOr<VersionState> version = ReadManifest(manifest, *disk_.Contents(manifest));
    EXPECT_TRUE(version.ok()) << version.status();
    return version.ok() ? *version : VersionState();
  }
  size_t Drops() { return Version().drops.size(); }

  // Keys [0, n): those in [from, to) are absent, the others are "v" and their number.
  void ExpectAllBut(int n, int from, int to) {
    int shown = 0;
    for (int i = 0; i < n; ++i) {
      const bool gone = from <= i && i < to;
      ASSERT_EQ(Value(Key(i)), gone ? "(absent)" : absl::StrCat("v", i)) << i;
      shown += gone ? 0 : 1;
    }
    const auto all = ScanAll(engine_.get(), 100);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->size(), static_cast<size_t>(shown));
  }
};

TEST_F(EngineRangesTest, TakesAwayWhatIsInMemoryAndInTables) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1200, "v");
  ASSERT_GT(engine_->stats().tables, 2u);
  for (int i = 1200; i < 1300; ++i) MustPut(Key(i), absl::StrCat("v", i));
  const uint64_t last = engine_->last_sequence();
  EXPECT_EQ(Drop(Key(400), Key(1250)).sequence, last);
  ExpectAllBut(1300, 400, 1250);
  Reopen();
  ExpectAllBut(1300, 400, 1250);
  // What is written afterwards is there.
  MustPut(Key(500), "v500");
  EXPECT_EQ(Value(Key(500)), "v500");
  RunJobs(engine_.get());
  Reopen();
  EXPECT_EQ(Value(Key(500)), "v500");
  EXPECT_EQ(Value(Key(501)), "(absent)");
}

TEST_F(EngineRangesTest, ReadsAreAsBeforeUntilItIsDurable) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 10, "v");
  MustPut(Key(10), "v10");
  engine_->DropRange(Key(0), "", 1);
  EXPECT_EQ(Value(Key(3)), "v3");
  MustPut(Key(3), "later");
  // The drop waits for the writes that it is to take away.
  EXPECT_TRUE(engine_->TakeFinishedRangeDrops().empty());
  RunJobs(engine_.get());
  ASSERT_EQ(engine_->TakeFinishedRangeDrops().size(), 1u);
  EXPECT_EQ(Value(Key(2)), "(absent)");
  EXPECT_EQ(Value(Key(10)), "(absent)");
  EXPECT_EQ(Value(Key(3)), "later");
}

TEST_F(EngineRangesTest, ADropThatWasNotDurableLeavesNothingBehind) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 10, "v");
  engine_->DropRange(Key(0), "", 1);
  Reopen();
  ExpectAllBut(10, 0, 0);
}

TEST_F(EngineRangesTest, AnIteratorGoesOnAsItBegan) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1200, "v");
  const std::unique_ptr<Iterator> at = engine_->NewIterator();
  at->Seek("");
  Drop("", "");
  int seen = 0;
  for (; at->state() == Iterator::State::kEntry; at->Next()) ++seen;
  EXPECT_EQ(seen, 1200);
  const std::unique_ptr<Iterator> later = engine_->NewIterator();
  later->Seek("");
  EXPECT_EQ(later->state(), Iterator::State::kEnd);
  EXPECT_EQ(Value(Key(5)), "(absent)");
}

TEST_F(EngineRangesTest, TablesInTheRangeGoAtOnceAndTheDropGoesWithTheLast) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 3000, "v");
  RunJobs(engine_.get());
  const size_t before = FilesEndingIn(".sst").size();
  ASSERT_GT(before, 4u);
  Drop("", "");
  // A memtable may hold older writes still: the drop has to stay for it.
  EXPECT_EQ(FilesEndingIn(".sst").size(), 0u);
  EXPECT_EQ(Drops(), 1u);
  Fill(0, 1500, "v");
  Reopen();  // recovery writes the rest of memory out
  RunJobs(engine_.get());
  EXPECT_EQ(Drops(), 0u);
  ExpectAllBut(1500, 0, 0);
}

TEST_F(EngineRangesTest, CompactionsAreRidOfWhatIsHidden) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 3000, "v");
  // Every table has keys on both sides of some range.
  for (int i = 0; i < 3000; i += 30) Drop(Key(i), Key(i + 20));
  const auto expect_rest = [&] {
    for (int i = 0; i < 3000; ++i) {
      ASSERT_EQ(Value(Key(i)), i % 30 < 20 ? "(absent)" : absl::StrCat("v", i)) << i;
    }
  };
  expect_rest();
  EXPECT_EQ(Drops(), 100u);
  // Two keys far apart, again and again: their tables overlap all others.
  const std::string padding(100, 'x');
  for (int i = 0; i < 2000; ++i) {
    MustPut(i % 2 == 0 ? "a" : "z", padding);
    if (i % 16 == 0) RunJobs(engine_.get());
  }
  RunJobs(engine_.get());
  uint64_t entries = 0;
  for (const auto& level : Version().levels) {
    for (const TableMeta& meta : level) entries += meta.entries;
  }
  EXPECT_LT(entries, 1100u);
  EXPECT_EQ(Drops(), 0u);
  expect_rest();
  Reopen();
  expect_rest();
}

TEST_F(EngineRangesTest, DamageUnderADropIsNotMissed) {
  options_.memtable_bytes = 1u << 20;
  ASSERT_TRUE(Open().ok());
  Fill(0, 300, "v");
  Reopen();  // one table
  const std::string table = FilesEndingIn(".sst").front();
  ASSERT_TRUE(disk_.FlipBit(table, 1500, 3).ok());
  int errors = 0;
  for (int i = 0; i < 300; ++i) errors += GetNow(engine_.get(), Key(i)).ok() ? 0 : 1;
  EXPECT_GT(errors, 0);
  Drop(Key(0), Key(299));
  for (int i = 0; i < 299; ++i) ASSERT_EQ(Value(Key(i)), "(absent)");
  EXPECT_EQ(Value(Key(299)), "v299");
  Drop(Key(299), "");
  EXPECT_EQ(FilesEndingIn(".sst").size(), 0u) << "a damaged table that nobody needs may go";
  EXPECT_EQ(engine_->stats().damaged_tables, 0u);
}

TEST_F(EngineRangesTest, WritesBehindALostTailAreNotHidden) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 10, "v");
  Drop("", "");
  const std::string log = FilesEndingIn(".wal").back();
  Crash(CrashLoss::kAllUnsynced);
  // The whole log rots, and with it the numbers of the writes that the drop hides.
  for (uint64_t offset = 60; offset < disk_.Contents(log)->size(); offset += 7) {
    ASSERT_TRUE(disk_.FlipBit(log, offset, 2).ok());
  }
  ASSERT_TRUE(Open().ok());
  MustPut(Key(1), "new");
  EXPECT_EQ(Value(Key(1)), "new");
  RunJobs(engine_.get());
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Value(Key(1)), "new");
}

TEST_F(EngineRangesTest, AnEmptyRangeIsRefusedAndAPoisonedEngineFailsAll) {
  ASSERT_TRUE(Open().ok());
  engine_->DropRange("b", "a", 1);
  std::vector<Engine::FinishedRangeDrop> finished = engine_->TakeFinishedRangeDrops();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(finished.front().status));
  MustPut("a", "1");
  engine_->DropRange("a", "b", 2);
  disk_.Inject({.operation = sim::FileOperation::kSync,
                .effect = sim::FaultEffect::kFailedSyncLost,
                .nth = 1,
                .times = 1,
                .path_contains = ".wal"});
  RunJobs(engine_.get());
  ASSERT_FALSE(engine_->health().ok());
  engine_->DropRange("a", "b", 3);
  finished = engine_->TakeFinishedRangeDrops();
  ASSERT_EQ(finished.size(), 2u);
  for (const Engine::FinishedRangeDrop& drop : finished) {
    EXPECT_TRUE(absl::IsUnavailable(drop.status)) << drop.status;
  }
}

// Keys of a hundred groups, by their first two bytes.
TEST_F(EngineRangesTest, CompactionsEndTheirTablesBetweenGroups) {
  // Tables that end in the midst of a group, and all of them.
  const auto make_tables = [&](size_t group_prefix_bytes) {
    disk_.Wipe();
    engine_.reset();
    disk_.Restart();
    options_.group_prefix_bytes = group_prefix_bytes;
    EXPECT_TRUE(Open().ok());
    const std::string value(100, 'x');
    for (int i = 0; i < 6000; ++i) {
      MustPut(absl::StrCat(absl::Dec(i * 7919 % 100, absl::kZeroPad2), "/", i), value);
      if (i % 16 == 0) RunJobs(engine_.get());
    }
    RunJobs(engine_.get());
    const VersionState version = Version();
    int inside = 0;
    int tables = 0;
    for (size_t level = 1; level < version.levels.size(); ++level) {  // those of compactions
      std::vector<TableMeta> metas = version.levels[level];
      std::sort(metas.begin(), metas.end(),
                [](const TableMeta& a, const TableMeta& b) { return a.smallest < b.smallest; });
      for (size_t i = 0; i < metas.size(); ++i) {
        ++tables;
        const bool last = i + 1 == metas.size();
        if (!last && metas[i].largest.substr(0, 2) == metas[i + 1].smallest.substr(0, 2)) ++inside;
      }
    }
    return std::make_pair(inside, tables);
  };
  const auto [inside_without, tables_without] = make_tables(0);
  const auto [inside_with, tables_with] = make_tables(2);
  EXPECT_GT(inside_without * 2, tables_without);
  EXPECT_LT(inside_with * 4, inside_without);
  // Not by making the tables small.
  EXPECT_LT(tables_with, 2 * tables_without);
  RecordProperty("inside", absl::StrCat(inside_without, " of ", tables_without, ", then ",
                                        inside_with, " of ", tables_with));
}

}  // namespace
}  // namespace norn::storage
