// The checkers of the end, on endings known to be good and on endings known to be bad.

#include <cstddef>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "sim/checkers/checker_fixture.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"

namespace norn::sim {
namespace {

// ---- CheckHintsDrained -------------------------------------------------------------

TEST(HintsDrained, NobodyMayKeepOne) {
  EXPECT_TRUE(Holds(CheckHintsDrained({})));
  EXPECT_TRUE(Holds(CheckHintsDrained({{1, {}}, {2, {}}})));
  EXPECT_TRUE(Breaks(CheckHintsDrained({{1, {}}, {2, {MakeRecordKey(0, "k7")}}}), "n2"));
  EXPECT_TRUE(Breaks(CheckHintsDrained({{2, {MakeRecordKey(0, "k7")}}}), "k7"));
}

// ---- CheckRefusalsHold ------------------------------------------------------------

constexpr Outcome kRefusals[] = {Outcome::kNotApplied, Outcome::kInvalid, Outcome::kOverloaded};

TEST(RefusalsHold, AcceptsARefusedPutThatLeftNoTrace) {
  for (const Outcome refusal : kRefusals) {
    Story story;
    story.Put("a", 10, 20, refusal).MintRefused("a", MakeDot(1));
    story.Put("b", 30, 40).Mint("b", MakeDot(2)).Get({"b"}, Seen({MakeDot(2)}), 50, 60);
    const FinalState state = StateOf(RecordBytes({{MakeDot(2), "b"}}));
    EXPECT_TRUE(Holds(CheckRefusalsHold(story.history(), state)));
  }
}

TEST(RefusalsHold, AnUnknownPutMayTakeEffect) {
  Story story;
  story.Put("a", 10, 20, Outcome::kUnknown).Mint("a", MakeDot(1));
  story.Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Holds(CheckRefusalsHold(story.history(), state)));
}

TEST(RefusalsHold, RefusesARefusedPutThatWasRead) {
  for (const Outcome refusal : kRefusals) {
    Story story;
    story.Put("a", 10, 20, refusal).Get({"a"}, Seen({MakeDot(1)}), 15, 18);
    EXPECT_TRUE(Breaks(CheckRefusalsHold(story.history(), FinalState{}), "read {a}"));
  }
}

TEST(RefusalsHold, RefusesARefusedPutThatIsThereInTheEnd) {
  Story story;
  story.Put("a", 10, 20, Outcome::kNotApplied).MintUnknown("a", MakeDot(1));
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckRefusalsHold(story.history(), state), "alive in the end"));
}

TEST(RefusalsHold, RefusesARefusedPutThatAStoreTook) {
  Story story;
  story.Put("a", 10, 20, Outcome::kOverloaded).Mint("a", MakeDot(1));
  EXPECT_TRUE(Breaks(CheckRefusalsHold(story.history(), FinalState{}), "stored"));
}

TEST(RefusalsHold, ATombstoneMayBeOfADeleteWithoutAnAnswer) {
  Story story;
  story.Delete(10, 20, Outcome::kNotApplied).Delete(10, 15, Outcome::kUnknown);
  story.MintTombstone(MakeDot(1), {}, 500);
  EXPECT_TRUE(Holds(CheckRefusalsHold(story.history(), FinalState{})));
}

TEST(RefusalsHold, RefusesATombstoneWhenAllDeletesWereRefused) {
  Story story;
  story.Delete(10, 20, Outcome::kNotApplied).Delete(30, 40);
  story.MintTombstone(MakeDot(1), {}, 15);
  EXPECT_TRUE(Breaks(CheckRefusalsHold(story.history(), FinalState{}), ToString(MakeDot(1))));
}

TEST(RefusalsHold, RefusesATombstoneMadeAfterItsDeleteWasAnswered) {
  Story story;
  story.Delete(10, 20).MintTombstone(MakeDot(1), {}, 25);
  EXPECT_TRUE(Breaks(CheckRefusalsHold(story.history(), FinalState{}), ToString(MakeDot(1))));
}

// ---- CheckNoResurrection ----------------------------------------------------------

// a was written, read and deleted.
Story Deleted(Outcome outcome = Outcome::kOk) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.DeleteRead(Seen({MakeDot(1)}), 30, 40, outcome);
  story.MintTombstone(MakeDot(2), Seen({MakeDot(1)}), 35);
  return story;
}

