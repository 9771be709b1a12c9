// The engine against a disk that crashes or fails at every single file operation.
//
// One small workload (puts, overwrites, deletions, slots; memtables so small that flushes and
// compactions run) is replayed from the start for each operation that can go wrong. What
// must hold afterwards:
//   * the recovered state is what the puts up to report.last_sequence make of an empty
//     store, and that covers everything that was durable: nothing lost, nothing torn,
//     nothing that was never put;
//   * opening again, even after a power failure right behind the first opening, gives
//     the same state;
//   * nothing is called suspect, since the disk kept its promises;
//   * an engine that met an error serves the right value or an error, never another one.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
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
using sim::DiskFault;
using sim::FaultEffect;
using sim::FileOperation;
using sim::SimDisk;
using sim::SimFileSystem;

using Map = std::map<std::string, std::string>;

EngineOptions OptionsFor(uint64_t seed) {
  EngineOptions options;
  options.dir = "/data";
  options.owner = "cluster/n1";
  options.seed = seed;
  options.memtable_bytes = 3000;
  options.wal_preallocate_bytes = 0;
  options.block_bytes = 256;
  options.block_cache_bytes = 2000;
  options.level0_tables_to_compact = 2;
  options.level1_bytes = 4000;
  options.table_bytes = 2000;
  return options;
}

// Drives an engine, interleaving the steps of its jobs with puts, and knows what it did.
class Workload {
 public:
  explicit Workload(SimDisk* disk, uint64_t seed) : disk_(disk), seed_(seed), random_(seed) {}

  // False if the disk crashed or the engine could not be opened. May be called again
  // after Kill(): then it goes on with what was recovered.
  bool Run(int steps) {
    file_system_ = std::make_unique<SimFileSystem>(disk_);
    RecoveryReport report;
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        Engine::Open(*file_system_, OptionsFor(seed_++), &report);
    if (!engine.ok()) return false;
    engine_ = *std::move(engine);
    EXPECT_FALSE(report.suspect);
    EXPECT_GE(report.last_sequence, durable_);
    EXPECT_LE(report.last_sequence, history_.size());
    history_.resize(report.last_sequence);
    durable_ = report.last_sequence;
    engine_->AcknowledgeRecovery();
    for (int i = 0; i < steps && !disk_->crashed(); ++i) Step();
    return !disk_->crashed();
  }

  // Gives every job the time that it needs, retries included.
  void Settle() {
    for (std::unique_ptr<Job>& job : jobs_) {
      if (job == nullptr) continue;
      while (!job->RunStep()) {
      }
      engine_->Finish(std::move(job));
    }
    RunJobs(engine_.get(), 3000);
    TakeResults();
  }

  void CheckReads() {
    for (int i = 0; i < kKeys; ++i) CheckRead(absl::StrCat("key", i));
  }

