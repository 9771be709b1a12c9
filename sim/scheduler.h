// Virtual time: a queue of things to do, ordered by (time, order of scheduling). What is given a
// rank comes before all else of its moment, the lower rank first, whenever it was scheduled.
//
// Time is an integer of microseconds and moves only when the next thing is done. Two
// things of one moment happen in the order in which they were scheduled, so a run is a
// function of what was scheduled and nothing else.

#ifndef NORN_SIM_SCHEDULER_H_
#define NORN_SIM_SCHEDULER_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/check.h"

namespace norn::sim {

class Scheduler {
 public:
  static constexpr uint64_t kRanks = 1u << 20;
  using Action = std::function<void()>;

  int64_t now_us() const { return now_us_; }
  uint64_t events() const { return events_; }

  void At(int64_t time_us, Action action) {
    CORE_CHECK(time_us >= now_us_);
    heap_.push_back(Entry{time_us, ++scheduled_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  // `rank` is below kRanks; no two things of one moment have the same.
  void AtRank(int64_t time_us, uint64_t rank, Action action) {
    CORE_CHECK(time_us >= now_us_ && rank < kRanks);
    heap_.push_back(Entry{time_us, rank, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  void After(int64_t delay_us, Action action) { At(now_us_ + delay_us, std::move(action)); }

  // Does everything up to and including `until_us`, then sets the clock there.
  void RunUntil(int64_t until_us) {
    while (!heap_.empty() && heap_.front().time_us <= until_us) DoNext();
    now_us_ = std::max(now_us_, until_us);
  }

  // Stops behind the first action after which `done` is true (at once if it already is), and
  // returns true; otherwise as RunUntil, and false.
  template <typename Done>
  bool RunUntilDone(int64_t until_us, const Done& done) {
    if (done()) return true;
    while (!heap_.empty() && heap_.front().time_us <= until_us) {
      DoNext();
      if (done()) return true;
    }
    now_us_ = std::max(now_us_, until_us);
    return false;
  }

 private:
  // A run whose clock stands still would never end: it is to fail instead.
  static constexpr uint64_t kAtOnceMax = 1'000'000;

  struct Entry {
    int64_t time_us;
    uint64_t order;
    Action action;
  };
  void DoNext() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    at_once_ = entry.time_us == now_us_ ? at_once_ + 1 : 0;
    CORE_CHECK(at_once_ < kAtOnceMax);  // somebody waits for what time alone would bring
    now_us_ = entry.time_us;
    ++events_;
    entry.action();
  }

  static bool Later(const Entry& a, const Entry& b) {
    return a.time_us != b.time_us ? a.time_us > b.time_us : a.order > b.order;
  }

  std::vector<Entry> heap_;
  int64_t now_us_ = 0;
  uint64_t scheduled_ = kRanks;
  uint64_t events_ = 0;
  uint64_t at_once_ = 0;  // done at this very moment
};

}  // namespace norn::sim

#endif  // NORN_SIM_SCHEDULER_H_
