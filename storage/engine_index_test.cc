// Tables whose index has two levels: what is read, and when; what stays in memory; and what
// becomes of the keys when a part of the index is bad.

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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/table.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

constexpr int kKeys = 300;

class EngineIndexTest : public EngineTest {
 protected:
  EngineIndexTest() {
    options_.memtable_bytes = 1u << 20;
    options_.index_partition_bytes = 100;
    options_.block_cache_bytes = 0;
    disk_.set_page_cache(false);
  }

  void Reopen() {
    Crash(sim::CrashLoss::kAllUnsynced);
    ASSERT_TRUE(Open().ok());
  }

  // Keys 0 to 299 in one table.
  void FillOneTable() {
    ASSERT_TRUE(Open().ok());
    Fill(0, kKeys, std::string(100, 'x'));
    Reopen();  // recovery flushes
    ASSERT_EQ(engine_->stats().tables, 1u);
  }

  // The same; its index has partitions.
  void MakeOneTable() {
    FillOneTable();
    path_ = FilesEndingIn(".sst").front();
    TableOpener opener(file_system_.get(), path_, std::nullopt);
    while (!opener.Step()) {
    }
    table_ = opener.table();
    ASSERT_NE(table_, nullptr) << opener.status();
    ASSERT_GT(table_->partitions(), 5u);
  }

  void FlipIn(const BlockHandle& handle) {
    ASSERT_TRUE(disk_.FlipBit(path_, handle.offset + handle.size / 2, 3).ok());
  }

  // An error for the keys from place.from to place.until, and for no others.
  void ExpectErrorsIn(const TablePlace& place) {
    int errors = 0;
    for (int i = 0; i < kKeys; ++i) {
      const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), Key(i));
      const bool inside = place.from <= Key(i) && Key(i) < place.until;
      ASSERT_EQ(value.ok(), !inside) << i << ": " << value.status();
      if (inside) {
        EXPECT_TRUE(absl::IsDataLoss(value.status())) << value.status();
        ++errors;
      } else {
        ASSERT_EQ(value->value_or("(absent)"), absl::StrCat(std::string(100, 'x'), i));
      }
    }
    EXPECT_GT(errors, 1);
    EXPECT_LT(errors, kKeys / 2);
  }

  // The same of scans, in pages of `page` entries.
  void ExpectScansToErrIn(const TablePlace& place, size_t page) {
    std::vector<Engine::Entry> entries;
    std::string from;
    std::vector<std::string> seen;
    for (;;) {
      std::string next;
      const absl::Status status = engine_->Scan(from, "", page, 1u << 20, &entries, &next);
      for (const Engine::Entry& entry : entries) seen.push_back(entry.key);
      if (!status.ok()) {
        EXPECT_EQ(next, place.until);
        EXPECT_GE(std::max(from, Key(0)), place.from);
      }
      if (next.empty()) break;
      from = std::move(next);
    }
    std::vector<std::string> expected;
    for (int i = 0; i < kKeys; ++i) {
      if (Key(i) < place.from || Key(i) >= place.until) expected.push_back(Key(i));
    }
    EXPECT_EQ(seen, expected);
  }

  std::string path_;
  std::shared_ptr<const Table> table_;
};

// What is not in memory is read by one job, though it is a partition of the index and then a block.
TEST_F(EngineIndexTest, APartitionAndItsBlockAreReadByOneJob) {
  options_.block_cache_bytes = 1u << 20;
  MakeOneTable();
  EXPECT_LT(engine_->stats().index_bytes, 1000u);
  const auto read_by_job = [&](int i) {
    std::shared_ptr<PendingRead> read;
    EXPECT_EQ(engine_->Get(Key(i), &read).state, Lookup::State::kNeedsRead);
    std::unique_ptr<Job> job = engine_->NextJob(Lane::kRead);
    EXPECT_EQ(engine_->NextJob(Lane::kRead), nullptr);
    int steps = 0;
    for (bool done = false; !done; ++steps) {
      const uint64_t operations = disk_.operations();
      done = job->RunStep();
      EXPECT_EQ(disk_.operations() - operations, 1u);
    }
    engine_->Finish(std::move(job));
    EXPECT_EQ(engine_->TakeFinishedReads().size(), 1u);
    EXPECT_EQ(engine_->Get(Key(i), &read).value, absl::StrCat(std::string(100, 'x'), i));
    return steps;
  };
  EXPECT_EQ(read_by_job(7), 2);
  // By now the partition is in memory: the next block takes one step, and this one none.
  EXPECT_EQ(read_by_job(17), 1);
  std::shared_ptr<PendingRead> again;
  EXPECT_EQ(engine_->Get(Key(7), &again).state, Lookup::State::kFound);
}