  // The right value, or an error if there is reason for one.
  void CheckRead(const std::string& key) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), key);
    if (disk_->crashed()) return;
    if (!value.ok()) {
      EXPECT_TRUE(!engine_->health().ok() || engine_->stats().damaged_ranges > 0) << value.status();
      return;
    }
    const auto newest = std::find_if(history_.rbegin(), history_.rend(),
                                     [&](const auto& put) { return put.first == key; });
    EXPECT_EQ(*value, newest == history_.rend() ? std::nullopt : newest->second) << key;
  }

  Engine* engine() { return engine_.get(); }
  uint64_t durable() const { return durable_; }
  uint64_t attempted() const { return history_.size(); }

  // What the first `n` puts make.
  Map Prefix(uint64_t n) const {
    Map map;
    for (uint64_t i = 0; i < n; ++i) {
      const auto& [key, value] = history_[i];
      if (value.has_value()) {
        map.insert_or_assign(key, *value);
      } else {
        map.erase(key);
      }
    }
    return map;
  }

  // Whether a slot may hold this after a crash: what was done last, or begun since.
  bool SlotMayBe(const std::optional<std::string>& value) const {
    if (!value.has_value()) return slot_done_ == 0;
    for (uint64_t ticket = std::max<uint64_t>(slot_done_, 1); ticket <= slot_begun_; ++ticket) {
      if (*value == SlotValue(ticket)) return true;
    }
    return false;
  }

  void Kill() {
    for (std::unique_ptr<Job>& job : jobs_) job.reset();
    engine_.reset();
    file_system_.reset();
  }

 private:
  static constexpr int kKeys = 40;

  static std::string SlotValue(uint64_t ticket) { return absl::StrCat("lease ", ticket); }

  void Step() {
    const uint64_t dice = random_.Below(100);
    if (dice < 40) {
      const std::string key = absl::StrCat("key", random_.Below(kKeys));
      std::string value = absl::StrCat("value", history_.size(), "-");
      value.append(random_.Below(150), static_cast<char>('a' + random_.Below(26)));
      uint64_t sequence = 0;
      if (value.size() % 5 == 0) {
        if (!engine_->Delete(key, &sequence).ok()) return TakeResults();
        history_.emplace_back(key, std::nullopt);
      } else {
        if (!engine_->Put(key, value, &sequence).ok()) return TakeResults();
        history_.emplace_back(key, std::move(value));
      }
      EXPECT_EQ(sequence, history_.size());
    } else if (dice < 46) {
      CheckRead(absl::StrCat("key", random_.Below(kKeys)));
    } else if (dice < 48) {
      ++slot_begun_;
      engine_->WriteSlot("lease", SlotValue(slot_begun_), slot_begun_);
    } else {
      // The log works harder than the rest, as it does in life.
      const Lane lane = dice < 75 ? Lane::kLog : Lane::kBackground;
      std::unique_ptr<Job>& job = jobs_[static_cast<size_t>(lane)];
      if (job == nullptr) job = engine_->NextJob(lane);
      if (job != nullptr && job->RunStep()) engine_->Finish(std::move(job));
    }
    TakeResults();
  }

  void TakeResults() {
    // A crash stops the process before it can tell anyone.
    if (disk_->crashed()) return;
    durable_ = engine_->durable_sequence();
    for (const Engine::FinishedSlot& slot : engine_->TakeFinishedSlots()) {
      if (slot.status.ok()) slot_done_ = std::max(slot_done_, slot.ticket);
    }
  }

  SimDisk* disk_;
  uint64_t seed_;
  Random random_;
  std::unique_ptr<SimFileSystem> file_system_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Job> jobs_[kLaneCount];
  // By sequence, from 1. Nothing: a deletion.
  std::vector<std::pair<std::string, std::optional<std::string>>> history_;
  uint64_t durable_ = 0;
  uint64_t slot_begun_ = 0;
  uint64_t slot_done_ = 0;
};

struct Opened {
  RecoveryReport report;
  Map map;
  std::optional<std::string> slot;
};

// Opens the engine on the disk and reads everything. Fails the test if it does not open.
std::optional<Opened> OpenAndRead(SimDisk* disk, uint64_t seed) {
  SimFileSystem file_system(disk);
  Opened opened;
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Open(file_system, OptionsFor(seed), &opened.report);
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    return std::nullopt;
  }
  absl::StatusOr<Map> map = ScanAll(engine->get(), 7);
  if (!map.ok()) {
    ADD_FAILURE() << map.status();
    return std::nullopt;
  }
  opened.map = *std::move(map);
  opened.slot = (*engine)->ReadSlot("lease");
  EXPECT_EQ((*engine)->durable_sequence(), opened.report.last_sequence);
  for (const auto& [key, value] : opened.map) {
    const absl::StatusOr<std::optional<std::string>> got = GetNow(engine->get(), key);
    EXPECT_TRUE(got.ok() && *got == value) << key;
  }
  return opened;
}

