// Directories that are not as the engine left them: of a later release, with files missing, empty
// or of another store, on a file system that refuses or lacks something. Each is an error that
// names the file and says what to do, or has a fallback that loses nothing. (What rots in place
// is engine_damage_test.cc's; a checkpoint without hard links is engine_checkpoint_test.cc's.)
//
// A clock that goes back is none of them: the engine has no clock. tests/tidy refuses every one
// in storage/, but for the POSIX file system's files.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/crc32c.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/record_log.h"
#include "storage/table_format.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;
using sim::FaultEffect;
using sim::FileOperation;

constexpr int kKeys = 900;

class EngineBadInputTest : public EngineTest {
 protected:
  // A store with several tables, a slot, and writes in its log only. Closed.
  void MakeStore() {
    ASSERT_TRUE(Open().ok());
    Fill(0, kKeys, "v");
    engine_->WriteSlot("lease", "17", 1);
    RunJobs(engine_.get());
    ASSERT_GT(engine_->stats().tables, 1u);
    Crash(CrashLoss::kNothing);
  }

  void Replace(const std::string& path, absl::string_view bytes) {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove(path).ok()) << path;
    const auto file = direct.CreateNew(path, 0);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }

  // Writes that the next opening finds in the log, and has to make a table of.
  void MakeTail() {
    ASSERT_TRUE(Open().ok());
    MustPut(Key(0), "v0");
    RunJobs(engine_.get());
    Crash(CrashLoss::kAllUnsynced);
  }

  void Remove(const std::string& path) {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.Remove(path).ok()) << path;
    ASSERT_TRUE(direct.SyncDir("/data").ok());
  }

  // One file of each kind.
  std::vector<std::string> OneOfEachKind() {
    return {"/data/CURRENT", FilesEndingIn(".manifest").back(), FilesEndingIn(".wal").back(),
            FilesEndingIn(".sst").front(), "/data/lease.slot"};
  }

  // Opened or refused, the file is named, and a key is there or an error: never absent.
  void ExpectToldOf(const std::string& path) {
    SCOPED_TRACE(path);
    const absl::Status status = Open();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "rebuild")) << status;
      return;
    }
    bool named = false;
    for (const std::string& note : report_.notes) named |= absl::StrContains(note, path);
    EXPECT_TRUE(named);
    int wrong = 0;
    for (int i = 0; i < kKeys; ++i) {
      const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), Key(i));
      if (value.ok() && *value == absl::StrCat("v", i)) continue;
      ++wrong;
      // What was in a log or a slot only is gone, and the replica is told to doubt itself.
      EXPECT_TRUE(!value.ok() || report_.suspect) << Key(i) << " is absent";
    }
    const bool is_slot = absl::EndsWith(path, ".slot");
    EXPECT_EQ(wrong == 0, is_slot);
    EXPECT_EQ(engine_->ReadSlot("lease").has_value(), !is_slot);
    EXPECT_TRUE(report_.suspect || !is_slot);
  }

  void ExpectNewerRefused(const std::string& path) {
    const absl::Status status = Open();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "newer")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "run the release that wrote it")) << status;
  }

  void ExpectWhole() {
    ASSERT_TRUE(Open().ok());
    EXPECT_FALSE(report_.suspect) << report_.notes.front();
    const auto all = ScanAll(engine_.get(), 100);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->size(), static_cast<size_t>(kKeys));
    EXPECT_EQ(engine_->ReadSlot("lease"), "17");
  }
};

TEST_F(EngineBadInputTest, AFileOfALaterReleaseIsRefusedAndLeftAlone) {
  MakeStore();
  for (const std::string& path : OneOfEachKind()) {
    if (absl::EndsWith(path, ".slot")) continue;  // carries no format of its own
    const std::string before = *disk_.Contents(path);
    std::string bytes = before;
    if (absl::EndsWith(path, "CURRENT")) {
      bytes = "norn storage\nformat 99\n";
      absl::StrAppend(&bytes, "crc ", absl::Hex(Crc32c(bytes), absl::kZeroPad8), "\n");
    } else if (absl::EndsWith(path, ".sst")) {
      char* const footer = bytes.data() + bytes.size() - kFooterBytes;
      StoreFixed32(footer + kFooterBytes - 16, kTableFormat + 1);
      StoreFixed32(footer + kFooterBytes - 12,
                   Crc32c(absl::string_view(footer, kFooterBytes - 12)));
    } else {
      StoreFixed32(bytes.data() + 8, kLogFormat + 1);
      StoreFixed32(bytes.data() + kLogHeaderBytes - 4,
                   Crc32c(absl::string_view(bytes.data(), kLogHeaderBytes - 4)));
    }
    Replace(path, bytes);
    ExpectNewerRefused(path);
    EXPECT_EQ(*disk_.Contents(path), bytes) << "what a later release wrote is not touched";
    Replace(path, before);
  }
  ExpectWhole();
}

TEST_F(EngineBadInputTest, AMissingFileIsTold) {
  MakeStore();
  for (const std::string& path : OneOfEachKind()) {
    // A slot that is not there was never written, as far as anyone can tell: its owner knows.
    if (absl::EndsWith(path, ".slot")) continue;
    engine_.reset();
    disk_.Wipe();
    disk_.Restart();
    MakeStore();
    Remove(path);
    ExpectToldOf(path);
  }
}

