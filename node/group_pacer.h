// When to start the log's next group commit.
//
// Starting at once, whenever the last group is done, is wrong under load: the clients whose
// writes were in it have not even heard yet, so a group of one or two goes out, and all others
// wait for a whole sync before theirs can start. So a group that is less than half of the last
// one waits a little, at most as long as the last sync took; with few clients, or when their
// number falls, nothing waits for longer than that once. (P. Helland et al., Group Commit
// Timers and High Volume Transaction Systems, 1987.)
//
// A value with no clock and no I/O: it is told the time.

#ifndef NORN_NODE_GROUP_PACER_H_
#define NORN_NODE_GROUP_PACER_H_

#include <algorithm>
#include <cstdint>

#include "core/types.h"

namespace norn::node {

class GroupPacer {
 public:
  // A group of `writes` starts.
  void Started(int64_t now_us, uint64_t writes) {
    started_us_ = now_us;
    writes_ = writes;
  }

  void Finished(int64_t now_us) {
    finished_us_ = now_us;
    const int64_t took_us = now_us - started_us_;
    hold_us_ = std::clamp(took_us, kHoldUsMin, kHoldUsMax);
  }

  // When a group of `waiting` writes, which nothing else keeps from starting, is to start: not
  // after `now_us`, or that much later.
  int64_t StartAt(int64_t now_us, uint64_t waiting) const {
    if (waiting * 2 >= writes_) return now_us;
    return std::max(now_us, finished_us_ + hold_us_);
  }

 private:
  static constexpr int64_t kHoldUsMin = 20;
  static constexpr int64_t kHoldUsMax = 1'000;

  int64_t started_us_ = 0;
  int64_t finished_us_ = 0;
  int64_t hold_us_ = 0;
  uint64_t writes_ = 0;  // in the last group
};

}  // namespace norn::node

#endif  // NORN_NODE_GROUP_PACER_H_
