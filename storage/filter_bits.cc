#include "storage/filter_bits.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "core/check.h"

namespace norn::storage {
namespace {

using Wide = unsigned __int128;

uint64_t EntriesOf(const Level& level) {
  uint64_t entries = 0;
  for (const std::shared_ptr<LiveTable>& table : level) entries += table->meta.entries;
  return entries;
}

FilterLevels EntriesOf(const std::array<Level, kLevels>& levels) {
  FilterLevels shape;
  for (size_t i = 1; i < levels.size(); ++i) shape[i].entries = EntriesOf(levels[i]);
  return shape;
}

// Level 0 as it is on average, half way to its next merge, of tables of `entries` entries each.
FilterLevel HalfFullLevel0(const CompactionLimits& limits, uint64_t entries,
                           uint64_t level1_entries) {
  const auto least = static_cast<uint64_t>(std::max(limits.level0_tables, 1));
  const auto most = std::max(least, static_cast<uint64_t>(std::max(limits.level0_tables_max, 1)));
  const uint64_t share = level1_entries / 100 * static_cast<uint64_t>(limits.level0_percent);
  const uint64_t full = std::clamp(share / std::max<uint64_t>(entries, 1), least, most);
  const uint64_t runs = (full + 1) / 2;
  return {.entries = runs * entries, .runs = runs};
}

uint64_t MemoryOf(const FilterLevels& levels, const std::array<int, kLevels>& bits) {
  uint64_t memory = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    memory += levels[i].entries * static_cast<uint64_t>(bits[i]);
  }
  return memory;
}

uint64_t CostOf(const FilterLevels& levels, const std::array<int, kLevels>& bits) {
  uint64_t cost = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].entries > 0) cost += levels[i].runs * FalsePositivesPerMillion(bits[i]);
  }
  return cost;
}

// One bit more for each key of the level, other than `fixed`, where that saves the most for its
// price, until no level can be paid. Each bit saves less than the one before it, so none is
// regretted.
void SpendBits(const FilterLevels& levels, size_t fixed, uint64_t left,
               std::array<int, kLevels>* bits) {
  for (;;) {
    size_t best = levels.size();
    uint64_t best_saved = 0;
    for (size_t i = 0; i < levels.size(); ++i) {
      const uint64_t price = levels[i].entries;
      const int now = (*bits)[i];
      if (i == fixed || price == 0 || price > left || now == kFilterBitsMax) continue;
      const uint64_t saved =
          levels[i].runs * (FalsePositivesPerMillion(now) - FalsePositivesPerMillion(now + 1));
      const bool is_better =
          best == levels.size() || Wide{saved} * levels[best].entries > Wide{best_saved} * price;
      if (!is_better) continue;
      best = i;
      best_saved = saved;
    }
    if (best == levels.size()) return;
    ++(*bits)[best];
    left -= levels[best].entries;
  }
}

}  // namespace

uint64_t FalsePositivesPerMillion(int bits_per_key) {
  static constexpr uint64_t kPerMillion[kFilterBitsMax] = {
      632505, 392894, 237288, 155518, 93093, 58171, 37905, 23915, 15664, 10289,
      6980,   4841,   3342,   2404,   1867,  1470,  1123,  924,   778,   641};
  CORE_CHECK(bits_per_key >= 1 && bits_per_key <= kFilterBitsMax);
  return kPerMillion[bits_per_key - 1];
}

std::array<int, kLevels> FilterBits(const FilterLevels& levels, int bits_per_key) {
  const int average = std::clamp(bits_per_key, 1, kFilterBitsMax);
  std::array<int, kLevels> best;
  best.fill(average);
  const uint64_t memory = MemoryOf(levels, best);
  std::array<int, kLevels> least;
  size_t largest = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    least[i] = levels[i].entries == 0 ? average : 1;
    if (levels[i].entries > levels[largest].entries) largest = i;
  }
  // Whole bits of the largest level are coarse: each number of them is tried, and what it leaves
  // is given to the others where it saves most.
  for (int bits = 1; bits <= kFilterBitsMax; ++bits) {
    std::array<int, kLevels> tried = least;
    tried[largest] = bits;
    const uint64_t taken = MemoryOf(levels, tried);
    if (taken > memory) break;
    SpendBits(levels, largest, memory - taken, &tried);
    if (CostOf(levels, tried) < CostOf(levels, best)) best = tried;
  }
  return best;
}

int FilterBitsForFlush(const std::array<Level, kLevels>& levels, const CompactionLimits& limits,
                       uint64_t entries, int bits_per_key) {
  FilterLevels shape = EntriesOf(levels);
  shape[0] = HalfFullLevel0(limits, entries, shape[1].entries);
  return FilterBits(shape, bits_per_key)[0];
}

int FilterBitsForCompaction(const std::array<Level, kLevels>& levels,
                            const CompactionLimits& limits, const CompactionChoice& choice,
                            int bits_per_key) {
  const auto upper = static_cast<size_t>(choice.level);
  const uint64_t moved = EntriesOf(choice.upper);
  FilterLevels shape = EntriesOf(levels);
  if (upper > 0) shape[upper].entries -= moved;
  shape[upper + 1].entries += moved;
  // Of the size of what comes down, or of what is there.
  const Level& flushed = upper == 0 ? choice.upper : levels[0];
  const uint64_t per_table = flushed.empty() ? 0 : EntriesOf(flushed) / flushed.size();
  shape[0] = HalfFullLevel0(limits, per_table, shape[1].entries);
  return FilterBits(shape, bits_per_key)[upper + 1];
}

}  // namespace norn::storage
