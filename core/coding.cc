#include "core/coding.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace norn {

const char* LoadLongVarint(const char* from, const char* end, uint64_t* value) {
  uint64_t result = 0;
  for (int shift = 0; from < end && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    // The tenth byte has room for the last bit only.
    if (shift == 63 && byte > 1) return nullptr;
    result |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      if (byte == 0 && shift > 0) return nullptr;
      *value = result;
      return from;
    }
  }
  return nullptr;
}

void ByteReader::Fail() {
  failed_ = true;
  rest_ = absl::string_view();
}

absl::string_view ByteReader::Read(size_t n) {
  if (n > rest_.size()) {
    Fail();
    return absl::string_view();
  }
  const absl::string_view bytes = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return bytes;
}

uint8_t ByteReader::ReadByte() {
  const absl::string_view bytes = Read(1);
  return bytes.empty() ? uint8_t{0} : static_cast<uint8_t>(bytes[0]);
}

uint32_t ByteReader::ReadFixed32() {
  const absl::string_view bytes = Read(4);
  return bytes.empty() ? 0 : LoadFixed32(bytes.data());
}

uint64_t ByteReader::ReadFixed64() {
  const absl::string_view bytes = Read(8);
  return bytes.empty() ? 0 : LoadFixed64(bytes.data());
}

uint64_t ByteReader::ReadVarint() {
  uint64_t value = 0;
  const char* const end = rest_.data() + rest_.size();
  const char* const behind = LoadVarint(rest_.data(), end, &value);
  if (behind == nullptr) {
    Fail();
    return 0;
  }
  rest_.remove_prefix(static_cast<size_t>(behind - rest_.data()));
  return value;
}

uint64_t ByteReader::ReadVarintUpTo(uint64_t max) {
  const uint64_t value = ReadVarint();
  if (value <= max) return value;
  Fail();
  return 0;
}

absl::string_view ByteReader::ReadBytes(size_t bytes_max) {
  const uint64_t size = ReadVarintUpTo(bytes_max);
  return Read(static_cast<size_t>(size));
}

}  // namespace norn
