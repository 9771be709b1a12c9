#include "sim/environment/key_chooser.h"

#include <algorithm>
#include <array>

#include "core/check.h"

namespace norn::sim {

namespace {

constexpr int kBits = 32;  // behind the binary point
constexpr uint64_t kOne = uint64_t{1} << kBits;
constexpr uint64_t kRanksMax = uint64_t{1} << 20;
constexpr uint64_t kExponentMax = 3'000;

// log2(x) with kBits behind the point: the mantissa is squared once for each bit.
uint64_t Log2(uint64_t x) {
  uint64_t whole = 0;
  while (x >> (whole + 1) != 0) ++whole;
  uint64_t mantissa = (x << (kBits - 1)) >> whole;  // in [2^31, 2^32)
  uint64_t fraction = 0;
  for (int i = 0; i < kBits; ++i) {
    mantissa = (mantissa * mantissa) >> (kBits - 1);
    fraction <<= 1;
    if (mantissa >= kOne) {
      mantissa >>= 1;
      fraction |= 1;
    }
  }
  return (whole << kBits) + fraction;
}

uint64_t SquareRoot(uint64_t x) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const uint64_t tried = root | bit;
    if (tried * tried <= x) root = tried;
  }
  return root;
}

// 2^(-2^-i) for i from 1: each is the root of the one before.
std::array<uint64_t, kBits> Roots() {
  std::array<uint64_t, kBits> roots;
  uint64_t root = kOne / 2;
  for (uint64_t& next : roots) next = root = SquareRoot(root << kBits);
  return roots;
}

// 2^-x, both with kBits behind the point: a factor for each bit of the fraction.
uint64_t Exp2OfMinus(uint64_t x) {
  static const std::array<uint64_t, kBits> kRoots = Roots();
  uint64_t result = kOne;
  for (size_t i = 0; i < kRoots.size(); ++i) {
    if ((x >> (kBits - 1 - static_cast<int>(i)) & 1) != 0) result = (result * kRoots[i]) >> kBits;
  }
  const uint64_t whole = x >> kBits;
  return whole > kBits ? 0 : result >> whole;
}

}  // namespace

uint64_t ZipfianWeight(uint64_t rank, uint64_t exponent_per_mille) {
  CORE_CHECK(rank >= 1 && rank < kRanksMax && exponent_per_mille <= kExponentMax);
  return Exp2OfMinus(Log2(rank) * exponent_per_mille / 1000);
}

KeyChooser KeyChooser::Uniform(uint64_t count) {
  CORE_CHECK(count >= 1);
  KeyChooser chooser;
  chooser.count_ = count;
  return chooser;
}

KeyChooser KeyChooser::Zipfian(uint64_t count, uint64_t exponent_per_mille) {
  KeyChooser chooser = Uniform(count);
  uint64_t sum = 0;
  for (uint64_t rank = 1; rank <= count; ++rank) {
    sum += ZipfianWeight(rank, exponent_per_mille);
    chooser.sums_.push_back(sum);
  }
  return chooser;
}

KeyChooser KeyChooser::HotSet(uint64_t count, uint64_t hot, uint64_t hot_per_mille) {
  CORE_CHECK(hot >= 1 && hot <= count && hot_per_mille <= 1000);
  KeyChooser chooser = Uniform(count);
  chooser.hot_ = hot;
  chooser.hot_per_mille_ = hot_per_mille;
  return chooser;
}

uint64_t KeyChooser::Draw(Random& random) const {
  if (!sums_.empty()) {
    const uint64_t at = random.Below(sums_.back());
    return static_cast<uint64_t>(std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }
  if (hot_ == 0 || hot_ == count_) return random.Below(count_);
  if (random.Chance(hot_per_mille_, 1000)) return random.Below(hot_);
  return hot_ + random.Below(count_ - hot_);
}

}  // namespace norn::sim
