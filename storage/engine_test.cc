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
#include "sim/sim_file_system.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::DiskFault;
using sim::FaultEffect;
using sim::FileOperation;

std::string Key(int i) { return absl::StrCat("key", absl::Dec(i, absl::kZeroPad6)); }

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    options_.dir = "/data";
    options_.owner = "cluster/n1";
    options_.seed = 7;
    options_.memtable_bytes = 16u << 10;
    options_.block_bytes = 1024;
    options_.table_bytes = 16u << 10;
    options_.level1_bytes = 64u << 10;
    options_.wal_preallocate_bytes = 0;
  }

  absl::Status Open() {
    engine_.reset();
    file_system_ = std::make_unique<sim::SimFileSystem>(&disk_);
    ++options_.seed;
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        Engine::Open(*file_system_, options_, &report_);
    if (engine.ok()) engine_ = *std::move(engine);
    return engine.status();
  }

  void Crash(CrashLoss loss) {
    disk_.Crash(loss);
    engine_.reset();
    file_system_.reset();
    disk_.Restart();
  }

  uint64_t MustPut(absl::string_view key, absl::string_view value) {
    uint64_t sequence = 0;
    const absl::Status status = engine_->Put(key, value, &sequence);
    EXPECT_TRUE(status.ok()) << status;
    return sequence;
  }

  // Puts key(i) -> value for i in [begin, end), running jobs meanwhile.
  void Fill(int begin, int end, const std::string& value) {
    for (int i = begin; i < end; ++i) {
      MustPut(Key(i), absl::StrCat(value, i));
      if (i % 16 == 0) RunJobs(engine_.get());
    }
    RunJobs(engine_.get());
  }

  std::string Value(absl::string_view key) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), key);
    if (!value.ok()) return value.status().ToString();
    return value->value_or("(absent)");
  }

  // Paths of the files whose names end so.
  std::vector<std::string> FilesEndingIn(absl::string_view suffix) {
    std::vector<std::string> paths;
    for (const sim::SimDisk::FileState& file : disk_.Files()) {
      if (absl::EndsWith(file.path, suffix)) paths.push_back(file.path);
    }
    return paths;
  }

  sim::SimDisk disk_{1};
  std::unique_ptr<sim::SimFileSystem> file_system_;
  EngineOptions options_;
  RecoveryReport report_;
  std::unique_ptr<Engine> engine_;
};

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
  EXPECT_EQ(FilesEndingIn(".tmp").size(), 0u);
}

}  // namespace
}  // namespace norn::storage
