// Reads through whole nodes: quorum, repair before the answer, errors, spares, loss.

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/describe.h"
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
using testing::PutBeside;
using Outcome = ClientReply::Outcome;

MiniOptions Quiet(int nodes, int n = 3, int r = 2, int w = 2) {
  MiniOptions options;
  options.nodes = nodes;
  options.gossip = false;
  options.bucket.n = n;
  options.bucket.r = r;
  options.bucket.w = w;
  return options;
}

// A record as node 9 would have written it, planted behind everybody's back.
std::string Foreign(const std::string& value, uint64_t counter = 1) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(9, 1), counter};
  version.value = value;
  record.Put(version, VersionVector());
  return record.Encode();
}

void Plant(MiniCluster& cluster, NodeId id, const std::string& key, const std::string& record) {
  cluster.store(id).Plant(cluster.PartitionOf(key), MakeRecordKey(0, key), record);
}

MiniCluster::Judge Isolate(NodeId alone) {
  return [alone](NodeId from, NodeId to, const Message&) {
    return from == alone || to == alone ? Fate::kDrop : Fate::kDeliver;
  };
}

TEST(NodeReadTest, AStaleReplicaIsWholeBeforeTheAnswer) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[1], "k", Foreign("v"));
  cluster.store(replicas[0]).Hold(true);
  cluster.SetJudge(Isolate(replicas[2]));
  const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  cluster.store(replicas[0]).Sync();  // its read
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr) << "one copy: the next read might miss it";
  cluster.store(replicas[0]).Sync();  // its repair
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Describe(*cluster.ReplyTo(ticket)), "ok 2: v");
  EXPECT_EQ(cluster.RecordAt(replicas[0], "k"), Foreign("v"));
  EXPECT_EQ(cluster.Status(replicas[0]).read_repairs, 1u);
}

TEST(NodeReadTest, ARemoteReplicaIsRepairedToo) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  cluster.SetJudge(Isolate(replicas[2]));
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k"))), "ok 2: v");
  EXPECT_EQ(cluster.RecordAt(replicas[1], "k"), Foreign("v"));
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 1u);
}

// Siblings on different replicas: the answer is neither's record, so both are repaired.
TEST(NodeReadTest, RepairMergesAndNeverOverwrites) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Record other;
  Version version;
  version.dot = {MakeIncarnation(8, 1), 1};
  version.value = "w";
  other.Put(version, VersionVector());
  Plant(cluster, replicas[0], "k", Foreign("v"));
  Plant(cluster, replicas[1], "k", other.Encode());
  cluster.SetJudge(Isolate(replicas[2]));
  const ClientReply reply = cluster.Call(replicas[0], Get("k"));
  EXPECT_EQ(reply.siblings.size(), 2u);
  std::string merged;
  ASSERT_TRUE(MergeEncoded(Foreign("v"), other.Encode(), &merged));
  EXPECT_EQ(cluster.RecordAt(replicas[0], "k"), merged);
  EXPECT_EQ(cluster.RecordAt(replicas[1], "k"), merged);
}

// Regression 33. N=5, R=2, W=4: two replicas hold a write that reached no quorum. A read
// that met both must not answer with it while the next read could meet two others.
TEST(NodeReadTest, APartialWriteIsNotSeenThenUnseen) {
  for (int first = 0; first < 5; ++first) {
    for (int second = 0; second < 5; ++second) {
      MiniCluster cluster(Quiet(5, 5, 2, 4));
      const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
      Plant(cluster, replicas[0], "k", Foreign("v"));
      Plant(cluster, replicas[1], "k", Foreign("v"));
      const NodeId reader = replicas[static_cast<size_t>(first)];
      const NodeId cut = replicas[static_cast<size_t>(second)];
      if (reader == cut) continue;
      cluster.SetJudge(Isolate(cut));
      const std::string answer = Describe(cluster.Call(reader, Get("k")));
      int holders = 0;
      for (const NodeId id : replicas) holders += cluster.RecordAt(id, "k").empty() ? 0 : 1;
      if (answer.find(": v") != std::string::npos) {
        EXPECT_GE(holders, 4) << "N - R + 1, so that every R meet one";
      }
      cluster.SetJudge(nullptr);
      for (const NodeId id : replicas) {
        const std::string next = Describe(cluster.Call(id, Get("k")));
        if (answer.find(": v") != std::string::npos) {
          EXPECT_NE(next.find(": v"), std::string::npos) << next;
        }
      }
    }
  }
}

