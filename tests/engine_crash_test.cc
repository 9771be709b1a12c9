// The engine against a disk that crashes at every single file operation: engine_workload.h says
// what must hold afterwards.

#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "tests/engine_workload.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::SimDisk;
using sim::SimFileSystem;

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

}  // namespace
}  // namespace norn::storage
