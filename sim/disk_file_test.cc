#include "sim/disk_file.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "sim/disk_fault.h"

namespace norn::sim {
namespace {

// `n` bytes that are neither zero nor like those of another offset within 250.
std::string Bytes(uint64_t begin, uint64_t n) {
  std::string bytes;
  for (uint64_t i = begin; i < begin + n; ++i) bytes += static_cast<char>(1 + i % 251);
  return bytes;
}

void AppendBytes(DiskFile* file, uint64_t n) { file->Append(Bytes(file->size(), n)); }

// True if [begin, end) of the file is as it was written.
bool Intact(const DiskFile& file, uint64_t begin, uint64_t end) {
  return file.size() >= end &&
         file.content().compare(begin, end - begin, Bytes(begin, end - begin)) == 0;
}

RC_GTEST_PROP(DiskFileProperty, ACrashNeverTakesWhatWasSynced, ()) {
  DiskFile file(1);
  uint64_t synced = 0;
  std::set<uint64_t> lengths = {0};
  for (const uint64_t n :
       *rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 2000))) {
    if (n < 200) {
      file.Sync();
      synced = file.size();
    } else {
      AppendBytes(&file, n);
      lengths.insert(file.size());
    }
  }
  const uint64_t written = file.size();
  const auto loss = *rc::gen::element(CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                      CrashLoss::kNothing, CrashLoss::kProcessOnly);
  Random random(*rc::gen::arbitrary<uint64_t>());
  FaultCounters counters;
  file.Crash(loss, Bytes(77, 5000), &random, &counters);
  RC_ASSERT(file.size() >= synced);
  RC_ASSERT(Intact(file, 0, synced));
  if (loss == CrashLoss::kAllUnsynced) RC_ASSERT(file.size() == synced);
  if (loss == CrashLoss::kNothing || loss == CrashLoss::kProcessOnly) {
    RC_ASSERT(Intact(file, 0, written));
  }
  // It stops where an append did, or at a sector in the middle of one.
  RC_ASSERT(lengths.count(file.size()) > 0 || file.size() % kSectorBytes == 0);
  RC_ASSERT(counters.crash_lost_bytes == written - file.size());
}

TEST(DiskFileTest, AnyOfTheLengthsIsFound) {
  std::set<uint64_t> lengths;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    DiskFile file(1);
    AppendBytes(&file, 100);
    file.Sync();
    AppendBytes(&file, 50);
    AppendBytes(&file, 1500);  // from 150 to 1650
    Random random(seed);
    FaultCounters counters;
    file.Crash(CrashLoss::kRandomSubset, "", &random, &counters);
    lengths.insert(file.size());
  }
  EXPECT_EQ(lengths, (std::set<uint64_t>{100, 150, 512, 1024, 1536, 1650}));
}

TEST(DiskFileTest, AnySubsetOfTheSectorsIsFound) {
  // Three sectors, of which 100 bytes are synced: which are intact, among the crashes
  // that kept the whole length?
  std::set<std::string> subsets;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    DiskFile file(1);
    AppendBytes(&file, 100);
    file.Sync();
    AppendBytes(&file, 1436);
    Random random(seed);
    FaultCounters counters;
    file.Crash(CrashLoss::kRandomSubset, "", &random, &counters);
    if (file.size() != 1536) continue;
    ASSERT_TRUE(Intact(file, 0, 100));
    std::string kept;
    for (const uint64_t begin : std::vector<uint64_t>{100, 512, 1024}) {
      kept += Intact(file, begin, (begin / 512 + 1) * 512) ? 'k' : '-';
    }
    EXPECT_EQ(static_cast<uint64_t>(std::count(kept.begin(), kept.end(), '-')),
              counters.crash_lost_sectors);
    subsets.insert(kept);
  }
  EXPECT_EQ(subsets.size(), 8u);
}

TEST(DiskFileTest, ALostSectorHoldsZerosOrOlderContentOrAnOlderVersion) {
  const std::string scrap(kSectorBytes, 'S');
  std::set<std::string> kinds;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    DiskFile file(1);
    file.Append(std::string(kSectorBytes, 'o'));
    file.Sync();
    file.Append("one.");
    file.Append("two.");
    Random random(seed);
    FaultCounters counters;
    file.Crash(CrashLoss::kRandomSubset, scrap, &random, &counters);
    if (file.size() == kSectorBytes + 8) kinds.insert(file.content().substr(kSectorBytes));
  }
  const std::string zeros(8, '\0');
  EXPECT_EQ(kinds, (std::set<std::string>{"one.two.", zeros, "oooooooo", "SSSSSSSS",
                                          "one." + zeros.substr(4), "one.oooo", "one.SSSS"}));
}

TEST(DiskFileTest, AFailedSyncDoomsItsBytes) {
  int lost = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    DiskFile file(1);
    AppendBytes(&file, 1000);
    file.Sync();
    AppendBytes(&file, 1000);
    file.FailSync();
    EXPECT_TRUE(Intact(file, 0, 2000)) << "the cache still has them";
    AppendBytes(&file, 1000);
    file.Sync();  // it says OK, and vouches for the last append only
    EXPECT_EQ(file.durable_size(), 3000u);
    Random random(seed);
    FaultCounters counters;
    file.Crash(CrashLoss::kProcessOnly, "", &random, &counters);
    EXPECT_TRUE(Intact(file, 0, 3000)) << "so it does when only the process dies";
    file.Crash(seed % 2 == 0 ? CrashLoss::kRandomSubset : CrashLoss::kNothing, "", &random,
               &counters);
    ASSERT_EQ(file.size(), 3000u);
    EXPECT_TRUE(Intact(file, 0, 1000));
    EXPECT_TRUE(Intact(file, 2000, 3000));
    EXPECT_EQ(counters.failed_sync_lost_bytes, 1000u);
    if (!Intact(file, 1000, 2000)) ++lost;
  }
  EXPECT_EQ(lost, 100);
}

TEST(DiskFileTest, WithoutALaterSyncEvenTheLengthOfAFailedSyncIsOpen) {
  std::set<uint64_t> lengths;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    DiskFile file(1);
    AppendBytes(&file, 100);
    file.FailSync();
    file.FailSync();
    EXPECT_EQ(file.durable_size(), 0u);
    Random random(seed);
    FaultCounters counters;
    file.Crash(CrashLoss::kRandomSubset, "", &random, &counters);
    EXPECT_FALSE(Intact(file, 0, 100));
    EXPECT_EQ(counters.failed_sync_lost_bytes, file.size()) << "each byte once";
    lengths.insert(file.size());
  }
  EXPECT_EQ(lengths, (std::set<uint64_t>{0, 100}));
}

TEST(DiskFileTest, DamageIsKnown) {
  DiskFile file(1);
  AppendBytes(&file, 100);
  file.Sync();
  const std::string before = file.content();
  file.FlipBit(10, 7);
  file.Overwrite(20, "xyz");
  EXPECT_EQ(static_cast<unsigned char>(file.content()[10]),
            static_cast<unsigned char>(before[10]) ^ 0x80u);
  EXPECT_EQ(file.content().substr(20, 3), "xyz");
  EXPECT_TRUE(file.Damaged(0, 100));
  EXPECT_TRUE(file.Damaged(10, 1));
  EXPECT_TRUE(file.Damaged(22, 50));
  EXPECT_FALSE(file.Damaged(11, 9));
  EXPECT_FALSE(file.Damaged(23, 77));
  EXPECT_FALSE(file.Damaged(10, 0));
}

}  // namespace
}  // namespace norn::sim
