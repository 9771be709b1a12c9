// How many bits a key gets in the filters of each level, for a given memory in all.
//
// A read of an absent key asks every table of level 0 and one of each other level, so its cost
// is the sum of their false positive rates; but a bit for each key of a small level is cheap, and
// one for each key of the last level is dear. The sum is least when rates are proportional to
// the levels' sizes: small, upper levels get more bits, the last fewer. (N. Dayan, M.
// Athanassoulis, S. Idreos, Monkey: Optimal Navigable Key-Value Store, SIGMOD 2017.) Reads of keys
// that are there gain too, as they pass by the upper levels.
//
// Pure and deterministic: integers only.

#ifndef NORN_STORAGE_FILTER_BITS_H_
#define NORN_STORAGE_FILTER_BITS_H_

#include <array>
#include <cstdint>

#include "storage/compaction_picker.h"
#include "storage/live_table.h"
#include "storage/manifest.h"

namespace norn::storage {

struct FilterLevel {
  uint64_t entries = 0;
  uint64_t runs = 1;  // tables that one read asks
};
using FilterLevels = std::array<FilterLevel, kLevels>;

// A filter of so many bits a key, from 1 to kFilterBitsMax, passes so many of a million absent
// keys (bloom.h, measured).
inline constexpr int kFilterBitsMax = 20;
uint64_t FalsePositivesPerMillion(int bits_per_key);

// Whole bits per key for each level, at least 1, such that all together they take no more memory
// than `bits_per_key` for all would. A level without entries gets `bits_per_key`. O(1).
std::array<int, kLevels> FilterBits(const FilterLevels& levels, int bits_per_key);

// For the table of a flush of `entries` entries, and for the output of a compaction. The tree is
// looked at as it is on average: with level 0 half as full as `limits` permit.
int FilterBitsForFlush(const std::array<Level, kLevels>& levels, const CompactionLimits& limits,
                       uint64_t entries, int bits_per_key);
int FilterBitsForCompaction(const std::array<Level, kLevels>& levels,
                            const CompactionLimits& limits, const CompactionChoice& choice,
                            int bits_per_key);

}  // namespace norn::storage

#endif  // NORN_STORAGE_FILTER_BITS_H_
