// A table of the current version, as the engine's thread sees it.

#ifndef NORN_STORAGE_LIVE_TABLE_H_
#define NORN_STORAGE_LIVE_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/manifest.h"
#include "storage/quarantine.h"
#include "storage/table.h"
#include "storage/table_damage.h"
#include "storage/table_meta.h"

namespace norn::storage {

struct LiveTable {
  TableMeta meta;
  std::shared_ptr<const Table> table;  // null: it could not be opened, `damage` says why
  // What is wrong and not settled yet. A damaged table stays where it is and is never an
  // input of a compaction; what of it can be read is served.
  TableDamage damage;
  // Offsets of blocks that were given up, ascending: they count as absent, and a quarantine
  // stands where they were, unless it was lifted.
  std::vector<uint64_t> given_up;

  bool IsGivenUp(uint64_t offset) const {
    return !given_up.empty() && std::binary_search(given_up.begin(), given_up.end(), offset);
  }

  bool Covers(absl::string_view key) const {
    return absl::string_view(meta.smallest) <= key && key <= absl::string_view(meta.largest);
  }
  bool Overlaps(absl::string_view smallest, absl::string_view largest) const {
    return absl::string_view(meta.smallest) <= largest &&
           smallest <= absl::string_view(meta.largest);
  }
};

// The tables of one level. Level 0: newest first, may overlap. Others: by key, disjoint.
using Level = std::vector<std::shared_ptr<LiveTable>>;

// The first table of a level other than 0 whose last key is >= `key`.
inline auto FirstTableAtOrAfter(std::span<const std::shared_ptr<LiveTable>> level,
                                absl::string_view key) {
  return std::lower_bound(level.begin(), level.end(), key,
                          [](const std::shared_ptr<LiveTable>& table, absl::string_view k) {
                            return absl::string_view(table->meta.largest) < k;
                          });
}

// What a snapshot says about the blocks that were given up, and about quarantines.
void SnapshotDamage(std::span<const Level> levels, const QuarantineSet& quarantine,
                    VersionEdit* edit);

// Puts `table` where it belongs.
void InsertTable(int level_number, std::shared_ptr<LiveTable> table, Level* level);

}  // namespace norn::storage

#endif  // NORN_STORAGE_LIVE_TABLE_H_
