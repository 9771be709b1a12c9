#include "storage/block.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
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

TEST(BlockTest, FindAgreesWithAMap) {
  Random random(3);
  const auto draw = [&random] {  // keys that are prefixes of each other, signs and zeros
    std::string key(random.Below(7), '\0');
    for (char& c : key) c = "\0a\x80\xff"[random.Below(4)];
    return key;
  };
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, uint64_t> entries;
    while (entries.size() < 1 + random.Below(60)) entries[draw()] = random.Next64();
    BlockBuilder builder(static_cast<int>(1 + random.Below(17)));
    const auto is_deletion = [](uint64_t sequence) { return sequence % 4 == 0; };
    for (const auto& [key, sequence] : entries) {
      if (is_deletion(sequence)) {
        builder.Add(key, sequence, "", EntryKind::kDeletion);
      } else {
        builder.Add(key, sequence, key + "'s value");
      }
    }
    const auto block = Block::Parse(std::string(builder.Finish()));
    ASSERT_NE(block, nullptr);
    for (int probe = 0; probe < 200; ++probe) {
      const std::string key = draw();
      absl::string_view value;
      uint64_t sequence = 0;
      const Block::Outcome outcome = block->Find(key, &value, &sequence);
      const auto expected = entries.find(key);
      if (expected == entries.end()) {
        ASSERT_EQ(outcome, Block::Outcome::kAbsent);
        continue;
      }
      ASSERT_EQ(sequence, expected->second);
      BlockCursor cursor(block);
      cursor.Seek(key);
      ASSERT_TRUE(cursor.Valid());
      if (is_deletion(sequence)) {
        ASSERT_EQ(outcome, Block::Outcome::kDeleted);
        ASSERT_EQ(cursor.kind(), EntryKind::kDeletion);
        ASSERT_EQ(cursor.value(), "");
        continue;
      }
      ASSERT_EQ(outcome, Block::Outcome::kFound);
      ASSERT_EQ(cursor.kind(), EntryKind::kValue);
      ASSERT_EQ(value, key + "'s value");
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

// A block of one restart, at `restart`, and one entry.
std::string BlockOfOne(uint64_t shared, uint64_t unshared, uint64_t value_size, uint32_t restart) {
  std::string bytes;
  for (const uint64_t number : {shared, unshared, value_size, uint64_t{1}}) {
    AppendVarint(&bytes, number);
  }
  bytes += "keyvalue";
  AppendFixed32(&bytes, restart);
  AppendFixed32(&bytes, 1);
  return bytes;
}

TEST(BlockTest, EntriesThatDoNotFitAreDamage) {
  const auto is_damaged = [](std::string bytes) {
    BlockCursor cursor(Block::Parse(std::move(bytes)));
    cursor.SeekToFirst();
    EXPECT_NE(cursor.Valid(), cursor.damaged());
    return cursor.damaged();
  };
  EXPECT_FALSE(is_damaged(BlockOfOne(0, 3, 5, 0)));
  EXPECT_TRUE(is_damaged(BlockOfOne(1, 3, 5, 0)));  // shares with no key
  EXPECT_TRUE(is_damaged(BlockOfOne(UINT64_MAX, 3, 5, 0)));
  EXPECT_TRUE(is_damaged(BlockOfOne(0, 3, 6, 0)));
  EXPECT_TRUE(is_damaged(BlockOfOne(0, 9, 0, 0)));
  EXPECT_TRUE(is_damaged(BlockOfOne(0, UINT64_MAX, 5, 0)));
  EXPECT_TRUE(is_damaged(BlockOfOne(0, 3, UINT64_MAX, 0)));
  EXPECT_EQ(Block::Parse(BlockOfOne(0, 3, 5, 1)), nullptr);  // the first must be a restart
  EXPECT_EQ(Block::Parse(BlockOfOne(0, 3, 5, 99)), nullptr);
  std::string two_restarts = BlockOfOne(0, 3, 5, 0);
  two_restarts.resize(two_restarts.size() - 4);
  AppendFixed32(&two_restarts, 12);  // behind the only entry
  AppendFixed32(&two_restarts, 2);
  EXPECT_EQ(Block::Parse(two_restarts), nullptr);
  EXPECT_EQ(Block::Parse(""), nullptr);
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
    absl::string_view value;
    uint64_t sequence = 0;
    if (block->Find(KeyOf(random.Below(100)), &value, &sequence) == Block::Outcome::kFound) {
      ASSERT_LE(value.size(), bad.size());
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace norn::storage
