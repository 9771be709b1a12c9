// Each checker on histories known to be good and on histories known to be bad: a checker
// that accepts the bad ones proves nothing, one that refuses the good ones cries wolf.

#include "sim/checkers/checkers.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/checkers/checker_fixture.h"
#include "sim/history.h"

namespace norn::sim {
namespace {

// ---- CheckNothingInvented ---------------------------------------------------------

TEST(NothingInvented, AcceptsWhatWasWritten) {
  Story story;
  story.Put("a", 10, 20).Get({"a"}, Seen({MakeDot(1)}), 30, 40).Get({}, {}, 1, 5);
  EXPECT_TRUE(Holds(CheckNothingInvented(story.history())));
}

TEST(NothingInvented, AnUnansweredPutStaysPossibleForEver) {
  Story story;
  story.Put("a", 10, kNever, Outcome::kUnknown)
      .Get({"a"}, Seen({MakeDot(1)}), 9'000'000, 9'000'001);
  EXPECT_TRUE(Holds(CheckNothingInvented(story.history())));
}

TEST(NothingInvented, RefusesAValueThatNobodyWrote) {
  Story story;
  story.Put("a", 10, 20).Get({"a", "ghost"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckNothingInvented(story.history()), "ghost"));
}

TEST(NothingInvented, RefusesAValueOfAnotherKey) {
  Story story;
  story.Put("a", 10, 20, Outcome::kOk, "other").Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckNothingInvented(story.history()), "put other"));
}

TEST(NothingInvented, RefusesAValueFromTheFuture) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 10, 20).Put("a", 30, 40);
  EXPECT_TRUE(Breaks(CheckNothingInvented(story.history()), "put k = a"));
}

// ---- CheckDotsUnique --------------------------------------------------------------

TEST(DotsUnique, AcceptsDistinctDots) {
  Story story;
  story.Mint("a", MakeDot(1)).Mint("b", MakeDot(2)).Mint("c", MakeDot(1, 2));
  EXPECT_TRUE(Holds(CheckDotsUnique(story.history())));
}

TEST(DotsUnique, RefusesADotThatCameTwice) {
  Story story;
  story.Mint("a", MakeDot(1)).Mint("b", MakeDot(2)).Mint("c", MakeDot(1));
  EXPECT_TRUE(Breaks(CheckDotsUnique(story.history()), ToString(MakeDot(1))));
}

TEST(DotsUnique, AMintWhoseFateIsUnknownUsesItsDotUp) {
  Story story;
  story.MintUnknown("a", MakeDot(1)).Mint("b", MakeDot(1));
  EXPECT_TRUE(Breaks(CheckDotsUnique(story.history()), ToString(MakeDot(1))));
}

// ---- CheckMintedOnce --------------------------------------------------------------

TEST(MintedOnce, ARefusedMintMayBeTriedAgain) {
  Story story;
  story.MintUnknown("a", MakeDot(1)).Mint("a", MakeDot(2));
  EXPECT_TRUE(Holds(CheckMintedOnce(story.history())));
}

TEST(MintedOnce, TombstonesHaveNoValueToCompare) {
  Story story;
  story.MintTombstone(MakeDot(1), {}, 1).MintTombstone(MakeDot(2), {}, 2);
  EXPECT_TRUE(Holds(CheckMintedOnce(story.history())));
}

TEST(MintedOnce, RefusesAPutThatBecameTwoVersions) {
  Story story;
  story.Mint("a", MakeDot(1)).Mint("a", MakeDot(1, 2));
  EXPECT_TRUE(Breaks(CheckMintedOnce(story.history()), ToString(MakeDot(1, 2))));
}

// ---- CheckReadsCoverWrites --------------------------------------------------------

TEST(ReadsCoverWrites, AcceptsAReadThatHoldsTheValue) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AcceptsAReadThatHoldsASuccessor) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2), Seen({MakeDot(1)}));
  story.Get({"b"}, Seen({MakeDot(2)}), 30, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AcceptsNotFoundAfterADelete) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Delete(21, 25).MintTombstone(MakeDot(2), Seen({MakeDot(1)}), 22);
  story.Get({}, Seen({MakeDot(2)}), 30, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AConcurrentReadMaySeeEither) {
  Story story;
  story.Put("a", 10, 30).Mint("a", MakeDot(1)).Get({}, {}, 20, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AReadThatBeginsAtTheInstantOfTheAckIsConcurrent) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Get({}, {}, 20, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AnUnacknowledgedPutNeedNotBeSeen) {
  Story story;
  story.Put("a", 10, 20, Outcome::kUnknown).Mint("a", MakeDot(1)).Get({}, {}, 30, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

TEST(ReadsCoverWrites, AReadThatFailedSaysNothing) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).FailedGet(30, 40);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
}

// A put at n1 that nobody sees again at `reader`, with these levels.
std::optional<Violation> MissedLocally(Level put, Level get, NodeId reader) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Get({}, {}, 30, 40);
  History history = story.history();
  history.operations[0].node = 1;
  history.operations[0].level = put;
  history.operations[1].node = reader;
  history.operations[1].level = get;
  return CheckLocalQuorums(history, {{1, "east"}, {2, "east"}, {3, "west"}});
}

