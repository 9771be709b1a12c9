// How numbers and strings become bytes, on disk and in canonical encodings.
//
//   fixed32, fixed64   little-endian, whatever the processor
//   varint             7 bits a byte, least significant first, the top bit set on all
//                      bytes but the last; at most 10 bytes; canonical: no needless
//                      trailing zero byte, so that equal values have equal bytes
//   bytes              varint length, then that many bytes
//
// Writers append to a std::string. Reading goes through ByteReader, which is safe on
// hostile bytes: it never reads outside its input, and a value that does not fit or is
// not canonical makes it fail for good.

#ifndef NORN_CORE_CODING_H_
#define NORN_CORE_CODING_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn {

inline constexpr size_t kVarintBytesMax = 10;

inline void StoreFixed32(char* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

inline void StoreFixed64(char* to, uint64_t value) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

inline uint32_t LoadFixed32(const char* from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return value;
}

inline uint64_t LoadFixed64(const char* from) {
  return LoadFixed32(from) | static_cast<uint64_t>(LoadFixed32(from + 4)) << 32;
}

inline void AppendFixed32(std::string* out, uint32_t value) {
  char bytes[4];
  StoreFixed32(bytes, value);
  out->append(bytes, sizeof(bytes));
}

inline void AppendFixed64(std::string* out, uint64_t value) {
  char bytes[8];
  StoreFixed64(bytes, value);
  out->append(bytes, sizeof(bytes));
}

// Writes at most kVarintBytesMax bytes; returns the first byte behind them.
inline char* StoreVarint(char* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

inline void AppendVarint(std::string* out, uint64_t value) {
  char bytes[kVarintBytesMax];
  out->append(bytes, static_cast<size_t>(StoreVarint(bytes, value) - bytes));
}

inline size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

inline void AppendBytes(std::string* out, absl::string_view bytes) {
  AppendVarint(out, bytes.size());
  out->append(bytes.data(), bytes.size());
}

// Reads the varint at the front of [from, end). Returns the first byte behind it, or
// nullptr if it is cut, too long or not canonical.
const char* LoadLongVarint(const char* from, const char* end, uint64_t* value);
inline const char* LoadVarint(const char* from, const char* end, uint64_t* value) {
  // Most numbers are small: lengths, mainly.
  if (from < end && static_cast<unsigned char>(*from) < 0x80) {
    *value = static_cast<unsigned char>(*from);
    return from + 1;
  }
  return LoadLongVarint(from, end, value);
}

// Takes values off the front of its input. After a read that failed, failed() is true
// for ever and every further read gives zero or an empty string: a parser may read a
// whole structure and ask once. The strings it returns point into the input.
class ByteReader {
 public:
  explicit ByteReader(absl::string_view input) : rest_(input) {}

  uint8_t ReadByte();
  uint32_t ReadFixed32();
  uint64_t ReadFixed64();
  uint64_t ReadVarint();
  // A varint that is at most `max`.
  uint64_t ReadVarintUpTo(uint64_t max);
  // Exactly `n` bytes.
  absl::string_view Read(size_t n);
  // A length and that many bytes; at most `bytes_max` of them.
  absl::string_view ReadBytes(size_t bytes_max = SIZE_MAX);

  // Marks the input as bad: for what the caller finds out about a value.
  void Fail();

  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }
  // Nothing failed and nothing is left: a structure that must fill its input is good.
  bool Done() const { return !failed_ && rest_.empty(); }
  absl::string_view rest() const { return rest_; }

 private:
  absl::string_view rest_;
  bool failed_ = false;
};

}  // namespace norn

#endif  // NORN_CORE_CODING_H_
