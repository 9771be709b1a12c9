// Damaged ranges are mended from the other replicas, and errors until then.

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn::testing {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int kKeys = 30;

using Outcome = ClientReply::Outcome;

std::string Key(int i) { return absl::StrCat("key", i); }
std::string RecordKey(int i) { return MakeRecordKey(0, Key(i)); }

class NodeDamageTest : public ::testing::Test {
 protected:
  static MiniOptions Options(int nodes = 3, int n = 3, int r = 2, int w = 2) {
    MiniOptions options;
    options.nodes = nodes;
    options.bucket.n = n;
    options.bucket.r = r;
    options.bucket.w = w;
    options.partitions = 2;
    options.mend_damage = true;
    options.node.exchange_page_entries = 3;
    return options;
  }

  void Begin(const MiniOptions& options) {
    cluster_ = std::make_unique<MiniCluster>(options);
    for (int i = 0; i < kKeys; ++i) {
      ASSERT_EQ(cluster_->Call(1, Put(Key(i), absl::StrCat("v", i), options.bucket.n)).outcome,
                Outcome::kOk);
    }
    cluster_->Settle();
  }

  void Rot(NodeId node, int i) { cluster_->store(node).SpoilKey(RecordKey(i)); }

  bool IsWhole(NodeId node) const {
    const NodeStatus status = cluster_->Status(node);
    return status.partitions_complete == status.partitions_held;
  }

  bool Noted(absl::string_view what) const {
    return std::any_of(cluster_->notes().begin(), cluster_->notes().end(),
                       [&](const std::string& note) { return absl::StrContains(note, what); });
  }

  // Until the node says that nothing is damaged any more.
  bool RunUntilMended(NodeId node, int64_t most_us = 10 * kSecond) {
    for (int64_t us = 0; us < most_us; us += kSecond / 10) {
      cluster_->Run(kSecond / 10);
      if (cluster_->store(node).spoilt() == 0 && IsWhole(node)) return true;
    }
    return false;
  }

  std::unique_ptr<MiniCluster> cluster_;
};

TEST_F(NodeDamageTest, ABadBlockIsMendedWithoutAnyRequest) {
  Begin(Options());
  const std::string before = cluster_->RecordAt(1, Key(7));
  const uint64_t incarnations = cluster_->Status(1).incarnations;
  Rot(1, 7);
  Rot(1, 8);
  ASSERT_TRUE(RunUntilMended(1));
  EXPECT_EQ(cluster_->RecordAt(1, Key(7)), before);
  EXPECT_EQ(cluster_->Difference(), "");
  const NodeStatus status = cluster_->Status(1);
  EXPECT_EQ(status.damage_mended, 2u);
  EXPECT_EQ(status.damaged_ranges, 0u);
  EXPECT_GT(status.incarnations, incarnations);
  EXPECT_TRUE(Noted("were mended with")) << "no note";
  EXPECT_EQ(cluster_->store(1).Get(cluster_->PartitionOf(Key(7)), RecordKey(7)), before);
  // Its tree stands for what it holds: it was built anew.
  cluster_->Run(2 * kSecond);
  EXPECT_EQ(cluster_->Status(1).trees_building, 0u);
  EXPECT_EQ(cluster_->Status(1).tree_mismatches, 0u);
}

TEST_F(NodeDamageTest, WhatNobodyHasIsAbsentAfterwards) {
  Begin(Options());
  // Garbage that the others never had, in the place of a key that nobody wrote.
  const std::string record = cluster_->RecordAt(1, Key(7));
  const std::string stray = MakeRecordKey(0, "stray");
  cluster_->store(1).Plant(cluster_->PartitionOf("stray"), stray, record);
  cluster_->store(1).SpoilKey(stray);
  ASSERT_TRUE(RunUntilMended(1));
  EXPECT_EQ(cluster_->RecordAt(1, "stray"), "");
}

TEST_F(NodeDamageTest, WithTooFewOthersItStaysAnError) {
  Begin(Options());
  Rot(1, 7);
  cluster_->Crash(3);
  cluster_->Run(20 * kSecond);
  EXPECT_EQ(cluster_->store(1).spoilt(), 1u);
  EXPECT_TRUE(IsWhole(1)) << "it can go on answering for all other keys";
  EXPECT_EQ(cluster_->Status(1).damage_mended, 0u);
  EXPECT_EQ(cluster_->Status(1).damaged_ranges, 1u);
  EXPECT_TRUE(Noted("cannot be read, and answer errors until"));
  EXPECT_NE(cluster_->Call(1, Get(Key(7), 2)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster_->Call(1, Get(Key(8), 2)).outcome, Outcome::kOk);
  cluster_->Start(3);
  ASSERT_TRUE(RunUntilMended(1));
  EXPECT_EQ(cluster_->Call(1, Get(Key(7), 2)).outcome, Outcome::kOk);
}

TEST_F(NodeDamageTest, EachAcknowledgedWriteIsAmongWhatIsAsked) {
  Begin(Options());
  // Nodes 1 and 3 have the newer value of each key, node 2 does not.
  cluster_->SetJudge([](NodeId, NodeId to, const Message& message) {
    return to == 2 && !std::holds_alternative<Gossip>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(cluster_->Call(1, Put(Key(i), absl::StrCat("new", i), 2)).outcome, Outcome::kOk);
    if (i % 3 == 0) Rot(1, i);
  }
  cluster_->SetJudge(nullptr);
  ASSERT_TRUE(RunUntilMended(1));
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(cluster_->RecordAt(1, Key(i)), cluster_->RecordAt(3, Key(i))) << i;
  }
}

// A read that is served by the mending replica must not see one peer's older record.
TEST_F(NodeDamageTest, NoReadIsAnsweredFromHalfOfThem) {
  Begin(Options());
  cluster_->SetJudge([](NodeId, NodeId to, const Message& message) {
    return to == 2 && !std::holds_alternative<Gossip>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  ASSERT_EQ(cluster_->Call(1, Put(Key(7), "new", 2)).outcome, Outcome::kOk);
  Rot(1, 7);
  // Node 3, which has it, is asked last and does not answer fetches: only node 2 does.
  int fetches = 0;
  cluster_->SetJudge([&fetches](NodeId from, NodeId, const Message& message) {
    const bool is_fetch = std::holds_alternative<ExchangeAnswer>(message);
    return is_fetch && from == 3 && ++fetches > 1 ? Fate::kDrop : Fate::kDeliver;
  });
  cluster_->Run(5 * kSecond);
  ASSERT_GT(fetches, 1);
  const ClientReply reply = cluster_->Call(2, Get(Key(7), 2));
  EXPECT_EQ(Describe(reply), "ok 2: new");
  cluster_->SetJudge(nullptr);
  ASSERT_TRUE(RunUntilMended(1, 30 * kSecond));
  EXPECT_EQ(Describe(cluster_->Call(1, Get(Key(7), 2))), "ok 2: new");
}

TEST_F(NodeDamageTest, TwoReplicasMendEachOther) {
  Begin(Options());
  for (int i = 0; i < kKeys; ++i) Rot(i % 2 == 0 ? 1 : 2, i);
  ASSERT_TRUE(RunUntilMended(1, 60 * kSecond));
  ASSERT_TRUE(RunUntilMended(2, 60 * kSecond));
  EXPECT_EQ(cluster_->Difference(), "");
  // Of all else each could vouch for what it held.
  EXPECT_FALSE(Noted("may be lost"));
}

TEST_F(NodeDamageTest, WhatTwoOfThreeHaveLostIsNotGivenUp) {
  Begin(Options());
  Rot(1, 7);
  Rot(2, 7);
  cluster_->Run(20 * kSecond);
  EXPECT_EQ(cluster_->store(1).spoilt() + cluster_->store(2).spoilt(), 2u);
  EXPECT_TRUE(IsWhole(1) && IsWhole(2));
}

TEST_F(NodeDamageTest, ALoneReplicaKeepsItsErrors) {
  Begin(Options(1, 1, 1, 1));
  Rot(1, 7);
  cluster_->Run(20 * kSecond);
  EXPECT_EQ(cluster_->store(1).spoilt(), 1u);
  EXPECT_TRUE(IsWhole(1));
  EXPECT_NE(cluster_->Call(1, Get(Key(7))).outcome, Outcome::kOk);
}

TEST_F(NodeDamageTest, ACrashAtAnyStepBeginsAnew) {
  for (int steps = 1; steps < 120; steps += 3) {
    SCOPED_TRACE(steps);
    Begin(Options());
    Rot(1, 7);
    cluster_->Run(kSecond - kSecond / 10);
    // Nothing moves on its own but what the repair does.
    for (int i = 0; i < steps; ++i) {
      if (!cluster_->SettleOne()) {
        cluster_->Jump(20'000);
        cluster_->FireTimers();
      }
    }
    cluster_->Crash(1);
    cluster_->Run(kSecond);
    cluster_->Start(1);
    ASSERT_TRUE(RunUntilMended(1, 30 * kSecond));
    ASSERT_EQ(cluster_->Difference(), "");
    ASSERT_EQ(Describe(cluster_->Call(1, Get(Key(7), 2))), "ok 2: v7");
  }
}

// Dots of ours may be among what is lost: they are not to be covered by those minted next.
TEST_F(NodeDamageTest, AVersionThatIsStillOnItsWaySurvivesTheNextMint) {
  Begin(Options());
  // Minted by node 1, and stored there; on its way to the others for long.
  cluster_->SetJudge([this](NodeId from, NodeId, const Message& message) {
    if (from != 1 || !std::holds_alternative<ReplicaWrite>(message)) return Fate::kDeliver;
    return cluster_->held() < 2 ? Fate::kHold : Fate::kDrop;
  });
  cluster_->Ask(1, PutBeside(Key(7), "late"));
  cluster_->Settle();
  ASSERT_EQ(cluster_->held(), 2u);
  Rot(1, 7);
  ASSERT_TRUE(RunUntilMended(1));
  cluster_->SetJudge(nullptr);
  ASSERT_EQ(cluster_->Call(1, PutBeside(Key(7), "next")).outcome, Outcome::kOk);
  cluster_->ReleaseHeld();
  cluster_->Settle();
  const ClientReply reply = cluster_->Call(2, Get(Key(7), 3));
  std::set<std::string> values;
  for (const Sibling& sibling : reply.siblings) values.insert(sibling.value);
  EXPECT_EQ(values, (std::set<std::string>{"late", "next", "v7"})) << Describe(reply);
}

}  // namespace
}  // namespace norn::testing
