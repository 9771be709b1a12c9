#include "sim/ci/seed_plan.h"

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/random.h"
#include "xxhash.h"

namespace norn::sim {

namespace {

constexpr uint64_t kSeedsOfRevision = uint64_t{1} << 32;

constexpr int kRandomConfig = 1;
constexpr int kWipes = 2;
constexpr int kSloppy = 4;

}  // namespace

uint64_t SeedPlan::SeedOf(uint64_t counter) const {
  CORE_CHECK(shard >= 1 && shard <= shards);
  CORE_CHECK(counter <= CounterMax());
  const uint64_t revisions = XXH3_64bits(revision.data(), revision.size()) % (uint64_t{1} << 31);
  return revisions * kSeedsOfRevision + counter * shards + shard - 1;
}

uint64_t SeedPlan::CounterMax() const { return (kSeedsOfRevision - shard) / shards; }

int ClassOfSeed(uint64_t seed) { return static_cast<int>(SplitMix64(seed) % kSeedClasses); }

std::string NameOfClass(int seed_class) {
  std::string name;
  if ((seed_class & kRandomConfig) != 0) absl::StrAppend(&name, " --random-config");
  if ((seed_class & kWipes) != 0) absl::StrAppend(&name, " --wipes");
  if ((seed_class & kSloppy) != 0) absl::StrAppend(&name, " --sloppy");
  return name.empty() ? "usual options" : name.substr(1);
}

RunOptions RunOfSeed(uint64_t seed) {
  const int seed_class = ClassOfSeed(seed);
  RunOptions run;
  run.seed = seed;
  run.random_config = (seed_class & kRandomConfig) != 0;
  run.wipes = (seed_class & kWipes) != 0;
  run.sloppy = (seed_class & kSloppy) != 0;
  return run;
}

}  // namespace norn::sim
