// When to try again what failed for a reason that may pass.
//
// The engine has no clock, so it counts occasions instead: after the n-th failure in
// succession, the next 2^n occasions (at most kSkipMax) go by unused. A busy node offers
// many occasions a second, an idle one has no hurry.

#ifndef NORN_STORAGE_BACKOFF_H_
#define NORN_STORAGE_BACKOFF_H_

#include <algorithm>
#include <cstdint>

namespace norn::storage {

class Backoff {
 public:
  // Called on every occasion: whether to use it.
  bool Ready() {
    if (skip_ == 0) return true;
    --skip_;
    return false;
  }

  void Failed() {
    failures_ = std::min(failures_ + 1, kFailuresMax);
    skip_ = uint32_t{1} << failures_;
  }
  void Succeeded() {
    failures_ = 0;
    skip_ = 0;
  }
  // Something has changed: the next occasion is to be used.
  void Retry() { skip_ = 0; }
  bool failing() const { return failures_ > 0; }

 private:
  static constexpr uint32_t kFailuresMax = 8;

  uint32_t failures_ = 0;
  uint32_t skip_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_BACKOFF_H_
