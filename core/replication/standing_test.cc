// Replicas that may have forgotten: what they must not do, and how they are whole again.

#include <functional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::Describe;
using testing::Fate;
using testing::Get;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using Outcome = ClientReply::Outcome;

MiniOptions Cluster(int n, int r, int w) {
  MiniOptions options;
  options.nodes = n;
  options.partitions = 1;
  options.gossip = false;
  options.bucket.n = n;
  options.bucket.r = r;
  options.bucket.w = w;
  return options;
}

bool Between(NodeId from, NodeId to, NodeId a, NodeId b) {
  return (from == a && to == b) || (from == b && to == a);
}

void Restart(MiniCluster& cluster, NodeId id, bool wiped) {
  cluster.Crash(id);
  if (wiped) cluster.Wipe(id);
  cluster.Start(id);
}

bool Complete(const MiniCluster& cluster, NodeId id) {
  const NodeStatus status = cluster.Status(id);
  return status.partitions_complete == status.partitions_held;
}

TEST(StandingTest, ANewClusterIsCompleteOnceAllHaveMet) {
  MiniCluster cluster(Cluster(3, 2, 2));
  for (NodeId id = 1; id <= 3; ++id) EXPECT_TRUE(Complete(cluster, id));
  for (const std::string& note : cluster.notes()) EXPECT_EQ(note.find("may be lost"), note.npos);
}

