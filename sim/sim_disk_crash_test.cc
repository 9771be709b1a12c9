// What a crash does to the disk and to who was using it. The contract that the simulated
// disk shares with a real one is in tests/contracts/.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "sim/testing/sim_disk_fixture.h"
#include "storage/file_system.h"

namespace norn::sim {
namespace {

using storage::DirectoryLock;
using storage::RandomAccessFile;
using storage::WritableFile;

TEST_F(SimFileSystemTest, WhatWasNotSyncedIsLostSometimesAndKeptSometimes) {
  std::set<std::string> outcomes;
  const std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "synced");
  ASSERT_TRUE(file->Append("+pending").ok());
  ASSERT_NE(Create("/d/new"), nullptr);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::unique_ptr<SimDisk> fork = disk_.Fork();
    fork->Reseed(seed);
    fork->Crash(CrashLoss::kRandomSubset);
    const absl::StatusOr<std::string> content = fork->Contents("/d/a");
    ASSERT_TRUE(content.ok());
    ASSERT_EQ(content->substr(0, 6), "synced");
    outcomes.insert(absl::StrCat(*content, fork->Contents("/d/new").ok() ? " new" : ""));
  }
  const std::string zeros(8, '\0');
  EXPECT_EQ(outcomes, (std::set<std::string>{"synced", "synced new", "synced" + zeros,
                                             "synced" + zeros + " new", "synced+pending",
                                             "synced+pending new"}));
}

TEST_F(SimFileSystemTest, TheModesOfACrash) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "synced");
  ASSERT_TRUE(file->Append("+pending").ok());
  const auto after = [&](CrashLoss loss) {
    const std::unique_ptr<SimDisk> fork = disk_.Fork();
    fork->Crash(loss);
    return *fork->Contents("/d/a");
  };
  EXPECT_EQ(after(CrashLoss::kAllUnsynced), "synced");
  EXPECT_EQ(after(CrashLoss::kNothing), "synced+pending");
  EXPECT_EQ(after(CrashLoss::kProcessOnly), "synced+pending");
  // After kNothing it is safe, after kProcessOnly it is not.
  disk_.Crash(CrashLoss::kProcessOnly);
  EXPECT_EQ(after(CrashLoss::kAllUnsynced), "synced");
  disk_.Crash(CrashLoss::kNothing);
  EXPECT_EQ(after(CrashLoss::kAllUnsynced), "synced+pending");
}

TEST_F(SimFileSystemTest, AfterACrashTheOldProcessIsDeadForEver) {
  std::unique_ptr<WritableFile> writer = CreateDurable("/d/a", "bytes");
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_->OpenForRead("/d/a");
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_->LockDir("/d");
  ASSERT_TRUE(reader.ok() && lock.ok());
  SimFileSystem& old = *fs_;
  const std::unique_ptr<SimFileSystem> keep = std::move(fs_);
  const auto expect_dead = [&] {
    EXPECT_TRUE(old.crashed());
    char scratch[5];
    for (const absl::Status& status :
         {writer->Append("x"), writer->Sync(), (*reader)->Read(0, 5, scratch),
          old.CreateNew("/d/b", 0).status(), old.OpenForRead("/d/a").status(),
          old.ReadFile("/d/a").status(), old.List("/d").status(), old.CreateDir("/e"),
          old.Remove("/d/a"), old.Rename("/d/a", "/d/b"), old.SyncDir("/d"),
          old.LockDir("/d").status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "crashed")) << status;
    }
    EXPECT_FALSE(old.Exists("/d/a"));
  };
  disk_.Crash(CrashLoss::kNothing);
  const uint64_t operations = disk_.operations();
  expect_dead();
  SimFileSystem early(&disk_);
  EXPECT_EQ(early.ReadFile("/d/a").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(disk_.operations(), operations) << "nothing was done";
  Boot();
  expect_dead();
  EXPECT_EQ(*fs_->ReadFile("/d/a"), "bytes");
  // The lock died too, and its object going away does not release the new one.
  absl::StatusOr<std::unique_ptr<DirectoryLock>> new_lock = fs_->LockDir("/d");
  ASSERT_TRUE(new_lock.ok()) << new_lock.status();
  lock->reset();
  EXPECT_EQ(fs_->LockDir("/d").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(writer->Close().code(), absl::StatusCode::kAborted);
}

TEST_F(SimFileSystemTest, ACrashAtAnOperationIsNoticedAtOnce) {
  const std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "synced");
  int noticed = 0;
  disk_.set_on_crash([&] { ++noticed; });
  disk_.CrashAtOperation(3, CrashLoss::kAllUnsynced);
  EXPECT_TRUE(file->Append("x").ok());
  EXPECT_TRUE(fs_->Exists("/d/a")) << "not an operation";
  EXPECT_TRUE(file->Append("y").ok());
  EXPECT_EQ(noticed, 0);
  const absl::Status status = file->Append("z");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(noticed, 1);
  EXPECT_TRUE(disk_.crashed());
  EXPECT_EQ(disk_.crash_site(), "append /d/a");
  EXPECT_EQ(Content("/d/a"), "synced");
  EXPECT_EQ(disk_.counters().crashes_at_operation, 1u);
  EXPECT_EQ(disk_.counters().crashes, 1u);
  Boot();
  disk_.CrashAtOperation(1, CrashLoss::kAllUnsynced);
  disk_.CancelCrash();
  EXPECT_TRUE(fs_->List("/d").ok());
}

