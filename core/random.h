// The one source of chance: a small generator with an explicit seed.
//
// xoshiro256** (Blackman, Vigna, 2018), seeded by splitmix64. Standard-library
// distributions are banned: they differ between libraries. All draws here are integer
// arithmetic, hence equal on every compiler and machine.

#ifndef NORN_CORE_RANDOM_H_
#define NORN_CORE_RANDOM_H_

#include <cstdint>

#include "core/check.h"

namespace norn {

// Maps a counter to a well-mixed number; also derives independent seeds from one.
inline uint64_t SplitMix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed = SplitMix64(seed);
      word = seed;
    }
  }

  uint64_t Next64() {
    const uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = RotateLeft(state_[3], 45);
    return result;
  }

  // Uniform in [0, n). The bias of multiply-shift, below n / 2^64, is accepted.
  uint64_t Below(uint64_t n) {
    CORE_CHECK(n > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next64()) * n) >> 64);
  }

  // Uniform in [low, high], both included.
  int64_t Between(int64_t low, int64_t high) {
    CORE_CHECK(low <= high);
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }

  // True `numerator` times in `denominator`.
  bool Chance(uint64_t numerator, uint64_t denominator) { return Below(denominator) < numerator; }

  // A generator of its own for one purpose: what it draws does not shift other draws.
  Random Fork() { return Random(Next64()); }

 private:
  static uint64_t RotateLeft(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  uint64_t state_[4];
};

}  // namespace norn

#endif  // NORN_CORE_RANDOM_H_
