// A checkpoint on a disk that crashes at every single file operation of it.
//
// A store with tables takes a checkpoint while writes, flushes and compactions go on, and is
// replayed from the start for each operation at which power can fail. What must hold afterwards:
//   * the store itself is what it would be without the checkpoint;
//   * the checkpoint is a whole one, of a moment behind its call, or it is none, which shows;
//   * one that was reported is there, also after another power failure.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::SimDisk;
using sim::SimFileSystem;
using Map = std::map<std::string, std::string>;

constexpr char kData[] = "/data";
constexpr char kBackup[] = "/backup";
constexpr int kKeys = 40;

EngineOptions OptionsFor(const std::string& dir, uint64_t seed) {
  EngineOptions options;
  options.dir = dir;
  options.owner = "cluster/n1";
  options.seed = seed;
  options.memtable_bytes = 3000;
  options.wal_preallocate_bytes = 0;
  options.block_bytes = 256;
  options.index_partition_bytes = 100;
  options.block_cache_bytes = 2000;
  options.level0_tables_to_compact = 2;
  options.level1_bytes = 4000;
  options.table_bytes = 2000;
  return options;
}

// The store, and what was done to it.
class Workload {
 public:
  explicit Workload(SimDisk* disk) : disk_(disk), random_(5), file_system_(disk) {
    RecoveryReport report;
    engine_ = *Engine::Open(file_system_, OptionsFor(kData, 1), &report);
    engine_->WriteSlot("lease", "17", 1);
    for (int i = 0; i < 500; ++i) Step();
  }

  void StartCheckpoint() {
    called_at_ = engine_->last_sequence();
    engine_->Checkpoint({.dir = kBackup, .from = "", .to = "", .ticket = 1});
  }

  // Until the checkpoint is done or the disk has crashed; then a little longer.
  void Run() {
    for (int i = 0; i < 5000 && !reported_.has_value() && !disk_->crashed(); ++i) Step();
    for (int i = 0; i < 30 && !disk_->crashed(); ++i) Step();
  }

  Map Prefix(uint64_t n) const {
    Map map;
    for (uint64_t i = 0; i < n; ++i) map.insert_or_assign(history_[i].first, history_[i].second);
    return map;
  }
  uint64_t durable() const { return durable_; }
  uint64_t attempted() const { return history_.size(); }
  uint64_t called_at() const { return called_at_; }
  // What the engine told of the checkpoint before the crash.
  const std::optional<Engine::FinishedCheckpoint>& reported() const { return reported_; }
  EngineStats stats() const { return engine_->stats(); }

 private:
  void Step() {
    const uint64_t dice = random_.Below(100);
    if (dice < 35) {
      const std::string key = absl::StrCat("key", random_.Below(kKeys));
      std::string value = absl::StrCat("value", history_.size(), "-");
      value.append(random_.Below(150), 'v');
      uint64_t sequence = 0;
      if (engine_->Put(key, value, &sequence).ok()) history_.emplace_back(key, value);
    } else {
      const Lane lane = dice < 65 ? Lane::kLog : Lane::kBackground;
      std::unique_ptr<Job>& job = jobs_[static_cast<size_t>(lane)];
      if (job == nullptr) job = engine_->NextJob(lane);
      if (job != nullptr && job->RunStep()) engine_->Finish(std::move(job));
    }
    if (disk_->crashed()) return;
    durable_ = engine_->durable_sequence();
    for (Engine::FinishedCheckpoint& finished : engine_->TakeFinishedCheckpoints()) {
      reported_ = std::move(finished);
    }
  }

  SimDisk* disk_;
  Random random_;
  SimFileSystem file_system_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Job> jobs_[kLaneCount];
  std::vector<std::pair<std::string, std::string>> history_;  // by sequence, from 1
  uint64_t durable_ = 0;
  uint64_t called_at_ = 0;
  std::optional<Engine::FinishedCheckpoint> reported_;
};

struct Found {
  int whole = 0;
  int none = 0;
};