TEST(LocalQuorums, AReadCoversWhatWasWrittenInItsDataCenter) {
  EXPECT_TRUE(Breaks(MissedLocally(Level::kLocalQuorum, Level::kLocalQuorum, 2), "put k = a"));
  EXPECT_TRUE(Holds(MissedLocally(Level::kLocalQuorum, Level::kLocalQuorum, 3)));
  EXPECT_TRUE(Holds(MissedLocally(Level::kLocalQuorum, Level::kNumber, 2)));
  EXPECT_TRUE(Holds(MissedLocally(Level::kNumber, Level::kLocalQuorum, 2)));
}

TEST(LocalQuorums, WhatEachDataCenterHasIsReadInAll) {
  EXPECT_TRUE(Breaks(MissedLocally(Level::kEachQuorum, Level::kLocalQuorum, 3), "put k = a"));
  EXPECT_TRUE(Breaks(MissedLocally(Level::kLocalQuorum, Level::kEachQuorum, 3), "put k = a"));
  EXPECT_TRUE(Holds(MissedLocally(Level::kEachQuorum, Level::kNumber, 3)));
}

TEST(ReadsCoverWrites, RefusesNotFoundAfterAnAcknowledgedPut) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Get({}, {}, 30, 40);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(story.history(), kReplicas), "put k = a"));
}

TEST(ReadsCoverWrites, RefusesAnOlderValue) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2), Seen({MakeDot(1)}));
  story.Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(story.history(), kReplicas), "put k = b"));
}

// What an earlier read has left behind is asked again of a read that has seen less.
TEST(ReadsCoverWrites, RefusesAReadThatHasSeenLessThanAnEarlierOne) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2), Seen({MakeDot(1)}));
  story.Get({"b"}, Seen({MakeDot(2)}), 30, 40).Get({"b"}, Seen({MakeDot(2)}), 50, 60);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
  story.Get({}, {}, 70, 80);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(story.history(), kReplicas), "put k = a"));
}

TEST(ReadsCoverWrites, RefusesAReadThatMissesWhatCameAfterAnEarlierOne) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2), Seen({MakeDot(1)}));
  story.Get({"b"}, Seen({MakeDot(2)}), 30, 40);
  story.Put("c", 41, 45).Mint("c", MakeDot(3), Seen({MakeDot(2)}));
  story.Get({"b"}, Seen({MakeDot(2)}), 50, 60);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(story.history(), kReplicas), "put k = c"));
}

TEST(ReadsCoverWrites, RefusesASiblingDroppedWithoutCause) {
  // b was put beside a: a token that covers both does not make b a's successor.
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(1, 2));
  story.Get({"b"}, Seen({MakeDot(1), MakeDot(1, 2)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(story.history(), kReplicas), "put k = a"));
}

// ---- CheckMonotonicReads ----------------------------------------------------------

TEST(MonotonicReads, AcceptsContextsThatGrow) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 10, 20).Get({"b"}, Seen({MakeDot(2)}), 30, 40);
  EXPECT_TRUE(Holds(CheckMonotonicReads(story.history())));
}

TEST(MonotonicReads, ConcurrentReadsAreNotOrdered) {
  Story story;
  story.Get({"b"}, Seen({MakeDot(2)}), 10, 30).Get({"a"}, Seen({MakeDot(1)}), 20, 40);
  EXPECT_TRUE(Holds(CheckMonotonicReads(story.history())));
}

TEST(MonotonicReads, KeysAreApart) {
  Story story;
  story.Get({"b"}, Seen({MakeDot(2)}), 10, 20).Get({}, {}, 30, 40, "other");
  EXPECT_TRUE(Holds(CheckMonotonicReads(story.history())));
}

TEST(MonotonicReads, RefusesAReadThatWentBack) {
  Story story;
  story.Get({"b"}, Seen({MakeDot(2)}), 10, 20).Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckMonotonicReads(story.history()), "read {a}"));
}

TEST(MonotonicReads, RefusesNotFoundAfterAValueWasSeen) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 10, 20).Get({}, {}, 30, 40);
  EXPECT_TRUE(Breaks(CheckMonotonicReads(story.history()), "read {}"));
}

