// The checkers of causality (siblings, sessions) and of the fault budget, on histories known
// to be good and on histories known to be bad.

#include <map>
#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/ring/layout.h"
#include "gtest/gtest.h"
#include "sim/checkers/checker_fixture.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/fault_budget.h"

namespace norn::sim {
namespace {

// ---- CheckExactSiblings -----------------------------------------------------------

std::optional<Violation> Siblings(const Story& story,
                                  const std::vector<std::pair<Dot, std::string>>& alive,
                                  const VersionVector& seen) {
  RecordView record;
  record.context = seen;
  for (const auto& [dot, value] : alive) {  // ordered by dot
    record.context.Add(dot);
    VersionView version;
    version.dot = dot;
    version.value = value;
    record.versions.push_back(version);
  }
  return CheckExactSiblings(story.history(), StateOf(record.Encode()));
}

// a, then b and c beside each other in its place.
Story Branches() {
  Story story;
  story.Mint("a", MakeDot(1), {}, 1)
      .Mint("b", MakeDot(2), Seen({MakeDot(1)}), 2)
      .Mint("c", MakeDot(1, 2), Seen({MakeDot(1)}), 3);
  return story;
}

TEST(ExactSiblings, AcceptsTheMaximalVersions) {
  EXPECT_TRUE(Holds(Siblings(Branches(), {{MakeDot(2), "b"}, {MakeDot(1, 2), "c"}}, {})));
}

TEST(ExactSiblings, AcceptsAPartOfTheHistoryIfItIsClosed) {
  EXPECT_TRUE(Holds(Siblings(Branches(), {{MakeDot(1), "a"}}, {})));
}

TEST(ExactSiblings, RefusesAVersionThatWasSeenAndIsGone) {
  EXPECT_TRUE(
      Breaks(Siblings(Branches(), {{MakeDot(2), "b"}}, Seen({MakeDot(1, 2)})), "dropped: c"));
}

TEST(ExactSiblings, RefusesAVersionBesideItsSuccessor) {
  EXPECT_TRUE(Breaks(Siblings(Branches(), {{MakeDot(1), "a"}, {MakeDot(1, 2), "c"}}, {}),
                     "though replaced by c"));
}

TEST(ExactSiblings, RefusesWhatNobodyMinted) {
  EXPECT_TRUE(Breaks(Siblings(Branches(), {{MakeDot(7, 3), "x"}}, {}), "never minted"));
}

TEST(ExactSiblings, AMintWhoseEndNobodySawExcusesBoth) {
  Story story;
  story.Mint("a", MakeDot(1), {}, 1).MintUnknown("b", MakeDot(2));
  EXPECT_TRUE(Holds(Siblings(story, {{MakeDot(1), "a"}}, Seen({MakeDot(2)}))));
  Story later;
  later.Mint("a", MakeDot(1), {}, 0).MintUnknown("b", MakeDot(2));
  EXPECT_TRUE(Holds(Siblings(later, {}, Seen({MakeDot(2)}))));
}

TEST(ExactSiblings, ARefusedMintExcusesNothing) {
  Story story;
  story.Mint("a", MakeDot(1), {}, 0).MintRefused("b", MakeDot(2));
  EXPECT_TRUE(Breaks(Siblings(story, {}, Seen({MakeDot(2)})), "dropped: a"));
}

// ---- CheckSessions ----------------------------------------------------------------

// b was put by one who had read a.
Story Tied() {
  Story story;
  story.Put("a", 1, 2).Mint("a", MakeDot(1), {}, 1);
  story.PutRead("b", Seen({MakeDot(1)}), 3, 4).Mint("b", MakeDot(1, 2), Seen({MakeDot(1)}), 3);
  return story;
}

TEST(Sessions, AcceptsAReadThatHasSeenTheWritersPast) {
  Story story = Tied();
  story.Get({"b"}, Seen({MakeDot(1), MakeDot(1, 2)}), 5, 6);
  EXPECT_TRUE(Holds(CheckSessions(story.history(), kReplicas, true)));
}

TEST(Sessions, RefusesAWriteWithoutItsPast) {
  Story story = Tied();
  story.Get({"b"}, Seen({MakeDot(1, 2)}), 5, 6);
  EXPECT_TRUE(Breaks(CheckSessions(story.history(), kReplicas, false), "has seen less"));
}

TEST(Sessions, RefusesAWriteBesideWhatItReplaced) {
  Story story = Tied();
  story.Get({"a", "b"}, Seen({MakeDot(1), MakeDot(1, 2)}), 5, 6);
  EXPECT_TRUE(Breaks(CheckSessions(story.history(), kReplicas, false), "replaced a"));
}

TEST(Sessions, OverlappingReadsOfAClientAreMonotonic) {
  Story story;
  story.Get({"a"}, Seen({MakeDot(1)}), 1, 2).Get({}, {}, 3, 4);
  EXPECT_TRUE(Holds(CheckSessions(story.history(), kReplicas, false)));
  EXPECT_TRUE(Breaks(CheckSessions(story.history(), kReplicas, true), "read {}"));
}

TEST(Sessions, AClientReadsItsOwnWrites) {
  Story story;
  story.Put("a", 1, 2).TokenOfLast(Seen({MakeDot(1)})).Mint("a", MakeDot(1), {}, 1);
  story.Get({}, {}, 3, 4);
  EXPECT_TRUE(Breaks(CheckSessions(story.history(), kReplicas, true), "put k = a"));
  // With R = W = 2 of 4 nobody promised it.
  EXPECT_TRUE(Holds(CheckSessions(story.history(), 4, true)));
}

// ---- FaultBudget ------------------------------------------------------------------

class BudgetTest : public testing::Test {
 protected:
  static Layout MakeLayout(int nodes) {
    std::vector<MemberConfig> members;
    for (int i = 1; i <= nodes; ++i) {
      MemberConfig member;
      member.id = static_cast<NodeId>(i);
      members.push_back(member);
    }
    return Layout::Build(1, 16, 3, members);
  }
  static FinalState Copies(const std::vector<NodeId>& holders) {
    FinalState state;
    for (const NodeId node : holders) {
      state[MakeRecordKey(0, "k")][node] = RecordBytes({{MakeDot(1), "a"}});
    }
    return state;
  }
};

TEST_F(BudgetTest, AllowsOneFewerThanW) {
  const Layout layout = MakeLayout(3);
  EXPECT_FALSE(FaultBudget(layout, 1).Allows(1, {}));
  FaultBudget budget(layout, 2);
  EXPECT_TRUE(budget.Allows(1, {}));
  budget.Destroyed(1, Copies({2, 3}));
  EXPECT_FALSE(budget.Allows(2, {}));
  EXPECT_TRUE(budget.Allows(1, {}));  // again: it holds nothing yet
}

TEST_F(BudgetTest, WholeIsWhoHasSeenWhatTheOthersHad) {
  const Layout layout = MakeLayout(3);
  FaultBudget budget(layout, 2);
  budget.Destroyed(1, Copies({2}));
  budget.Reconsider(Copies({2, 3}));
  EXPECT_FALSE(budget.IsWhole(1));
  EXPECT_FALSE(budget.Allows(3, {}));
  budget.Reconsider(Copies({1, 2}));
  EXPECT_TRUE(budget.IsWhole(1));
  EXPECT_TRUE(budget.Allows(3, {}));
}

// What a stand-in keeps may be all that is left.
TEST_F(BudgetTest, AStandInIsSparedUntilSomebodyWholeHoldsTheSame) {
  const Layout layout = MakeLayout(4);
  const PartitionId partition = layout.PartitionOf(MakeRecordKey(0, "k"));
  NodeId stand_in = 1;
  while (layout.IsReplica(partition, stand_in)) ++stand_in;
  const NodeId owner = layout.Replicas(partition).front();
  FaultBudget budget(layout, 2);
  EXPECT_TRUE(budget.Allows(stand_in, {}));
  EXPECT_FALSE(budget.Allows(stand_in, Copies({stand_in})));
  EXPECT_TRUE(budget.Allows(stand_in, Copies({stand_in, owner})));
  budget.Destroyed(owner, Copies({stand_in}));
  EXPECT_FALSE(budget.Allows(stand_in, Copies({stand_in, owner}))) << "it is not whole";
}

// The second copy was a stand-in's, and that is lost: nobody counts stand-ins that are not whole.
TEST_F(BudgetTest, WithSloppyQuorumsNobodyMayHoldTheOnlyCopy) {
  const Layout layout = MakeLayout(5);
  const PartitionId partition = layout.PartitionOf(MakeRecordKey(0, "k"));
  const NodeId owner = layout.Replicas(partition)[0];
  const NodeId other = layout.Replicas(partition)[1];
  FaultBudget budget(layout, 2, /*sloppy=*/true);
  EXPECT_FALSE(budget.Allows(owner, Copies({owner})));
  EXPECT_TRUE(budget.Allows(owner, Copies({owner, other})));
  EXPECT_TRUE(FaultBudget(layout, 2).Allows(owner, Copies({owner})));
}

TEST_F(BudgetTest, NodesThatShareNoPartitionDoNotCount) {
  const Layout layout = MakeLayout(16);
  FaultBudget budget(layout, 2);
  budget.Destroyed(1, {});
  // Nothing was held, so it is whole at once.
  budget.Reconsider({});
  EXPECT_TRUE(budget.IsWhole(1));
}

}  // namespace
}  // namespace norn::sim
