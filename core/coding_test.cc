#include "core/coding.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::vector<uint64_t> InterestingNumbers() {
  std::vector<uint64_t> numbers = {0, 1, kMax};
  for (int bit = 1; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    numbers.insert(numbers.end(), {power - 1, power, power + 1});
  }
  return numbers;
}

TEST(CodingTest, WhatIsWrittenIsRead) {
  for (const uint64_t number : InterestingNumbers()) {
    std::string bytes;
    AppendVarint(&bytes, number);
    EXPECT_EQ(bytes.size(), VarintSize(number));
    EXPECT_LE(bytes.size(), kVarintBytesMax);
    AppendFixed64(&bytes, number);
    AppendFixed32(&bytes, static_cast<uint32_t>(number));
    AppendBytes(&bytes, "some bytes");
    bytes.push_back('!');
    ByteReader reader(bytes);
    EXPECT_EQ(reader.ReadVarint(), number);
    EXPECT_EQ(reader.ReadFixed64(), number);
    EXPECT_EQ(reader.ReadFixed32(), static_cast<uint32_t>(number));
    EXPECT_EQ(reader.ReadBytes(), "some bytes");
    EXPECT_EQ(reader.ReadByte(), '!');
    EXPECT_TRUE(reader.Done());
  }
}

TEST(CodingTest, FixedNumbersAreLittleEndian) {
  std::string bytes;
  AppendFixed32(&bytes, 0x04030201);
  AppendFixed64(&bytes, 0x0807060504030201);
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08");
}

TEST(CodingTest, EveryCutIsNoticed) {
  for (const uint64_t number : InterestingNumbers()) {
    std::string bytes;
    AppendVarint(&bytes, number);
    for (size_t n = 0; n < bytes.size(); ++n) {
      ByteReader reader(absl::string_view(bytes).substr(0, n));
      EXPECT_EQ(reader.ReadVarint(), 0u);
      EXPECT_TRUE(reader.failed());
      EXPECT_FALSE(reader.Done());
    }
  }
}

TEST(CodingTest, VarintsThatAreNotCanonicalOrTooLongAreRefused) {
  const std::vector<std::string> bad = {
      std::string("\x80\x00", 2),                                   // zero in two bytes
      std::string("\xff\x80\x00", 3),                               // a needless last byte
      std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10),  // bit 64
      std::string(11, '\x80'),
      std::string(9, '\x80'),
  };
  for (const std::string& bytes : bad) {
    ByteReader reader(bytes);
    reader.ReadVarint();
    EXPECT_TRUE(reader.failed());
  }
  const std::string most("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
  ByteReader largest(most);
  EXPECT_EQ(largest.ReadVarint(), kMax);
  EXPECT_TRUE(largest.Done());
}

TEST(CodingTest, LimitsAreKept) {
  std::string bytes;
  AppendBytes(&bytes, "twelve bytes");
  EXPECT_EQ(ByteReader(bytes).ReadBytes(12), "twelve bytes");
  ByteReader tight(bytes);
  EXPECT_EQ(tight.ReadBytes(11), "");
  EXPECT_TRUE(tight.failed());
  ByteReader number(bytes);
  EXPECT_EQ(number.ReadVarintUpTo(12), 12u);
  ByteReader small(bytes);
  EXPECT_EQ(small.ReadVarintUpTo(11), 0u);
  EXPECT_TRUE(small.failed());
}

TEST(CodingTest, AReaderThatFailedReadsNothingMore) {
  const std::string bytes = "abcdefghijklmnop";
  ByteReader reader(bytes);
  reader.Read(17);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.ReadByte(), 0);
  EXPECT_EQ(reader.ReadFixed32(), 0u);
  EXPECT_EQ(reader.ReadFixed64(), 0u);
  EXPECT_EQ(reader.Read(1), "");
  EXPECT_FALSE(reader.Done());
}

TEST(CodingTest, AHugeLengthDoesNotOverflow) {
  std::string bytes;
  AppendVarint(&bytes, kMax);
  bytes += "abc";
  ByteReader reader(bytes);
  EXPECT_EQ(reader.ReadBytes(), "");
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace norn
