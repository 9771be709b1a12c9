// Deletions: what readers see of them, and when compactions let them go.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "storage/record_storage.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

class EngineDeleteTest : public EngineTest {
 protected:
  uint64_t MustDelete(absl::string_view key) {
    uint64_t sequence = 0;
    const absl::Status status = engine_->Delete(key, &sequence);
    EXPECT_TRUE(status.ok()) << status;
    return sequence;
  }

  void DeleteAll(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      MustDelete(Key(i));
      if (i % 16 == 0) RunJobs(engine_.get());
    }
    RunJobs(engine_.get());
  }

  // What is in memory goes to tables.
  void Reopen() {
    RunJobs(engine_.get());
    ASSERT_TRUE(Open().ok());
    RunJobs(engine_.get());
  }

  // Every failed sync poisons the log.
  void PoisonLog() {
    disk_.Inject({.operation = sim::FileOperation::kSync,
                  .effect = sim::FaultEffect::kFailedSyncLost,
                  .nth = 1,
                  .times = 1,
                  .path_contains = ".wal"});
    while (engine_->health().ok()) ASSERT_TRUE(RunJob(engine_.get(), Lane::kLog));
  }
};

TEST_F(EngineDeleteTest, AnAbsentKeyNamesItsDeletion) {
  ASSERT_TRUE(Open().ok());
  std::shared_ptr<PendingRead> read;
  EXPECT_EQ(engine_->Get("a", &read).sequence, 0u);
  EXPECT_EQ(engine_->last_deletion(), 0u);
  MustPut("a", "value");
  MustPut("b", "value");
  const uint64_t sequence = MustDelete("a");
  EXPECT_EQ(sequence, 3u);
  EXPECT_EQ(engine_->last_deletion(), 3u);
  const Lookup in_memory = engine_->Get("a", &read);
  EXPECT_EQ(in_memory.state, Lookup::State::kAbsent);
  EXPECT_EQ(in_memory.sequence, sequence);
  EXPECT_EQ(ScanAll(engine_.get(), 1)->size(), 1u);
  Reopen();
  ASSERT_EQ(engine_->stats().tables, 1u);
  EXPECT_EQ(Value("a"), "(absent)");
  const Lookup in_table = engine_->Get("a", &read);
  EXPECT_EQ(in_table.state, Lookup::State::kAbsent);
  EXPECT_EQ(in_table.sequence, sequence);
  EXPECT_EQ(Value("b"), "value");
  EXPECT_EQ(ScanAll(engine_.get(), 1)->size(), 1u);
  MustPut("a", "again");
  EXPECT_EQ(Value("a"), "again");
  EXPECT_EQ(engine_->stats().deletes, 0u);  // of this life
}

TEST_F(EngineDeleteTest, NothingIsLeftOfWhatWasDeleted) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1500, std::string(80, 'v'));
  // Levels that may hold nothing: all that is there meets at the last one.
  options_.level0_tables_to_compact = 1;
  options_.level1_bytes = 1;
  options_.level_growth = 1;
  Reopen();
  ASSERT_GT(engine_->stats().tables_per_level.back(), 0);
  DeleteAll(0, 1500);
  Reopen();
  EXPECT_EQ(ScanAll(engine_.get(), 100)->size(), 0u);
  EXPECT_EQ(engine_->stats().tables, 0u);
  EXPECT_EQ(FilesEndingIn(".sst").size(), 0u);
}

TEST_F(EngineDeleteTest, WhatIsBelowStaysHidden) {
  options_.level0_tables_to_compact = 1;
  options_.level0_percent = 1;
  ASSERT_TRUE(Open().ok());
  Fill(0, 1500, std::string(80, 'v'));
  ASSERT_GT(engine_->stats().tables_per_level[2], 0);
  DeleteAll(100, 200);
  const uint64_t before = engine_->stats().compactions;
  Fill(0, 100, "new");
  for (int round = 0; round < 3; ++round) Fill(200, 1500, "new");
  EXPECT_GT(engine_->stats().compactions, before);
  for (int i = 100; i < 200; ++i) EXPECT_EQ(Value(Key(i)), "(absent)") << i;
  EXPECT_EQ(ScanAll(engine_.get(), 100)->size(), 1400u);
}

TEST_F(EngineDeleteTest, ADeletionInDoubtIsAnError) {
  ASSERT_TRUE(Open().ok());
  MustPut("a", "value");
  MustPut("b", "value");
  RunJobs(engine_.get());
  MustDelete("a");
  PoisonLog();
  std::shared_ptr<PendingRead> read;
  const Lookup lookup = engine_->Get("a", &read);
  EXPECT_EQ(lookup.state, Lookup::State::kError);
  EXPECT_TRUE(absl::IsUnavailable(lookup.status)) << lookup.status;
  const std::unique_ptr<Iterator> at = engine_->NewIterator();
  at->Seek("");
  ASSERT_EQ(at->state(), Iterator::State::kError);
  EXPECT_EQ(at->error_from(), "a");
  EXPECT_EQ(at->error_until(), std::string("a\0", 2));
  at->Seek("aa");
  EXPECT_EQ(at->key(), "b");
}

// A reply that says "absent" is derived from the deletion, and waits for it.
TEST_F(EngineDeleteTest, RecordStorageWaitsForTheDeletion) {
  ASSERT_TRUE(Open().ok());
  for (const size_t cache_bytes : {size_t{0}, size_t{1} << 20}) {
    RecordStorage storage(*engine_, RecordHasher("cluster", "secret"), cache_bytes);
    const std::string key = MakeEngineKey(3, "key");
    MustPut(key, "record");
    MustPut(MakeEngineKey(3, "other"), "record");
    RunJobs(engine_.get());
    MustDelete(key);
    storage.Submit(StoreRead{.ticket = 1, .partition = 3, .key = "key"});
    storage.Submit(StoreScan{
        .ticket = 2, .partition = 3, .from = "", .to = "", .entries_max = 10, .bytes_max = 1000});
    storage.Submit(StoreRead{.ticket = 3, .partition = 3, .key = "other"});
    storage.Pump(/*now_us=*/0);
    StoreReply reply;
    ASSERT_TRUE(storage.PopReply(&reply));
    EXPECT_EQ(reply.ticket, 3u);
    EXPECT_FALSE(storage.PopReply(&reply));
    RunJobs(engine_.get());
    storage.Pump(/*now_us=*/0);
    ASSERT_TRUE(storage.PopReply(&reply));
    EXPECT_EQ(reply.ticket, 1u);
    EXPECT_TRUE(reply.status.ok() && reply.record.empty());
    ASSERT_TRUE(storage.PopReply(&reply));
    EXPECT_EQ(reply.ticket, 2u);
    ASSERT_EQ(reply.entries.size(), 1u);
    EXPECT_EQ(reply.entries.front().key, "other");
  }
}

}  // namespace
}  // namespace norn::storage
