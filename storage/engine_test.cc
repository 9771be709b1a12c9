#include "storage/engine.h"

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
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::DiskFault;
using sim::FaultEffect;
using sim::FileOperation;

TEST_F(EngineTest, WhatIsPutIsSeenAtOnceAndDurableAfterTheLogJob) {
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(report_.created);
  EXPECT_EQ(MustPut("a", "1"), 1u);
  EXPECT_EQ(MustPut("a", "2"), 2u);
  EXPECT_EQ(Value("a"), "2");
  EXPECT_EQ(Value("b"), "(absent)");
  EXPECT_EQ(engine_->durable_sequence(), 0u);
  EXPECT_TRUE(RunJob(engine_.get(), Lane::kLog));
  EXPECT_EQ(engine_->durable_sequence(), 2u);
  EXPECT_FALSE(RunJob(engine_.get(), Lane::kLog));
}

TEST_F(EngineTest, PutsOfOneGroupShareOneSync) {
  ASSERT_TRUE(Open().ok());
  MustPut("first", "x");
  std::unique_ptr<Job> job = engine_->NextJob(Lane::kLog);
  for (int i = 0; i < 50; ++i) MustPut(Key(i), "while the first group is being written");
  EXPECT_EQ(engine_->NextJob(Lane::kLog), nullptr);
  const uint64_t syncs = disk_.operations(FileOperation::kSync);
  EXPECT_FALSE(job->RunStep());
  EXPECT_TRUE(job->RunStep());
  engine_->Finish(std::move(job));
  EXPECT_EQ(engine_->durable_sequence(), 1u);
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->durable_sequence(), 51u);
  EXPECT_EQ(disk_.operations(FileOperation::kSync), syncs + 2);
}

TEST_F(EngineTest, WhatWasDurableIsThereAfterACrashAndTheRestMayBeGone) {
  ASSERT_TRUE(Open().ok());
  MustPut("durable", "yes");
  RunJobs(engine_.get());
  MustPut("volatile", "perhaps");
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_FALSE(report_.created);
  EXPECT_FALSE(report_.suspect);
  EXPECT_EQ(report_.last_sequence, 1u);
  EXPECT_EQ(engine_->durable_sequence(), 1u);
  EXPECT_EQ(Value("durable"), "yes");
  EXPECT_EQ(Value("volatile"), "(absent)");
  EXPECT_EQ(MustPut("next", "x"), 2u);
}

TEST_F(EngineTest, FlushesAndCompactionsKeepTheNewest) {
  ASSERT_TRUE(Open().ok());
  const std::string padding(100, 'x');
  for (int round = 0; round < 8; ++round) Fill(0, 500, absl::StrCat(padding, round, "-"));
  const EngineStats stats = engine_->stats();
  EXPECT_GT(stats.flushes, 4u);
  EXPECT_GT(stats.compactions, 1u);
  EXPECT_GT(stats.tables_per_level[1], 1);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(Value(Key(i)), absl::StrCat(padding, "7-", i));
  const auto all = ScanAll(engine_.get(), 37);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), 500u);
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_FALSE(report_.suspect);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(Value(Key(i)), absl::StrCat(padding, "7-", i));
}

TEST_F(EngineTest, ObsoleteFilesGo) {
  ASSERT_TRUE(Open().ok());
  for (int round = 0; round < 20; ++round) Fill(0, 300, "x");
  EXPECT_EQ(FilesEndingIn(".sst").size(), engine_->stats().tables);
  EXPECT_LE(FilesEndingIn(".wal").size(), 2u);
  EXPECT_EQ(FilesEndingIn(".manifest").size(), 1u);
  EXPECT_EQ(FilesEndingIn(".tmp").size(), 1u);  // the reserve
}

TEST_F(EngineTest, AMemtableIsNotFlushedAheadOfItsLog) {
  ASSERT_TRUE(Open().ok());
  RunJobs(engine_.get());  // takes the reserve
  while (engine_->stats().immutable_memtables == 0) MustPut("key", std::string(1000, 'x'));
  EXPECT_EQ(engine_->NextJob(Lane::kBackground), nullptr);
  while (RunJob(engine_.get(), Lane::kLog)) {
  }
  EXPECT_NE(engine_->NextJob(Lane::kBackground), nullptr);
}