TEST_F(EngineBadInputTest, AnEmptyFileIsTold) {
  for (size_t i = 0; i < 5; ++i) {
    engine_.reset();
    disk_.Wipe();
    disk_.Restart();
    MakeStore();
    const std::string path = OneOfEachKind()[i];
    Replace(path, "");
    ExpectToldOf(path);
  }
}

TEST_F(EngineBadInputTest, EmptyFilesThatHoldNothingAreNoMatter) {
  MakeStore();
  Replace("/data/LOCK", "");
  {
    sim::SimFileSystem direct(&disk_);
    for (const char* name : {"/data/999990.sst", "/data/999991.manifest", "/data/999992.tmp",
                             "/data/999993.wal", "/data/notes.txt"}) {
      ASSERT_TRUE(direct.CreateNew(name, 0).ok());
    }
  }
  ExpectWhole();
  EXPECT_FALSE(disk_.Contents("/data/999990.sst").ok());
  EXPECT_TRUE(disk_.Contents("/data/notes.txt").ok()) << "not a file of the engine's";
  // Their numbers are not used again.
  EXPECT_GT(FilesEndingIn(".wal").back(), "/data/999993.wal");
}

TEST_F(EngineBadInputTest, AFileOfAnotherStoreIsNotTakenForOnesOwn) {
  MakeStore();
  std::vector<std::pair<std::string, std::string>> foreign;
  for (const std::string& path : OneOfEachKind()) {
    foreign.emplace_back(path, *disk_.Contents(path));
  }
  for (const auto& [path, bytes] : foreign) {
    if (absl::EndsWith(path, "CURRENT") || absl::EndsWith(path, ".slot")) continue;  // say the same
    engine_.reset();
    disk_.Wipe();
    disk_.Restart();
    options_.seed += 1000;  // other ids, and the same numbers
    MakeStore();
    const auto paths = OneOfEachKind();
    ASSERT_NE(std::find(paths.begin(), paths.end(), path), paths.end());
    ASSERT_NE(*disk_.Contents(path), bytes);
    Replace(path, bytes);
    if (absl::EndsWith(path, ".manifest")) {
      // It names tables by number and id: none of them is the one that is there.
      if (Open().ok()) {
        EXPECT_GT(engine_->stats().damaged_tables, 0u);
        for (int i = 0; i < kKeys; ++i) {
          const auto value = GetNow(engine_.get(), Key(i));
          EXPECT_TRUE(!value.ok() || value->has_value() || report_.suspect) << Key(i);
        }
      }
      continue;
    }
    ExpectToldOf(path);
  }
}

TEST_F(EngineBadInputTest, WithoutPermissionNothingIsOpenedAndNothingLost) {
  MakeStore();
  for (const FileOperation operation :
       {FileOperation::kLock, FileOperation::kList, FileOperation::kOpen, FileOperation::kCreate,
        FileOperation::kRename, FileOperation::kSyncDir}) {
    for (uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE(absl::StrCat(sim::FileOperationName(operation), " ", nth));
      disk_.Inject({.operation = operation,
                    .effect = FaultEffect::kDenied,
                    .nth = nth,
                    .times = 1,
                    .path_contains = ""});
      const absl::Status status = Open();
      const bool met = disk_.planned_faults() == 0;
      disk_.ClearFaults();
      if (!met) break;
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
        EXPECT_TRUE(absl::StrContains(status.message(), "/data")) << status;
        EXPECT_TRUE(absl::StrContains(status.message(), "check owner and mode")) << status;
      } else {
        // A table that cannot be opened is an error for its keys, until the next start.
        EXPECT_EQ(operation, FileOperation::kOpen);
        EXPECT_EQ(engine_->stats().damaged_tables, 1u);
      }
      ExpectWhole();
      Crash(CrashLoss::kAllUnsynced);
    }
  }
}

TEST_F(EngineBadInputTest, WithoutRoomNothingIsOpenedAndNothingLost) {
  MakeStore();
  int refused = 0;
  for (const FileOperation operation :
       {FileOperation::kCreate, FileOperation::kAppend, FileOperation::kRename}) {
    for (uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE(absl::StrCat(sim::FileOperationName(operation), " ", nth));
      MakeTail();
      disk_.Inject({.operation = operation,
                    .effect = FaultEffect::kEnospc,
                    .nth = nth,
                    .times = 1,
                    .path_contains = ""});
      const absl::Status status = Open();
      const bool met = disk_.planned_faults() == 0;
      disk_.ClearFaults();
      if (!met) break;
      ASSERT_FALSE(status.ok());
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "/data/")) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "free room")) << status;
      ++refused;
      Crash(CrashLoss::kRandomSubset);
      ExpectWhole();
    }
  }
  EXPECT_GT(refused, 6);
}

TEST_F(EngineBadInputTest, RoomThatCannotBeSetAsideIsDoneWithout) {
  disk_.set_capacity_bytes(4u << 20);
  options_.wal_preallocate_bytes = 1u << 30;
  MakeStore();
  ExpectWhole();
}

TEST_F(EngineBadInputTest, AFileWhereTheDirectoryShouldBe) {
  {
    sim::SimFileSystem direct(&disk_);
    ASSERT_TRUE(direct.CreateNew("/data", 0).ok());
  }
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/data")) << status;
}

}  // namespace
}  // namespace norn::storage