TEST(MonotonicReads, RemembersWhatAllEarlierReadsSawTogether) {
  // Neither of the two earlier reads saw both; a later one must.
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 10, 20).Get({"b"}, Seen({MakeDot(1, 2)}), 11, 19);
  story.Get({"a"}, Seen({MakeDot(1)}), 30, 40);
  EXPECT_TRUE(Breaks(CheckMonotonicReads(story.history()), "has seen less"));
}

// ---- CheckConverged ---------------------------------------------------------------

std::map<std::string, std::vector<NodeId>> Replicas() {
  return {{MakeRecordKey(0, "k"), {1, 2, 3}}};
}

TEST(Converged, AcceptsEqualReplicas) {
  const std::string bytes = RecordBytes({{MakeDot(1), "a"}});
  EXPECT_TRUE(Holds(CheckConverged(StateOf(bytes), Replicas())));
}

TEST(Converged, ACopyOnANodeThatIsNoReplicaDoesNotCount) {
  FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  state.begin()->second[4] = RecordBytes({{MakeDot(2), "b"}});
  EXPECT_TRUE(Holds(CheckConverged(state, Replicas())));
}

TEST(Converged, RefusesAReplicaWithAnotherValue) {
  FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  state.begin()->second[3] = RecordBytes({{MakeDot(2), "b"}});
  EXPECT_TRUE(Breaks(CheckConverged(state, Replicas()), "n3 holds"));
}

TEST(Converged, RefusesAReplicaThatHoldsNothing) {
  FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  state.begin()->second.erase(2);
  EXPECT_TRUE(Breaks(CheckConverged(state, Replicas()), "n2 holds nothing"));
}

// ---- CheckNothingLost -------------------------------------------------------------

TEST(NothingLost, AcceptsAPutThatIsAlive) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), state)));
}

TEST(NothingLost, AcceptsAPutThatWasReplaced) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2), Seen({MakeDot(1)}));
  const FinalState state = StateOf(RecordBytes({{MakeDot(2), "b"}}));
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), state)));
}

TEST(NothingLost, AcceptsADeleteThatLeftItsTombstone) {
  Story story;
  story.Delete(10, 20).MintTombstone(MakeDot(1), {}, 15);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), ""}}));
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), state)));
}

TEST(NothingLost, AnUnansweredPutMayBeGone) {
  Story story;
  story.Put("a", 10, kNever, Outcome::kUnknown).MintUnknown("a", MakeDot(1));
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), FinalState{})));
}

TEST(NothingLost, RefusesAPutThatIsNowhere) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), FinalState{}), "put k = a"));
}

TEST(NothingLost, RefusesAnAcknowledgedPutThatNobodyMinted) {
  Story story;
  story.Put("a", 10, 20);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "b"}}));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), state), "put k = a"));
}

TEST(NothingLost, RefusesASiblingThatWasDropped) {
  // The final record covers a, and b stands there; but b was put beside a, not over it.
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  story.Put("b", 21, 25).Mint("b", MakeDot(2));
  const FinalState state = StateOf(RecordBytes({{MakeDot(2), "b"}}));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), state), "put k = a"));
}

TEST(NothingLost, RefusesADeleteWithoutATombstone) {
  Story story;
  story.Delete(10, 20).MintTombstone(MakeDot(2), {}, 15);
  const FinalState state = StateOf(RecordBytes({{MakeDot(1), "a"}}));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), state), "delete k"));
}

TEST(NothingLost, OneReplicaWithTheValueIsEnough) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1));
  FinalState state;
  state[MakeRecordKey(0, "k")][3] = RecordBytes({{MakeDot(1), "a"}});
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), state)));
}

TEST(NothingLost, WherePruningForgetsTheHistoryTells) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1, 1));
  story.Put("b", 21, 25).Mint("b", MakeDot(1, 2), Seen({MakeDot(1, 1)}));
  story.Put("c", 26, 30).Mint("c", MakeDot(1, 3), Seen({MakeDot(1, 2)}));
  const FinalState state = StateOf(RecordBytes({{MakeDot(1, 3), "c"}}));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), state), "put k = a"));
  EXPECT_TRUE(Holds(CheckNothingLost(story.history(), state, /*pruning=*/true)));
  // Nobody has put anything in its place: that is no pruning.
  story.Put("d", 31, 35).Mint("d", MakeDot(1, 4));
  EXPECT_TRUE(Breaks(CheckNothingLost(story.history(), state, /*pruning=*/true), "put k = d"));
}

}  // namespace
}  // namespace norn::sim
