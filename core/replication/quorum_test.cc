#include "core/replication/quorum.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace norn {
namespace {

// The dumb version: keep all that was said, and count anew each time.
class Dumb {
 public:
  Dumb(int n, int needed) : n_(n), needed_(needed) {}

  bool Hear(NodeId who, bool yes) {
    if (who < 1 || who > n_) return false;
    return first_.emplace(who, yes).second;
  }
  int Count(bool yes) const {
    int count = 0;
    for (const auto& [who, said] : first_) count += said == yes ? 1 : 0;
    return count;
  }
  int silent() const { return n_ - static_cast<int>(first_.size()); }
  QuorumState state() const {
    if (Count(true) >= needed_) return QuorumState::kMet;
    return Count(true) + silent() >= needed_ ? QuorumState::kPending : QuorumState::kImpossible;
  }
  const std::map<NodeId, bool>& first() const { return first_; }

 private:
  int n_;
  int needed_;
  std::map<NodeId, bool> first_;
};

void Compare(int n, const Quorum& quorum, const Dumb& dumb, const std::string& path) {
  ASSERT_EQ(quorum.acks(), dumb.Count(true)) << path;
  ASSERT_EQ(quorum.failures(), dumb.Count(false)) << path;
  ASSERT_EQ(quorum.pending(), dumb.silent()) << path;
  ASSERT_EQ(quorum.state(), dumb.state()) << path;
  for (NodeId who = 0; who <= n + 1; ++who) {
    const auto said = dumb.first().find(who);
    ASSERT_EQ(quorum.HasAnswered(who), said != dumb.first().end()) << path;
    ASSERT_EQ(quorum.HasAcked(who), said != dumb.first().end() && said->second) << path;
  }
}

// Everything that can be said from here on: by each replica, and by a stranger.
void Explore(int n, const Quorum& quorum, const Dumb& dumb, int depth, const std::string& path,
             int* visited) {
  ++*visited;
  Compare(n, quorum, dumb, path);
  if (depth == 0 || testing::Test::HasFatalFailure()) return;
  for (NodeId who = 1; who <= n + 1; ++who) {
    for (const bool yes : {true, false}) {
      Quorum next = quorum;
      Dumb dumb_next = dumb;
      const std::string step = path + (yes ? " ack " : " fail ") + std::to_string(who);
      ASSERT_EQ(yes ? next.Ack(who) : next.Fail(who), dumb_next.Hear(who, yes)) << step;
      if (quorum.state() != QuorumState::kPending) {
        ASSERT_EQ(next.state(), quorum.state()) << step << ": a verdict stays";
      }
      Explore(n, next, dumb_next, depth - 1, step, visited);
    }
  }
}

// All that can happen to quorums of up to five replicas, duplicates and strangers
// included: every sequence long enough for each replica to speak, and then some.
TEST(QuorumTest, AgreesWithTheDumbVersionInFull) {
  int visited = 0;
  for (int n = 0; n <= 5; ++n) {
    const int depth = n <= 2 ? 6 : n == 3 ? 5 : 4;
    std::vector<NodeId> replicas;
    for (int i = 1; i <= n; ++i) replicas.push_back(static_cast<NodeId>(i));
    for (int needed = 0; needed <= n + 1; ++needed) {
      Explore(n, Quorum(replicas, needed), Dumb(n, needed), depth,
              std::to_string(needed) + " of " + std::to_string(n) + ":", &visited);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(visited, 200'000);
}

// Five distinct replicas in the order 1 to 5, every pattern of yes and no.
TEST(QuorumTest, FiveReplicasToTheEnd) {
  const std::vector<NodeId> replicas = {1, 2, 3, 4, 5};
  for (int needed = 0; needed <= 6; ++needed) {
    for (int pattern = 0; pattern < 32; ++pattern) {
      Quorum quorum(replicas, needed);
      Dumb dumb(5, needed);
      for (NodeId who = 1; who <= 5; ++who) {
        const bool yes = (pattern >> (who - 1) & 1) != 0;
        EXPECT_EQ(yes ? quorum.Ack(who) : quorum.Fail(who), dumb.Hear(who, yes));
        Compare(5, quorum, dumb, std::to_string(pattern));
      }
      EXPECT_NE(quorum.state(), QuorumState::kPending);
    }
  }
}

// Groups beside the whole, against counting anew: every state of five replicas, every need.
TEST(QuorumTest, GroupsMustBeMetAsWell) {
  const std::vector<NodeId> replicas = {1, 2, 3, 4, 5};
  const std::vector<NodeId> left = {1, 2, 3};
  const std::vector<NodeId> right = {4, 5, 9};  // 9 is no replica, and does not count
  for (int needs = 0; needs < 6 * 5 * 4; ++needs) {
    const int of_all = needs % 6;
    const int of_left = needs / 6 % 5;
    const int of_right = needs / 30;
    for (int pattern = 0; pattern < 243; ++pattern) {
      Quorum quorum(replicas, of_all);
      quorum.Require(left, of_left);
      quorum.Require(right, of_right);
      int yes[2] = {};
      int open[2] = {};
      int digits = pattern;
      for (const NodeId who : replicas) {
        const int group = who <= 3 ? 0 : 1;
        const int said = digits % 3;
        digits /= 3;
        if (said == 0) ++open[group];
        if (said == 1) yes[group] += quorum.Ack(who) ? 1 : 0;
        if (said == 2) quorum.Fail(who);
      }
      const bool met = yes[0] + yes[1] >= of_all && yes[0] >= of_left && yes[1] >= of_right;
      const bool possible = yes[0] + yes[1] + open[0] + open[1] >= of_all &&
                            yes[0] + open[0] >= of_left && yes[1] + open[1] >= of_right;
      const QuorumState expected = met        ? QuorumState::kMet
                                   : possible ? QuorumState::kPending
                                              : QuorumState::kImpossible;
      ASSERT_EQ(quorum.state(), expected) << needs << " " << pattern;
      // Those that it wants are enough, if it can be met at all.
      for (const NodeId who : replicas) {
        if (quorum.Wants(who)) quorum.Ack(who);
      }
      ASSERT_EQ(quorum.state() == QuorumState::kMet, possible) << needs << " " << pattern;
    }
  }
}

// A stand-in fills a place of the whole, and none in a group.
TEST(QuorumTest, StandInsFillPlaces) {
  const NodeId replicas[] = {1, 2, 3};
  Quorum quorum(replicas, 2);
  quorum.Require(replicas, 1);
  EXPECT_TRUE(quorum.AckInstead(2, 7));
  EXPECT_FALSE(quorum.AckInstead(2, 8));
  EXPECT_TRUE(quorum.AckInstead(3, 8));
  EXPECT_FALSE(quorum.AckInstead(9, 4));
  EXPECT_EQ(quorum.acks(), 2);
  EXPECT_EQ(quorum.stood_in(), 2);
  EXPECT_EQ(quorum.state(), QuorumState::kPending);
  EXPECT_FALSE(quorum.WantsInstead(1));
  EXPECT_TRUE(quorum.Wants(2));
  EXPECT_TRUE(quorum.Fail(1));
  EXPECT_FALSE(quorum.AckInstead(1, 9));
  EXPECT_TRUE(quorum.Ack(2));  // itself, after all: it still counts once
  EXPECT_EQ(quorum.state(), QuorumState::kMet);
  EXPECT_EQ(quorum.acks(), 2);
  EXPECT_EQ(quorum.stood_in(), 1);
  EXPECT_EQ(quorum.failures(), 1);
  const auto acked = quorum.Acked();
  EXPECT_EQ(std::vector<NodeId>(acked.begin(), acked.end()), (std::vector<NodeId>{2, 8}));
  quorum.Retract(2);  // the stand-in's copy is still there
  EXPECT_EQ(quorum.acks(), 2);
  EXPECT_EQ(quorum.state(), QuorumState::kPending);
}

// Whatever the answer was durable on, and whoever a later read asks: they meet.
TEST(QuorumTest, HoldersMeetEveryLaterRead) {
  for (int n = 1; n <= 9; ++n) {
    for (int r_min = 1; r_min <= n; ++r_min) {
      for (int w_min = 1; w_min <= n; ++w_min) {
        EXPECT_GT(HoldersForAnswer(n, r_min, w_min) + r_min, n);
        EXPECT_LE(HoldersForAnswer(n, r_min, w_min), n);
      }
    }
  }
}

// One of the holders is lost and mends itself from n - w_min + 1 others: it finds what was
// answered at one of them.
TEST(QuorumTest, HoldersOutliveTheLossOfOne) {
  for (int n = 1; n <= 9; ++n) {
    for (int w_min = 2; w_min <= n; ++w_min) {
      for (int r_min = n - w_min + 1; r_min <= n; ++r_min) {
        const int others = n - 1;
        EXPECT_GT((HoldersForAnswer(n, r_min, w_min) - 1) + (n - w_min + 1), others);
      }
    }
  }
}

}  // namespace
}  // namespace norn
