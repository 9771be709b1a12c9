#include "storage/quarantine.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

Quarantine Range(const std::string& from, const std::string& until, uint64_t sequence,
                 uint64_t table = 1) {
  return {.from = from, .until = until, .sequence = sequence, .table = table, .reason = "r"};
}

TEST(QuarantineTest, CoversFromItsFirstKeyToBelowItsEnd) {
  QuarantineSet set;
  EXPECT_EQ(set.Find("b"), nullptr);
  set.Add(Range("b", "d", 5));
  EXPECT_EQ(set.Find("a"), nullptr);
  EXPECT_EQ(set.Find("d"), nullptr);
  ASSERT_NE(set.Find("b"), nullptr);
  EXPECT_EQ(set.Find("czz")->sequence, 5u);
  EXPECT_EQ(set.FirstBehind("")->from, "b");
  EXPECT_EQ(set.FirstBehind("c")->from, "b");
  EXPECT_EQ(set.FirstBehind("d"), nullptr);
}

TEST(QuarantineTest, NeighboursOfOneTableBecomeOneRange) {
  QuarantineSet set;
  set.Add(Range("b", "d", 5));
  set.Add(Range("d", "f", 5));
  set.Add(Range("f", "g", 5, 2));
  ASSERT_EQ(set.all().size(), 2u);
  EXPECT_EQ(set.all()[0].until, "f");
}

TEST(QuarantineTest, TheErrorNamesTheKeysAndTheReason) {
  const absl::Status status = QuarantineError(Range(std::string("a\0", 2), "b", 5));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "\"a\\x00\"")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "\"b\"")) << status;
}

// Against one sequence for each key.
TEST(QuarantineTest, AddsAndLiftsAsAMapFromKeysWould) {
  constexpr int kKeys = 12;
  const auto name = [](uint64_t i) { return std::string(1, static_cast<char>('a' + i)); };
  Random random(3);
  int lifted = 0;
  for (int round = 0; round < 3000; ++round) {
    QuarantineSet set;
    std::vector<uint64_t> model(kKeys, 0);
    for (int i = 0; i < 8; ++i) {
      const uint64_t from = random.Below(kKeys);
      const uint64_t until = from + 1 + random.Below(kKeys - from);
      const uint64_t sequence = 1 + random.Below(6);
      if (random.Below(3) > 0) {
        set.Add(Range(name(from), name(until), sequence, random.Below(3)));
        for (uint64_t k = from; k < until; ++k) model[k] = std::max(model[k], sequence);
      } else {
        const bool to_the_end = until == kKeys;
        set.Lift(name(from), to_the_end ? "" : name(until), sequence);
        for (uint64_t k = from; k < until; ++k) {
          if (model[k] == 0 || model[k] > sequence) continue;
          model[k] = 0;
          ++lifted;
        }
      }
      for (uint64_t k = 0; k < kKeys; ++k) {
        const Quarantine* const found = set.Find(name(k));
        ASSERT_EQ(found == nullptr ? 0 : found->sequence, model[k]) << round << " " << k;
      }
      for (size_t k = 0; k < set.all().size(); ++k) {
        ASSERT_LT(set.all()[k].from, set.all()[k].until);
        if (k > 0) {
          ASSERT_LE(set.all()[k - 1].until, set.all()[k].from);
        }
      }
      // What a snapshot writes makes the same set again.
      QuarantineSet again;
      for (const Quarantine& quarantine : set.all()) again.Add(quarantine);
      ASSERT_EQ(again, set);
    }
  }
  EXPECT_GT(lifted, 1000);
}

}  // namespace
}  // namespace norn::storage
