// Each fault of the simulated disk has its effect, and the effect is counted.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "sim/testing/sim_disk_fixture.h"
#include "storage/file_system.h"

namespace norn::sim {
namespace {

using storage::RandomAccessFile;
using storage::WritableFile;

TEST_F(SimFileSystemTest, EveryKindOfOperationCanFail) {
  using Op = FileOperation;
  std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "bytes");
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_->OpenForRead("/d/a");
  ASSERT_TRUE(reader.ok());
  char scratch[5];
  const auto perform = [&](Op operation) -> absl::Status {
    switch (operation) {
      case Op::kAppend:
        return file->Append("x");
      case Op::kSync:
        return file->Sync();
      case Op::kRead:
        return (*reader)->Read(0, 5, scratch);
      case Op::kOpen:
        return fs_->OpenForRead("/d/a").status();
      case Op::kCreate:
        return fs_->CreateNew("/d/b", 0).status();
      case Op::kRename:
        return fs_->Rename("/d/a", "/d/c");
      case Op::kRemove:
        return fs_->Remove("/d/a");
      case Op::kSyncDir:
        return fs_->SyncDir("/d");
      case Op::kList:
        return fs_->List("/d").status();
      case Op::kCreateDir:
        return fs_->CreateDir("/d/sub");
      case Op::kLock:
        return fs_->LockDir("/d").status();
      case Op::kLink:
        return fs_->Link("/d/a", "/d/e");
    }
    return absl::OkStatus();
  };
  for (int i = 0; i < kFileOperationCount; ++i) {
    const Op operation = static_cast<Op>(i);
    SCOPED_TRACE(FileOperationName(operation));
    const uint64_t before = disk_.operations(operation);
    Plan(operation, FaultEffect::kEio);
    EXPECT_EQ(disk_.planned_faults(), 1u);
    const absl::Status status = perform(operation);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "/d")) << status;
    EXPECT_EQ(disk_.planned_faults(), 0u);
    EXPECT_EQ(disk_.operations(operation), before + 1);
  }
  EXPECT_EQ(disk_.counters().eio, static_cast<uint64_t>(kFileOperationCount - 1));
  EXPECT_EQ(disk_.counters().failed_syncs, 1u);
  // Nothing was changed by what failed, and nothing fails twice.
  EXPECT_EQ(disk_.Files().size(), 1u);
  EXPECT_EQ(Content("/d/a"), "bytes");
  for (const Op operation : {Op::kAppend, Op::kSync, Op::kRead, Op::kOpen, Op::kCreate, Op::kList,
                             Op::kCreateDir, Op::kLock, Op::kSyncDir, Op::kRename}) {
    EXPECT_TRUE(perform(operation).ok()) << FileOperationName(operation);
  }
}

TEST_F(SimFileSystemTest, AFullDiskCanBeFeigned) {
  std::unique_ptr<WritableFile> file = Create("/d/a");
  const FileOperation kinds[] = {FileOperation::kAppend, FileOperation::kCreate,
                                 FileOperation::kRename, FileOperation::kCreateDir};
  for (const FileOperation kind : kinds) Plan(kind, FaultEffect::kEnospc);
  constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;
  EXPECT_EQ(file->Append("x").code(), kFull);
  EXPECT_EQ(fs_->CreateNew("/d/b", 0).status().code(), kFull);
  EXPECT_EQ(fs_->Rename("/d/a", "/d/b").code(), kFull);
  EXPECT_EQ(fs_->CreateDir("/d/sub").code(), kFull);
  EXPECT_EQ(disk_.counters().enospc, 4u);
  EXPECT_EQ(Content("/d/a"), "");
}

TEST_F(SimFileSystemTest, AFaultWaitsForItsTurnAndItsPath) {
  std::unique_ptr<WritableFile> wal = Create("/d/1.wal");
  std::unique_ptr<WritableFile> table = Create("/d/2.sst");
  DiskFault fault;
  fault.operation = FileOperation::kAppend;
  fault.nth = 2;
  fault.times = 2;
  fault.path_contains = ".wal";
  disk_.Inject(fault);
  std::string outcome;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(table->Append("x").ok());
    outcome += wal->Append("x").ok() ? '+' : '-';
  }
  EXPECT_EQ(outcome, "+--++");
  EXPECT_EQ(disk_.counters().eio, 2u);
  EXPECT_EQ(disk_.planned_faults(), 0u);
  fault.nth = 1;
  fault.times = DiskFault::kForever;
  disk_.Inject(fault);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(wal->Append("x").ok());
  disk_.ClearFaults();
  EXPECT_TRUE(wal->Append("x").ok());
}

