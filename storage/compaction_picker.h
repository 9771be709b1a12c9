// Decides which tables to merge next: tiers above, levels below.
//
// Level 0 is the tier: flushed tables gather there, and are merged with level 1 all at once,
// when they hold level0_percent of what it holds. That is what makes rewriting cheap: each byte
// of level 0 carries few of level 1 along. (N. Dayan, S. Idreos, Dostoevsky, 2018: lazy
// leveling. As long as all fits into level 1 there is nothing else, which is where most nodes
// are.) But never more than level0_tables_max, since each is one more that a read must ask.
//
// A level's score is its size over its limit: of the levels below, level i + 1 is allowed
// level_growth times as much as level i. The highest score of at least 1 wins. Of a level other
// than 0 one table is moved down, in turn, so that every part of the key space gets its share.
//
// Damaged tables are not touched until their damage is settled (table_damage.h says how long that
// can take, and so how far level 0 can grow beside one), and nothing may get below older data of
// its key:
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
  int level0_tables = 4;  // at least so many are merged
  int level0_percent = 50;
  int level0_tables_max = 20;
  uint64_t level1_bytes = 64u << 20;
  int level_growth = 10;
};

struct CompactionChoice {
  int level = 0;                                  // of `upper`; the output goes one below
  std::vector<std::shared_ptr<LiveTable>> upper;  // level 0: newest first
  std::vector<std::shared_ptr<LiveTable>> lower;  // by key
  // Nothing to merge: the tables can change their level as they are.
  bool IsMove() const;
};

class CompactionPicker {
 public:
  explicit CompactionPicker(const CompactionLimits& limits) : limits_(limits) {}

  const CompactionLimits& limits() const { return limits_; }

  // Nothing if no level is above its limit, or damage is in the way.
  std::optional<CompactionChoice> Pick(const std::array<Level, kLevels>& levels);
  // What is in level 0, whether or not it is above its limit; nothing if damage is in the way.
  std::optional<CompactionChoice> PickLevel0(const std::array<Level, kLevels>& levels) const;

 private:
  // In thousandths.
  uint64_t Score(int level, const std::array<Level, kLevels>& levels) const;
  std::optional<CompactionChoice> PickLevel(int level, const std::array<Level, kLevels>& levels);

  CompactionLimits limits_;
  // Last key of the table that was taken last from each level.
  std::array<std::string, kLevels> taken_until_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPACTION_PICKER_H_
