// How long to wait before the next attempt: doubled each time, with jitter, capped.
//
// The jitter (the upper half of each pause is random) keeps nodes that lost the same peer
// at the same moment from coming back to it at the same moment.

#ifndef NORN_NET_BACK_OFF_H_
#define NORN_NET_BACK_OFF_H_

#include <algorithm>
#include <cstdint>

#include "core/check.h"
#include "core/random.h"

namespace norn::net {

class BackOff {
 public:
  BackOff(int64_t min_us, int64_t max_us, uint64_t seed)
      : min_us_(min_us), max_us_(max_us), ceiling_us_(min_us), random_(seed) {
    CORE_CHECK(min_us > 0 && min_us <= max_us);
  }

  // The next pause: half to all of a ceiling that starts at the least and ends at the greatest.
  int64_t NextUs() {
    const int64_t ceiling_us = ceiling_us_;
    ceiling_us_ = std::min(2 * ceiling_us_, max_us_);
    return random_.Between(ceiling_us / 2, ceiling_us);
  }

  void Reset() { ceiling_us_ = min_us_; }

 private:
  const int64_t min_us_;
  const int64_t max_us_;
  int64_t ceiling_us_;
  Random random_;
};

}  // namespace norn::net

#endif  // NORN_NET_BACK_OFF_H_