testing::AssertionResult StaysAway(const Story& story, const FinalState& state, size_t last_reads,
                                   bool overlapping = true) {
  return Holds(CheckNoResurrection(story.history(), state, last_reads, overlapping));
}

TEST(NoResurrection, AcceptsADeletedValueThatStaysAway) {
  Story story = Deleted();
  story.Get({"a"}, Seen({MakeDot(1)}), 38, 45).Get({}, Seen({MakeDot(2)}), 50, 60);
  EXPECT_TRUE(StaysAway(story, StateOf(RecordBytes({{MakeDot(2), ""}})), 3));
}

TEST(NoResurrection, WhatTheTokenDidNotCoverMayStay) {
  Story story = Deleted();
  story.Put("b", 31, 39).Mint("b", MakeDot(1, 2)).Get({"b"}, Seen({MakeDot(1, 2)}), 50, 60);
  EXPECT_TRUE(StaysAway(story, StateOf(RecordBytes({{MakeDot(1, 2), "b"}})), 4));
}

TEST(NoResurrection, AnUnacknowledgedDeletePromisesNothing) {
  Story story = Deleted(Outcome::kUnknown);
  story.Get({"a"}, Seen({MakeDot(1)}), 50, 60);
  EXPECT_TRUE(StaysAway(story, StateOf(RecordBytes({{MakeDot(1), "a"}})), 2));
}

TEST(NoResurrection, RefusesADeletedValueOnOneReplica) {
  const Story story = Deleted();
  FinalState state = StateOf(RecordBytes({}));
  state.begin()->second[2] = RecordBytes({{MakeDot(1), "a"}});
  EXPECT_TRUE(Breaks(CheckNoResurrection(story.history(), state, story.size(), false),
                     ToString(MakeDot(1))));
}

TEST(NoResurrection, RefusesADeletedValueInALastRead) {
  Story story = Deleted();
  const size_t last_reads = story.size();
  story.Get({"a"}, Seen({MakeDot(1)}), 50, 60);
  EXPECT_TRUE(
      Breaks(CheckNoResurrection(story.history(), FinalState{}, last_reads, false), "read {a}"));
}

TEST(NoResurrection, EarlierReadsCountIfQuorumsOverlap) {
  Story story = Deleted();
  story.Get({"a"}, Seen({MakeDot(1)}), 50, 60);
  EXPECT_TRUE(StaysAway(story, FinalState{}, story.size(), /*overlapping=*/false));
  EXPECT_TRUE(
      Breaks(CheckNoResurrection(story.history(), FinalState{}, story.size(), true), "read {a}"));
}

// ---- CheckFinalReads --------------------------------------------------------------

TEST(FinalReads, AcceptsReadsOfWhatIsThere) {
  Story story;
  story.Get({}, {}, 1, 2);  // long before
  story.Get({"b", "a"}, Seen({MakeDot(1), MakeDot(1, 2)}), 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}, {MakeDot(1, 2), "b"}}));
  EXPECT_TRUE(Holds(CheckFinalReads(story.history(), state, 1)));
}

TEST(FinalReads, AKeyThatIsNowhereReadsAsNothing) {
  Story story;
  story.Get({}, {}, 10, 20);
  EXPECT_TRUE(Holds(CheckFinalReads(story.history(), FinalState{}, 0)));
}

TEST(FinalReads, RefusesAValueThatNoReplicaHolds) {
  Story story;
  story.Get({"a", "b"}, Seen({MakeDot(1)}), 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckFinalReads(story.history(), state, 0), "read {a, b}"));
}

TEST(FinalReads, RefusesNotFoundWhereReplicasHoldAValue) {
  Story story;
  story.Get({}, Seen({MakeDot(1)}), 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckFinalReads(story.history(), state, 0), "hold {a}"));
}

TEST(FinalReads, RefusesAnotherContext) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(2)}), 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckFinalReads(story.history(), state, 0), "seen something else"));
}

TEST(FinalReads, RefusesAKeyThatNobodyRead) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckFinalReads(story.history(), state, 1), "nobody read k"));
}

}  // namespace
}  // namespace norn::sim
