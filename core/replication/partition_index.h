// Where the entry of a partition is in a list that has one for each partition held: O(1), where a
// search through some hundred entries would miss the processor's caches for every message.

#ifndef NORN_CORE_REPLICATION_PARTITION_INDEX_H_
#define NORN_CORE_REPLICATION_PARTITION_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/types.h"

namespace norn {

class PartitionIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The next entry of the list is this partition's; each has one at most.
  void Add(PartitionId partition) {
    if (places_.size() <= partition) places_.resize(partition + size_t{1}, kNone);
    places_[partition] = count_++;
  }

  uint32_t Find(PartitionId partition) const {
    return partition < places_.size() ? places_[partition] : kNone;
  }

 private:
  std::vector<uint32_t> places_;  // by partition
  uint32_t count_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_PARTITION_INDEX_H_