void CheckStore(SimDisk* disk, const Workload& workload) {
  SimFileSystem file_system(disk);
  RecoveryReport report;
  const auto engine = Engine::Open(file_system, OptionsFor(kData, 101), &report);
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_FALSE(report.suspect) << report.notes.front();
  ASSERT_GE(report.last_sequence, workload.durable());
  ASSERT_LE(report.last_sequence, workload.attempted());
  EXPECT_EQ(*ScanAll(engine->get(), 100), workload.Prefix(report.last_sequence));
}

void CheckCheckpoint(SimDisk* disk, const Workload& workload, Found* found) {
  SimFileSystem file_system(disk);
  const bool whole = file_system.Exists(absl::StrCat(kBackup, "/CURRENT"));
  if (workload.reported().has_value()) {
    ASSERT_TRUE(workload.reported()->status.ok()) << workload.reported()->status;
    EXPECT_TRUE(whole) << "a checkpoint that was reported is lost";
  }
  RecoveryReport report;
  const auto engine = Engine::Open(file_system, OptionsFor(kBackup, 202), &report);
  if (!whole) {
    ++found->none;
    // Where no file told that there was to be one, it is a directory like any other.
    if (engine.ok()) {
      EXPECT_TRUE(report.created);
      return;
    }
    EXPECT_TRUE(absl::IsDataLoss(engine.status())) << engine.status();
    EXPECT_TRUE(absl::StrContains(engine.status().message(), "unfinished checkpoint"))
        << engine.status();
    return;
  }
  ++found->whole;
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_FALSE(report.suspect) << report.notes.front();
  EXPECT_EQ(report.possibly_lost_from, report.last_sequence + 1);
  EXPECT_GE(report.last_sequence, workload.called_at());
  ASSERT_LE(report.last_sequence, workload.attempted());
  if (workload.reported().has_value()) {
    EXPECT_EQ(report.last_sequence, workload.reported()->sequence);
  }
  EXPECT_EQ(*ScanAll(engine->get(), 100), workload.Prefix(report.last_sequence));
  EXPECT_EQ((*engine)->ReadSlot("lease"), "17");
}

struct Case {
  CrashLoss loss;
  bool links;
};

class EngineCheckpointCrashTest : public testing::TestWithParam<Case> {};

TEST_P(EngineCheckpointCrashTest, EveryOperation) {
  Found found;
  for (uint64_t n = 1;; ++n) {
    SimDisk disk(n);
    disk.set_hard_links(GetParam().links);
    auto workload = std::make_unique<Workload>(&disk);
    EXPECT_GT(workload->stats().compactions, 0u);
    workload->StartCheckpoint();
    disk.CrashAtOperation(n, GetParam().loss);
    workload->Run();
    const bool crashed = disk.crashed();
    SCOPED_TRACE(absl::StrCat("crash at operation ", n, ": ", disk.crash_site()));
    if (!crashed) {
      disk.CancelCrash();
      disk.Crash(GetParam().loss);
    }
    disk.Restart();
    CheckStore(&disk, *workload);
    CheckCheckpoint(&disk, *workload, &found);
    if (HasFailure()) return;
    // Once more, from what is durable now.
    disk.Crash(CrashLoss::kAllUnsynced);
    disk.Restart();
    if (workload->reported().has_value()) {
      SimFileSystem file_system(&disk);
      EXPECT_TRUE(file_system.Exists(absl::StrCat(kBackup, "/CURRENT")));
    }
    if (HasFailure()) return;
    if (!crashed) break;
  }
  EXPECT_GT(found.none, 20);
  EXPECT_GT(found.whole, 1);
}

INSTANTIATE_TEST_SUITE_P(Losses, EngineCheckpointCrashTest,
                         testing::Values(Case{CrashLoss::kAllUnsynced, true},
                                         Case{CrashLoss::kRandomSubset, true},
                                         Case{CrashLoss::kRandomSubset, false},
                                         Case{CrashLoss::kNothing, true},
                                         Case{CrashLoss::kProcessOnly, true}));

}  // namespace
}  // namespace norn::storage