TEST_F(SimFileSystemTest, FaultsThatAreDueAtOnceTakeTurns) {
  std::unique_ptr<WritableFile> file = Create("/d/a");
  Plan(FileOperation::kAppend, FaultEffect::kEio);
  Plan(FileOperation::kAppend, FaultEffect::kEnospc);
  EXPECT_EQ(file->Append("x").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(file->Append("x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(file->Append("x").ok());
}

TEST_F(SimFileSystemTest, AShortWriteLeavesAPrefix) {
  std::set<size_t> sizes;
  for (int i = 0; i < 100; ++i) {
    const std::string path = absl::StrCat("/d/", i);
    std::unique_ptr<WritableFile> file = Create(path);
    const bool full = i % 2 == 0;
    Plan(FileOperation::kAppend,
         full ? FaultEffect::kShortWriteEnospc : FaultEffect::kShortWriteEio);
    EXPECT_EQ(file->Append("1234").code(),
              full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kDataLoss);
    const std::string content = Content(path);
    EXPECT_EQ(content, std::string("1234").substr(0, content.size()));
    sizes.insert(content.size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{0, 1, 2, 3}));
  EXPECT_EQ(disk_.counters().short_writes, 100u);
}

TEST_F(SimFileSystemTest, AFailedSyncLosesOrKeepsAsPlanned) {
  for (const bool lost : {true, false}) {
    const std::string path = lost ? "/d/lost" : "/d/kept";
    std::unique_ptr<WritableFile> file = CreateDurable(path, "synced");
    ASSERT_TRUE(file->Append("+doomed").ok());
    Plan(FileOperation::kSync, lost ? FaultEffect::kFailedSyncLost : FaultEffect::kFailedSyncKept);
    EXPECT_EQ(file->Sync().code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(file->Sync().ok()) << "it proves nothing";
    EXPECT_EQ(Content(path), "synced+doomed");
  }
  EXPECT_EQ(disk_.counters().failed_syncs, 2u);
  disk_.Crash(CrashLoss::kNothing);
  EXPECT_EQ(Content("/d/kept"), "synced+doomed");
  EXPECT_EQ(Content("/d/lost"), "synced" + std::string(7, '\0'));
  EXPECT_EQ(disk_.counters().failed_sync_lost_bytes, 7u);
}

TEST_F(SimFileSystemTest, AnInputOutputErrorOfASyncLosesOrKeepsByChance) {
  std::set<bool> kept;
  for (int i = 0; i < 20; ++i) {
    const std::string path = absl::StrCat("/d/", i);
    std::unique_ptr<WritableFile> file = Create(path);
    ASSERT_TRUE(file->Append("bytes").ok());
    Plan(FileOperation::kSync, FaultEffect::kEio);
    EXPECT_EQ(file->Sync().code(), absl::StatusCode::kDataLoss);
  }
  disk_.Crash(CrashLoss::kNothing);
  for (int i = 0; i < 20; ++i) kept.insert(Content(absl::StrCat("/d/", i)) == "bytes");
  EXPECT_EQ(kept.size(), 2u);
}

TEST_F(SimFileSystemTest, ALyingSyncIsMadeUpForByAnHonestOne) {
  std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "synced");
  Plan(FileOperation::kSync, FaultEffect::kLyingSync);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk_.counters().lying_syncs, 0u) << "there was nothing to lie about";
  ASSERT_TRUE(file->Append("+more").ok());
  Plan(FileOperation::kSync, FaultEffect::kLyingSync);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk_.counters().lying_syncs, 1u);
  const std::unique_ptr<SimDisk> fork = disk_.Fork();
  fork->Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(*fork->Contents("/d/a"), "synced");
  EXPECT_TRUE(file->Sync().ok());
  disk_.Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(Content("/d/a"), "synced+more");
}

TEST_F(SimFileSystemTest, ALostWriteIsMissedOnlyAfterPowerFails) {
  std::unique_ptr<WritableFile> file = CreateDurable("/d/a", "synced");
  Plan(FileOperation::kAppend, FaultEffect::kLostWrite);
  ASSERT_TRUE(file->Append("+lost").ok());
  ASSERT_TRUE(file->Append("+kept").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(disk_.counters().lost_writes, 1u);
  EXPECT_EQ(Content("/d/a"), "synced+lost+kept");
  disk_.Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(Content("/d/a"), absl::StrCat("synced", std::string(5, '\0'), "+kept"));
}

TEST_F(SimFileSystemTest, AMisdirectedWriteHitsDurableBytes) {
  CreateDurable("/d/victim", std::string(3000, 'v'));
  std::set<size_t> hits;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const std::unique_ptr<SimDisk> fork = disk_.Fork();
    fork->Reseed(seed);
    SimFileSystem fs(fork.get());
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs.CreateNew("/d/a", 0);
    DiskFault fault;
    fault.effect = FaultEffect::kMisdirectedWrite;
    fork->Inject(fault);
    ASSERT_TRUE((*file)->Append("strayed").ok() && (*file)->Sync().ok());
    ASSERT_TRUE(fs.SyncDir("/d").ok());
    EXPECT_EQ(fork->counters().misdirected_writes, 1u);
    const std::string damaged = *fs.ReadFile("/d/victim");
    EXPECT_EQ(damaged.size(), 3000u);
    hits.insert(damaged.find("strayed"));
    EXPECT_EQ(fork->counters().damaged_reads, 1u);
    fork->Crash(CrashLoss::kNothing);
    EXPECT_NE(*fork->Contents("/d/a"), "strayed");
  }
  EXPECT_EQ(hits, (std::set<size_t>{0, 512, 1024, 1536, 2048, 2560}));
}

TEST_F(SimFileSystemTest, AMisdirectedWriteWithNothingToHitIsNotCounted) {
  std::unique_ptr<WritableFile> file = Create("/d/a");
  Plan(FileOperation::kAppend, FaultEffect::kMisdirectedWrite);
  ASSERT_TRUE(file->Append("strayed").ok());
  EXPECT_EQ(disk_.counters().misdirected_writes, 0u);
}

TEST_F(SimFileSystemTest, DamageIsCountedWhenItIsRead) {
  CreateDurable("/d/a", std::string(1000, 'a'));
  ASSERT_TRUE(disk_.FlipBit("/d/a", 100, 3).ok());
  ASSERT_TRUE(disk_.Overwrite("/d/a", 900, "zz").ok());
  EXPECT_EQ(disk_.counters().bit_flips, 1u);
  EXPECT_EQ(disk_.counters().overwrites, 1u);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_->OpenForRead("/d/a");
  ASSERT_TRUE(reader.ok());
  char scratch[200];
  EXPECT_TRUE((*reader)->Read(200, 200, scratch).ok());
  EXPECT_EQ(disk_.counters().damaged_reads, 0u);
  EXPECT_TRUE((*reader)->Read(100, 1, scratch).ok());
  EXPECT_EQ(scratch[0], 'a' ^ 8);
  EXPECT_TRUE((*reader)->Read(800, 200, scratch).ok());
  EXPECT_EQ(disk_.counters().damaged_reads, 2u);
  // Damage that cannot be done is an error, and not counted.
  EXPECT_EQ(disk_.FlipBit("/d/b", 0, 0).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk_.FlipBit("/d/a", 1000, 0).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(disk_.Overwrite("/d/a", 999, "zz").code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(disk_.counters().bit_flips + disk_.counters().overwrites, 2u);
}

TEST_F(SimFileSystemTest, ABadRangeFailsWhoReadsIt) {
  CreateDurable("/d/a", std::string(1000, 'a'));
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_->OpenForRead("/d/a");
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(disk_.AddReadError("/d/a", 500, 600).ok());
  char scratch[200];
  EXPECT_TRUE((*reader)->Read(300, 200, scratch).ok());
  EXPECT_TRUE((*reader)->Read(600, 200, scratch).ok());
  EXPECT_EQ((*reader)->Read(599, 1, scratch).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*reader)->Read(400, 200, scratch).code(), absl::StatusCode::kDataLoss);
  // It is the medium's, not the name's or the process's.
  ASSERT_TRUE(fs_->Rename("/d/a", "/d/b").ok());
  disk_.Crash(CrashLoss::kNothing);
  Boot();
  EXPECT_EQ(fs_->ReadFile("/d/b").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(disk_.counters().read_errors, 3u);
  ASSERT_TRUE(disk_.ClearReadErrors("/d/b").ok());
  EXPECT_TRUE(fs_->ReadFile("/d/b").ok());
  EXPECT_EQ(disk_.AddReadError("/d/a", 0, 1).code(), absl::StatusCode::kNotFound);
}

TEST_F(SimFileSystemTest, WipeLeavesAnEmptyDisk) {
  CreateDurable("/d/a", "bytes");
  disk_.Wipe();
  EXPECT_TRUE(disk_.crashed());
  EXPECT_EQ(disk_.counters().wipes, 1u);
  EXPECT_TRUE(disk_.Files().empty());
  EXPECT_EQ(disk_.used_bytes(), 0u);
  disk_.Restart();
  SimFileSystem fs(&disk_);
  EXPECT_FALSE(fs.Exists("/d"));
  EXPECT_TRUE(fs.CreateDir("/d").ok());
}

TEST_F(SimFileSystemTest, RoomRunsOutAndComesBack) {
  disk_.set_capacity_bytes(100);
  std::unique_ptr<WritableFile> a = CreateDurable("/d/a", std::string(60, 'a'));
  std::unique_ptr<WritableFile> b = Create("/d/b");
  EXPECT_EQ(b->Append(std::string(50, 'b')).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Content("/d/b"), std::string(40, 'b')) << "what there was room for";
  EXPECT_EQ(fs_->CreateNew("/d/c", 0).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk_.counters().disk_full, 2u);
  EXPECT_EQ(disk_.used_bytes(), 100u);
  EXPECT_TRUE(fs_->Remove("/d/b").ok());
  EXPECT_EQ(disk_.used_bytes(), 60u);
  EXPECT_TRUE(b->Append("nobody's room").ok()) << "a file without a name takes none";
  std::unique_ptr<WritableFile> c = Create("/d/c");
  EXPECT_TRUE(c->Append(std::string(40, 'c')).ok());
  EXPECT_TRUE(fs_->Rename("/d/c", "/d/a").ok());
  EXPECT_EQ(disk_.used_bytes(), 40u) << "what was replaced is gone";
  // The crash undoes the rename, and with it the room.
  disk_.Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(disk_.used_bytes(), 60u);
}

TEST_F(SimFileSystemTest, PreallocatedRoomIsKeptForItsFile) {
  disk_.set_capacity_bytes(100);
  std::unique_ptr<WritableFile> log = Create("/d/log", 70);
  EXPECT_EQ(disk_.used_bytes(), 70u);
  std::unique_ptr<WritableFile> other = Create("/d/other", 70);
  EXPECT_EQ(disk_.used_bytes(), 70u) << "a hint that cannot be met is dropped";
  EXPECT_EQ(other->Append(std::string(31, 'o')).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(log->Append(std::string(30, 'l')).ok());
  EXPECT_EQ(disk_.used_bytes(), 100u);
  EXPECT_TRUE(log->Close().ok());
  EXPECT_EQ(disk_.used_bytes(), 60u);
  std::unique_ptr<WritableFile> last = Create("/d/last", 10);
  last.reset();
  EXPECT_EQ(disk_.used_bytes(), 60u) << "destroying closes";
}

TEST(FaultCountersTest, EveryCounterIsNamed) {
  // A counter that is missing from the list, or listed twice, would not reach reports.
  FaultCounters counters;
  const size_t n = sizeof(counters) / sizeof(uint64_t);
  std::set<std::string> names;
  for (const auto& [name, value] : counters.Named()) names.insert(name);
  EXPECT_EQ(names.size(), n);
}

TEST_F(SimFileSystemTest, ALinkTakesNoRoomAndTheLastNameGivesItBack) {
  CreateDurable("/d/a", std::string(1000, 'x'));
  const uint64_t used = disk_.used_bytes();
  ASSERT_TRUE(fs_->Link("/d/a", "/d/b").ok());
  EXPECT_EQ(disk_.used_bytes(), used);
  ASSERT_TRUE(fs_->SyncDir("/d").ok());
  disk_.Crash(CrashLoss::kAllUnsynced);
  EXPECT_EQ(disk_.used_bytes(), used);
  disk_.Restart();
  SimFileSystem next(&disk_);
  ASSERT_TRUE(next.Remove("/d/a").ok());
  EXPECT_EQ(disk_.used_bytes(), used);
  EXPECT_EQ(Content("/d/b"), std::string(1000, 'x'));
  ASSERT_TRUE(next.Remove("/d/b").ok());
  EXPECT_EQ(disk_.used_bytes(), used - 1000);
}

TEST_F(SimFileSystemTest, LinksFailAsPlanned) {
  CreateDurable("/d/a", "bytes");
  disk_.set_hard_links(false);
  EXPECT_TRUE(absl::IsUnimplemented(fs_->Link("/d/a", "/d/b")));
  disk_.set_hard_links(true);
  Plan(FileOperation::kLink, FaultEffect::kEnospc);
  EXPECT_TRUE(absl::IsResourceExhausted(fs_->Link("/d/a", "/d/b")));
  Plan(FileOperation::kLink, FaultEffect::kEio);
  EXPECT_TRUE(absl::IsDataLoss(fs_->Link("/d/a", "/d/b")));
  EXPECT_FALSE(fs_->Exists("/d/b"));
  EXPECT_TRUE(fs_->Link("/d/a", "/d/b").ok());
}

}  // namespace
}  // namespace norn::sim
