#include "storage/bloom.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "xxhash.h"

namespace norn::storage {
namespace {

constexpr size_t kLineBytes = 64;
constexpr int kProbesMax = 16;

// The line: the hash's high half, scaled to the number of lines. The bits in it: steps
// of the low half.
size_t LineOf(uint64_t hash, size_t lines) {
  return static_cast<size_t>(((hash >> 32) * lines) >> 32);
}

struct Probe {
  explicit Probe(uint64_t hash)
      : at(static_cast<uint32_t>(hash)), step(static_cast<uint32_t>(hash >> 17) | 1) {}

  uint32_t Next() {
    const uint32_t bit = at >> 23;  // nine bits: 512 in a line
    at += step;
    return bit;
  }

  uint32_t at;
  uint32_t step;
};

}  // namespace

uint64_t BloomHash(absl::string_view key) { return XXH3_64bits(key.data(), key.size()); }

void BloomBuilder::Add(absl::string_view key) { hashes_.push_back(BloomHash(key)); }

std::string BloomBuilder::Finish() const {
  const auto bits_per_key = static_cast<size_t>(std::max(bits_per_key_, 1));
  const size_t bits = hashes_.size() * bits_per_key;
  const size_t lines = std::max<size_t>(1, (bits + 8 * kLineBytes - 1) / (8 * kLineBytes));
  // ln 2 * bits per key is best; 69 / 100 spares the floating point.
  const int probes = std::clamp(static_cast<int>(bits_per_key * 69 / 100), 1, kProbesMax);
  std::string filter(lines * kLineBytes + 1, '\0');
  filter.back() = static_cast<char>(probes);
  for (const uint64_t hash : hashes_) {
    char* const line = filter.data() + LineOf(hash, lines) * kLineBytes;
    Probe probe(hash);
    for (int i = 0; i < probes; ++i) {
      const uint32_t bit = probe.Next();
      line[bit / 8] = static_cast<char>(line[bit / 8] | (1 << (bit % 8)));
    }
  }
  return filter;
}

void BloomPrefetch(absl::string_view filter, uint64_t hash) {
  if (filter.size() <= kLineBytes) return;
  __builtin_prefetch(filter.data() + LineOf(hash, filter.size() / kLineBytes) * kLineBytes);
}

bool BloomMayContain(absl::string_view filter, uint64_t hash) {
  if (filter.size() <= kLineBytes || (filter.size() - 1) % kLineBytes != 0) return true;
  const size_t lines = filter.size() / kLineBytes;
  const int probes = filter.back();
  if (probes < 1 || probes > kProbesMax) return true;
  const char* const line = filter.data() + LineOf(hash, lines) * kLineBytes;
  Probe probe(hash);
  for (int i = 0; i < probes; ++i) {
    const uint32_t bit = probe.Next();
    if ((line[bit / 8] & (1 << (bit % 8))) == 0) return false;
  }
  return true;
}

}  // namespace norn::storage
