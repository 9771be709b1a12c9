#include "core/causality/pruning.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "core/causality/version_vector.h"

namespace norn {

size_t PruneOldestEntries(size_t entries_max, RecordView* record) {
  if (record->context.size() <= entries_max) return 0;
  size_t excess = record->context.size() - entries_max;
  std::vector<VersionVector::Entry> oldest;
  for (const VersionVector::Entry& entry : record->context.entries()) {
    const bool alive = std::any_of(
        record->versions.begin(), record->versions.end(),
        [&entry](const VersionView& v) { return v.dot.incarnation == entry.incarnation; });
    if (!alive) oldest.push_back(entry);
  }
  std::sort(oldest.begin(), oldest.end(), [](const auto& a, const auto& b) {
    return std::tie(a.minted_us, a.incarnation) < std::tie(b.minted_us, b.incarnation);
  });
  excess = std::min(excess, oldest.size());
  for (size_t i = 0; i < excess; ++i) record->context.Drop(oldest[i].incarnation);
  return excess;
}

}  // namespace norn
