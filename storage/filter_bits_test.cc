#include "storage/filter_bits.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/bloom.h"

namespace norn::storage {
namespace {

uint64_t Cost(const FilterLevels& levels, const std::array<int, kLevels>& bits) {
  uint64_t cost = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].entries > 0) cost += levels[i].runs * FalsePositivesPerMillion(bits[i]);
  }
  return cost;
}

uint64_t Memory(const FilterLevels& levels, const std::array<int, kLevels>& bits) {
  uint64_t memory = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    memory += levels[i].entries * static_cast<uint64_t>(bits[i]);
  }
  return memory;
}

TEST(FilterBitsTest, TheTableOfRatesIsWhatFiltersDo) {
  for (const int bits : {1, 5, 10, 14}) {
    BloomBuilder builder(bits);
    for (int i = 0; i < 20'000; ++i) builder.Add(absl::StrCat("key", i));
    const std::string filter = builder.Finish();
    uint64_t passed = 0;
    for (int i = 0; i < 200'000; ++i) passed += BloomMayContain(filter, absl::StrCat("no", i));
    const uint64_t expected = FalsePositivesPerMillion(bits) / 5;
    EXPECT_GT(passed, expected * 8 / 10) << bits;
    EXPECT_LT(passed, expected * 12 / 10 + 20) << bits;
  }
  for (int bits = 1; bits + 2 <= kFilterBitsMax; ++bits) {
    EXPECT_GT(FalsePositivesPerMillion(bits) - FalsePositivesPerMillion(bits + 1),
              FalsePositivesPerMillion(bits + 1) - FalsePositivesPerMillion(bits + 2));
  }
}

TEST(FilterBitsTest, UpperLevelsGetMore) {
  const FilterLevels levels = {FilterLevel{.entries = 40'000, .runs = 8},
                               FilterLevel{.entries = 100'000},
                               FilterLevel{.entries = 1'000'000},
                               FilterLevel{.entries = 10'000'000},
                               FilterLevel{},
                               FilterLevel{},
                               FilterLevel{}};
  const std::array<int, kLevels> bits = FilterBits(levels, 10);
  EXPECT_GE(bits[0], bits[1]);
  EXPECT_GT(bits[1], bits[2]);
  EXPECT_GT(bits[2], bits[3]);
  EXPECT_EQ(bits[4], 10);
  std::array<int, kLevels> uniform;
  uniform.fill(10);
  EXPECT_LE(Memory(levels, bits), Memory(levels, uniform));
  EXPECT_LT(Cost(levels, bits) * 4, Cost(levels, uniform));
}

// Of one level there is nothing to choose, and equal ones are treated alike.
TEST(FilterBitsTest, NothingChangesWhereNothingIsGained) {
  FilterLevels levels;
  levels[1].entries = 1000;
  EXPECT_EQ(FilterBits(levels, 10)[1], 10);
  EXPECT_EQ(FilterBits(levels, 0)[1], 1);
  EXPECT_EQ(FilterBits(levels, 64)[1], kFilterBitsMax);
  levels[0] = {.entries = 4000, .runs = 4};
  EXPECT_EQ(FilterBits(levels, 10)[0], 10);
  EXPECT_EQ(FilterBits(levels, 10)[1], 10);
}

// Against every other way to spend the same memory.
TEST(FilterBitsTest, TheSumOfRatesIsLeast) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    FilterLevels levels;
    levels[0].runs = 1 + random.Below(20);
    levels[0].entries = levels[0].runs * (1 + random.Below(1000));
    levels[1].entries = 1 + random.Below(30'000);
    if (random.Chance(1, 2)) levels[2].entries = 1 + random.Below(300'000);
    const int average = static_cast<int>(1 + random.Below(14));
    const std::array<int, kLevels> bits = FilterBits(levels, average);
    std::array<int, kLevels> uniform;
    uniform.fill(average);
    const uint64_t memory = Memory(levels, uniform);
    ASSERT_LE(Memory(levels, bits), memory);
    ASSERT_LE(Cost(levels, bits), Cost(levels, uniform));
    uint64_t least = Cost(levels, uniform);
    std::array<int, kLevels> other = bits;
    for (other[0] = 1; other[0] <= kFilterBitsMax; ++other[0]) {
      for (other[1] = 1; other[1] <= kFilterBitsMax; ++other[1]) {
        for (other[2] = 1; other[2] <= kFilterBitsMax; ++other[2]) {
          if (Memory(levels, other) <= memory) least = std::min(least, Cost(levels, other));
        }
      }
    }
    // Whole bits do not always fill the memory: what is left over is less than a bit of a level.
    ASSERT_LE(Cost(levels, bits), least + least / 8) << round;
  }
}

}  // namespace
}  // namespace norn::storage
