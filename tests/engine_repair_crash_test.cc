// Damage, quarantine and excision against a disk that crashes at every single file operation.
//
// A store of two versions of every key, the newer ones in tables of which some blocks go bad. Then
// it is scrubbed, compacted, repaired as a replica repairs (newer records over what is unreadable),
// and what is left of the damage is excised. Claimed, wherever it crashes:
//   * until the owner has asked for an excision, a key has its newest value or answers an error:
//     never an older value, never "not found";
//   * from then on, too, for every key outside the damaged ranges, and for every one whose repair
//     was acknowledged; of the others nothing is left, older values neither;
//   * nothing is lost that was acknowledged, and nothing is called suspect;
//   * in the end, with excision repeated, no key answers an error, and the damaged tables are gone
//     or free to go.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

constexpr int kKeys = 120;

EngineOptions OptionsFor(uint64_t seed) {
  EngineOptions options;
  options.dir = "/data";
  options.owner = "cluster/n1";
  options.seed = seed;
  options.memtable_bytes = 6000;
  options.wal_preallocate_bytes = 0;
  options.block_bytes = 256;
  options.index_partition_bytes = 100;
  options.block_cache_bytes = 0;
  options.level0_tables_to_compact = 4;
  options.level0_percent = 100;
  options.level1_bytes = 1u << 20;
  options.table_bytes = 3000;
  return options;
}

std::string Key(int i) { return absl::StrCat("key", 1000 + i); }
std::string Value(int i, int version) {
  return absl::StrCat("v", version, "-", i, std::string(40, '.'));
}

// Runs jobs until there are none or the disk crashes.
void Work(SimDisk* disk, Engine* engine) {
  while (!disk->crashed()) {
    bool ran = false;
    for (const Lane lane : {Lane::kLog, Lane::kRead, Lane::kBackground}) {
      std::unique_ptr<Job> job = engine->NextJob(lane);
      if (job == nullptr) continue;
      while (!job->RunStep()) {
      }
      if (disk->crashed()) return;
      engine->Finish(std::move(job));
      ran = true;
    }
    if (!ran) return;
  }
}

class RepairCrashTest : public testing::TestWithParam<CrashLoss> {
 protected:
  // A disk with both versions of every key, and bits flipped in tables of second versions: in two
  // data blocks of one, and in the footer of another.
  static std::unique_ptr<SimDisk> Prepare() {
    auto disk = std::make_unique<SimDisk>(1);
    disk->set_page_cache(false);
    {
      SimFileSystem files(disk.get());
      RecoveryReport report;
      auto engine = Engine::Open(files, OptionsFor(1), &report);
      EXPECT_TRUE(engine.ok()) << engine.status();
      for (int version = 0; version < 2; ++version) {
        for (int i = 0; i < kKeys; ++i) {
          uint64_t sequence = 0;
          EXPECT_TRUE((*engine)->Put(Key(i), Value(i, version), &sequence).ok());
          if (i % 10 == 0) RunJobs(engine->get());
        }
      }
      RunJobs(engine->get());
      disk->Crash(CrashLoss::kAllUnsynced);
    }
    disk->Restart();
    std::vector<SimDisk::FileState> tables;
    for (const SimDisk::FileState& file : disk->Files()) {
      if (absl::EndsWith(file.path, ".sst") && file.size > 3000) tables.push_back(file);
    }
    EXPECT_GE(tables.size(), 3u);
    EXPECT_TRUE(disk->FlipBit(tables.back().path, 300, 2).ok());
    EXPECT_TRUE(disk->FlipBit(tables.back().path, 1500, 2).ok());
    const SimDisk::FileState& other = tables[tables.size() - 2];
    EXPECT_TRUE(disk->FlipBit(other.path, other.size - 50, 2).ok());
    return disk;
  }

  // What the owner knows.
  struct Owner {
    std::map<int, std::string> repaired;  // acknowledged
    std::map<int, std::string> repairing;
    std::vector<DamagedRange> excised;  // asked for

    bool MayBeExcised(const std::string& key) const {
      return std::any_of(excised.begin(), excised.end(), [&](const DamagedRange& range) {
        return range.from <= key && key < range.until;
      });
    }
  };

