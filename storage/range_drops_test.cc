#include "storage/range_drops.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

TEST(RangeDropsTest, NothingIsHiddenByNothing) {
  const RangeDrops drops;
  EXPECT_TRUE(drops.empty());
  EXPECT_FALSE(drops.Hides("a", 0));
  EXPECT_FALSE(drops.HidesAll("", "z", 1));
}

TEST(RangeDropsTest, ARangeHidesWhatIsNotNewer) {
  const RangeDrops drops({{.from = "b", .to = "d", .sequence = 7}});
  EXPECT_FALSE(drops.Hides("a", 1));
  EXPECT_TRUE(drops.Hides("b", 7));
  EXPECT_FALSE(drops.Hides("b", 8));
  EXPECT_TRUE(drops.Hides("czzz", 1));
  EXPECT_FALSE(drops.Hides("d", 1));
  EXPECT_TRUE(drops.HidesAll("b", "c", 7));
  EXPECT_FALSE(drops.HidesAll("b", "d", 7));
  EXPECT_FALSE(drops.HidesAll("a", "c", 7));
  EXPECT_FALSE(drops.HidesAll("b", "c", 8));
}

TEST(RangeDropsTest, AnEmptyEndIsNoBound) {
  const RangeDrops drops({{.from = "b", .to = "", .sequence = 7}});
  EXPECT_TRUE(drops.Hides(std::string(10, '\xff'), 7));
  EXPECT_TRUE(drops.HidesAll("b", std::string(10, '\xff'), 7));
  EXPECT_FALSE(drops.Hides("a", 1));
}

// Against what the definition says, over overlapping ranges.
TEST(RangeDropsTest, AgreesWithTheDefinition) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<RangeDrop> list;
    const uint64_t count = random.Below(6);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t from = random.Below(10);
      const uint64_t length = 1 + random.Below(6);
      const uint64_t sequence = 1 + random.Below(5);
      list.push_back({.from = absl::StrCat(from),
                      .to = from + length > 9 ? "" : absl::StrCat(from + length),
                      .sequence = sequence});
    }
    const RangeDrops drops(list);
    const auto hidden = [&](uint64_t key, uint64_t sequence) {
      for (const RangeDrop& drop : list) {
        if (drop.Covers(absl::StrCat(key)) && sequence <= drop.sequence) return true;
      }
      return false;
    };
    for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
      for (uint64_t smallest = 0; smallest < 10; ++smallest) {
        ASSERT_EQ(drops.Hides(absl::StrCat(smallest), sequence), hidden(smallest, sequence));
        for (uint64_t other = smallest; other < 10; ++other) {
          bool bound = false;  // where what is hidden changes
          for (uint64_t key = smallest + 1; key <= other; ++key) {
            for (uint64_t at = 1; at <= 5; ++at) bound |= hidden(key, at) != hidden(key - 1, at);
          }
          ASSERT_EQ(drops.Separates(absl::StrCat(smallest), absl::StrCat(other)), bound);
        }
        bool all = true;
        for (uint64_t largest = smallest; largest < 10; ++largest) {
          all = all && hidden(largest, sequence);
          ASSERT_EQ(drops.HidesAll(absl::StrCat(smallest), absl::StrCat(largest), sequence), all);
        }
      }
    }
  }
}

}  // namespace
}  // namespace norn::storage
