// Checkpoints: what is in them, what they share with the store, and how they are refused. (That
// a crash anywhere leaves none or a whole one is tests/engine_checkpoint_crash_test.cc's.)

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using Map = std::map<std::string, std::string>;
using sim::FileOperation;

class EngineCheckpointTest : public EngineTest {
 protected:
  void Start(const std::string& dir, const std::string& from = "", const std::string& to = "") {
    engine_->Checkpoint({.dir = dir, .from = from, .to = to, .ticket = 5});
  }

  // Runs jobs until the checkpoint is done.
  Engine::FinishedCheckpoint Finish() {
    RunJobs(engine_.get(), 300);
    const std::vector<Engine::FinishedCheckpoint> finished = engine_->TakeFinishedCheckpoints();
    EXPECT_EQ(finished.size(), 1u);
    if (finished.empty()) return {};
    EXPECT_EQ(finished.front().ticket, 5u);
    return finished.front();
  }

  Engine::FinishedCheckpoint Take(const std::string& dir) {
    Start(dir);
    Engine::FinishedCheckpoint finished = Finish();
    EXPECT_TRUE(finished.status.ok()) << finished.status;
    return finished;
  }

  // Opens a store beside the engine's own, and reads all of it.
  absl::StatusOr<Map> ReadStore(const std::string& dir, RecoveryReport* report) {
    EngineOptions options = options_;
    options.dir = dir;
    options.seed += 1000;
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(*file_system_, options, report);
    if (!engine.ok()) return engine.status();
    return ScanAll(engine->get(), 100);
  }

  std::vector<std::string> FilesIn(const std::string& dir) {
    std::vector<std::string> paths;
    for (const sim::SimDisk::FileState& file : disk_.Files()) {
      if (absl::StartsWith(file.path, dir + "/")) paths.push_back(file.path);
    }
    return paths;
  }

  Map Contents() { return *ScanAll(engine_.get(), 100); }
};

TEST_F(EngineCheckpointTest, HoldsEverythingBeforeTheCall) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1500, "v");
  engine_->WriteSlot("lease", "17", 1);
  RunJobs(engine_.get());
  for (int i = 1500; i < 1600; ++i) MustPut(Key(i), absl::StrCat("v", i));  // in memory only
  const uint64_t last = engine_->last_sequence();
  const Map expected = Contents();
  const Engine::FinishedCheckpoint finished = Take("/backup");
  EXPECT_EQ(finished.sequence, last);
  EXPECT_GT(finished.tables_linked, 2u);
  EXPECT_EQ(finished.tables_copied, 0u);

  // What the engine does later does not show in it, also where it drops the tables.
  Fill(0, 1600, "later");
  Fill(0, 1600, "later still");
  RecoveryReport report;
  const absl::StatusOr<Map> restored = ReadStore("/backup", &report);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(*restored, expected);
  EXPECT_EQ(report.last_sequence, last);
  EXPECT_EQ(disk_.Contents("/backup/lease.slot").value_or(""),
            disk_.Contents("/data/lease.slot").value_or("-"));
}

TEST_F(EngineCheckpointTest, IsInDoubtUntilThatIsAcknowledged) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 100, "v");
  const Engine::FinishedCheckpoint finished = Take("/backup");
  engine_.reset();
  options_.dir = "/backup";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Open().ok());
    EXPECT_EQ(report_.possibly_lost_from, finished.sequence + 1);
    EXPECT_FALSE(report_.suspect) << report_.notes.front();
    EXPECT_FALSE(report_.notes.empty());
  }
  engine_->AcknowledgeRecovery();
  RunJobs(engine_.get());
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(report_.possibly_lost_from, std::nullopt);
  EXPECT_EQ(Value(Key(99)), "v99");
}

TEST_F(EngineCheckpointTest, TheNextOneSharesWhatHasNotChanged) {
  options_.level0_tables_to_compact = 20;  // nothing is rewritten between the two
  ASSERT_TRUE(Open().ok());
  Fill(0, 3000, "v");
  Take("/one");
  const uint64_t used = disk_.used_bytes();
  for (int i = 0; i < 50; ++i) MustPut(Key(i), "new");
  const Map expected = Contents();
  Take("/two");
  // One table more, the small files, and nothing else.
  EXPECT_LT(disk_.used_bytes(), used + 6000);
  std::vector<std::string> only_new;
  for (const std::string& path : FilesIn("/two")) {
    const std::string before = absl::StrCat("/one", path.substr(4));
    if (absl::EndsWith(path, ".sst") && !disk_.Contents(before).ok()) only_new.push_back(path);
  }
  EXPECT_EQ(only_new.size(), 1u);
  RecoveryReport report;
  EXPECT_EQ(*ReadStore("/two", &report), expected);
  EXPECT_EQ(ReadStore("/one", &report)->at(Key(0)), "v0");
}