TEST_F(EngineIndexTest, LookupsOfOnePartitionShareItsRead) {
  MakeOneTable();
  std::shared_ptr<PendingRead> a;
  std::shared_ptr<PendingRead> b;
  ASSERT_EQ(engine_->Get(Key(1), &a).state, Lookup::State::kNeedsRead);
  ASSERT_EQ(engine_->Get(Key(12), &b).state, Lookup::State::kNeedsRead);
  EXPECT_TRUE(RunJob(engine_.get(), Lane::kRead));
  EXPECT_FALSE(RunJob(engine_.get(), Lane::kRead));
  EXPECT_EQ(engine_->TakeFinishedReads().size(), 2u);
  EXPECT_EQ(engine_->Get(Key(1), &a).state, Lookup::State::kFound);
  // There is no cache, but what was read for it is kept for it.
  ASSERT_EQ(engine_->Get(Key(12), &b).state, Lookup::State::kNeedsRead);
  EXPECT_TRUE(RunJob(engine_.get(), Lane::kRead));
  EXPECT_EQ(engine_->TakeFinishedReads().size(), 1u);
  EXPECT_EQ(engine_->Get(Key(12), &b).state, Lookup::State::kFound);
}

TEST_F(EngineIndexTest, MemoryIsBoundedByTheCache) {
  options_.index_partition_bytes = 1u << 20;
  FillOneTable();
  const uint64_t whole = engine_->stats().index_bytes;
  options_.index_partition_bytes = 500;
  options_.block_cache_bytes = 6000;
  disk_.Wipe();
  disk_.Restart();
  engine_.reset();
  FillOneTable();
  EXPECT_LT(engine_->stats().index_bytes, whole / 5);
  for (int i = 0; i < kKeys; i += 3) {
    ASSERT_EQ(Value(Key(i)), absl::StrCat(std::string(100, 'x'), i));
    const EngineStats stats = engine_->stats();
    ASSERT_LE(stats.block_cache_bytes, 6000u);
    ASSERT_GT(stats.block_cache_index_bytes, 0u);
    ASSERT_LT(stats.block_cache_index_bytes, stats.block_cache_bytes);
  }
}

TEST_F(EngineIndexTest, ABadPartitionIsAnErrorForItsKeysOnly) {
  MakeOneTable();
  for (size_t p = 0; p < table_->partitions(); ++p) {
    const TablePlace place = table_->PlaceOfPartition(p);
    FlipIn(place.handle);
    ExpectErrorsIn(place);
    ExpectScansToErrIn(place, 1000);
    ExpectScansToErrIn(place, 7);
    int first = 0;
    while (Key(first) < place.from) ++first;
    const absl::Status told = GetNow(engine_.get(), Key(first)).status();
    EXPECT_TRUE(absl::StrContains(told.message(), path_)) << told;
    EXPECT_TRUE(absl::StrContains(told.message(), absl::StrCat("offset ", place.handle.offset)))
        << told;
    // Read again in vain it is given up, and its keys are in quarantine, durably.
    for (const bool reopened : {false, true}) {
      if (reopened) Reopen();
      RunJobs(engine_.get());
      const std::vector<DamagedRange> ranges = engine_->damaged_ranges();
      ASSERT_EQ(ranges.size(), 1u);
      EXPECT_TRUE(ranges[0].settled);
      EXPECT_EQ(ranges[0].from, place.from);
      EXPECT_EQ(ranges[0].until, place.until);
      ExpectErrorsIn(place);
      ExpectScansToErrIn(place, 1000);
    }
    const DamagedRange range = engine_->damaged_ranges()[0];
    MustPut(Key(first), "repaired");
    EXPECT_EQ(Value(Key(first)), "repaired");
    ASSERT_TRUE(engine_->ExciseDamage(range.from, range.until, range.sequence).ok());
    RunJobs(engine_.get());
    EXPECT_TRUE(engine_->damaged_ranges().empty());
    EXPECT_EQ(Value(Key(first)), "repaired");
    int gone = 0;
    for (int i = first + 1; Key(i) < place.until; ++i, ++gone) {
      EXPECT_EQ(Value(Key(i)), "(absent)");
    }
    // Though the bytes are still bad.
    const auto all = ScanAll(engine_.get(), 1000);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->size(), static_cast<size_t>(kKeys - gone));
    engine_.reset();
    disk_.Wipe();
    disk_.Restart();
    MakeOneTable();
  }
}

