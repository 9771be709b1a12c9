// Deadlines of many requests. Finished entries are left to expire.
//
// A request that ends early is not searched for: when its entry comes up, its owner finds
// nothing under the id. Deadlines mostly rise, since most requests have the same timeout:
// those go to the end of a queue, in O(1) and in order of memory; only one that is due before
// the queue's last goes to a heap. Entries of finished requests live for at most one timeout.

#ifndef NORN_CORE_DEADLINES_H_
#define NORN_CORE_DEADLINES_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "core/types.h"

namespace norn {

class Deadlines {
 public:
  void Add(int64_t deadline_us, uint64_t id) {
    const Entry entry(deadline_us, id);
    if (queue_.empty() || entry > queue_.back()) {
      queue_.push_back(entry);
      return;
    }
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  int64_t Next() const {
    const int64_t queued = queue_.empty() ? kNever : queue_.front().first;
    return heap_.empty() ? queued : std::min(queued, heap_.front().first);
  }

  // Takes one id whose deadline has come; false if there is none. Ties leave by id.
  bool PopDue(int64_t now_us, uint64_t* id) {
    if (Next() > now_us || (queue_.empty() && heap_.empty())) return false;
    if (heap_.empty() || (!queue_.empty() && queue_.front() < heap_.front())) {
      *id = queue_.front().second;
      queue_.pop_front();
      return true;
    }
    *id = heap_.front().second;
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    return true;
  }

 private:
  using Entry = std::pair<int64_t, uint64_t>;

  std::deque<Entry> queue_;  // ascending
  std::vector<Entry> heap_;
};

}  // namespace norn

#endif  // NORN_CORE_DEADLINES_H_