void CheckRecovered(const Workload& workload, const Opened& opened) {
  EXPECT_FALSE(opened.report.suspect) << opened.report.notes.front();
  EXPECT_GE(opened.report.last_sequence, workload.durable());
  ASSERT_LE(opened.report.last_sequence, workload.attempted());
  EXPECT_EQ(opened.map, workload.Prefix(opened.report.last_sequence));
  EXPECT_TRUE(workload.SlotMayBe(opened.slot)) << opened.slot.value_or("(absent)");
  if (opened.report.possibly_lost_from.has_value()) {
    // Lower if an earlier loss was not acknowledged.
    EXPECT_LE(*opened.report.possibly_lost_from, opened.report.last_sequence + 1);
  }
}

// Opens twice, with a power failure between.
void CheckAfterCrash(SimDisk* disk, const Workload& workload) {
  disk->Restart();
  const std::optional<Opened> first = OpenAndRead(disk, 101);
  if (!first.has_value()) return;
  CheckRecovered(workload, *first);
  disk->Crash(CrashLoss::kAllUnsynced);
  disk->Restart();
  const std::optional<Opened> second = OpenAndRead(disk, 102);
  if (!second.has_value()) return;
  EXPECT_EQ(second->map, first->map);
  EXPECT_EQ(second->slot, first->slot);
  EXPECT_EQ(second->report.last_sequence, first->report.last_sequence);
  EXPECT_EQ(second->report.possibly_lost_from, first->report.possibly_lost_from);
}

constexpr int kSteps = 900;
// With this one a compaction fails whose first pieces are not in the manifest yet.
constexpr uint64_t kSeed = 13;

uint64_t OperationsOfWorkload() {
  SimDisk disk(1);
  Workload workload(&disk, kSeed);
  EXPECT_TRUE(workload.Run(kSteps));
  const EngineStats stats = workload.engine()->stats();
  // Or the test would prove nothing about them.
  EXPECT_GT(stats.flushes, 2u);
  EXPECT_GT(stats.compactions, 0u);
  workload.Kill();
  return disk.operations();
}

class EngineCrashTest : public testing::TestWithParam<CrashLoss> {};

