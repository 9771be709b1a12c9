// The first eight bytes of a key as a number.

#ifndef NORN_STORAGE_KEY_PREFIX_H_
#define NORN_STORAGE_KEY_PREFIX_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace norn::storage {

// Big-endian, zeros behind a shorter key: where two prefixes differ, the keys compare alike.
inline uint64_t KeyPrefix(absl::string_view key) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t prefix = 0;
  if (key.size() >= 8) {
    std::memcpy(&prefix, key.data(), 8);
    return __builtin_bswap64(prefix);
  }
  for (size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return prefix;
}

}  // namespace norn::storage

#endif  // NORN_STORAGE_KEY_PREFIX_H_
