#include "core/antientropy/leaf_sums.h"

#include <algorithm>
#include <cstddef>

namespace norn {

void LeafSums::Apply(Position position, const RecordHash& before, const RecordHash& after) {
  auto at = positions_.end();
  if (!positions_.empty() && position <= positions_.back()) {
    at = std::lower_bound(positions_.begin(), positions_.end(), position);
  }
  const ptrdiff_t index = at - positions_.begin();
  if (at == positions_.end() || *at != position) {
    positions_.insert(at, position);
    sums_.insert(sums_.begin() + index, 0);
  }
  sums_[static_cast<size_t>(index)] += Wide(after) - Wide(before);
  keys_ += before.absent() ? 1u : 0u;
  keys_ -= after.absent() ? 1u : 0u;
}

}  // namespace norn
