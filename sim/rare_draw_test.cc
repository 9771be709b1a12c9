// Branches that are forced: which, how often, and that the cluster bears it.

#include "sim/rare_draw.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

TEST(RareBranches, NamesAreDistinct) {
  std::set<std::string> names;
  for (size_t i = 0; i < kRareBranchCount; ++i) {
    names.insert(RareBranchName(static_cast<RareBranch>(i)));
  }
  EXPECT_EQ(names.size(), kRareBranchCount);
}

TEST(RareBranches, HalfOfTheRunsForceSome) {
  constexpr int kRuns = 300;
  int none = 0;
  std::vector<int> with(kRareBranchCount, 0);
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    const RareShares shares = DrawRareShares(KeyedSeed(seed), RareChoice::kSome);
    none += ToString(shares).empty() ? 1 : 0;
    for (size_t i = 0; i < kRareBranchCount; ++i) with[i] += shares[i] > 0 ? 1 : 0;
    EXPECT_EQ(ToString(DrawRareShares(KeyedSeed(seed), RareChoice::kNone)), "");
    for (const int32_t share : DrawRareShares(KeyedSeed(seed), RareChoice::kAll)) {
      EXPECT_GT(share, 0);
    }
  }
  EXPECT_GT(none, kRuns / 3);
  EXPECT_LT(none, kRuns * 2 / 3);
  for (const int runs : with) EXPECT_GT(runs, kRuns / 12);
}

TEST(RareBranches, AreTakenByShareNodeAndTurn) {
  RareShares shares{};
  shares[static_cast<size_t>(RareBranch::kLateLease)] = 250;
  std::map<std::string, uint64_t> taken;
  const auto turns = [&](uint64_t node) {
    SimRareBranches rare(KeyedSeed(7).With(node), &shares, &taken);
    std::string text;
    for (int i = 0; i < 1000; ++i) {
      EXPECT_FALSE(rare.Take(RareBranch::kReplyWaits));
      text += rare.Take(RareBranch::kLateLease) ? 'x' : '.';
    }
    return text;
  };
  const std::string first = turns(1);
  EXPECT_EQ(turns(1), first);
  EXPECT_NE(turns(2), first);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_GT(taken["late_lease"], 3u * 200u);
  EXPECT_LT(taken["late_lease"], 3u * 300u);
  // Nobody forces anything in the healing phase.
  SimRareBranches rare(KeyedSeed(7), &shares, &taken);
  shares = RareShares{};
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(rare.Take(RareBranch::kLateLease));
}

TEST(RareBranches, AllAreReachedAndTheClaimsHold) {
  std::map<std::string, uint64_t> taken;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.sloppy = true;
    options.rare = RareChoice::kAll;
    const RunResult result = RunUniverse(options, nullptr);
    EXPECT_EQ(result.verdict, Verdict::kValid) << seed << ": " << result.property;
    for (const auto& [name, count] : result.rare_branches) taken[name] += count;
  }
  for (size_t i = 0; i < kRareBranchCount; ++i) {
    const char* const name = RareBranchName(static_cast<RareBranch>(i));
    EXPECT_GT(taken[name], 0u) << name;
  }
}

}  // namespace
}  // namespace norn::sim