// Nobody but the two that hold it can be reached, and two are no four: no answer at all.
TEST(NodeReadTest, WithoutEnoughHoldersThereIsNoAnswer) {
  MiniCluster cluster(Quiet(5, 5, 2, 4));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  Plant(cluster, replicas[1], "k", Foreign("v"));
  const auto isolated = [&](NodeId id) { return id != replicas[0] && id != replicas[1]; };
  cluster.SetJudge([&](NodeId from, NodeId to, const Message&) {
    return isolated(from) || isolated(to) ? Fate::kDrop : Fate::kDeliver;
  });
  const ClientReply reply = cluster.Call(replicas[0], Get("k"));
  EXPECT_EQ(reply.outcome, Outcome::kUnavailable);
  EXPECT_TRUE(reply.siblings.empty());
}

// R + W <= N promises nothing about what a later read sees, and does not wait for it.
TEST(NodeReadTest, WithoutOverlapRepairGoesOnInTheBackground) {
  MiniCluster cluster(Quiet(3, 3, 1, 1));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k"))), "ok 1: v");
  EXPECT_EQ(Describe(cluster.Call(replicas[1], Get("k"))), "ok 1") << "not there yet";
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k", 2))), "ok 2: v");
  EXPECT_EQ(cluster.Status(replicas[0]).read_repairs, 1u);
}

// Regression 23: what cannot be read is not "not found", and does not count toward R.
TEST(NodeReadTest, AReadErrorIsNeverNotFound) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.Call(replicas[0], Put("k", "v"));
  cluster.Settle();
  cluster.store(replicas[0]).SpoilAll(true);
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k"))), "ok 2: v") << "the two others";
  cluster.store(replicas[1]).SpoilAll(true);
  const ClientReply reply = cluster.Call(replicas[0], Get("k"));
  EXPECT_EQ(reply.outcome, Outcome::kUnavailable);
  EXPECT_LE(reply.replicas, 1);
  EXPECT_NE(reply.message.find("key \"k\""), std::string::npos) << reply.message;
  EXPECT_EQ(cluster.Call(replicas[2], Get("k")).outcome, Outcome::kUnavailable);
  EXPECT_EQ(cluster.Status(replicas[2]).failed_unavailable, 1u);
}

TEST(NodeReadTest, AStaleReplicaThatCannotBeRepairedIsReplacedByAnother) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[1], "k", Foreign("v"));
  Plant(cluster, replicas[2], "k", Foreign("v"));
  cluster.store(replicas[0]).SetFull(true);
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k"))), "ok 3: v");
  Plant(cluster, replicas[2], "k", "");
  cluster.store(replicas[2]).SetFull(true);
  EXPECT_EQ(cluster.Call(replicas[0], Get("k")).outcome, Outcome::kUnavailable);
}

// Not a moment passes: what fails or is behind has the spare asked at once.
TEST(NodeReadTest, SparesAreAskedAtOnceWhenOneFailsOrIsBehind) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  Plant(cluster, replicas[2], "k", Foreign("v"));
  cluster.store(replicas[1]).SpoilAll(true);
  const uint64_t failed = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(failed), nullptr);
  EXPECT_EQ(Describe(*cluster.ReplyTo(failed)), "ok 2: v");
  cluster.store(replicas[1]).SpoilAll(false);
  cluster.SetJudge([](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<ReplicaWrite>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  const uint64_t behind = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(behind), nullptr) << "the spare holds it already";
  EXPECT_EQ(Describe(*cluster.ReplyTo(behind)), "ok 3: v");
}

// While a repair is under way a replica that cannot even read its copy holds nothing.
TEST(NodeReadTest, ALateErrorIsNoHolder) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  cluster.store(replicas[2]).SpoilAll(true);
  cluster.SetJudge([](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<ReplicaWrite>(message) ? Fate::kHold : Fate::kDeliver;
  });
  const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Describe(*cluster.ReplyTo(ticket)), "ok 2: v");
}

TEST(NodeReadTest, SparesAreAskedWhenTheFirstAreSlow) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.Call(replicas[0], Put("k", "v"));
  cluster.Settle();
  cluster.SetJudge(Isolate(replicas[1]));
  const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.Run(20'000);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr) << "after speculate_after_us";
  EXPECT_EQ(Describe(*cluster.ReplyTo(ticket)), "ok 2: v");
}

