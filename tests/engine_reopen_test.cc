// Recovery can be repeated: opening twice gives the same state, byte for byte where the same
// process opens the same files, and in all that counts where one process follows another; also
// when the first one crashed at any of its file operations.

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
#include "storage/manifest.h"
#include "tests/engine_workload.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::SimDisk;
using sim::SimFileSystem;

// Every file's bytes, but those that only the running process needs.
std::map<std::string, std::string> Bytes(const SimDisk& disk) {
  std::map<std::string, std::string> bytes;
  for (const SimDisk::FileState& file : disk.Files()) {
    bytes[file.path] = *disk.Contents(file.path);
  }
  return bytes;
}

std::map<std::string, std::string> BytesOf(const SimDisk& disk, absl::string_view suffix) {
  std::map<std::string, std::string> bytes = Bytes(disk);
  std::erase_if(bytes, [&](const auto& file) { return !absl::EndsWith(file.first, suffix); });
  return bytes;
}

// What the manifest says; file numbers and logs are new with every opening.
VersionState Version(const SimDisk& disk) {
  const absl::StatusOr<Current> current =
      DecodeCurrent("/data/CURRENT", *disk.Contents("/data/CURRENT"));
  EXPECT_TRUE(current.ok()) << current.status();
  for (const auto& [path, bytes] : BytesOf(disk, ".manifest")) {
    if (!absl::StrContains(path, absl::StrCat(current->manifest, ".manifest"))) continue;
    const absl::StatusOr<VersionState> version = ReadManifest(path, bytes);
    EXPECT_TRUE(version.ok()) << version.status();
    return *version;
  }
  ADD_FAILURE() << "no manifest";
  return VersionState();
}

void ExpectSameVersion(const VersionState& a, const VersionState& b) {
  EXPECT_EQ(a.flushed_sequence, b.flushed_sequence);
  EXPECT_EQ(a.suspect, b.suspect);
  EXPECT_EQ(a.lost_from, b.lost_from);
  EXPECT_EQ(a.given_up, b.given_up);
  EXPECT_EQ(a.quarantine, b.quarantine);
  for (size_t i = 0; i < a.levels.size(); ++i) EXPECT_EQ(a.levels[i], b.levels[i]) << i;
}

// Opens and dies at once.
std::optional<RecoveryReport> OpenOnly(SimDisk* disk, uint64_t seed) {
  SimFileSystem files(disk);
  RecoveryReport report;
  const auto engine = Engine::Open(files, OptionsFor(seed), &report);
  if (disk->crashed()) return std::nullopt;
  EXPECT_TRUE(engine.ok()) << engine.status();
  return report;
}

void ExpectSameReport(const RecoveryReport& a, const RecoveryReport& b) {
  EXPECT_EQ(a.last_sequence, b.last_sequence);
  EXPECT_EQ(a.suspect, b.suspect);
  EXPECT_EQ(a.possibly_lost_from, b.possibly_lost_from);
}

class EngineReopenTest : public testing::TestWithParam<CrashLoss> {
 protected:
  // Disks that a crash has left, from all over the workload.
  static std::vector<std::unique_ptr<SimDisk>> CrashedDisks(uint64_t every) {
    std::vector<std::unique_ptr<SimDisk>> disks;
    const uint64_t operations = OperationsOfWorkload();
    for (uint64_t n = 5; n <= operations; n += every) {
      auto disk = std::make_unique<SimDisk>(n);
      disk->CrashAtOperation(n, GetParam());
      Workload workload(disk.get(), kSeed);
      workload.Run(kSteps);
      workload.Kill();
      disk->Restart();
      disks.push_back(std::move(disk));
    }
    return disks;
  }
};

TEST_P(EngineReopenTest, TheSameOpeningWritesTheSameBytes) {
  for (const std::unique_ptr<SimDisk>& disk : CrashedDisks(3)) {
    const std::unique_ptr<SimDisk> one = disk->Fork();
    const std::unique_ptr<SimDisk> other = disk->Fork();
    const std::optional<RecoveryReport> first = OpenOnly(one.get(), 300);
    const std::optional<RecoveryReport> second = OpenOnly(other.get(), 300);
    ExpectSameReport(*first, *second);
    EXPECT_EQ(first->notes, second->notes);
    EXPECT_EQ(first->wal_records, second->wal_records);
    EXPECT_EQ(Bytes(*one), Bytes(*other));
    EXPECT_EQ(one->operations(), other->operations());
    if (HasFailure()) return;
  }
}

TEST_P(EngineReopenTest, AnotherOpeningFindsTheSameState) {
  for (const std::unique_ptr<SimDisk>& disk : CrashedDisks(3)) {
    const std::optional<RecoveryReport> first = OpenOnly(disk.get(), 300);
    const VersionState version = Version(*disk);
    const std::map<std::string, std::string> tables = BytesOf(*disk, ".sst");
    const std::map<std::string, std::string> slots = BytesOf(*disk, ".slot");
    const size_t files = Bytes(*disk).size();
    for (const CrashLoss loss : {CrashLoss::kProcessOnly, CrashLoss::kAllUnsynced}) {
      disk->Crash(loss);
      disk->Restart();
      const std::optional<RecoveryReport> again = OpenOnly(disk.get(), 400);
      ExpectSameReport(*first, *again);
      EXPECT_EQ(again->wal_records, 0u);
      ExpectSameVersion(version, Version(*disk));
      // Nothing is written again, and nothing gathers.
      EXPECT_EQ(BytesOf(*disk, ".sst"), tables);
      EXPECT_EQ(BytesOf(*disk, ".slot"), slots);
      EXPECT_EQ(Bytes(*disk).size(), files);
    }
    if (HasFailure()) return;
  }
}

TEST_P(EngineReopenTest, ARecoveryThatWasCutShortAnywhereDoesNotChangeTheOutcome) {
  // Of a process that died alone, unsynced bytes may go with the second crash.
  if (GetParam() == CrashLoss::kProcessOnly) return;
  uint64_t cuts = 0;
  for (const std::unique_ptr<SimDisk>& disk : CrashedDisks(17)) {
    const std::unique_ptr<SimDisk> uncut = disk->Fork();
    const std::optional<RecoveryReport> report = OpenOnly(uncut.get(), 300);
    const std::optional<Opened> expected = OpenAndRead(uncut.get(), 301);
    for (uint64_t m = 1;; ++m) {
      const std::unique_ptr<SimDisk> fork = disk->Fork();
      fork->Reseed(m);
      fork->CrashAtOperation(m, CrashLoss::kRandomSubset);
      SCOPED_TRACE(absl::StrCat("recovery's operation ", m));
      if (OpenOnly(fork.get(), 300).has_value()) break;
      ++cuts;
      fork->Restart();
      const std::optional<RecoveryReport> again = OpenOnly(fork.get(), 400);
      ASSERT_TRUE(again.has_value());
      ExpectSameReport(*report, *again);
      const std::optional<Opened> opened = OpenAndRead(fork.get(), 401);
      ASSERT_TRUE(opened.has_value());
      EXPECT_EQ(opened->map, expected->map);
      EXPECT_EQ(opened->slot, expected->slot);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(cuts, 200u);
}

INSTANTIATE_TEST_SUITE_P(Losses, EngineReopenTest,
                         testing::Values(CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                         CrashLoss::kNothing, CrashLoss::kProcessOnly));

}  // namespace
}  // namespace norn::storage