TEST_F(EngineTest, AFailedSyncOfTheLogPoisons) {
  ASSERT_TRUE(Open().ok());
  MustPut("durable", "yes");
  RunJobs(engine_.get());
  disk_.Inject({.operation = FileOperation::kSync,
                .effect = FaultEffect::kFailedSyncLost,
                .path_contains = ".wal"});
  MustPut("doubtful", "1");
  MustPut("durable", "overwritten in doubt");
  engine_->WriteSlot("lease", "x", 1);
  RunJobs(engine_.get(), 300);
  EXPECT_TRUE(absl::IsUnavailable(engine_->health())) << engine_->health();
  uint64_t sequence = 0;
  EXPECT_TRUE(absl::IsUnavailable(engine_->Put("more", "x", &sequence)));
  EXPECT_EQ(engine_->durable_sequence(), 1u);
  for (const char* key : {"doubtful", "durable"}) {
    EXPECT_TRUE(absl::IsUnavailable(GetNow(engine_.get(), key).status()));
  }
  EXPECT_TRUE(absl::IsUnavailable(ScanAll(engine_.get(), 10).status()));
  EXPECT_EQ(Value("never put"), "(absent)");
  engine_->WriteSlot("lease", "y", 2);
  const std::vector<Engine::FinishedSlot> slots = engine_->TakeFinishedSlots();
  ASSERT_FALSE(slots.empty());
  EXPECT_TRUE(absl::IsUnavailable(slots.back().status));
  EXPECT_EQ(disk_.counters().failed_syncs, 1u);

  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Value("durable"), "yes");
  EXPECT_EQ(Value("doubtful"), "(absent)");
}

TEST_F(EngineTest, AFailedWriteOfTheLogPoisons) {
  ASSERT_TRUE(Open().ok());
  disk_.Inject({.operation = FileOperation::kAppend,
                .effect = FaultEffect::kShortWriteEio,
                .path_contains = ".wal"});
  MustPut("a", "1");
  RunJobs(engine_.get(), 300);
  EXPECT_TRUE(absl::IsUnavailable(engine_->health()));
  EXPECT_EQ(engine_->durable_sequence(), 0u);
  EXPECT_TRUE(absl::StrContains(engine_->health().message(), ".wal")) << engine_->health();
}

TEST_F(EngineTest, AFullDiskRefusesPutsUntilThereIsRoom) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 200, "old");
  disk_.set_capacity_bytes(disk_.used_bytes() + 2000);
  const std::string value(500, 'v');
  int accepted = 0;
  absl::Status refused;
  for (int i = 0; i < 1000 && refused.ok(); ++i) {
    uint64_t sequence = 0;
    refused = engine_->Put(absl::StrCat("new", i), value, &sequence);
    if (refused.ok()) ++accepted;
    RunJobs(engine_.get());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "/data")) << refused;
  EXPECT_LT(accepted, 16);  // long before memory is full
  EXPECT_TRUE(engine_->health().ok());
  EXPECT_EQ(Value(Key(77)), "old77");
  RunJobs(engine_.get(), 300);
  EXPECT_LT(engine_->durable_sequence(), engine_->last_sequence());
  uint64_t sequence = 0;
  EXPECT_TRUE(absl::IsResourceExhausted(engine_->Put("x", "y", &sequence)));

  disk_.set_capacity_bytes(sim::SimDisk::kUnlimited);
  RunJobs(engine_.get(), 300);
  // What had been accepted is durable now, and new puts are taken.
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence());
  MustPut("after", "1");
  RunJobs(engine_.get());
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_FALSE(report_.suspect);
  EXPECT_EQ(Value("after"), "1");
  for (int i = 0; i < accepted; ++i) ASSERT_EQ(Value(absl::StrCat("new", i)), value);
}

TEST_F(EngineTest, TheReserveHasRoomForAFlush) {
  ASSERT_TRUE(Open().ok());
  RunJobs(engine_.get());  // takes the reserve
  const std::string value(1000, 'v');
  while (engine_->stats().immutable_memtables == 0) MustPut("key", value);
  while (RunJob(engine_.get(), Lane::kLog)) {
  }
  disk_.set_capacity_bytes(disk_.used_bytes());
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->stats().flushes, 1u);
  EXPECT_EQ(engine_->stats().immutable_memtables, 0u);
}

