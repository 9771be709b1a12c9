#include "core/crc32c.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace norn {
namespace {

// The polynomial with its bits reversed: bit 31 stands for x^0.
constexpr uint32_t kPolynomial = 0x82f63b78;

// Table k advances a byte that is followed by k zero bytes ("slicing by 8": M. Kounavis,
// F. Berry, Novel Table Lookup-Based Algorithms for High-Performance CRC, 2008).
using SlicingTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr SlicingTables MakeSlicingTables() {
  SlicingTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

constexpr SlicingTables kSlicing = MakeSlicingTables();

uint32_t LoadLittleEndian32(const unsigned char* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

#if defined(__x86_64__)

// a * b modulo the polynomial, both reflected.
constexpr uint32_t MultiplyModP(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

// What `bytes` zero bytes do to a CRC, as four tables, one for each of its bytes. Lanes
// that were computed apart are joined with it.
using ShiftTables = std::array<std::array<uint32_t, 256>, 4>;

constexpr ShiftTables MakeShiftTables(size_t bytes) {
  uint32_t shift = 0x80000000;   // x^0
  uint32_t square = 0x00800000;  // x^8
  for (size_t n = bytes; n != 0; n >>= 1) {
    if ((n & 1) != 0) shift = MultiplyModP(shift, square);
    square = MultiplyModP(square, square);
  }
  ShiftTables tables{};
  for (uint32_t k = 0; k < 4; ++k) {
    for (uint32_t byte = 1; byte < 256; ++byte) {
      const uint32_t low_bit = byte & (~byte + 1);
      tables[k][byte] = tables[k][byte ^ low_bit] ^ MultiplyModP(low_bit << (8 * k), shift);
    }
  }
  return tables;
}

// The crc32 instruction takes three cycles and a new one can start every cycle, so three
// independent lanes keep it busy. Long lanes for large blocks, short ones for the rest.
constexpr size_t kLongLane = 1024;
constexpr size_t kShortLane = 128;
constexpr ShiftTables kLongShift = MakeShiftTables(kLongLane);
constexpr ShiftTables kShortShift = MakeShiftTables(kShortLane);

uint32_t Shift(const ShiftTables& tables, uint32_t crc) {
  return tables[0][crc & 0xff] ^ tables[1][(crc >> 8) & 0xff] ^ tables[2][(crc >> 16) & 0xff] ^
         tables[3][crc >> 24];
}

uint64_t Load64(const unsigned char* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

template <size_t kLane>
__attribute__((target("sse4.2"))) uint32_t ThreeLanes(const ShiftTables& shift, uint32_t crc,
                                                      const unsigned char* p) {
  uint64_t a = crc;
  uint64_t b = 0;
  uint64_t c = 0;
  for (size_t i = 0; i < kLane; i += 8) {
    a = _mm_crc32_u64(a, Load64(p + i));
    b = _mm_crc32_u64(b, Load64(p + kLane + i));
    c = _mm_crc32_u64(c, Load64(p + 2 * kLane + i));
  }
  const uint32_t ab = Shift(shift, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
  return Shift(shift, ab) ^ static_cast<uint32_t>(c);
}

__attribute__((target("sse4.2"))) uint32_t ExtendHardware(uint32_t crc, const unsigned char* p,
                                                          size_t n) {
  crc = ~crc;
  for (; n >= 3 * kLongLane; n -= 3 * kLongLane, p += 3 * kLongLane) {
    crc = ThreeLanes<kLongLane>(kLongShift, crc, p);
  }
  for (; n >= 3 * kShortLane; n -= 3 * kShortLane, p += 3 * kShortLane) {
    crc = ThreeLanes<kShortLane>(kShortShift, crc, p);
  }
  uint64_t wide = crc;
  for (; n >= 8; n -= 8, p += 8) wide = _mm_crc32_u64(wide, Load64(p));
  crc = static_cast<uint32_t>(wide);
  for (; n > 0; --n, ++p) crc = _mm_crc32_u8(crc, *p);
  return ~crc;
}

#endif  // __x86_64__

}  // namespace

uint32_t ExtendCrc32cPortable(uint32_t crc, absl::string_view data) {
  const auto* p = reinterpret_cast<const unsigned char*>(data.data());
  size_t n = data.size();
  crc = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    const uint32_t low = LoadLittleEndian32(p) ^ crc;
    const uint32_t high = LoadLittleEndian32(p + 4);
    crc = kSlicing[7][low & 0xff] ^ kSlicing[6][(low >> 8) & 0xff] ^
          kSlicing[5][(low >> 16) & 0xff] ^ kSlicing[4][low >> 24] ^ kSlicing[3][high & 0xff] ^
          kSlicing[2][(high >> 8) & 0xff] ^ kSlicing[1][(high >> 16) & 0xff] ^
          kSlicing[0][high >> 24];
  }
  for (; n > 0; --n, ++p) crc = (crc >> 8) ^ kSlicing[0][(crc ^ *p) & 0xff];
  return ~crc;
}

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view data) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) {
    return ExtendHardware(crc, reinterpret_cast<const unsigned char*>(data.data()), data.size());
  }
#endif
  return ExtendCrc32cPortable(crc, data);
}

}  // namespace norn