TEST_F(EngineCheckpointTest, CostsFileOperationsByTheTableNotByTheByte) {
  ASSERT_TRUE(Open().ok());
  const std::string big(4000, 'x');
  Fill(0, 300, "v");
  Take("/small");
  const auto cost = [&](const std::string& dir, uint64_t* tables) {
    const uint64_t reads = disk_.operations(FileOperation::kRead);
    const uint64_t appends = disk_.operations(FileOperation::kAppend);
    *tables = Take(dir).tables_linked;
    EXPECT_EQ(disk_.operations(FileOperation::kRead), reads);
    return disk_.operations(FileOperation::kAppend) - appends;
  };
  uint64_t small_tables = 0;
  const uint64_t small = cost("/small again", &small_tables);
  for (int i = 0; i < 500; ++i) {
    MustPut(Key(i), big);
    RunJobs(engine_.get());
  }
  Take("/flushed");
  uint64_t big_tables = 0;
  EXPECT_EQ(cost("/big", &big_tables), small);
  EXPECT_GT(big_tables, small_tables);
}

TEST_F(EngineCheckpointTest, GoesOnBesideWritesAndCompactions) {
  ASSERT_TRUE(Open().ok());
  std::map<uint64_t, std::pair<std::string, std::string>> history;
  int done = 0;
  uint64_t asked = 0;
  for (int i = 0; i < 6000; ++i) {
    const std::string key = Key(i * 7919 % 700);
    uint64_t sequence = 0;
    if (engine_->Put(key, absl::StrCat(i), &sequence).ok()) {
      history[sequence] = {key, absl::StrCat(i)};
    }
    if (i % 1000 == 500) {
      asked = engine_->last_sequence();
      Start(absl::StrCat("/backup", i));
    }
    RunJob(engine_.get(), Lane::kLog);
    if (i % 3 == 0) RunJob(engine_.get(), Lane::kBackground);
    for (const Engine::FinishedCheckpoint& finished : engine_->TakeFinishedCheckpoints()) {
      ASSERT_TRUE(finished.status.ok()) << finished.status;
      EXPECT_GE(finished.sequence, asked);
      Map expected;
      for (const auto& [at, put] : history) {
        if (at <= finished.sequence) expected[put.first] = put.second;
      }
      RecoveryReport report;
      const absl::StatusOr<Map> restored =
          ReadStore(absl::StrCat("/backup", done * 1000 + 500), &report);
      ASSERT_TRUE(restored.ok()) << restored.status();
      EXPECT_EQ(*restored, expected);
      ++done;
    }
  }
  EXPECT_GT(done, 3);
  EXPECT_GT(engine_->stats().compactions, 3u);
}

TEST_F(EngineCheckpointTest, IsCopiedWhereThereAreNoLinks) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1500, "v");
  const Map expected = Contents();
  disk_.set_hard_links(false);
  const Engine::FinishedCheckpoint finished = Take("/backup");
  EXPECT_EQ(finished.tables_linked, 0u);
  EXPECT_GT(finished.tables_copied, 2u);
  // The copy is as durable as links would be.
  Crash(sim::CrashLoss::kAllUnsynced);
  file_system_ = std::make_unique<sim::SimFileSystem>(&disk_);
  RecoveryReport report;
  const absl::StatusOr<Map> restored = ReadStore("/backup", &report);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(*restored, expected);
}

TEST_F(EngineCheckpointTest, ARangeAlone) {
  options_.group_prefix_bytes = 8;
  ASSERT_TRUE(Open().ok());
  Fill(0, 3000, "v");
  Fill(0, 3000, "w");
  Map expected = Contents();
  expected.erase(expected.begin(), expected.lower_bound(Key(1000)));
  expected.erase(expected.lower_bound(Key(1100)), expected.end());
  Start("/part", Key(1000), Key(1100));
  const Engine::FinishedCheckpoint finished = Finish();
  ASSERT_TRUE(finished.status.ok()) << finished.status;
  EXPECT_LT(finished.tables_linked * 2, engine_->stats().tables);
  RecoveryReport report;
  const absl::StatusOr<Map> restored = ReadStore("/part", &report);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(*restored, expected);
}

