#include "storage/compaction_picker.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace norn::storage {
namespace {

constexpr uint64_t kScoreFull = 1000;

struct Range {
  std::string smallest;
  std::string largest;

  void Include(const TableMeta& meta) {
    smallest = std::min(smallest, meta.smallest);
    largest = std::max(largest, meta.largest);
  }
};

// The tables of `level` in the range; nothing if one of them is damaged.
std::optional<std::vector<std::shared_ptr<LiveTable>>> SoundTablesIn(const Level& level,
                                                                     const Range& range) {
  std::vector<std::shared_ptr<LiveTable>> tables;
  for (const std::shared_ptr<LiveTable>& table : level) {
    if (!table->Overlaps(range.smallest, range.largest)) continue;
    if (!table->damage.ok()) return std::nullopt;
    tables.push_back(table);
  }
  return tables;
}

}  // namespace

bool CompactionChoice::IsMove() const {
  if (!lower.empty()) return false;
  for (size_t i = 0; i < upper.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (upper[i]->Overlaps(upper[k]->meta.smallest, upper[k]->meta.largest)) return false;
    }
  }
  return true;
}

uint64_t CompactionPicker::Score(int level, const std::array<Level, kLevels>& levels) const {
  const auto bytes_of = [](const Level& tables) {
    uint64_t bytes = 0;
    for (const std::shared_ptr<LiveTable>& table : tables) {
      if (table->damage.ok()) bytes += table->meta.bytes;
    }
    return bytes;
  };
  const auto per_thousand = [](uint64_t size, uint64_t limit) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(size) * kScoreFull /
                                 std::max<uint64_t>(limit, 1));
  };
  const Level& tables = levels[static_cast<size_t>(level)];
  if (level == 0) {
    const auto least = static_cast<uint64_t>(limits_.level0_tables);
    const auto most = static_cast<uint64_t>(limits_.level0_tables_max);
    const uint64_t below = bytes_of(levels[1]);
    const uint64_t share = below / 100 * static_cast<uint64_t>(limits_.level0_percent);
    const uint64_t by_bytes = per_thousand(bytes_of(tables), share);
    const uint64_t by_count = per_thousand(tables.size(), least);
    return std::max(std::min(by_bytes, by_count), per_thousand(tables.size(), most));
  }
  uint64_t limit = std::max<uint64_t>(limits_.level1_bytes, 1);
  for (int i = 1; i < level; ++i) limit *= static_cast<uint64_t>(limits_.level_growth);
  return per_thousand(bytes_of(tables), limit);
}

std::optional<CompactionChoice> CompactionPicker::Pick(const std::array<Level, kLevels>& levels) {
  std::vector<std::pair<uint64_t, int>> scores;
  // The last level has nowhere to go.
  for (int level = 0; level + 1 < kLevels; ++level) {
    const uint64_t score = Score(level, levels);
    if (score >= kScoreFull) scores.emplace_back(score, level);
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [score, level] : scores) {
    std::optional<CompactionChoice> choice =
        level == 0 ? PickLevel0(levels) : PickLevel(level, levels);
    if (!choice.has_value()) continue;
    const auto below = levels.begin() + level + 2;
    choice->reaches_bottom = std::all_of(std::min(below, levels.end()), levels.end(),
                                         [](const Level& deeper) { return deeper.empty(); });
    return choice;
  }
  return std::nullopt;
}

std::optional<CompactionChoice> CompactionPicker::PickLevel0(
    const std::array<Level, kLevels>& levels) const {
  const Level& tables = levels[0];
  CompactionChoice choice;
  std::vector<const LiveTable*> staying;
  std::optional<Range> range;
  for (auto it = tables.rbegin(); it != tables.rend(); ++it) {  // oldest first
    const LiveTable& table = **it;
    bool stays = !table.damage.ok();
    for (const LiveTable* older : staying) {
      stays = stays || older->Overlaps(table.meta.smallest, table.meta.largest);
    }
    Range wider = range.value_or(Range{table.meta.smallest, table.meta.largest});
    wider.Include(table.meta);
    if (stays || !SoundTablesIn(levels[1], wider).has_value()) {
      staying.push_back(&table);
      continue;
    }
    range = std::move(wider);
    choice.upper.push_back(*it);
  }
  // What stays does not count towards the limit, or it would be met for ever.
  if (choice.upper.size() < static_cast<size_t>(std::max(limits_.level0_tables, 1))) {
    return std::nullopt;
  }
  std::reverse(choice.upper.begin(), choice.upper.end());
  choice.lower = *SoundTablesIn(levels[1], *range);
  return choice;
}

std::optional<CompactionChoice> CompactionPicker::PickLevel(
    int level, const std::array<Level, kLevels>& levels) {
  const Level& tables = levels[static_cast<size_t>(level)];
  std::string& taken_until = taken_until_[static_cast<size_t>(level)];
  const auto start = static_cast<size_t>(
      std::upper_bound(tables.begin(), tables.end(), taken_until,
                       [](const std::string& key, const std::shared_ptr<LiveTable>& table) {
                         return key < table->meta.smallest;
                       }) -
      tables.begin());
  for (size_t i = 0; i < tables.size(); ++i) {
    const std::shared_ptr<LiveTable>& table = tables[(start + i) % tables.size()];
    if (!table->damage.ok()) continue;
    std::optional<std::vector<std::shared_ptr<LiveTable>>> lower = SoundTablesIn(
        levels[static_cast<size_t>(level) + 1], Range{table->meta.smallest, table->meta.largest});
    if (!lower.has_value()) continue;
    taken_until = table->meta.largest;
    return CompactionChoice{.level = level, .upper = {table}, .lower = *std::move(lower)};
  }
  return std::nullopt;
}

}  // namespace norn::storage
