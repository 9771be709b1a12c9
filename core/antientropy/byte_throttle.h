// Keeps work under a rate of bytes per second: whoever took too much waits for the time
// that it was worth. Nothing is saved up while nothing is done.

#ifndef NORN_CORE_ANTIENTROPY_BYTE_THROTTLE_H_
#define NORN_CORE_ANTIENTROPY_BYTE_THROTTLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace norn {

class ByteThrottle {
 public:
  // Above 0.
  explicit ByteThrottle(uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  void Take(int64_t now_us, size_t bytes) {
    constexpr uint64_t kMicrosPerSecond = 1'000'000;
    const uint64_t worth_us = bytes * kMicrosPerSecond / bytes_per_second_;
    free_us_ = std::max(free_us_, now_us) + static_cast<int64_t>(worth_us);
  }

  // From when on there may be more; in the past: now.
  int64_t free_us() const { return free_us_; }
  // What is owed for what was taken.
  int64_t DebtUs(int64_t now_us) const { return std::max<int64_t>(free_us_ - now_us, 0); }

 private:
  uint64_t bytes_per_second_;
  int64_t free_us_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_BYTE_THROTTLE_H_
