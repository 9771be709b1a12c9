// Which key comes next: uniform, zipfian, or a hot set.
//
// Everything is integer arithmetic, logarithms included: what is drawn is the same whatever the
// compiler and its libm. Zipfian weights are exact to about a millionth of themselves.

#ifndef NORN_SIM_ENVIRONMENT_KEY_CHOOSER_H_
#define NORN_SIM_ENVIRONMENT_KEY_CHOOSER_H_

#include <cstdint>
#include <vector>

#include "core/random.h"

namespace norn::sim {

// 2^32 times rank^(-exponent/1000). 1 <= rank < 2^20, 0 <= exponent_per_mille <= 3000.
uint64_t ZipfianWeight(uint64_t rank, uint64_t exponent_per_mille);

// Keys are numbers from 0 to count - 1; where they differ, 0 is the hottest. A copy costs
// O(count) if it is zipfian.
class KeyChooser {
 public:
  static KeyChooser Uniform(uint64_t count);
  // The key of rank i (0-based) in proportion to (i + 1)^(-exponent/1000). O(count).
  static KeyChooser Zipfian(uint64_t count, uint64_t exponent_per_mille);
  // `hot_per_mille` of the draws go to the first `hot` keys, the others to the rest.
  static KeyChooser HotSet(uint64_t count, uint64_t hot, uint64_t hot_per_mille);

  // O(1), or O(log count) if it is zipfian.
  uint64_t Draw(Random& random) const;

  uint64_t count() const { return count_; }

 private:
  uint64_t count_ = 1;
  uint64_t hot_ = 0;
  uint64_t hot_per_mille_ = 0;
  std::vector<uint64_t> sums_;  // zipfian: of the weights up to each rank
};

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_KEY_CHOOSER_H_
