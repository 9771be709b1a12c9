// The configurations that a search has been in: exact, not hashed away.

#ifndef NORN_SIM_CONSISTENCY_CONFIGURATION_SET_H_
#define NORN_SIM_CONSISTENCY_CONFIGURATION_SET_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "xxhash.h"

namespace norn::consistency {

// A set of arrays of `words` words each; grows only. At most 2^32 - 2 of them. About
// 8 * words + 8 bytes for each. Open addressing, at most half full.
class ConfigurationSet {
 public:
  explicit ConfigurationSet(size_t words) : words_(words), slots_(64, 0) {}

  size_t size() const { return count_; }

  // False: it was there already.
  bool Insert(const std::vector<uint64_t>& configuration) {
    if (count_ * 2 >= slots_.size()) Grow();
    uint32_t& slot = slots_[Find(configuration.data())];
    if (slot != 0) return false;
    slot = static_cast<uint32_t>(++count_);
    records_.insert(records_.end(), configuration.begin(), configuration.end());
    return true;
  }

 private:
  const uint64_t* Record(uint32_t slot) const { return &records_[(slot - 1) * words_]; }

  // Where it is, or the free slot where it belongs.
  size_t Find(const uint64_t* record) const {
    const size_t bytes = words_ * sizeof(uint64_t);
    size_t at = XXH3_64bits(record, bytes) & (slots_.size() - 1);
    while (slots_[at] != 0 && std::memcmp(Record(slots_[at]), record, bytes) != 0) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }

  void Grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (uint32_t i = 1; i <= count_; ++i) slots_[Find(Record(i))] = i;
  }

  size_t words_;
  size_t count_ = 0;
  std::vector<uint32_t> slots_;    // the number of a record from 1; 0: free
  std::vector<uint64_t> records_;  // one after another
};

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_CONFIGURATION_SET_H_