TEST_F(EngineCheckpointTest, ADroppedRangeIsNotInIt) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1000, "v");
  engine_->DropRange(Key(100), Key(900), 1);
  RunJobs(engine_.get());
  const Map expected = Contents();
  EXPECT_EQ(expected.size(), 200u);
  Take("/backup");
  RecoveryReport report;
  EXPECT_EQ(*ReadStore("/backup", &report), expected);
}

TEST_F(EngineCheckpointTest, AnEmptyStoreHasOneToo) {
  ASSERT_TRUE(Open().ok());
  Take("/backup");
  RecoveryReport report;
  const absl::StatusOr<Map> restored = ReadStore("/backup", &report);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(restored->empty());
  EXPECT_FALSE(report.created);
  EXPECT_EQ(report.possibly_lost_from, 1u);
}

TEST_F(EngineCheckpointTest, ADirectoryWithFilesIsRefused) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 10, "v");
  Take("/backup");
  for (const std::string dir : {"/backup", "/data"}) {
    Start(dir);
    const absl::Status status = Finish().status;
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), dir)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "name a new directory")) << status;
  }
  RecoveryReport report;
  EXPECT_EQ(ReadStore("/backup", &report)->size(), 10u);
  Start("/missing/backup");
  const absl::Status status = Finish().status;
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/missing/backup")) << status;
}

TEST_F(EngineCheckpointTest, ADamagedTableIsRefused) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 1000, "v");
  const std::string table = FilesEndingIn(".sst").front();
  ASSERT_TRUE(disk_.FlipBit(table, 100, 3).ok());
  for (int i = 0; i < 1000; ++i) GetNow(engine_.get(), Key(i)).IgnoreError();
  ASSERT_EQ(engine_->stats().damaged_ranges, 1u);
  Start("/backup");
  const absl::Status status = Finish().status;
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), table)) << status;
  EXPECT_TRUE(FilesIn("/backup").empty());
}

// Whatever fails, once, nothing is left, and the same name can be tried again.
TEST_F(EngineCheckpointTest, AnErrorAnywhereLeavesNothing) {
  for (const bool links : {true, false}) {
    for (const FileOperation operation :
         {FileOperation::kLink, FileOperation::kCreate, FileOperation::kAppend,
          FileOperation::kSync, FileOperation::kRename, FileOperation::kSyncDir,
          FileOperation::kList, FileOperation::kCreateDir}) {
      int failed = 0;
      for (uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE(absl::StrCat(sim::FileOperationName(operation), " ", nth, " ", links));
        engine_.reset();
        disk_.Wipe();
        disk_.Restart();
        disk_.set_hard_links(links);
        ASSERT_TRUE(Open().ok());
        Fill(0, 600, "v");
        const Map expected = Contents();
        disk_.Inject({.operation = operation,
                      .effect = sim::FaultEffect::kEio,
                      .nth = nth,
                      .times = 1,
                      .path_contains = "/backup"});
        Start("/backup");
        const absl::Status status = Finish().status;
        const bool met = disk_.planned_faults() == 0;
        disk_.ClearFaults();
        if (!met) {
          EXPECT_TRUE(status.ok()) << status;
          break;
        }
        ++failed;
        EXPECT_TRUE(absl::StrContains(status.message(), "/backup")) << status;
        ASSERT_FALSE(status.ok());
        EXPECT_TRUE(FilesIn("/backup").empty());
        Take("/backup");
        RecoveryReport report;
        const absl::StatusOr<Map> restored = ReadStore("/backup", &report);
        ASSERT_TRUE(restored.ok()) << restored.status();
        EXPECT_EQ(*restored, expected);
      }
      EXPECT_GT(failed, 0) << sim::FileOperationName(operation);
    }
  }
}

TEST_F(EngineCheckpointTest, APoisonedEngineHasNone) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 10, "v");
  MustPut("a", "b");
  Start("/backup");
  disk_.Inject({.operation = FileOperation::kSync,
                .effect = sim::FaultEffect::kFailedSyncLost,
                .nth = 1,
                .times = 1,
                .path_contains = ".wal"});
  EXPECT_TRUE(absl::IsUnavailable(Finish().status));
  Start("/backup");
  EXPECT_TRUE(absl::IsUnavailable(Finish().status));
}

}  // namespace
}  // namespace norn::storage
