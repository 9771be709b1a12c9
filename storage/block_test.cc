#include "storage/block.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

std::string KeyOf(uint64_t i) { return absl::StrCat("prefix", absl::Dec(i, absl::kZeroPad4)); }

// Keys KeyOf(0), KeyOf(3), KeyOf(6), ...
std::string BuildBlock(uint64_t entries, int restart_interval) {
  BlockBuilder builder(restart_interval);
  for (uint64_t i = 0; i < entries; ++i) {
    builder.Add(KeyOf(3 * i), i + 100, absl::StrCat("value", i));
  }
  const size_t estimate = builder.bytes();
  const std::string bytes(builder.Finish());
  EXPECT_EQ(bytes.size(), estimate);
  return bytes;
}

TEST(BlockTest, WalksAndSeeksAtEveryRestartInterval) {
  for (const int interval : {1, 2, 3, 16, 1000}) {
    const auto block = Block::Parse(BuildBlock(100, interval));
    ASSERT_NE(block, nullptr);
    BlockCursor cursor(block);
    cursor.SeekToFirst();
    for (uint64_t i = 0; i < 100; ++i, cursor.Next()) {
      ASSERT_TRUE(cursor.Valid());
      ASSERT_EQ(cursor.key(), KeyOf(3 * i));
      ASSERT_EQ(cursor.value(), absl::StrCat("value", i));
      ASSERT_EQ(cursor.sequence(), i + 100);
    }
    EXPECT_FALSE(cursor.Valid());
    EXPECT_FALSE(cursor.damaged());
    for (uint64_t i = 0; i < 301; ++i) {
      cursor.Seek(KeyOf(i));
      const uint64_t next = (i + 2) / 3;
      ASSERT_EQ(cursor.Valid(), next < 100) << i;
      if (next < 100) {
        ASSERT_EQ(cursor.key(), KeyOf(3 * next)) << i;
      }
    }
  }
}

TEST(BlockTest, SharedPrefixesAreNotStored) {
  EXPECT_LT(BuildBlock(100, 16).size(), BuildBlock(100, 1).size() * 3 / 4);
}

TEST(BlockTest, AnEmptyBlockHasNoEntries) {
  const auto block = Block::Parse(BuildBlock(0, 16));
  ASSERT_NE(block, nullptr);
  BlockCursor cursor(block);
  cursor.SeekToFirst();
  EXPECT_FALSE(cursor.Valid());
  cursor.Seek("x");
  EXPECT_FALSE(cursor.Valid());
}

TEST(BlockTest, HostileBytesDoNotCrash) {
  const std::string good = BuildBlock(30, 4);
  Random random(5);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
      bad[random.Below(bad.size())] = static_cast<char>(random.Next64());
    }
    if (random.Chance(1, 4)) bad.resize(random.Below(bad.size()));
    const auto block = Block::Parse(bad);
    if (block == nullptr) {
      ++refused;
      continue;
    }
    BlockCursor cursor(block);
    int entries = 0;
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++entries;
    ASSERT_LE(entries, static_cast<int>(bad.size()));
    cursor.Seek(KeyOf(random.Below(100)));
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace norn::storage
