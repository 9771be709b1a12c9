// The durable log of a process: what was synced is there after any crash, and what is there is
// what was appended, in its order, without a gap.

#include "sim/protocol_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"

namespace norn::sim {
namespace {

std::vector<std::string> Recover(SimDisk* disk) {
  if (disk->crashed()) disk->Restart();
  SimFileSystem files(disk);
  std::vector<std::string> records;
  const auto log = ProtocolLog::Open(&files, &records);
  EXPECT_TRUE(log.ok()) << log.status().message();
  return records;
}

// Empty ones, small ones, some over several sectors.
std::string RecordOf(Random& random, int number) {
  const uint64_t kind = random.Below(4);
  if (kind == 0) return "";
  return absl::StrCat(number, ":", std::string(random.Below(kind == 1 ? 2'000 : 30), 'x'));
}

TEST(ProtocolLog, ACrashAnywhereLeavesAllThatWasSyncedAndNoGap) {
  uint64_t cut = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    SimDisk disk(seed);
    std::vector<std::string> appended;
    size_t durable = 0;
    for (int life = 0; life < 4; ++life) {
      if (disk.crashed()) disk.Restart();
      SimFileSystem files(&disk);
      std::vector<std::string> records;
      disk.CrashAtOperation(1 + random.Below(30), static_cast<CrashLoss>(random.Below(3)));
      const auto log = ProtocolLog::Open(&files, &records);
      if (!log.ok()) continue;  // the crash fell into recovery
      ASSERT_GE(records.size(), durable) << "seed " << seed;
      ASSERT_LE(records.size(), appended.size()) << "seed " << seed;
      cut += records.size() < appended.size() ? 1 : 0;
      appended.resize(records.size());
      ASSERT_EQ(records, appended) << "seed " << seed;
      durable = records.size();
      for (int i = 0; i < 40; ++i) {
        const std::string record = RecordOf(random, i);
        appended.push_back(record);  // what the crash falls upon may be there as well
        if (!(*log)->Append(record).ok()) break;
        if (!random.Chance(1, 3)) continue;
        if (!(*log)->Sync().ok()) break;
        durable = appended.size();
      }
    }
    disk.CancelCrash();
    const std::vector<std::string> records = Recover(&disk);
    ASSERT_GE(records.size(), durable) << "seed " << seed;
    appended.resize(records.size());
    ASSERT_EQ(records, appended) << "seed " << seed;
  }
  EXPECT_GT(cut, 50u) << "hardly any crash took anything: this proves nothing";
}

TEST(ProtocolLog, ZerosAreNoRecords) {
  SimDisk disk(1);
  std::string path;
  {
    SimFileSystem files(&disk);
    std::vector<std::string> records;
    const auto log = ProtocolLog::Open(&files, &records);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->Append("first").ok());
    ASSERT_TRUE((*log)->Append(std::string(64, 'x')).ok());
    ASSERT_TRUE((*log)->Sync().ok());
    ASSERT_EQ(disk.Files().size(), 1u);
    path = disk.Files().front().path;
  }
  const uint64_t second = 8 + 5;
  ASSERT_TRUE(disk.Overwrite(path, second, std::string(8 + 64, '\0')).ok());
  EXPECT_EQ(Recover(&disk), std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace norn::sim