TEST_F(EngineIndexTest, AReadErrorOfAPartitionThatPassesIsForgiven) {
  MakeOneTable();
  const TablePlace place = table_->PlaceOfPartition(2);
  ASSERT_TRUE(disk_.AddReadError(path_, place.handle.offset, place.handle.end()).ok());
  ExpectErrorsIn(place);
  ExpectScansToErrIn(place, 1000);
  RunJobs(engine_.get(), 100);
  ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
  EXPECT_FALSE(engine_->damaged_ranges()[0].settled);
  EXPECT_EQ(engine_->damaged_ranges()[0].from, place.from);
  EXPECT_EQ(engine_->damaged_ranges()[0].until, place.until);
  ASSERT_TRUE(disk_.ClearReadErrors(path_).ok());
  RunJobs(engine_.get(), 8000);
  EXPECT_TRUE(engine_->damaged_ranges().empty());
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(Value(Key(i)), absl::StrCat(std::string(100, 'x'), i));
  }
}

TEST_F(EngineIndexTest, AScrubReadsDataAndIndex) {
  MakeOneTable();
  const auto scrub = [&] {
    const uint64_t passes = engine_->stats().scrub_passes;
    while (engine_->stats().scrub_passes == passes) {
      engine_->GrantScrub(1000);
      RunJobs(engine_.get());
    }
  };
  scrub();
  const BlockHandle& last = table_->partition(table_->partitions() - 1);
  EXPECT_GE(engine_->stats().scrubbed_bytes, last.end());
  EXPECT_TRUE(engine_->damaged_ranges().empty());
  const TablePlace place = table_->PlaceOfPartition(3);
  FlipIn(place.handle);
  FlipIn({.offset = table_->PartitionBegin(5), .size = 600});  // a block of data
  scrub();
  RunJobs(engine_.get());
  const std::vector<DamagedRange> ranges = engine_->damaged_ranges();
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].from, place.from);
  EXPECT_EQ(ranges[0].until, place.until);
  EXPECT_EQ(ranges[1].from, table_->PlaceOfPartition(5).from);
  EXPECT_LT(ranges[1].until, table_->PlaceOfPartition(5).until);
}

// Newer values above a table with a bad partition: a compaction meets it first, and nothing of it
// turns into "not found", or into an older value.
TEST_F(EngineIndexTest, ACompactionOverABadPartitionLosesNothingInSilence) {
  options_.level0_tables_to_compact = 2;
  MakeOneTable();
  const TablePlace place = table_->PlaceOfPartition(2);
  FlipIn(place.handle);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kKeys; i += 2) MustPut(Key(i), "new");
    RunJobs(engine_.get());
    Reopen();
    RunJobs(engine_.get());
  }
  EXPECT_GT(engine_->stats().tables_per_level[1], 0);
  for (int i = 0; i < kKeys; ++i) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), Key(i));
    const bool inside = place.from <= Key(i) && Key(i) < place.until;
    if (i % 2 == 0) {
      ASSERT_TRUE(value.ok()) << value.status();
      EXPECT_EQ(*value, "new");
    } else if (inside) {
      EXPECT_TRUE(absl::IsDataLoss(value.status())) << i;
    } else {
      ASSERT_TRUE(value.ok()) << value.status();
      EXPECT_EQ(*value, absl::StrCat(std::string(100, 'x'), i));
    }
  }
}

// Partitions that name more than a compaction reads at once.
TEST_F(EngineIndexTest, CompactionsReadWhatLargeValuesMakeOfAPartition) {
  options_.level0_tables_to_compact = 2;
  options_.memtable_bytes = 4u << 20;
  options_.index_partition_bytes = 500;
  options_.table_bytes = 8u << 20;
  ASSERT_TRUE(Open().ok());
  for (const char* word : {"a", "b", "c"}) {
    Fill(0, 60, std::string(60'000, word[0]));
    Reopen();
    RunJobs(engine_.get());
  }
  EXPECT_LT(engine_->stats().tables_per_level[0], 3);
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(Value(Key(i)), absl::StrCat(std::string(60'000, 'c'), i));
  }
  EXPECT_EQ(ScanAll(engine_.get(), 100)->size(), 60u);
}

TEST_F(EngineIndexTest, TablesOfBothFormatsLiveSideBySide) {
  options_.level0_tables_to_compact = 3;
  int round = 0;
  for (const size_t bytes : {size_t{1} << 20, size_t{100}, size_t{1} << 20, size_t{300}}) {
    options_.index_partition_bytes = bytes;
    if (engine_ == nullptr) {
      ASSERT_TRUE(Open().ok());
    } else {
      Reopen();
    }
    for (int i = round; i < kKeys; i += 3) MustPut(Key(i), absl::StrCat(i, " of ", round));
    ++round;
    RunJobs(engine_.get());
    Reopen();
    RunJobs(engine_.get());
    for (int i = 0; i < kKeys && round >= 3; ++i) {
      const int last = (i % 3) + (round == 4 && i % 3 == 0 && i > 0 ? 3 : 0);
      ASSERT_EQ(Value(Key(i)), absl::StrCat(i, " of ", last));
    }
  }
}

}  // namespace
}  // namespace norn::storage
