// Random workloads on the simulated disk, crashed anywhere: what is found afterwards is
// what storage/file_system.h allows, and the same seed finds the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/file_system.h"

namespace norn::sim {
namespace {

using storage::WritableFile;

constexpr CrashLoss kLosses[] = {CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                 CrashLoss::kNothing, CrashLoss::kProcessOnly};

// What a workload did, and so what a crash may leave: written without looking at how the
// disk does it.
class Oracle {
 public:
  struct File {
    std::string written;
    uint64_t synced = 0;
  };

  void Create(const std::string& name) {
    files_.push_back({});
    Touch(name, files_.size() - 1);
  }
  void Append(size_t file, const std::string& bytes) { files_[file].written += bytes; }
  void Sync(size_t file) { files_[file].synced = files_[file].written.size(); }
  void Remove(const std::string& name) {
    names_[name].may_be_absent = true;
    names_[name].now.reset();
  }
  void Rename(const std::string& from, const std::string& to) {
    if (names_[from].now == names_[to].now) return;  // one name, or two of one file
    Touch(to, *names_[from].now);
    Remove(from);
  }
  void Link(const std::string& from, const std::string& to) { Touch(to, *names_[from].now); }
  void SyncDir() {
    for (auto& [name, entry] : names_) {
      entry.may_be.clear();
      if (entry.now.has_value()) entry.may_be.insert(*entry.now);
      entry.may_be_absent = !entry.now.has_value();
    }
  }
  // The file of that name now, if there is one.
  std::optional<size_t> Find(const std::string& name) { return names_[name].now; }

  // "" if the disk is a possible outcome of a crash now, or what is wrong with it.
  std::string Judge(const SimDisk& disk) {
    for (const auto& [name, entry] : names_) {
      const absl::StatusOr<std::string> found = disk.Contents("/d/" + name);
      if (!found.ok()) {
        if (!entry.may_be_absent) return name + " is lost";
        continue;
      }
      const bool possible =
          std::any_of(entry.may_be.begin(), entry.may_be.end(), [&](size_t index) {
            const File& file = files_[index];
            return found->size() >= file.synced && found->size() <= file.written.size() &&
                   found->compare(0, file.synced, file.written, 0, file.synced) == 0;
          });
      if (!possible) return name + " is no file that it may be";
    }
    return "";
  }

 private:
  struct Entry {
    std::optional<size_t> now;
    std::set<size_t> may_be;  // files that it may refer to after a crash
    bool may_be_absent = true;
  };
  void Touch(const std::string& name, size_t file) {
    names_[name].now = file;
    names_[name].may_be.insert(file);
  }

  std::vector<File> files_;
  std::map<std::string, Entry> names_;
};

struct Step {
  int kind = 0;
  int name = 0;
  int other = 0;
  int size = 0;
};

Step RandomStep(Random* random) {
  return {static_cast<int>(random->Below(16)), static_cast<int>(random->Below(4)),
          static_cast<int>(random->Below(4)), static_cast<int>(random->Below(3000))};
}

// Performs steps until one fails. The oracle hears of an operation that may have
// happened before, of one that proves something after.
class Workload {
 public:
  explicit Workload(SimFileSystem* fs) : fs_(fs) {}

  bool Perform(const Step& step) {
    static constexpr const char* kNames[] = {"a", "b", "c", "e"};
    const std::string name = kNames[step.name];
    const std::string path = "/d/" + name;
    const std::string other = kNames[step.other];
    const std::optional<size_t> file = oracle_.Find(name);
    if (step.kind == 0) return Acknowledge(fs_->SyncDir("/d"), [&] { oracle_.SyncDir(); });
    if (!file.has_value()) {
      oracle_.Create(name);
      absl::StatusOr<std::unique_ptr<WritableFile>> created = fs_->CreateNew(path, 0);
      if (!created.ok()) return false;
      writers_[*oracle_.Find(name)] = *std::move(created);
      return true;
    }
    if (step.kind == 1) {
      oracle_.Remove(name);
      return fs_->Remove(path).ok();
    }
    if (step.kind <= 3) {
      oracle_.Rename(name, other);
      return fs_->Rename(path, "/d/" + other).ok();
    }
    if (step.kind <= 6) {
      return Acknowledge(writers_[*file]->Sync(), [&] { oracle_.Sync(*file); });
    }
    if (step.kind == 7 && !oracle_.Find(other).has_value()) {
      oracle_.Link(name, other);
      return fs_->Link(path, "/d/" + other).ok();
    }
    // The bytes differ from file to file, or confusing two would not show.
    const std::string bytes(static_cast<size_t>(step.size), static_cast<char>('A' + *file % 50));
    oracle_.Append(*file, bytes);
    return writers_[*file]->Append(bytes).ok();
  }

