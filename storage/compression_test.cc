#include "storage/compression.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

std::string Text(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) absl::StrAppend(&text, "key", i, " value ", i % 10);
  text.resize(bytes);
  return text;
}

TEST(CompressionTest, GivesBackWhatItTook) {
  Random random(1);
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random.Below(256));
  for (const char* name : {"none", "lz4", "zstd"}) {
    const std::optional<Compression> compression = ParseCompression(name);
    ASSERT_TRUE(compression.has_value());
    EXPECT_EQ(CompressionName(*compression), name);
    for (const std::string& payload : {std::string(), std::string("x"), Text(4096), Text(300'000),
                                       std::string(1u << 20, '\0'), noise}) {
      const std::string stored = Compress(*compression, payload);
      ASSERT_EQ(Expand(*compression, stored), payload) << name << " " << payload.size();
    }
  }
  EXPECT_LT(Compress(Compression::kZstd, Text(4096)).size(),
            Compress(Compression::kLz4, Text(4096)).size());
  EXPECT_FALSE(ParseCompression("zip").has_value());
  EXPECT_FALSE(Expand(static_cast<Compression>(3), "abc").has_value());
}

// Cut, flipped and random bytes: an answer of a sane size or none.
TEST(CompressionTest, HostileBytesAreRefused) {
  Random random(2);
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    const std::string good = Compress(compression, Text(2000));
    for (size_t n = 0; n < good.size(); ++n) {
      ASSERT_FALSE(Expand(compression, absl::string_view(good).substr(0, n)).has_value()) << n;
    }
    for (int i = 0; i < 5000; ++i) {
      std::string bad = good;
      bad[random.Below(bad.size())] ^= static_cast<char>(1 << random.Below(8));
      const std::optional<std::string> expanded = Expand(compression, bad);
      ASSERT_LE(expanded.value_or("").size(), bad.size() * (128u << 10));
    }
  }
  // A frame that says 64 MiB and has no room for them.
  const std::string large = Compress(Compression::kZstd, std::string(64u << 20, 'x'));
  EXPECT_FALSE(Expand(Compression::kZstd, absl::string_view(large).substr(0, 20)).has_value());
}

}  // namespace
}  // namespace norn::storage