// Speculation, the nudge and the deadline go off in whatever order they were set to.
TEST(NodeReadTest, EveryTimerGoesOff) {
  for (const int64_t speculate_us : {int64_t{0}, int64_t{1'500'000}, int64_t{9'000'000}}) {
    MiniOptions options = Quiet(3);
    options.node.speculate_after_us = speculate_us;
    MiniCluster cluster(options);
    cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
    const uint64_t ticket = cluster.Ask(cluster.ReplicasOf("k")[0], Get("k"));
    cluster.Run(999'999);
    EXPECT_EQ(cluster.Sent("ReplicaRead"), speculate_us == 0 ? 2u : 1u);
    cluster.Run(1);
    EXPECT_EQ(cluster.Sent("ReplicaRead"), speculate_us == 0 ? 4u : 3u) << "all silent ones";
    cluster.Run(999'999);
    EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
    cluster.Run(1);
    EXPECT_NE(cluster.ReplyTo(ticket), nullptr);
  }
}

TEST(NodeReadTest, WhatWasLostIsAskedAgain) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.Call(replicas[0], Put("k", "v"));
  cluster.Settle();
  int lost = 0;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaRead>(message) || ++lost > 2) return Fate::kDeliver;
    return Fate::kDrop;
  });
  EXPECT_EQ(Describe(cluster.Call(replicas[0], Get("k"))), "ok 2: v");
}

TEST(NodeReadTest, ALostRepairIsSentAgain) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], "k", Foreign("v"));
  int lost = 0;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaWrite>(message) || ++lost > 2) return Fate::kDeliver;
    return Fate::kDrop;
  });
  EXPECT_EQ(cluster.Call(replicas[0], Get("k")).outcome, Outcome::kOk);
  EXPECT_GT(lost, 2);
}

TEST(NodeReadTest, ATimeoutSaysHowFarItGot) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
  cluster.Run(2'000'000);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kUnavailable);
  EXPECT_NE(cluster.ReplyTo(ticket)->message.find("timed out with 1 of 2 replies"),
            std::string::npos);
}

// R=3 of 3, one silent: the doubled reply of another is no third.
TEST(NodeReadTest, DoubledRepliesCountOnce) {
  MiniCluster cluster(Quiet(3, 3, 3, 2));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.SetJudge([&](NodeId from, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaReadReply>(message)) return Fate::kDeliver;
    return from == replicas[1] ? Fate::kDouble : Fate::kDrop;
  });
  const ClientReply reply = cluster.Call(replicas[0], Get("k"));
  EXPECT_EQ(reply.outcome, Outcome::kUnavailable);
  EXPECT_EQ(reply.replicas, 2);
}

TEST(NodeReadTest, ADamagedReplyIsNoAnswer) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  for (const NodeId id : replicas) Plant(cluster, id, "k", "rot");
  EXPECT_EQ(cluster.Call(replicas[0], Get("k")).outcome, Outcome::kUnavailable);
  Plant(cluster, replicas[0], "k", Foreign("v"));
  EXPECT_EQ(cluster.Call(replicas[0], Get("k")).outcome, Outcome::kUnavailable);
}

TEST(NodeReadTest, AnyNodeCoordinatesAndAsksTheReplicas) {
  MiniCluster cluster(Quiet(5));
  const NodeId outside = cluster.NoReplicaOf("k");
  cluster.Call(cluster.ReplicasOf("k")[0], Put("k", "v"));
  EXPECT_EQ(Describe(cluster.Call(outside, Get("k"))), "ok 2: v");
  // It repairs as well.
  for (const NodeId id : cluster.ReplicasOf("k")) Plant(cluster, id, "k", "");
  Plant(cluster, cluster.ReplicasOf("k")[1], "k", Foreign("w"));
  EXPECT_EQ(Describe(cluster.Call(outside, Get("k", 3))), "ok 3: w");
  cluster.Settle();
  EXPECT_EQ(cluster.Difference(), "");
}

TEST(NodeReadTest, OnlyADurableRecordIsTold) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  for (const NodeId id : replicas) cluster.store(id).Hold(true);
  const uint64_t put = cluster.Ask(replicas[0], Put("k", "v"));
  const uint64_t get = cluster.Ask(replicas[0], Get("k"));
  cluster.Run(10'000);
  EXPECT_EQ(cluster.ReplyTo(get), nullptr);
  EXPECT_EQ(cluster.ReplyTo(put), nullptr);
  for (const NodeId id : replicas) cluster.store(id).Hold(false);
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(put)->outcome, Outcome::kOk);
  EXPECT_EQ(Describe(*cluster.ReplyTo(get)).substr(0, 2), "ok");
}

}  // namespace
}  // namespace norn
