// Which seeds a shard of norn-sim ci runs, and with which configuration.
//
// The seed of a revision, a shard (1 to `shards`) and a counter (0, 1, 2, ...) is
//
//   seed = (XXH3(revision) mod 2^31) * 2^32 + counter * shards + shard - 1
//
// So every revision looks at other seeds; two shards of one revision never share one; and all
// shards together walk one range without gaps, however many they are.
//
// The configuration follows from the seed alone: three bits of SplitMix64(seed) say whether
// --random-config, --wipes and --sloppy are on. Each of the eight classes gets an eighth of the
// seeds.

#ifndef NORN_SIM_CI_SEED_PLAN_H_
#define NORN_SIM_CI_SEED_PLAN_H_

#include <cstdint>
#include <string>

#include "sim/universe_config.h"

namespace norn::sim {

inline constexpr uint64_t kShardsMax = 1 << 20;
inline constexpr int kSeedClasses = 8;

struct SeedPlan {
  std::string revision;
  uint64_t shard = 1;   // 1 to shards
  uint64_t shards = 1;  // 1 to kShardsMax

  uint64_t SeedOf(uint64_t counter) const;
  // The last one whose seed is below those of the next revision.
  uint64_t CounterMax() const;
};

int ClassOfSeed(uint64_t seed);
// The options as they are written behind "norn-sim run"; "usual options" of the class that has
// none.
std::string NameOfClass(int seed_class);
RunOptions RunOfSeed(uint64_t seed);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_SEED_PLAN_H_
