#include "sim/rare_draw.h"

#include "absl/strings/str_cat.h"
#include "core/random.h"

namespace norn::sim {

RareShares DrawRareShares(const KeyedSeed& seed, RareChoice choice) {
  static constexpr int32_t kShares[] = {10, 50, 250};
  RareShares shares{};
  if (choice == RareChoice::kNone) return shares;
  Random random = seed.Stream();
  const bool any = random.Chance(1, 2) || choice == RareChoice::kAll;
  for (int32_t& share : shares) {
    const bool on = random.Chance(1, 3) || choice == RareChoice::kAll;
    const int32_t drawn = kShares[random.Below(3)];
    if (any && on) share = drawn;
  }
  return shares;
}

std::string ToString(const RareShares& shares) {
  std::string text;
  for (size_t i = 0; i < kRareBranchCount; ++i) {
    if (shares[i] == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", RareBranchName(static_cast<RareBranch>(i)),
                    " ", shares[i]);
  }
  return text;
}

SimRareBranches::SimRareBranches(const KeyedSeed& seed, const RareShares* shares,
                                 std::map<std::string, uint64_t>* taken)
    : shares_(*shares), taken_(*taken) {
  for (size_t i = 0; i < kRareBranchCount; ++i) {
    seeds_[i] = seed.With(RareBranchName(static_cast<RareBranch>(i))).value();
  }
}

bool SimRareBranches::Take(RareBranch branch) {
  const auto i = static_cast<size_t>(branch);
  if (shares_[i] <= 0) return false;
  const uint64_t nth = ++asked_[i];
  Random random(seeds_[i] ^ SplitMix64(nth));
  if (!random.Chance(static_cast<uint64_t>(shares_[i]), 1000)) return false;
  ++taken_[RareBranchName(branch)];
  return true;
}

}  // namespace norn::sim