  // One life of the process: scrubs, repairs every other key that cannot be read, excises. False
  // if it crashed.
  static bool Live(SimDisk* disk, uint64_t seed, Owner* owner) {
    SimFileSystem files(disk);
    RecoveryReport report;
    auto engine = Engine::Open(files, OptionsFor(seed), &report);
    if (!engine.ok()) {
      EXPECT_TRUE(disk->crashed()) << engine.status();
      return false;
    }
    EXPECT_FALSE(report.suspect);
    const uint64_t passes = (*engine)->stats().scrub_passes;
    while (!disk->crashed() && (*engine)->stats().scrub_passes < passes + 2) {
      (*engine)->GrantScrub(1u << 20);
      Work(disk, engine->get());
    }
    if (disk->crashed()) return false;
    const std::vector<DamagedRange> ranges = (*engine)->damaged_ranges();
    for (int i = 0; i < kKeys; i += 2) {
      const bool damaged = std::any_of(
          ranges.begin(), ranges.end(),
          [&](const DamagedRange& range) { return range.from <= Key(i) && Key(i) < range.until; });
      if (!damaged || owner->repaired.contains(i)) continue;
      uint64_t sequence = 0;
      EXPECT_TRUE((*engine)->Put(Key(i), Value(i, 2), &sequence).ok());
      owner->repairing[i] = Value(i, 2);
    }
    Work(disk, engine->get());
    if (disk->crashed()) return false;
    owner->repaired.insert(owner->repairing.begin(), owner->repairing.end());
    owner->excised.insert(owner->excised.end(), ranges.begin(), ranges.end());
    for (const DamagedRange& range : ranges) {
      EXPECT_TRUE((*engine)->ExciseDamage(range.from, range.until, range.sequence).ok());
    }
    Work(disk, engine->get());
    if (disk->crashed()) return false;
    EXPECT_TRUE((*engine)->damaged_ranges().empty());
    return true;
  }

  static void Check(SimDisk* disk, uint64_t seed, const Owner& owner, int* errors, int* missing) {
    SimFileSystem files(disk);
    RecoveryReport report;
    auto engine = Engine::Open(files, OptionsFor(seed), &report);
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_FALSE(report.suspect) << report.notes.front();
    for (int i = 0; i < kKeys; ++i) {
      const auto found = GetNow(engine->get(), Key(i));
      if (!found.ok()) {
        EXPECT_TRUE(absl::IsDataLoss(found.status())) << found.status();
        EXPECT_FALSE(owner.repaired.contains(i)) << Key(i) << ": " << found.status();
        ++*errors;
        continue;
      }
      const std::string value = found->value_or("(absent)");
      if (owner.repairing.contains(i) && value == Value(i, 2)) continue;
      EXPECT_FALSE(owner.repaired.contains(i)) << Key(i) << " is " << value;
      if (value == Value(i, 1)) continue;
      EXPECT_TRUE(owner.MayBeExcised(Key(i))) << Key(i) << " is " << value;
      EXPECT_EQ(value, "(absent)") << Key(i);  // the older version is not to show again
      ++*missing;
    }
  }
};

TEST_P(RepairCrashTest, AtEveryOperation) {
  const std::unique_ptr<SimDisk> prepared = Prepare();
  uint64_t crashes = 0;
  int errors = 0;
  int missing = 0;
  for (uint64_t n = 1;; ++n) {
    const std::unique_ptr<SimDisk> disk = prepared->Fork();
    disk->Reseed(n);
    disk->CrashAtOperation(n, GetParam());
    Owner owner;
    const bool done = Live(disk.get(), 100, &owner);
    SCOPED_TRACE(absl::StrCat("crash at operation ", n, ": ", disk->crash_site()));
    disk->CancelCrash();
    disk->Crash(CrashLoss::kAllUnsynced);
    disk->Restart();
    Check(disk.get(), 200, owner, &errors, &missing);
    disk->Crash(CrashLoss::kAllUnsynced);
    disk->Restart();
    // Another life finishes what the first one began.
    EXPECT_TRUE(Live(disk.get(), 300, &owner));
    disk->Crash(CrashLoss::kAllUnsynced);
    disk->Restart();
    int left = 0;
    Check(disk.get(), 400, owner, &left, &missing);
    EXPECT_EQ(left, 0);
    if (testing::Test::HasFailure()) return;
    if (done) break;
    ++crashes;
  }
  EXPECT_GT(crashes, 60u);
  EXPECT_GT(errors, 1000);
  EXPECT_GT(missing, 100);
}

INSTANTIATE_TEST_SUITE_P(Losses, RepairCrashTest,
                         testing::Values(CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                         CrashLoss::kNothing, CrashLoss::kProcessOnly));

}  // namespace
}  // namespace norn::storage
