#include "storage/wal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

std::string BodyOf(WalGroup* group) {
  LogEncoder encoder(LogKind::kWal, 1, 2);
  std::string header;
  encoder.AppendHeader(&header);
  return group->Seal(&encoder).substr(kRecordHeadBytes);
}

TEST(WalTest, AGroupGivesBackItsEntries) {
  WalGroup group(41);
  EXPECT_TRUE(group.empty());
  group.Add("key", "value");
  group.Add("", "");
  group.Add("gone", "", EntryKind::kDeletion);
  group.Add("key", "newer");
  EXPECT_EQ(group.last_sequence(), 44u);
  const std::string body = BodyOf(&group);
  WalGroupReader reader(body);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"key", "value"}, {"", ""}, {"gone", ""}, {"key", "newer"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.sequence(), 41 + i);
    EXPECT_EQ(reader.key(), expected[i].first);
    EXPECT_EQ(reader.value(), expected[i].second);
    EXPECT_EQ(reader.kind() == EntryKind::kDeletion, expected[i].first == "gone");
  }
  EXPECT_FALSE(reader.Next());
  EXPECT_FALSE(reader.failed());
}

TEST(WalTest, AGroupCanBeSealedAgain) {
  WalGroup group(1);
  group.Add("a", "b");
  const std::string first = BodyOf(&group);
  EXPECT_EQ(BodyOf(&group), first);
}

TEST(WalTest, EveryCutOfAGroupIsNoticed) {
  WalGroup group(1);
  group.Add("key", "value");
  group.Add("another", "", EntryKind::kDeletion);
  const std::string body = BodyOf(&group);
  for (size_t n = 0; n < body.size(); ++n) {
    WalGroupReader reader(absl::string_view(body).substr(0, n));
    while (reader.Next()) {
    }
    EXPECT_TRUE(reader.failed()) << n;
  }
  const std::string longer = body + "x";
  WalGroupReader reader(longer);
  while (reader.Next()) {
  }
  EXPECT_TRUE(reader.failed());
}

TEST(WalTest, SequencesThatWrapAroundAreRefused) {
  WalGroup group(UINT64_MAX);
  group.Add("a", "b");
  const std::string body = BodyOf(&group);
  EXPECT_TRUE(WalGroupReader(body).failed());
}

TEST(WalTest, AnOpeningIsNoGroup) {
  const std::string body =
      EncodeWalOpening({.first_sequence = 9, .previous_number = 8, .previous_bytes = 70000});
  const std::optional<WalOpening> opening = DecodeWalOpening(body);
  ASSERT_TRUE(opening.has_value());
  EXPECT_EQ(opening->first_sequence, 9u);
  EXPECT_EQ(opening->previous_number, 8u);
  EXPECT_EQ(opening->previous_bytes, 70000u);
  EXPECT_TRUE(WalGroupReader(body).failed());
  WalGroup group(1);
  group.Add("a", "b");
  EXPECT_FALSE(DecodeWalOpening(BodyOf(&group)).has_value());
  EXPECT_FALSE(DecodeWalOpening(body + "x").has_value());
}

}  // namespace
}  // namespace norn::storage