// Whoever is alone cannot know whether it is new or has forgotten everything.
TEST(StandingTest, WhoMeetsNobodyNeitherAcknowledgesNorAnswers) {
  MiniCluster cluster(Cluster(3, 1, 2));
  ASSERT_EQ(cluster.Call(2, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.Crash(1);
  cluster.Wipe(1);
  cluster.SetJudge([](NodeId from, NodeId to, const Message& message) {
    const bool meeting = std::holds_alternative<Introduction>(message) ||
                         std::holds_alternative<IntroductionAnswer>(message);
    return meeting && (from == 1 || to == 1) ? Fate::kDrop : Fate::kDeliver;
  });
  cluster.Start(1);
  cluster.Settle();
  cluster.Crash(3);
  EXPECT_EQ(Describe(cluster.Call(1, Get("k"))), "ok 1: v") << "only node 2 may answer";
  EXPECT_EQ(cluster.Call(2, Put("k", "w")).outcome, Outcome::kUnknown);
  cluster.SetJudge(nullptr);
  cluster.Run(1'000'000);  // it meets node 2: enough to acknowledge, not to answer
  EXPECT_EQ(cluster.Call(2, Put("k", "x")).outcome, Outcome::kOk);
  EXPECT_FALSE(Complete(cluster, 1));
}

// Regression 2 and 29: an acknowledged write is on 1 and 2; 1 is wiped; 1 and 3 are a quorum.
TEST(StandingTest, AWipedReplicaIsNoPartOfAQuorumUntilItIsWhole) {
  MiniCluster cluster(Cluster(3, 2, 2));
  cluster.SetJudge([](NodeId, NodeId to, const Message& message) {
    return to == 3 && std::holds_alternative<ReplicaWrite>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  ASSERT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk);
  cluster.SetJudge([](NodeId from, NodeId to, const Message&) {
    return from == 2 || to == 2 ? Fate::kDrop : Fate::kDeliver;  // who has it is cut off
  });
  Restart(cluster, 1, /*wiped=*/true);
  cluster.Run(3'000'000);
  EXPECT_FALSE(Complete(cluster, 1)) << "it was mended from the one that lacks the write";
  EXPECT_EQ(cluster.Call(1, Get("k")).outcome, Outcome::kUnavailable);
  EXPECT_EQ(cluster.Call(3, Get("k")).outcome, Outcome::kUnavailable);
  cluster.SetJudge(nullptr);
  cluster.Run(3'000'000);
  EXPECT_TRUE(Complete(cluster, 1));
  cluster.Crash(2);
  const ClientReply reply = cluster.Call(3, Get("k"));
  EXPECT_EQ(Describe(reply), "ok 2: v");
}

// What it was told before it lost its disk does not count as a vote of the one it is now.
TEST(StandingTest, BeingIncompleteOutlivesARestart) {
  MiniCluster cluster(Cluster(3, 2, 2));
  ASSERT_EQ(cluster.Call(2, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.SetJudge([](NodeId from, NodeId to, const Message&) {
    return Between(from, to, 1, 2) ? Fate::kDrop : Fate::kDeliver;
  });
  Restart(cluster, 1, /*wiped=*/true);
  cluster.Run(1'000'000);
  Restart(cluster, 1, /*wiped=*/false);
  cluster.Run(1'000'000);
  EXPECT_FALSE(Complete(cluster, 1));
  cluster.Crash(2);
  EXPECT_EQ(cluster.Call(3, Get("k")).outcome, Outcome::kUnavailable);
}

TEST(StandingTest, BeingCompleteOutlivesARestart) {
  MiniCluster cluster(Cluster(3, 1, 3));
  ASSERT_EQ(cluster.Call(2, Put("k", "v")).outcome, Outcome::kOk);
  cluster.Run(1'000'000);
  cluster.Crash(2);
  cluster.Crash(3);
  Restart(cluster, 1, /*wiped=*/false);
  cluster.Run(1);
  EXPECT_TRUE(Complete(cluster, 1)) << "nothing was lost: nobody has to be asked";
}

// A cut tail may have held what was acknowledged.
TEST(StandingTest, DoubtIsLoss) {
  MiniCluster cluster(Cluster(3, 2, 2));
  cluster.Crash(1);
  cluster.SetJudge([](NodeId from, NodeId to, const Message&) {
    return Between(from, to, 1, 2) ? Fate::kDrop : Fate::kDeliver;
  });
  cluster.Start(1, /*doubtful=*/true);
  cluster.Run(1'000'000);
  EXPECT_FALSE(Complete(cluster, 1));
  cluster.SetJudge(nullptr);
  cluster.Run(1'000'000);
  EXPECT_TRUE(Complete(cluster, 1));
}

// N=5, W=3. Node 1 coordinates; node 2 acknowledged, and then lost its disk; it mended itself
// from 3, 4 and 5, of which 3 gets the write only afterwards. Copies are on 1 and 3: two.
class LostAcknowledgement {
 public:
  LostAcknowledgement() : cluster_(Cluster(5, 3, 3)) {
    cluster_.SetJudge([this](NodeId from, NodeId to, const Message& message) {
      const bool meeting = std::holds_alternative<Introduction>(message) ||
                           std::holds_alternative<IntroductionAnswer>(message);
      if (meeting && three_meets_nobody_ && (from == 3 || to == 3)) return Fate::kDrop;
      if (std::holds_alternative<ReplicaWrite>(message) && from == 1) {
        if (to == 3 && !late_seen_) {
          late_seen_ = true;
          return Fate::kHold;
        }
        return to == 2 && !again_ ? Fate::kDeliver : Fate::kDrop;
      }
      return Between(from, to, 1, 2) && mending_ ? Fate::kDrop : Fate::kDeliver;
    });
    ticket_ = cluster_.Ask(1, Put("k", "v"));
    cluster_.Settle();
    again_ = mending_ = true;
  }

  void WipeAndMend() {
    Restart(cluster_, 2, /*wiped=*/true);
    cluster_.Run(500'000);
    EXPECT_TRUE(Complete(cluster_, 2));
    EXPECT_EQ(cluster_.RecordAt(2, "k"), "");
  }

  // The copy for node 3 arrives at last.
  const ClientReply* End() {
    cluster_.ReleaseHeld();
    cluster_.Run(100'000);
    EXPECT_NE(cluster_.RecordAt(3, "k"), "");
    return cluster_.ReplyTo(ticket_);
  }

  MiniCluster& cluster() { return cluster_; }
  void LetThreeMeetNobody() { three_meets_nobody_ = true; }

 private:
  MiniCluster cluster_;
  uint64_t ticket_ = 0;
  bool three_meets_nobody_ = false;
  bool late_seen_ = false;
  bool again_ = false;
  bool mending_ = false;
};

TEST(StandingTest, ALostAcknowledgementIsNotCountedWithALateOne) {
  LostAcknowledgement lost;
  lost.WipeAndMend();
  const ClientReply* const reply = lost.End();
  EXPECT_TRUE(reply == nullptr || reply->outcome != Outcome::kOk) << Describe(*reply);
}

// Regression 29: who made the late copy forgets whom it had met.
TEST(StandingTest, AFenceOutlivesARestart) {
  LostAcknowledgement lost;
  lost.WipeAndMend();
  lost.LetThreeMeetNobody();
  Restart(lost.cluster(), 3, /*wiped=*/false);
  lost.cluster().Settle();
  const ClientReply* const reply = lost.End();
  EXPECT_TRUE(reply == nullptr || reply->outcome != Outcome::kOk) << Describe(*reply);
}

TEST(StandingTest, AWipedReplicaLearnsTheFencesBeforeItAcknowledges) {
  LostAcknowledgement lost;
  lost.WipeAndMend();
  Restart(lost.cluster(), 3, /*wiped=*/true);
  lost.cluster().Run(300'000);
  const ClientReply* const reply = lost.End();
  EXPECT_TRUE(reply == nullptr || reply->outcome != Outcome::kOk) << Describe(*reply);
}

// The disk is an older copy, of before its last life began: its peers know better.
TEST(StandingTest, WhoIsKnownUnderANewerLifeBeginsAnother) {
  MiniCluster cluster(Cluster(3, 2, 2));
  Restart(cluster, 1, /*wiped=*/true);  // a second life, which the others note
  cluster.Run(1'000'000);
  ASSERT_TRUE(Complete(cluster, 1));
  const uint64_t before = cluster.Status(1).incarnations;
  IntroductionAnswer answer;
  ReplicaStanding standing;
  standing.partition = 0;
  standing.level = StandingLevel::kComplete;
  standing.lives = {{3, MakeIncarnation(1, 12345)}};
  answer.standings.push_back(standing);
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  cluster.Deliver(1, MessageReceived{2, answer});
  cluster.Settle();
  EXPECT_EQ(cluster.Status(1).incarnations, before + 1);
  EXPECT_FALSE(Complete(cluster, 1));
}

// It introduced itself under the number that it had just learned to be due, and died before its own
// disk had it: the others know its incarnation, but another number of it.
TEST(StandingTest, WhoForgetsTheNumberOfItsLifeBeginsAnother) {
  MiniCluster cluster(Cluster(3, 2, 2));
  ASSERT_EQ(cluster.Call(2, Put("k", "v", 3)).outcome, Outcome::kOk);
  Restart(cluster, 1, /*wiped=*/true);
  cluster.Run(1'000'000);
  cluster.Crash(1);
  cluster.store(1).SetSlot("standing", "");
  cluster.Start(1);
  cluster.Run(3'000'000);
  EXPECT_TRUE(Complete(cluster, 1));
  EXPECT_EQ(cluster.Status(1).incarnations, 1u);  // that of the lease was given up
}

// ... or shows it what it has done since.
TEST(StandingTest, WhoIsShownUnknownDotsOfItsOwnBeginsAnotherLife) {
  MiniCluster cluster(Cluster(3, 2, 2));
  ASSERT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk);
  Record record;
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(1, "k"), &record));
  ASSERT_EQ(record.versions().size(), 1u);
  const Dot last = record.versions().front().dot;
  const auto show = [&](uint64_t counter) {
    Record shown;
    Version version;
    version.dot = {last.incarnation, counter};
    shown.Put(version, VersionVector());
    ReplicaWrite write;
    write.layout = 1;
    write.key = MakeRecordKey(0, "other");
    write.record = shown.Encode();
    cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
    cluster.Deliver(1, MessageReceived{2, write});
    cluster.Settle();
  };
  const uint64_t before = cluster.Status(1).incarnations;
  show(last.counter);
  EXPECT_EQ(cluster.Status(1).incarnations, before);
  EXPECT_TRUE(Complete(cluster, 1));
  show(last.counter + 1);
  EXPECT_EQ(cluster.Status(1).incarnations, before + 1);
  EXPECT_FALSE(Complete(cluster, 1));
}

// A generation of ours that we do not know was lived with a newer disk than this one.
TEST(StandingTest, WhoIsKnownUnderALaterGenerationBeginsAnotherLife) {
  MiniCluster cluster(Cluster(3, 2, 2));
  Restart(cluster, 1, /*wiped=*/false);
  cluster.Settle();
  const uint64_t before = cluster.Status(1).incarnations;
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  Gossip gossip;
  gossip.members.push_back({1, 77, 1});
  cluster.Deliver(1, MessageReceived{2, gossip});
  cluster.Settle();
  EXPECT_EQ(cluster.Status(1).generation, 78u);
  EXPECT_EQ(cluster.Status(1).incarnations, before + 1);
  EXPECT_FALSE(Complete(cluster, 1));
}

TEST(StandingTest, LossBeyondTheBudgetIsSaid) {
  MiniCluster cluster(Cluster(3, 2, 2));
  ASSERT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  for (NodeId id = 1; id <= 3; ++id) cluster.Crash(id);
  for (NodeId id = 1; id <= 3; ++id) cluster.Start(id, /*doubtful=*/true);
  cluster.Run(3'000'000);
  for (NodeId id = 1; id <= 3; ++id) EXPECT_TRUE(Complete(cluster, id)) << "nobody waits for ever";
  bool said = false;
  for (const std::string& note : cluster.notes()) said |= note.find("may be lost") != note.npos;
  EXPECT_TRUE(said);
  EXPECT_EQ(Describe(cluster.Call(1, Get("k"))), "ok 2: v");
}

}  // namespace
}  // namespace norn