TEST_F(EngineTest, PutsAreRefusedWhileFlushesLag) {
  options_.immutable_memtables_max = 3;
  ASSERT_TRUE(Open().ok());
  uint64_t sequence = 0;
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = engine_->Put(Key(i), std::string(1000, 'x'), &sequence);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(engine_->stats().immutable_memtables, 3u);
  RunJobs(engine_.get());
  MustPut("again", "x");
}

TEST_F(EngineTest, SlotsSurvive) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(engine_->ReadSlot("lease"), std::nullopt);
  engine_->WriteSlot("lease", "1", 10);
  engine_->WriteSlot("lease", std::string("2\0bytes", 7), 11);
  engine_->WriteSlot("identity", "", 12);
  engine_->WriteSlot("../etc", "x", 13);
  RunJobs(engine_.get());
  for (const Engine::FinishedSlot& slot : engine_->TakeFinishedSlots()) {
    EXPECT_EQ(slot.status.ok(), slot.ticket != 13) << slot.status;
  }
  EXPECT_TRUE(engine_->TakeFinishedSlots().empty());
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(engine_->ReadSlot("lease"), std::string("2\0bytes", 7));
  EXPECT_EQ(engine_->ReadSlot("identity"), "");
}

TEST_F(EngineTest, ScanKeepsItsBounds) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 300, "v");
  std::vector<Engine::Entry> entries;
  std::string next;
  ASSERT_TRUE(engine_->Scan(Key(10), Key(20), 100, 1u << 20, &entries, &next).ok());
  ASSERT_EQ(entries.size(), 10u);
  EXPECT_EQ(entries.front().key, Key(10));
  EXPECT_EQ(entries.back().key, Key(19));
  EXPECT_EQ(entries.back().sequence, 20u);
  EXPECT_EQ(next, "");
  ASSERT_TRUE(engine_->Scan(Key(10), "", 3, 1u << 20, &entries, &next).ok());
  EXPECT_EQ(entries.size(), 3u);
  EXPECT_EQ(next, Key(13));
  ASSERT_TRUE(engine_->Scan("", "", 1000, 100, &entries, &next).ok());
  EXPECT_GE(entries.size(), 5u);
  EXPECT_LE(entries.size(), 15u);
  EXPECT_EQ(next, Key(static_cast<int>(entries.size())));
}

TEST_F(EngineTest, KeysAndValuesOfEverySize) {
  options_.memtable_bytes = 4u << 20;
  ASSERT_TRUE(Open().ok());
  const std::string key(16u << 10, 'k');
  const std::string value(1u << 20, 'v');
  MustPut("", "empty key");
  MustPut("empty value", "");
  MustPut(key, value);
  MustPut(std::string("\0\xff", 2), "odd key");
  uint64_t sequence = 0;
  EXPECT_TRUE(
      absl::IsInvalidArgument(engine_->Put(std::string(kKeyBytesMax + 1, 'k'), "", &sequence)));
  while (engine_->stats().flushes == 0) {
    MustPut(Key(1), value);
    RunJobs(engine_.get());
  }
  EXPECT_EQ(Value(""), "empty key");
  EXPECT_EQ(Value("empty value"), "");
  EXPECT_EQ(Value(key), value);
  EXPECT_EQ(Value(std::string("\0\xff", 2)), "odd key");
}

TEST_F(EngineTest, ReadsOfOneBlockShareAJob) {
  disk_.set_page_cache(false);
  ASSERT_TRUE(Open().ok());
  Fill(0, 300, "v");
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  std::shared_ptr<PendingRead> a;
  std::shared_ptr<PendingRead> b;
  ASSERT_EQ(engine_->Get(Key(1), &a).state, Lookup::State::kNeedsRead);
  ASSERT_EQ(engine_->Get(Key(1), &b).state, Lookup::State::kNeedsRead);
  EXPECT_TRUE(RunJob(engine_.get(), Lane::kRead));
  EXPECT_FALSE(RunJob(engine_.get(), Lane::kRead));
  EXPECT_EQ(engine_->TakeFinishedReads().size(), 2u);
  EXPECT_EQ(engine_->Get(Key(1), &a).value, "v1");
  EXPECT_EQ(engine_->Get(Key(1), &b).value, "v1");
}

