// Deadlines of many requests: a binary heap whose finished entries are left to expire.
//
// A request that ends early is not searched for: when its entry comes up, its owner finds
// nothing under the id. Deadlines mostly rise, and then Add is O(1). Entries of finished
// requests live for at most one timeout.

#ifndef NORN_CORE_DEADLINES_H_
#define NORN_CORE_DEADLINES_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/types.h"

namespace norn {

class Deadlines {
 public:
  void Add(int64_t deadline_us, uint64_t id) {
    heap_.emplace_back(deadline_us, id);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  int64_t Next() const { return heap_.empty() ? kNever : heap_.front().first; }

  // Takes one id whose deadline has come; false if there is none. Ties leave by id.
  bool PopDue(int64_t now_us, uint64_t* id) {
    if (heap_.empty() || heap_.front().first > now_us) return false;
    *id = heap_.front().second;
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    return true;
  }

 private:
  std::vector<std::pair<int64_t, uint64_t>> heap_;
};

}  // namespace norn

#endif  // NORN_CORE_DEADLINES_H_
