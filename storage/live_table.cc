#include "storage/live_table.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace norn::storage {

void InsertTable(int level_number, std::shared_ptr<LiveTable> table, Level* level) {
  const auto is_before = [level_number](const std::shared_ptr<LiveTable>& a,
                                        const std::shared_ptr<LiveTable>& b) {
    if (level_number == 0) return a->meta.largest_sequence > b->meta.largest_sequence;
    return a->meta.smallest < b->meta.smallest;
  };
  const auto place = std::upper_bound(level->begin(), level->end(), table, is_before);
  level->insert(place, std::move(table));
}

void SnapshotDamage(std::span<const Level> levels, const QuarantineSet& quarantine,
                    VersionEdit* edit) {
  for (const Level& level : levels) {
    for (const std::shared_ptr<LiveTable>& table : level) {
      for (const uint64_t offset : table->given_up) {
        edit->given_up.push_back({.table = table->meta.number, .offset = offset});
      }
    }
  }
  edit->quarantined = quarantine.all();
}

}  // namespace norn::storage
