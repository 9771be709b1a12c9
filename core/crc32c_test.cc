#include "core/crc32c.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

// Bit by bit, from the definition: the dumb version that both paths are compared with.
uint32_t CrcByDefinition(absl::string_view data) {
  uint32_t crc = 0xffffffff;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

std::string Bytes(size_t n) {
  std::string bytes(n, '\0');
  uint32_t state = 12345;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Crc32cTest, VectorsOfRfc3720) {
  std::string ascending(32, '\0');
  std::string descending(32, '\0');
  for (size_t i = 0; i < 32; ++i) {
    ascending[i] = static_cast<char>(i);
    descending[i] = static_cast<char>(31 - i);
  }
  // An iSCSI read command, appendix B.4.
  const unsigned char read_command[48] = {
      0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
      0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  const struct {
    std::string bytes;
    uint32_t crc;
  } vectors[] = {
      {"", 0},
      {"123456789", 0xe3069283},
      {std::string(32, '\0'), 0x8a9136aa},
      {std::string(32, '\xff'), 0x62a8ab43},
      {ascending, 0x46dd794e},
      {descending, 0x113fdb5c},
      {std::string(reinterpret_cast<const char*>(read_command), 48), 0xd9963a56},
  };
  for (const auto& vector : vectors) {
    EXPECT_EQ(Crc32c(vector.bytes), vector.crc);
    EXPECT_EQ(ExtendCrc32cPortable(0, vector.bytes), vector.crc);
  }
}

TEST(Crc32cTest, BothPathsFollowTheDefinitionAtEveryLengthAndAlignment) {
  const std::string bytes = Bytes(8192);
  for (size_t n = 0; n < 8000; n += n < 420 ? 1 : 211) {
    const absl::string_view data(bytes.data() + n % 9, n);
    const uint32_t expected = CrcByDefinition(data);
    ASSERT_EQ(Crc32c(data), expected) << n;
    ASSERT_EQ(ExtendCrc32cPortable(0, data), expected) << n;
  }
}

TEST(Crc32cTest, ExtendingIsTheSameAsOnePass) {
  const std::string bytes = Bytes(4000);
  const absl::string_view data = bytes;
  for (size_t cut = 0; cut <= data.size(); cut += 37) {
    ASSERT_EQ(ExtendCrc32c(Crc32c(data.substr(0, cut)), data.substr(cut)), Crc32c(data)) << cut;
  }
}

}  // namespace
}  // namespace norn
