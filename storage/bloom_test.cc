#include "storage/bloom.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/crc32c.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

std::string FilterOf(int keys, int bits_per_key) {
  BloomBuilder builder(bits_per_key);
  for (int i = 0; i < keys; ++i) builder.Add(absl::StrCat("key", i));
  return builder.Finish();
}

int FalsePositives(absl::string_view filter, int probes) {
  int passed = 0;
  for (int i = 0; i < probes; ++i) {
    if (BloomMayContain(filter, absl::StrCat("absent", i))) ++passed;
  }
  return passed;
}

TEST(BloomTest, NeverDeniesWhatWasAdded) {
  for (const int keys : {1, 2, 50, 51, 52, 1000, 20000}) {
    const std::string filter = FilterOf(keys, 10);
    for (int i = 0; i < keys; ++i) {
      ASSERT_TRUE(BloomMayContain(filter, absl::StrCat("key", i))) << i << " of " << keys;
    }
  }
}

TEST(BloomTest, TenBitsLetAboutOnePercentPass) {
  const std::string filter = FilterOf(20000, 10);
  EXPECT_LE(filter.size(), 20000u * 10 / 8 + 65);
  EXPECT_LT(FalsePositives(filter, 100000), 1700);
}

TEST(BloomTest, MoreBitsLetFewerPass) {
  const int five = FalsePositives(FilterOf(20000, 5), 100000);
  const int ten = FalsePositives(FilterOf(20000, 10), 100000);
  const int twenty = FalsePositives(FilterOf(20000, 20), 100000);
  EXPECT_GT(five, 3 * ten);
  EXPECT_GT(ten, 3 * twenty);
}

TEST(BloomTest, AnEmptyFilterDeniesAndAMalformedOnePasses) {
  EXPECT_FALSE(BloomMayContain(FilterOf(0, 10), "key"));
  for (const size_t size : {0u, 1u, 64u, 66u, 100u}) {
    EXPECT_TRUE(BloomMayContain(std::string(size, '\0'), "key"));
  }
  EXPECT_TRUE(BloomMayContain(std::string(65, '\0'), "key"));    // no probes
  EXPECT_TRUE(BloomMayContain(std::string(65, '\x7f'), "key"));  // too many
}

TEST(BloomTest, IsTheSameOnEveryMachine) {
  // Filters are on disk: a new hash or layout would deny keys that are there.
  EXPECT_EQ(Crc32c(FilterOf(1000, 10)), 2771885841u);
}

}  // namespace
}  // namespace norn::storage