// What a crash in the middle of one operation leaves of it, when nothing else is lost.
class CrashedOperationTest : public SimFileSystemTest {
 protected:
  template <typename Operation>
  std::set<std::string> Outcomes(const Operation& operation) {
    std::set<std::string> outcomes;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      const std::unique_ptr<SimDisk> fork = disk_.Fork();
      fork->Reseed(seed);
      SimFileSystem fs(fork.get());
      fork->CrashAtOperation(1, CrashLoss::kNothing);
      EXPECT_EQ(operation(&fs).code(), absl::StatusCode::kAborted);
      EXPECT_TRUE(fork->crashed());
      std::string text;
      for (const SimDisk::FileState& file : fork->Files()) absl::StrAppend(&text, file.path, " ");
      fork->Restart();
      if (SimFileSystem(fork.get()).Exists("/d/sub")) text += "and /d/sub";
      outcomes.insert(text);
    }
    return outcomes;
  }
};

TEST_F(CrashedOperationTest, AChangeOfEntriesHappensOrNot) {
  CreateDurable("/d/a", "bytes");
  using Set = std::set<std::string>;
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->CreateNew("/d/b", 0).status(); }),
            (Set{"/d/a ", "/d/a /d/b "}));
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->Remove("/d/a"); }), (Set{"", "/d/a "}));
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->Rename("/d/a", "/d/b"); }),
            (Set{"/d/a ", "/d/b "}));
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->LockDir("/d").status(); }),
            (Set{"/d/a ", "/d/LOCK /d/a "}));
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->CreateDir("/d/sub"); }),
            (Set{"/d/a ", "/d/a and /d/sub"}));
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->List("/d").status(); }), Set{"/d/a "});
  EXPECT_EQ(Outcomes([](SimFileSystem* fs) { return fs->Remove("/d/missing"); }), Set{"/d/a "});
}

TEST_F(SimFileSystemTest, ACrashInAnAppendTearsIt) {
  std::set<uint64_t> sizes;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SimDisk disk(seed);
    SimFileSystem fs(&disk);
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs.CreateNew("/a", 0);
    ASSERT_TRUE(file.ok());
    disk.CrashAtOperation(1, CrashLoss::kNothing);
    EXPECT_EQ((*file)->Append("12345").code(), absl::StatusCode::kAborted);
    const std::string content = *disk.Contents("/a");
    EXPECT_EQ(content, std::string("12345").substr(0, content.size()));
    EXPECT_EQ(disk.counters().torn_appends, content.size() % 5 == 0 ? 0u : 1u);
    sizes.insert(content.size());
  }
  EXPECT_EQ(sizes, (std::set<uint64_t>{0, 1, 2, 3, 4, 5}));
}

TEST_F(SimFileSystemTest, ACrashInASyncComesBeforeOrAfterIt) {
  std::set<std::string> contents;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk disk(seed);
    SimFileSystem fs(&disk);
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs.CreateNew("/a", 0);
    ASSERT_TRUE(file.ok() && fs.SyncDir("/").ok() && (*file)->Append("12345").ok());
    disk.CrashAtOperation(1, CrashLoss::kAllUnsynced);
    EXPECT_EQ((*file)->Sync().code(), absl::StatusCode::kAborted);
    contents.insert(*disk.Contents("/a"));
  }
  EXPECT_EQ(contents, (std::set<std::string>{"", "12345"}));
}

TEST_F(SimFileSystemTest, ACrashInASyncDirComesBeforeOrAfterIt) {
  std::set<bool> found;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimDisk disk(seed);
    SimFileSystem fs(&disk);
    ASSERT_TRUE(fs.CreateNew("/a", 0).ok());
    disk.CrashAtOperation(1, CrashLoss::kAllUnsynced);
    EXPECT_EQ(fs.SyncDir("/").code(), absl::StatusCode::kAborted);
    found.insert(disk.Contents("/a").ok());
  }
  EXPECT_EQ(found, (std::set<bool>{false, true}));
}

