// What the checkers make of removals: rightly removed, brought back, removed alive.

#include "sim/burials.h"

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/replication/record_ops.h"
#include "gtest/gtest.h"
#include "sim/checkers/checker_fixture.h"
#include "sim/checkers/checkers.h"

namespace norn::sim {
namespace {

constexpr int64_t kRemovedUs = 500;

// "k" is written (dot 1), deleted (dot 2), and that is forgotten at kRemovedUs.
Story Deleted() {
  Story story;
  story.Put("v", 0, 100).Mint("v", MakeDot(1));
  story.DeleteRead(Seen({MakeDot(1)}), 200, 300);
  story.MintTombstone(MakeDot(2), Seen({MakeDot(1)}), 250);
  return story;
}

Record Tombstone() {
  Record record;
  Version version;
  version.dot = MakeDot(2);
  version.tombstone = true;
  record.Put(std::move(version), Seen({MakeDot(1)}));
  return record;
}

History WithRemoval(const Story& story, const Record& removed) {
  History history = story.history();
  Burials burials;
  const std::string bytes = removed.Encode();
  burials.Found(MakeRecordKey(0, "k"), bytes);
  EXPECT_TRUE(Holds(burials.Removed(&history, MakeRecordKey(0, "k"), HashOf(bytes), kRemovedUs)));
  AddBurials(&history);
  return history;
}

TEST(Burials, OnlyWhatWasFoundDeadIsRemoved) {
  History history;
  Burials burials;
  const std::string alive = RecordBytes({{MakeDot(1), "v"}});
  burials.Found(MakeRecordKey(0, "k"), alive);
  EXPECT_TRUE(Breaks(burials.Removed(&history, MakeRecordKey(0, "k"), HashOf(alive), 1), "k"));
}

TEST(Burials, AWriteThatWasDeletedAndForgottenIsNotLost) {
  const History history = WithRemoval(Deleted(), Tombstone());
  EXPECT_TRUE(Holds(CheckNothingLost(history, {})));
  EXPECT_TRUE(Holds(CheckExactSiblings(history, {})));
  EXPECT_TRUE(Breaks(CheckNothingLost(Deleted().history(), {}), "put")) << "without the removal";
}

TEST(Burials, AReadAfterItHasSeenWhatWasForgotten) {
  Story story = Deleted();
  story.Get({}, Seen({MakeDot(2)}), 350, 400);
  story.Get({}, {}, kRemovedUs + 10, kRemovedUs + 20);
  EXPECT_TRUE(Holds(CheckMonotonicReads(WithRemoval(story, Tombstone()))));
  EXPECT_TRUE(Breaks(CheckMonotonicReads(story.history()), "get")) << "without the removal";
}

TEST(Burials, AReadBeforeItHasNoExcuse) {
  Story story = Deleted();
  story.Get({}, Seen({MakeDot(2)}), 350, 400);
  story.Get({}, {}, 420, 430);
  EXPECT_TRUE(Breaks(CheckMonotonicReads(WithRemoval(story, Tombstone())), "get"));
}

TEST(Burials, AValueThatComesBackIsFound) {
  Story story = Deleted();
  story.Get({"v"}, Seen({MakeDot(1)}), kRemovedUs + 10, kRemovedUs + 20);
  const History history = WithRemoval(story, Tombstone());
  EXPECT_TRUE(Breaks(CheckReplacedStaysReplaced(history), "v"));
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "v"}}));
  EXPECT_TRUE(Breaks(CheckExactSiblings(history, state), "v"));
}

// A read that was under way may still show what was there when it began.
TEST(Burials, AReadAcrossItMayShowWhatWasBefore) {
  Story story = Deleted();
  story.Get({"v"}, Seen({MakeDot(1)}), 150, kRemovedUs + 20);
  EXPECT_TRUE(Holds(CheckReplacedStaysReplaced(WithRemoval(story, Tombstone()))));
}

TEST(Burials, WhatMayBeRemovedIsLeftOut) {
  FinalState state = StateOf(Tombstone().Encode());
  EXPECT_TRUE(WithoutDead(state).empty());
  state = StateOf(RecordBytes({{MakeDot(1), "v"}}));
  EXPECT_EQ(WithoutDead(state), state);
}

}  // namespace
}  // namespace norn::sim
