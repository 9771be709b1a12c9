// What a scan has found of a partition so far: the sum of the hashes at each position, as the
// buckets of the deepest Merkle tree, without those that are empty.
//
// How deep the tree is to be is known when the scan ends. Few keys then cost little, however deep a
// tree can be: simulated nodes scan partitions of ten keys, all the time.
//
// Memory: 18 bytes for each position that has, or had, a record: at most 1.2 MiB.

#ifndef NORN_CORE_ANTIENTROPY_LEAF_SUMS_H_
#define NORN_CORE_ANTIENTROPY_LEAF_SUMS_H_

#include <cstdint>
#include <vector>

#include "core/record_hash.h"
#include "core/ring/position.h"

namespace norn {

// __int128 has no portable name of its own in the standard.
using Sum128 = unsigned __int128;

inline Sum128 Wide(const RecordHash& hash) { return Sum128{hash.high} << 64 | hash.low; }

class LeafSums {
 public:
  // A record at `position` was replaced; absent hashes: it was not there, it is gone.
  // O(1) at the last position or behind it, as in a scan; else O(log positions), and O(positions)
  // where none was.
  void Apply(Position position, const RecordHash& before, const RecordHash& after);

  uint64_t keys() const { return keys_; }

  // In rising order, and what is there.
  const std::vector<Position>& positions() const { return positions_; }
  const std::vector<Sum128>& sums() const { return sums_; }

 private:
  uint64_t keys_ = 0;
  std::vector<Position> positions_;
  std::vector<Sum128> sums_;  // as long as positions_
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_LEAF_SUMS_H_
