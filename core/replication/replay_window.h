// A sliding window that lets each numbered message through once (after IPsec's
// anti-replay window, RFC 4303 section 3.4.3). What is older than the window is refused:
// it may have been seen. A new generation of the sender starts a new window, and closes
// the old ones for ever.

#ifndef NORN_CORE_REPLICATION_REPLAY_WINDOW_H_
#define NORN_CORE_REPLICATION_REPLAY_WINDOW_H_

#include <bitset>
#include <cstddef>
#include <cstdint>

#include "core/types.h"

namespace norn {

class ReplayWindow {
 public:
  static constexpr uint64_t kSize = 4096;

  // Whether this message was never let through before. Sequences start at 1.
  bool Accept(Generation generation, uint64_t sequence) {
    if (generation < generation_ || sequence == 0) return false;
    if (generation > generation_) {
      generation_ = generation;
      newest_ = 0;
      seen_.reset();
    }
    if (sequence + kSize <= newest_) return false;
    if (sequence > newest_) {
      if (sequence - newest_ >= kSize) {
        seen_.reset();
      } else {
        for (uint64_t s = newest_ + 1; s <= sequence; ++s) seen_.reset(s % kSize);
      }
      newest_ = sequence;
    }
    if (seen_.test(sequence % kSize)) return false;
    seen_.set(sequence % kSize);
    return true;
  }

 private:
  Generation generation_ = 0;
  uint64_t newest_ = 0;
  std::bitset<kSize> seen_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_REPLAY_WINDOW_H_
