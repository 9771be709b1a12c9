#include "benchmarks/engines/dataset.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/process_usage.h"
#include "core/check.h"
#include "core/random.h"

namespace norn::benchmarks {
namespace {

constexpr uint64_t kSeed = 301;  // db_bench's
constexpr size_t kPoolBytes = 1u << 20;
constexpr size_t kPieceBytes = 100;
constexpr size_t kHeadBytes = Dataset::kKeyBytes + sizeof(uint32_t);
constexpr size_t kTailBytes = 8;

double UnitInterval(Random* random) {
  return static_cast<double>(random->Next64() >> 11) * 0x1.0p-53;
}

}  // namespace

Dataset::Dataset(uint64_t entries, size_t value_bytes)
    : entries_(entries), value_bytes_(value_bytes), shuffled_(entries) {
  CORE_CHECK(entries > 0 && entries <= std::numeric_limits<uint32_t>::max());
  CORE_CHECK(value_bytes >= kHeadBytes + kTailBytes && value_bytes < kPoolBytes);
  Random random(kSeed);
  std::iota(shuffled_.begin(), shuffled_.end(), 0u);
  for (uint64_t i = entries - 1; i > 0; --i)
    std::swap(shuffled_[i], shuffled_[random.Below(i + 1)]);
  while (pool_.size() < kPoolBytes + value_bytes) {
    std::string half(kPieceBytes / 2, '\0');
    for (char& c : half) c = static_cast<char>(' ' + random.Below(95));
    pool_ += half + half;
  }
}

std::vector<uint32_t> Dataset::Uniform(uint64_t count, uint64_t seed) const {
  Random random(kSeed + seed);
  std::vector<uint32_t> numbers(count);
  for (uint32_t& number : numbers) number = static_cast<uint32_t>(random.Below(entries_));
  return numbers;
}

// J. Gray et al., Quickly Generating Billion-Record Synthetic Databases, 1994; as in YCSB.
std::vector<uint32_t> Dataset::Zipfian(uint64_t count, uint64_t seed) const {
  constexpr double kTheta = 0.99;
  double zeta = 0;
  for (uint64_t i = 1; i <= entries_; ++i) zeta += std::pow(static_cast<double>(i), -kTheta);
  const auto n = static_cast<double>(entries_);
  const double second = std::pow(0.5, kTheta);
  const double eta = (1 - std::pow(2.0 / n, 1 - kTheta)) / (1 - (1 + second) / zeta);
  Random random(kSeed + seed);
  std::vector<uint32_t> numbers(count);
  for (uint32_t& number : numbers) {
    const double u = UnitInterval(&random);
    uint64_t rank = 0;
    if (u * zeta >= 1 + second) {
      rank = static_cast<uint64_t>(n * std::pow(eta * u - eta + 1, 1 / (1 - kTheta)));
    } else if (u * zeta >= 1) {
      rank = 1;
    }
    number = shuffled_[rank < entries_ ? rank : entries_ - 1];
  }
  return numbers;
}

void Dataset::Digits(uint64_t number, char* out) {
  for (size_t i = kKeyBytes; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

void Dataset::Value(absl::string_view key, uint64_t version, char* value) const {
  uint64_t number = 0;
  std::memcpy(&number, key.data() + kKeyBytes - sizeof(number), sizeof(number));
  const auto offset = static_cast<uint32_t>(SplitMix64(number + version) % kPoolBytes);
  std::memcpy(value, key.data(), kKeyBytes);
  std::memcpy(value + kKeyBytes, &offset, sizeof(offset));
  std::memcpy(value + kHeadBytes, pool_.data() + offset, value_bytes_ - kHeadBytes);
}

void Dataset::Check(absl::string_view key, absl::string_view value) const {
  if (value.size() == value_bytes_ && std::memcmp(value.data(), key.data(), kKeyBytes) == 0) {
    uint32_t offset = 0;
    std::memcpy(&offset, value.data() + kKeyBytes, sizeof(offset));
    const size_t tail = value_bytes_ - kTailBytes;
    if (offset < kPoolBytes &&
        std::memcmp(value.data() + tail, pool_.data() + offset + tail - kHeadBytes, kTailBytes) ==
            0) {
      return;
    }
  }
  Die(absl::StrCat("WRONG VALUE: key ", key, " has a value of ", value.size(), " bytes, \"",
                   value.substr(0, 32), "\", that was never written to it"));
}

}  // namespace norn::benchmarks
