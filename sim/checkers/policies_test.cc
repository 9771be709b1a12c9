// The checkers of conflict policies and times to live, on good histories and on bad ones.

#include <string>

#include "gtest/gtest.h"
#include "sim/checkers/checker_fixture.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"

namespace norn::sim {
namespace {

FinalState LwwState(const Dot& dot, int64_t wall_us, const std::string& value) {
  Record record;
  record.MarkLastWriterWins();
  Version version;
  version.dot = dot;
  version.wall_us = wall_us;
  version.value = value;
  record.Put(std::move(version), VersionVector());
  FinalState state;
  for (const NodeId node : {NodeId{1}, NodeId{2}}) {
    state[MakeRecordKey(kLwwBucket, "l")][node] = record.Encode();
  }
  return state;
}

Story TwoPuts() {
  Story story;
  story.Put("a", 10, 20, Outcome::kOk, "l").MintDated("a", MakeDot(1), 500, "l");
  story.Put("b", 30, 40, Outcome::kOk, "l").MintDated("b", MakeDot(1, 2), 400, "l");
  return story;
}

TEST(LastWriterWon, AcceptsTheGreatestTimestamp) {
  EXPECT_TRUE(Holds(CheckLastWriterWon(TwoPuts().history(), LwwState(MakeDot(1), 500, "a"))));
}

TEST(LastWriterWon, AcceptsALaterOneThatNobodyAcknowledged) {
  EXPECT_TRUE(Holds(CheckLastWriterWon(TwoPuts().history(), LwwState(MakeDot(9, 3), 900, "c"))));
}

TEST(LastWriterWon, RefusesAnEarlierOneThatCameLater) {
  EXPECT_TRUE(
      Breaks(CheckLastWriterWon(TwoPuts().history(), LwwState(MakeDot(1, 2), 400, "b")), "at 500"));
}

TEST(LastWriterWon, RefusesTheSmallerDotOfATie) {
  Story story = TwoPuts();
  story.Put("c", 50, 60, Outcome::kOk, "l").MintDated("c", MakeDot(1, 2), 500, "l");
  EXPECT_TRUE(Breaks(CheckLastWriterWon(story.history(), LwwState(MakeDot(1), 500, "a")), "= c"));
}

TEST(LastWriterWon, RefusesAKeyThatIsGone) {
  EXPECT_TRUE(Breaks(CheckLastWriterWon(TwoPuts().history(), FinalState{}), "has 0"));
}

TEST(Expiry, AcceptsAReadBeforeTheMoment) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Expires(WallOf(100));
  story.Get({"a"}, Seen({MakeDot(1)}), 99, 120).Get({}, Seen({MakeDot(1)}), 130, 140);
  EXPECT_TRUE(Holds(CheckExpiry(story.history())));
}

TEST(Expiry, RefusesAReadFromThatMomentOn) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Expires(WallOf(100));
  story.Get({"a"}, Seen({MakeDot(1)}), 100, 120);
  EXPECT_TRUE(Breaks(CheckExpiry(story.history()), "expired at"));
}

TEST(ReplacedStaysReplaced, AcceptsSiblingsAndOldReads) {
  Story story;
  story.Mint("a", MakeDot(1)).Mint("b", MakeDot(1, 2), {}, 5);
  story.Get({"a", "b"}, Seen({MakeDot(1), MakeDot(1, 2)}), 30, 40);
  story.Mint("c", MakeDot(2), Seen({MakeDot(1)}), 50);
  story.Get({"a", "b"}, Seen({MakeDot(1), MakeDot(1, 2)}), 60, 70);  // has not seen c
  EXPECT_TRUE(Holds(CheckReplacedStaysReplaced(story.history())));
}

TEST(ReplacedStaysReplaced, RefusesWhatComesBackWhenItsSuccessorExpires) {
  Story story;
  story.Mint("a", MakeDot(1)).Mint("b", MakeDot(1, 2), Seen({MakeDot(1)}), 5).Expires(WallOf(30));
  story.Get({"a"}, Seen({MakeDot(1), MakeDot(1, 2)}), 60, 70);
  EXPECT_TRUE(Breaks(CheckReplacedStaysReplaced(story.history()), "in place of"));
}

TEST(ExpiryInReads, AnExpiredPutIsCoveredByTheToken) {
  Story story;
  story.Put("a", 10, 20).Mint("a", MakeDot(1)).Expires(WallOf(100));
  story.Get({}, Seen({MakeDot(1)}), 110, 120);
  EXPECT_TRUE(Holds(CheckReadsCoverWrites(story.history(), kReplicas)));
  Story early;
  early.Put("a", 10, 20).Mint("a", MakeDot(1)).Expires(WallOf(100));
  early.Get({}, Seen({MakeDot(1)}), 50, 60);
  EXPECT_TRUE(Breaks(CheckReadsCoverWrites(early.history(), kReplicas), "put k = a"));
}

}  // namespace
}  // namespace norn::sim