TEST_P(EngineCrashTest, EveryOperation) {
  const uint64_t operations = OperationsOfWorkload();
  uint64_t crashes = 0;
  for (uint64_t n = 1; n <= operations; ++n) {
    SimDisk disk(n);
    disk.CrashAtOperation(n, GetParam());
    Workload workload(&disk, kSeed);
    if (!workload.Run(kSteps)) ++crashes;
    SCOPED_TRACE(absl::StrCat("crash at operation ", n, ": ", disk.crash_site()));
    workload.Kill();
    CheckAfterCrash(&disk, workload);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(crashes, operations);
}

TEST_P(EngineCrashTest, EveryOperationOfRecovery) {
  // Crashed states from all over the workload, and recovery crashed at each of its steps.
  const uint64_t operations = OperationsOfWorkload();
  for (uint64_t n = 5; n <= operations; n += 23) {
    SimDisk disk(n);
    disk.CrashAtOperation(n, GetParam());
    Workload workload(&disk, kSeed);
    workload.Run(kSteps);
    workload.Kill();
    disk.Restart();
    for (uint64_t m = 1;; ++m) {
      const std::unique_ptr<SimDisk> fork = disk.Fork();
      fork->Reseed(m);
      fork->CrashAtOperation(m, GetParam());
      {
        SimFileSystem file_system(fork.get());
        RecoveryReport report;
        const bool opened = Engine::Open(file_system, OptionsFor(201), &report).ok();
        // The removal of old files may fail without anybody minding.
        if (opened && !fork->crashed()) break;
      }
      SCOPED_TRACE(absl::StrCat("crash at ", n, ", recovery's at ", m, ": ", fork->crash_site()));
      CheckAfterCrash(fork.get(), workload);
      if (testing::Test::HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, EngineCrashTest,
                         testing::Values(CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                         CrashLoss::kNothing, CrashLoss::kProcessOnly));

// A disk that sees many processes come and go: numbers, stale files and leftovers of one
// life meet the next.
TEST(EngineLivesTest, ManyCrashesOnOneDisk) {
  int recovered = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SimDisk disk(seed);
    Random random(seed);
    Workload workload(&disk, 1000 * seed);
    for (int life = 0; life < 12; ++life) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", life ", life));
      const CrashLoss losses[] = {CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                  CrashLoss::kNothing, CrashLoss::kProcessOnly};
      disk.CrashAtOperation(1 + random.Below(300), losses[random.Below(4)]);
      workload.Run(kSteps);
      if (workload.engine() != nullptr && !disk.crashed()) workload.CheckReads();
      workload.Kill();
      disk.Crash(CrashLoss::kProcessOnly);
      const std::unique_ptr<SimDisk> fork = disk.Fork();
      CheckAfterCrash(fork.get(), workload);
      disk.Restart();
      if (workload.durable() > 0) ++recovered;
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(recovered, 200);
}

struct ErrorCase {
  FileOperation operation;
  FaultEffect effect;
};

class EngineErrorTest : public testing::TestWithParam<ErrorCase> {
 protected:
  // Runs the workload with the fault; returns whether it took effect.
  void RunWith(uint64_t nth, uint64_t times) {
    SimDisk disk(nth);
    disk.Inject({.operation = GetParam().operation,
                 .effect = GetParam().effect,
                 .nth = nth,
                 .times = times,
                 .path_contains = ""});
    Workload workload(&disk, kSeed);
    SCOPED_TRACE(absl::StrCat(sim::FileOperationName(GetParam().operation), " ", nth));
    const bool opened = workload.Run(kSteps);
    const bool met = disk.operations(GetParam().operation) >= nth;
    disk.ClearFaults();
    if (opened) {
      workload.CheckReads();
      workload.Settle();
      workload.CheckReads();
      if (workload.engine()->health().ok()) {
        // The reason has passed: everything that was accepted becomes durable, and
        // everything that went wrong is made good.
        EXPECT_EQ(workload.durable(), workload.attempted());
        EXPECT_EQ(workload.engine()->stats().immutable_memtables, 0u);
      }
    }
    met_ = met;
    workload.Kill();
    disk.Crash(CrashLoss::kRandomSubset);
    CheckAfterCrash(&disk, workload);
  }

  bool met_ = false;
};

TEST_P(EngineErrorTest, OnceAtEveryCall) {
  uint64_t nth = 1;
  for (;; ++nth) {
    RunWith(nth, 1);
    if (testing::Test::HasFailure() || !met_) break;
  }
  EXPECT_GT(nth, 3u);
}

TEST_P(EngineErrorTest, ForAWhileFromEveryCall) {
  for (uint64_t nth = 1;; nth += 3) {
    RunWith(nth, 20);
    if (testing::Test::HasFailure() || !met_) break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Errors, EngineErrorTest,
    testing::Values(ErrorCase{FileOperation::kAppend, FaultEffect::kEio},
                    ErrorCase{FileOperation::kAppend, FaultEffect::kEnospc},
                    ErrorCase{FileOperation::kAppend, FaultEffect::kShortWriteEio},
                    ErrorCase{FileOperation::kAppend, FaultEffect::kShortWriteEnospc},
                    ErrorCase{FileOperation::kSync, FaultEffect::kFailedSyncLost},
                    ErrorCase{FileOperation::kSync, FaultEffect::kFailedSyncKept},
                    ErrorCase{FileOperation::kSyncDir, FaultEffect::kEio},
                    ErrorCase{FileOperation::kCreate, FaultEffect::kEio},
                    ErrorCase{FileOperation::kCreate, FaultEffect::kEnospc},
                    ErrorCase{FileOperation::kRename, FaultEffect::kEio},
                    ErrorCase{FileOperation::kRename, FaultEffect::kEnospc},
                    ErrorCase{FileOperation::kRead, FaultEffect::kEio},
                    ErrorCase{FileOperation::kOpen, FaultEffect::kEio},
                    ErrorCase{FileOperation::kRemove, FaultEffect::kEio}));

}  // namespace
}  // namespace norn::storage
