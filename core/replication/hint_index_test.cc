#include "core/replication/hint_index.h"

#include <string>

#include "gtest/gtest.h"

namespace norn {
namespace {

using Place = HintIndex::Place;

constexpr uint64_t kFixed = HintIndex::kOverheadBytes + 1;  // of a hint with a key of one byte

TEST(HintIndexTest, CountsBytesAndKeepsToTheLimit) {
  HintIndex index(1000);
  ASSERT_TRUE(index.Admit(Place(1, "a"), 600));
  EXPECT_EQ(index.bytes(), 600u);
  EXPECT_FALSE(index.Admit(Place(1, "b"), 500));  // what is admitted counts before it is stored
  EXPECT_EQ(index.WritesOf(Place(1, "b")), 0u);
  index.Stored(Place(1, "a"), 600, 100, 7);
  EXPECT_EQ(index.bytes(), kFixed + 100);
  ASSERT_TRUE(index.Admit(Place(1, "b"), 500));
  index.Refused(Place(1, "b"), 500);
  EXPECT_EQ(index.bytes(), kFixed + 100);
  EXPECT_EQ(index.count(), 1u);
  // A later write of the same hint replaces what it took.
  ASSERT_TRUE(index.Admit(Place(1, "a"), 50));
  index.Stored(Place(1, "a"), 50, 130, 9);
  EXPECT_EQ(index.bytes(), kFixed + 130);
  EXPECT_EQ(index.BytesOf(Place(1, "a")), kFixed + 130);
  EXPECT_EQ(index.WrittenAt(Place(1, "a")), 9);
  index.Removed(Place(1, "a"), index.WritesOf(Place(1, "a")));
  EXPECT_EQ(index.bytes(), 0u);
  EXPECT_TRUE(index.empty());
}

// What is admitted counts as well, and what is refused, removed or written twice does not.
TEST(HintIndexTest, CountsThoseOfAPartition) {
  HintIndex index(1000,
                  [](const std::string& key) { return static_cast<PartitionId>(key.size()); });
  EXPECT_EQ(index.CountOf(1), 0u);
  ASSERT_TRUE(index.Admit(Place(1, "a"), 10));
  ASSERT_TRUE(index.Admit(Place(1, "a"), 10));
  index.Found(Place(2, "a"), 10, 1);
  index.Found(Place(2, "bb"), 10, 1);
  EXPECT_EQ(index.CountOf(1), 2u);
  EXPECT_EQ(index.CountOf(2), 1u);
  index.Refused(Place(1, "a"), 10);
  EXPECT_EQ(index.CountOf(1), 2u);
  index.Refused(Place(1, "a"), 10);
  EXPECT_EQ(index.CountOf(1), 1u);
  index.Removed(Place(2, "a"), index.WritesOf(Place(2, "a")));
  index.Removed(Place(2, "bb"), index.WritesOf(Place(2, "bb")));
  EXPECT_EQ(index.CountOf(1), 0u);
  EXPECT_EQ(index.CountOf(2), 0u);
}

TEST(HintIndexTest, WhatWasFoundMayBeMoreThanTheLimit) {
  HintIndex index(10);
  index.Found(Place(1, "a"), 100, 1);
  index.Found(Place(1, "b"), 100, 1);
  EXPECT_EQ(index.bytes(), 2 * (kFixed + 100));
  EXPECT_FALSE(index.Admit(Place(1, "c"), 0));
}

TEST(HintIndexTest, ARemovalThatWasOvertakenLeavesTheHint) {
  HintIndex index(1000);
  index.Found(Place(1, "a"), 10, 1);
  const uint64_t writes = index.WritesOf(Place(1, "a"));
  ASSERT_TRUE(index.Admit(Place(1, "a"), 10));
  index.Removed(Place(1, "a"), writes);
  EXPECT_EQ(index.count(), 1u);
  index.Stored(Place(1, "a"), 10, 20, 2);
  EXPECT_NE(index.Next(1, ""), nullptr);
}

// The removal is answered before a write that was submitted before it.
TEST(HintIndexTest, AWriteUnderWayKeepsTheEntry) {
  HintIndex index(1000);
  index.Found(Place(1, "a"), 10, 1);
  ASSERT_TRUE(index.Admit(Place(1, "a"), 10));
  index.Removed(Place(1, "a"), index.WritesOf(Place(1, "a")));
  EXPECT_EQ(index.Next(1, ""), nullptr);
  index.Refused(Place(1, "a"), 10);
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.bytes(), 0u);
}

TEST(HintIndexTest, WalksTheHintsOfAnOwnerInOrder) {
  HintIndex index(10'000);
  index.Found(Place(5, "b"), 1, 30);
  index.Found(Place(5, "a"), 1, 20);
  index.Found(Place(9, "c"), 1, 40);
  ASSERT_TRUE(index.Admit(Place(5, "c"), 1));  // not stored yet
  EXPECT_EQ(*index.Next(5, ""), Place(5, "a"));
  EXPECT_EQ(*index.Next(5, "a"), Place(5, "b"));
  EXPECT_EQ(index.Next(5, "b"), nullptr);
  EXPECT_EQ(index.Next(6, ""), nullptr);
  EXPECT_EQ(index.NextOwner(kNoNode), 5);
  EXPECT_EQ(index.NextOwner(5), 9);
  EXPECT_EQ(index.NextOwner(9), kNoNode);
  EXPECT_EQ(index.NextOwner(65535), kNoNode);
  EXPECT_EQ(index.Oldest(), 20);
}

}  // namespace
}  // namespace norn
