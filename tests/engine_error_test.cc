// The engine against a disk that fails at every single file operation, once or for a while:
// engine_workload.h says what must hold afterwards.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "storage/engine.h"
#include "tests/engine_workload.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::DiskFault;
using sim::FaultEffect;
using sim::FileOperation;
using sim::SimDisk;

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
    met_ = disk.operations(GetParam().operation) >= nth;
    disk.ClearFaults();
    if (opened) CheckPassed(&workload);
    workload.Kill();
    disk.Crash(CrashLoss::kRandomSubset);
    CheckAfterCrash(&disk, workload);
  }

  // The reason has passed.
  void CheckPassed(Workload* workload) {
    workload->CheckReads();
    workload->Settle();
    workload->CheckReads();
    const absl::Status health = workload->engine()->health();
    if (!health.ok()) {
      ++poisoned_;
      EXPECT_TRUE(MayPoison()) << health;
      const std::string what = absl::StrCat(sim::FileOperationName(GetParam().operation), " /data");
      EXPECT_TRUE(absl::StrContains(health.message(), what)) << health;
      return;
    }
    // Everything that was accepted becomes durable, and everything that went wrong is made good.
    EXPECT_EQ(workload->durable(), workload->attempted());
    EXPECT_EQ(workload->engine()->stats().immutable_memtables, 0u);
    EXPECT_EQ(workload->engine()->stats().damaged_ranges, 0u);
  }

  // Only a write or a sync of the log, or of the directory that names it, that failed for another
  // reason than a full disk. Most of those must: see the tests.
  static bool MayPoison() {
    const bool full = GetParam().effect == FaultEffect::kEnospc ||
                      GetParam().effect == FaultEffect::kShortWriteEnospc;
    switch (GetParam().operation) {
      case FileOperation::kAppend:
      case FileOperation::kSync:
      case FileOperation::kSyncDir:
      case FileOperation::kCreate:
        return !full;
      default:
        return false;
    }
  }

  // Of operations that only opening does.
  static bool IsRare() {
    return GetParam().operation == FileOperation::kList ||
           GetParam().operation == FileOperation::kLock ||
           GetParam().operation == FileOperation::kCreateDir;
  }

  bool met_ = false;
  int poisoned_ = 0;
};

TEST_P(EngineErrorTest, OnceAtEveryCall) {
  uint64_t nth = 1;
  for (;; ++nth) {
    RunWith(nth, 1);
    if (testing::Test::HasFailure() || !met_) break;
  }
  EXPECT_GT(nth, IsRare() ? 1u : 3u);
  EXPECT_EQ(poisoned_ > 0, MayPoison());
}

// A life that went well and was ended, and the fault in the one that follows: in its recovery, or
// in what it does after that.
TEST_P(EngineErrorTest, OnceAtEveryCallOfALaterLife) {
  int refused = 0;
  for (uint64_t nth = 1;; ++nth) {
    SimDisk disk(nth);
    Workload workload(&disk, kSeed);
    ASSERT_TRUE(workload.Run(450));
    workload.Kill();
    disk.Crash(CrashLoss::kProcessOnly);
    disk.Restart();
    disk.Inject({.operation = GetParam().operation,
                 .effect = GetParam().effect,
                 .nth = nth,
                 .times = 1,
                 .path_contains = ""});
    SCOPED_TRACE(absl::StrCat(sim::FileOperationName(GetParam().operation), " ", nth));
    bool opened = workload.Run(250);
    const bool met = disk.planned_faults() == 0;
    disk.ClearFaults();
    if (!opened) {
      // It has said so, and whoever tries again finds everything.
      ++refused;
      workload.Kill();
      opened = workload.Run(50);
      EXPECT_TRUE(opened);
    }
    if (opened) CheckPassed(&workload);
    workload.Kill();
    disk.Crash(CrashLoss::kRandomSubset);
    CheckAfterCrash(&disk, workload);
    if (testing::Test::HasFailure() || !met) break;
  }
  // Nothing depends on a file that is superfluous, and a table may wait.
  if (GetParam().operation != FileOperation::kRemove &&
      GetParam().operation != FileOperation::kOpen) {
    EXPECT_GT(refused, 0);
  }
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
                    ErrorCase{FileOperation::kRemove, FaultEffect::kEio},
                    ErrorCase{FileOperation::kSync, FaultEffect::kEio},
                    ErrorCase{FileOperation::kList, FaultEffect::kEio},
                    ErrorCase{FileOperation::kLock, FaultEffect::kEio},
                    ErrorCase{FileOperation::kCreateDir, FaultEffect::kEio},
                    ErrorCase{FileOperation::kCreateDir, FaultEffect::kEnospc}));

}  // namespace
}  // namespace norn::storage
