// The Clock port on this machine's clocks.

#ifndef NORN_NODE_REAL_CLOCK_H_
#define NORN_NODE_REAL_CLOCK_H_

#include <chrono>

#include "core/ports.h"

namespace norn::node {

class RealClock : public norn::Clock {
 public:
  Now Read() override {
    return Now{.monotonic_us = Micros(std::chrono::steady_clock::now()),
               .wall_us = Micros(std::chrono::system_clock::now())};
  }

 private:
  template <typename TimePoint>
  static int64_t Micros(TimePoint point) {
    return std::chrono::duration_cast<std::chrono::microseconds>(point.time_since_epoch()).count();
  }
};

}  // namespace norn::node

#endif  // NORN_NODE_REAL_CLOCK_H_