TEST_F(SimFileSystemTest, LostSectorsMayShowWhatDeletedFilesHeld) {
  CreateDurable("/d/old", std::string(5000, 'o'));
  ASSERT_TRUE(fs_->Remove("/d/old").ok() && fs_->SyncDir("/d").ok());
  const std::unique_ptr<WritableFile> file = Create("/d/new");
  ASSERT_TRUE(file->Append(std::string(5000, 'n')).ok());
  int shown = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::unique_ptr<SimDisk> fork = disk_.Fork();
    fork->Reseed(seed);
    fork->Crash(CrashLoss::kRandomSubset);
    const absl::StatusOr<std::string> content = fork->Contents("/d/new");
    if (content.ok() && absl::StrContains(*content, "oooo")) ++shown;
  }
  EXPECT_GT(shown, 0);
}

TEST_F(SimFileSystemTest, AnEntryThatWasNotSyncedTakesSyncedBytesDown) {
  const std::unique_ptr<WritableFile> file = Create("/d/a");
  ASSERT_TRUE(file->Append("bytes").ok() && file->Sync().ok());
  ASSERT_EQ(disk_.Files().size(), 1u);
  EXPECT_FALSE(disk_.Files()[0].entry_durable);
  disk_.Crash(CrashLoss::kAllUnsynced);
  EXPECT_TRUE(disk_.Files().empty());
  EXPECT_EQ(disk_.counters().crash_lost_entries, 1u);
}

TEST_F(SimFileSystemTest, TheStateOfTheFilesCanBeInspected) {
  std::unique_ptr<WritableFile> b = CreateDurable("/d/b", "12345");
  ASSERT_TRUE(b->Append("678").ok());
  ASSERT_NE(Create("/d/a"), nullptr);
  const std::vector<SimDisk::FileState> files = disk_.Files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "/d/a");
  EXPECT_FALSE(files[0].entry_durable);
  EXPECT_EQ(files[1].path, "/d/b");
  EXPECT_EQ(files[1].size, 8u);
  EXPECT_EQ(files[1].durable_size, 5u);
  EXPECT_TRUE(files[1].entry_durable);
  EXPECT_EQ(disk_.Contents("/d/c").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SimFileSystemTest, AForkGoesItsOwnWay) {
  std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "bytes");
  Plan(FileOperation::kAppend, FaultEffect::kEio);
  disk_.CrashAtOperation(100, CrashLoss::kNothing);
  const std::unique_ptr<SimDisk> fork = disk_.Fork();
  EXPECT_EQ(fork->planned_faults(), 0u);
  EXPECT_EQ(fork->counters().crashes, 0u);
  SimFileSystem fs(fork.get());
  EXPECT_TRUE(fs.Remove("/d/a").ok());
  EXPECT_TRUE(fs.CreateNew("/d/b", 0).ok());
  EXPECT_EQ(disk_.Files().size(), 1u);
  EXPECT_EQ(Content("/d/a"), "bytes");
  EXPECT_EQ(file->Append("x").code(), absl::StatusCode::kDataLoss);
}

TEST_F(SimFileSystemTest, AForkIsTheSameDisk) {
  disk_.set_capacity_bytes(10);
  std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "12345");
  const std::unique_ptr<SimDisk> fork = disk_.Fork();
  SimFileSystem fs(fork.get());
  absl::StatusOr<std::unique_ptr<WritableFile>> full = fs.CreateNew("/d/b", 0);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ((*full)->Append("123456").code(), absl::StatusCode::kResourceExhausted);
  disk_.Crash(CrashLoss::kNothing);
  EXPECT_TRUE(disk_.Fork()->crashed());
  EXPECT_FALSE(fork->crashed());
}

TEST_F(SimFileSystemTest, AForkDrawsTheSameLotsUntilItIsReseeded) {
  std::unique_ptr<WritableFile> file = Create("/d/a");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(file->Append("1234567").ok());
  ASSERT_TRUE(fs_->SyncDir("/d").ok());
  std::set<size_t> sizes;
  for (int i = 0; i < 10; ++i) {
    const std::unique_ptr<SimDisk> fork = disk_.Fork();
    fork->Crash(CrashLoss::kRandomSubset);
    sizes.insert(fork->Contents("/d/a")->size());
  }
  EXPECT_EQ(sizes.size(), 1u);
  disk_.Crash(CrashLoss::kRandomSubset);
  sizes.insert(Content("/d/a").size());
  EXPECT_EQ(sizes.size(), 1u);
}

}  // namespace
}  // namespace norn::sim
