// Decides which tables to merge next: leveled compaction.
//
// A level's score is its size over its limit: level 0 counts tables, the others bytes,
// level i + 1 being allowed level_growth times as much as level i. The highest score of
// at least 1 wins. Level 0 is merged as a whole; of another level one table is moved
// down, in turn, so that every part of the key space gets its share.
//
// Damaged tables are never touched, and nothing may get below older data of its key:
// a level-0 table stays if it overlaps an older one that stays, and no table is merged
// into a range of the next level that holds a damaged table.
//
// Pure and deterministic: reads metadata, does no I/O, uses no floating point.

#ifndef NORN_STORAGE_COMPACTION_PICKER_H_
#define NORN_STORAGE_COMPACTION_PICKER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/live_table.h"
#include "storage/manifest.h"

namespace norn::storage {

struct CompactionLimits {
  int level0_tables = 4;
  uint64_t level1_bytes = 64u << 20;
  int level_growth = 10;
};

struct CompactionChoice {
  int level = 0;                                  // of `upper`; the output goes one below
  std::vector<std::shared_ptr<LiveTable>> upper;  // level 0: newest first
  std::vector<std::shared_ptr<LiveTable>> lower;  // by key
  // Nothing to merge with: the table can change its level as it is.
  bool IsMove() const { return level > 0 && upper.size() == 1 && lower.empty(); }
};

class CompactionPicker {
 public:
  explicit CompactionPicker(const CompactionLimits& limits) : limits_(limits) {}

  // Nothing if no level is above its limit, or damage is in the way.
  std::optional<CompactionChoice> Pick(const std::array<Level, kLevels>& levels);

 private:
  // In thousandths.
  uint64_t Score(int level, const Level& tables) const;
  std::optional<CompactionChoice> PickLevel0(const std::array<Level, kLevels>& levels) const;
  std::optional<CompactionChoice> PickLevel(int level, const std::array<Level, kLevels>& levels);

  CompactionLimits limits_;
  // Last key of the table that was taken last from each level.
  std::array<std::string, kLevels> taken_until_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPACTION_PICKER_H_