  Oracle& oracle() { return oracle_; }

 private:
  template <typename Then>
  static bool Acknowledge(const absl::Status& status, const Then& then) {
    if (status.ok()) then();
    return status.ok();
  }

  SimFileSystem* fs_;
  Oracle oracle_;
  std::map<size_t, std::unique_ptr<WritableFile>> writers_;
};

RC_GTEST_PROP(SimFileSystemProperty, ACrashLeavesWhatTheContractAllows, ()) {
  const uint64_t seed = *rc::gen::arbitrary<uint64_t>();
  const auto steps = *rc::gen::inRange<uint64_t>(1, 60);
  const auto loss =
      *rc::gen::elementOf(std::vector<CrashLoss>(std::begin(kLosses), std::end(kLosses)));
  SimDisk disk(seed);
  SimFileSystem fs(&disk);
  RC_ASSERT(fs.CreateDir("/d").ok());
  RC_ASSERT(fs.SyncDir("/").ok());
  Workload workload(&fs);
  disk.CrashAtOperation(steps, loss);
  Random random(seed);
  for (uint64_t i = 0; i < 2 * steps && workload.Perform(RandomStep(&random)); ++i) {
  }
  if (!disk.crashed()) disk.Crash(loss);
  const std::string verdict = workload.oracle().Judge(disk);
  if (!verdict.empty()) RC_FAIL(verdict);
}

TEST(SimDiskPropertyTest, WhatTheContractForbidsIsNoticed) {
  // The property above can fail: damage to what was synced, and a lost entry, do.
  SimDisk disk(1);
  SimFileSystem fs(&disk);
  ASSERT_TRUE(fs.CreateDir("/d").ok() && fs.SyncDir("/").ok());
  Workload workload(&fs);
  ASSERT_TRUE(workload.Perform({4, 0, 0, 0}));
  ASSERT_TRUE(workload.Perform({9, 0, 0, 2000}));
  ASSERT_TRUE(workload.Perform({4, 0, 0, 0}));
  ASSERT_TRUE(workload.Perform({0, 0, 0, 0}));
  disk.Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(workload.oracle().Judge(disk), "");
  ASSERT_TRUE(disk.FlipBit("/d/a", 1999, 0).ok());
  EXPECT_EQ(workload.oracle().Judge(disk), "a is no file that it may be");
  disk.Wipe();
  EXPECT_EQ(workload.oracle().Judge(disk), "a is lost");
}

// Everything that can be seen of a disk.
std::string Portrait(const SimDisk& disk) {
  std::string text;
  for (const SimDisk::FileState& file : disk.Files()) {
    absl::StrAppend(&text, file.path, " ", file.durable_size, " ", file.entry_durable, " ",
                    *disk.Contents(file.path), "\n");
  }
  for (const auto& [name, value] : disk.counters().Named()) {
    absl::StrAppend(&text, name, "=", value, "\n");
  }
  return absl::StrCat(text, disk.operations(), " ", disk.used_bytes(), " ", disk.crash_site());
}

std::string RunFromSeed(uint64_t seed) {
  SimDisk disk(seed);
  Random random(seed);
  for (int life = 0; life < 5; ++life) {
    disk.Restart();
    SimFileSystem fs(&disk);
    if (!fs.CreateDir("/d").ok() || !fs.SyncDir("/").ok()) break;
    DiskFault fault;
    fault.effect = FaultEffect::kShortWriteEio;
    fault.nth = 1 + random.Below(40);
    disk.Inject(fault);
    // One draw a statement: the order of arguments is the compiler's.
    const uint64_t crash_at = 1 + random.Below(40);
    disk.CrashAtOperation(crash_at, kLosses[random.Below(4)]);
    Workload workload(&fs);
    while (workload.Perform(RandomStep(&random))) {
    }
    if (!disk.crashed()) disk.Crash(CrashLoss::kRandomSubset);
  }
  return Portrait(disk);
}

TEST(SimDiskPropertyTest, TheSameSeedGivesTheSameDisk) {
  std::set<std::string> portraits;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const std::string portrait = RunFromSeed(seed);
    EXPECT_EQ(portrait, RunFromSeed(seed));
    portraits.insert(portrait);
  }
  EXPECT_GT(portraits.size(), 20u) << "and another seed another one";
}

}  // namespace
}  // namespace norn::sim