// Many small tables above a large level: their filters get more bits than its own, and all
// together no more memory than was asked for.
TEST_F(EngineTest, FiltersOfUpperLevelsMisleadLess) {
  options_.memtable_bytes = 64u << 10;
  options_.table_bytes = 256u << 10;
  options_.level1_bytes = 64u << 20;
  options_.index_partition_bytes = 1u << 20;  // so that only blocks of data are asked of the cache
  ASSERT_TRUE(Open().ok());
  const auto key = [](int i) { return Key(i * 7919 % 20'000); };
  for (int i = 0; i < 20'000 || engine_->stats().tables_per_level[0] < 6; ++i) {
    MustPut(key(i), std::string(60, 'v'));
    if (i % 16 == 0) RunJobs(engine_.get());
  }
  const EngineStats before = engine_->stats();
  constexpr uint64_t kGets = 20'000;
  for (uint64_t i = 0; i < kGets; ++i) {
    EXPECT_EQ(Value(Key(static_cast<int>(i)) + "absent"), "(absent)");
  }
  const EngineStats after = engine_->stats();
  const uint64_t misled = after.block_cache_hits + after.block_cache_misses -
                          before.block_cache_hits - before.block_cache_misses;
  RecordProperty("misled", static_cast<int>(misled));
  // With the same bits for all every table would mislead 1 in 97.
  const auto tables = static_cast<uint64_t>(after.tables_per_level[0] + 1);
  EXPECT_LT(misled, kGets * tables / 97 * 6 / 10);
  EXPECT_GT(misled, 0u);
  EXPECT_GT(after.index_bytes, after.table_bytes / 200);
  EXPECT_LT(after.index_bytes, after.table_bytes / 8);
  // Bits of entries that level 1 holds once more at level 0 count twice.
  EXPECT_GT(after.filter_bytes, 20'000u);
  EXPECT_LT(after.filter_bytes, 20'000u * 2 * 10 / 8);
  EXPECT_EQ(after.immutable_memtables, 0u);
  EXPECT_EQ(after.immutable_memtable_bytes, 0u);
  EXPECT_LE(after.block_cache_bytes, options_.block_cache_bytes);
}

TEST_F(EngineTest, TheLastLevelHasACompressionOfItsOwn) {
  const std::string value(400, 'v');
  const auto bytes_of = [&](Compression upper, Compression last, int tables_to_compact) {
    engine_.reset();
    file_system_.reset();
    disk_.Wipe();
    disk_.Restart();
    options_.compression = upper;
    options_.last_level_compression = last;
    options_.level0_tables_to_compact = tables_to_compact;
    options_.level0_tables_max = tables_to_compact;
    options_.level1_bytes = 64u << 20;
    EXPECT_TRUE(Open().ok());
    Fill(0, 400, "old");  // or tables would move as they are
    Fill(0, 400, value);
    for (int i = 0; i < 400; ++i) EXPECT_EQ(Value(Key(i)), absl::StrCat(value, i));
    EXPECT_EQ(engine_->stats().compactions > 0, tables_to_compact == 1);
    return engine_->stats().table_bytes;
  };
  const uint64_t raw = bytes_of(Compression::kNone, Compression::kZstd, 100);  // level 0 alone
  EXPECT_GT(raw, 100'000u);
  EXPECT_LT(bytes_of(Compression::kLz4, Compression::kNone, 100), raw / 4);
  EXPECT_LT(bytes_of(Compression::kNone, Compression::kZstd, 1), raw / 4);
  EXPECT_GT(bytes_of(Compression::kZstd, Compression::kNone, 1), raw / 2);
}

TEST_F(EngineTest, ADirectoryBelongsToOneOwner) {
  ASSERT_TRUE(Open().ok());
  sim::SimFileSystem other(&disk_);
  EXPECT_TRUE(absl::IsAlreadyExists(Engine::Open(other, options_, &report_).status()));
  engine_.reset();
  options_.owner = "cluster/n2";
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  for (const char* part : {"cluster/n1", "cluster/n2", "/data"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), part)) << status;
  }
}

}  // namespace
}  // namespace norn::storage
