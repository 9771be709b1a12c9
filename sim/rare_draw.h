// Which rare branches (core/rare_branch.h) a run forces, and how often: drawn once per run for each
// branch, then each time that a node comes by, keyed by the branch, the node and how often it has
// come by before.

#ifndef NORN_SIM_RARE_DRAW_H_
#define NORN_SIM_RARE_DRAW_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "core/rare_branch.h"
#include "sim/keyed_seed.h"

namespace norn::sim {

// How often each is taken, of 1000 times that it could be; by RareBranch. 0: never.
using RareShares = std::array<int32_t, kRareBranchCount>;

enum class RareChoice : uint8_t {
  kNone,
  kSome,  // in half of the runs a third of them
  kAll,
};
RareShares DrawRareShares(const KeyedSeed& seed, RareChoice choice);

// "late_lease 50, reply_waits 10"; empty: none is ever taken.
std::string ToString(const RareShares& shares);

// Those of one node.
class SimRareBranches final : public RareBranches {
 public:
  // `seed` is the node's. `*shares` and `*taken`, which counts by name, outlive this.
  SimRareBranches(const KeyedSeed& seed, const RareShares* shares,
                  std::map<std::string, uint64_t>* taken);

  bool Take(RareBranch branch) override;

 private:
  const RareShares& shares_;
  std::map<std::string, uint64_t>& taken_;
  std::array<uint64_t, kRareBranchCount> seeds_{};
  std::array<uint64_t, kRareBranchCount> asked_{};
};

}  // namespace norn::sim

#endif  // NORN_SIM_RARE_DRAW_H_
