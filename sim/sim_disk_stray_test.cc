// Reads and writes that go astray, appends that are torn, and the count of what each fault met.

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "sim/testing/sim_disk_fixture.h"
#include "storage/file_system.h"

namespace norn::sim {
namespace {

using StrayTest = SimFileSystemTest;

std::string ReadAt(storage::FileSystem& files, const std::string& path, uint64_t offset, size_t n) {
  const auto reader = files.OpenForRead(path);
  if (!reader.ok()) return reader.status().ToString();
  std::string bytes(n, '?');
  const absl::Status status = (*reader)->Read(offset, n, bytes.data());
  return status.ok() ? bytes : status.ToString();
}

DiskFault Misdirected() {
  DiskFault fault;
  fault.operation = FileOperation::kRead;
  fault.effect = FaultEffect::kMisdirectedRead;
  fault.path_contains = ".sst";
  fault.times = DiskFault::kForever;
  return fault;
}

TEST_F(StrayTest, AMisdirectedReadReturnsAnotherPlaceOfSuchAFile) {
  CreateDurable("/d/1.sst", std::string(600, 'a'));
  CreateDurable("/d/2.sst", std::string(600, 'b'));
  CreateDurable("/d/3.wal", std::string(600, 'c'));
  disk_.Inject(Misdirected());
  EXPECT_EQ(ReadAt(*fs_, "/d/1.sst", 10, 5), "bbbbb");
  EXPECT_EQ(disk_.counters().misdirected_reads, 1u);
  // The second time the device reads well: of each file only once.
  EXPECT_EQ(ReadAt(*fs_, "/d/1.sst", 10, 5), "aaaaa");
  EXPECT_EQ(ReadAt(*fs_, "/d/3.wal", 10, 5), "ccccc");
  EXPECT_EQ(ReadAt(*fs_, "/d/2.sst", 10, 5), "aaaaa");
  EXPECT_EQ(disk_.counters().misdirected_reads, 2u);
}

TEST_F(StrayTest, WhatReturnsTheSameBytesIsNoEffect) {
  CreateDurable("/d/1.sst", std::string(600, 'a'));
  CreateDurable("/d/2.sst", std::string(600, 'a'));
  disk_.Inject(Misdirected());
  EXPECT_EQ(ReadAt(*fs_, "/d/1.sst", 10, 5), "aaaaa");
  EXPECT_EQ(disk_.counters().misdirected_reads, 0u);
}

TEST_F(StrayTest, ATornAppendKeepsItsFirstSectorsAndAllBefore) {
  std::set<size_t> kept;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SimDisk disk(seed);
    auto files = std::make_unique<SimFileSystem>(&disk, "tester");
    ASSERT_TRUE(files->CreateDir("/d").ok());
    ASSERT_TRUE(files->SyncDir("/").ok());
    auto file = files->CreateNew("/d/a", 0);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(files->SyncDir("/d").ok());
    disk.CrashAtTornAppend(2);
    ASSERT_TRUE((*file)->Append(std::string(100, 'a')).ok());  // within a sector
    ASSERT_TRUE((*file)->Append(std::string(500, 'b')).ok());  // the first that spans two
    ASSERT_TRUE((*file)->Append(std::string(424, 'c')).ok());  // ends at a boundary
    EXPECT_TRUE(absl::IsAborted((*file)->Append(std::string(2000, 'd'))));
    EXPECT_EQ(disk.counters().torn_by_plan, 1u);
    EXPECT_EQ(disk.crash_site(), "append /d/a, torn");
    disk.Restart();
    const std::string content = *disk.Contents("/d/a");
    ASSERT_GE(content.size(), 1024u + 512u);
    ASSERT_LT(content.size(), 1024u + 2000u);
    EXPECT_EQ(content.size() % kSectorBytes, 0u);
    EXPECT_EQ(content.substr(0, 1024),
              std::string(100, 'a') + std::string(500, 'b') + std::string(424, 'c'));
    EXPECT_EQ(content.find_first_not_of('d', 1024), std::string::npos);
    kept.insert(content.size() - 1024);
  }
  EXPECT_EQ(kept, (std::set<size_t>{512, 1024, 1536}));
}

TEST_F(StrayTest, ATearThatIsCancelledDoesNotHappen) {
  auto file = CreateDurable("/d/a", "");
  disk_.CrashAtTornAppend(1);
  disk_.CancelCrash();
  EXPECT_TRUE(file->Append(std::string(2000, 'a')).ok());
  disk_.CrashAtTornAppend(1);
  disk_.Crash(CrashLoss::kNothing);
  Boot();
  auto other = CreateDurable("/d/b", "");
  EXPECT_TRUE(other->Append(std::string(2000, 'a')).ok());
}

TEST_F(StrayTest, EachFaultCountsWhatItMetAndEndsAlone) {
  auto file = CreateDurable("/d/a", "bytes");
  DiskFault fault;
  fault.operation = FileOperation::kSync;
  fault.times = 2;
  const uint64_t syncs = disk_.Inject(fault);
  fault.operation = FileOperation::kRead;
  fault.times = DiskFault::kForever;
  const uint64_t reads = disk_.Inject(fault);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(fs_->ReadFile("/d/a").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk_.Taken(syncs), 2u);
  EXPECT_EQ(disk_.Taken(reads), 1u);
  disk_.Cancel(syncs);
  EXPECT_FALSE(fs_->ReadFile("/d/a").ok());
  disk_.Cancel(reads);
  EXPECT_TRUE(fs_->ReadFile("/d/a").ok());
  EXPECT_EQ(disk_.Taken(reads), 2u);
}

}  // namespace
}  // namespace norn::sim
