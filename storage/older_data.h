// Where older values of the keys that a compaction writes may lie: below its output.
//
// A deletion may go, and a filter may decide about an entry (compaction_filter.h), only if
// nothing older of the key can be left: no table of a level deeper than the output's covers the
// key, and none of the output's level but the inputs. What level 0 still holds is newer, or does
// not overlap (compaction_picker.h). Tables that are damaged, or could not be opened, count like
// others: their keys come back when they are mended. So do keys in quarantine.
//
// A copy of key ranges, taken on the engine's thread; deeper levels do not get new data while a
// compaction runs, so it stays on the safe side. Asked for rising keys, O(1) amortized.

#ifndef NORN_STORAGE_OLDER_DATA_H_
#define NORN_STORAGE_OLDER_DATA_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/compaction_picker.h"
#include "storage/live_table.h"
#include "storage/manifest.h"
#include "storage/quarantine.h"

namespace norn::storage {

class OlderData {
 public:
  // What lies below the output of `choice`, picked from `levels`.
  OlderData(const std::array<Level, kLevels>& levels,
            std::shared_ptr<const QuarantineSet> quarantine, const CompactionChoice& choice);

  // Whether an older entry of `key` may exist outside the compaction. `key` must not be below
  // the one asked for before.
  bool MayHold(absl::string_view key);

  // No level below the output holds anything: the output is the last level.
  bool empty() const { return deeper_tables_ == 0; }

 private:
  struct Range {
    std::string smallest;
    std::string largest;
  };
  struct Tables {
    std::vector<Range> ranges;  // ascending, disjoint
    size_t at = 0;              // the first that does not end before the last key
  };

  std::vector<Tables> levels_;
  std::shared_ptr<const QuarantineSet> quarantine_;
  size_t deeper_tables_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_OLDER_DATA_H_
