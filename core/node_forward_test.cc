// Forwards, and the lives of nodes: what a message of an earlier life may still do.

#include <string>
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
using testing::PutBeside;
using Outcome = ClientReply::Outcome;

MiniOptions Five() {
  MiniOptions options;
  options.nodes = 5;
  options.gossip = false;
  return options;
}

template <typename M>
MiniCluster::Judge All(Fate fate) {
  return [fate](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<M>(message) ? fate : Fate::kDeliver;
  };
}

size_t VersionsAt(const MiniCluster& cluster, NodeId id, const std::string& key) {
  Record record;
  EXPECT_TRUE(Record::Decode(cluster.RecordAt(id, key), &record));
  return record.versions().size();
}

TEST(NodeForwardTest, ADoubledForwardMintsOnce) {
  MiniCluster cluster(Five());
  cluster.SetJudge(All<Forward>(Fate::kDouble));
  const NodeId outside = cluster.NoReplicaOf("k");
  EXPECT_EQ(cluster.Call(outside, PutBeside("k", "v")).outcome, Outcome::kOk);
  cluster.Settle();
  EXPECT_EQ(cluster.Sent("Forward"), 1u);
  EXPECT_EQ(VersionsAt(cluster, cluster.ReplicasOf("k")[0], "k"), 1u);
}

// Regression 34: the double comes after an overwrite, and must not revive the old value.
TEST(NodeForwardTest, ALateDoubleDoesNotReviveAnOldValue) {
  MiniCluster cluster(Five());
  const NodeId outside = cluster.NoReplicaOf("k");
  Message kept;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (std::holds_alternative<Forward>(message)) kept = message;
    return Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(outside, Put("k", "old")).outcome, Outcome::kOk);
  const NodeId first = cluster.ReplicasOf("k")[0];
  EXPECT_EQ(cluster.Call(first, Put("k", "new")).outcome, Outcome::kOk);
  cluster.Deliver(first, MessageReceived{outside, kept});
  cluster.Settle();
  EXPECT_EQ(Describe(cluster.Call(first, Get("k"))), "ok 2: new");
}

TEST(NodeForwardTest, AReplicaThatRestartedRefuses) {
  MiniCluster cluster(Five());
  const NodeId outside = cluster.NoReplicaOf("k");
  const NodeId first = cluster.ReplicasOf("k")[0];
  cluster.SetJudge(All<Forward>(Fate::kHold));
  const uint64_t ticket = cluster.Ask(outside, Put("k", "v"));
  cluster.Settle();
  cluster.Crash(first);
  cluster.Start(first);
  cluster.Settle();
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kUnknown);
  EXPECT_NE(cluster.ReplyTo(ticket)->message.find("has restarted"), std::string::npos);
  EXPECT_EQ(cluster.RecordAt(first, "k"), "");
}

TEST(NodeForwardTest, WithoutAnAnswerItIsUnknownAndNeverTriedElsewhere) {
  MiniCluster cluster(Five());
  const NodeId outside = cluster.NoReplicaOf("k");
  cluster.SetJudge(All<ForwardReply>(Fate::kDrop));
  const ClientReply reply = cluster.Call(outside, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.Sent("Forward"), 1u);
  EXPECT_EQ(Describe(cluster.Call(outside, Get("k"))), "ok 2: v") << "it did take effect";
}

TEST(NodeForwardTest, AnAnswerOfTheWrongNodeIsIgnored) {
  MiniCluster cluster(Five());
  const NodeId outside = cluster.NoReplicaOf("k");
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.SetJudge(All<Forward>(Fate::kHold));
  const uint64_t ticket = cluster.Ask(outside, Put("k", "v"));
  RequestId request = 0;
  cluster.Settle();
  ASSERT_EQ(cluster.held(), 1u);
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (const auto* answer = std::get_if<ForwardReply>(&message)) request = answer->request;
    return std::holds_alternative<ForwardReply>(message) ? Fate::kDrop : Fate::kDeliver;
  });
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_NE(request, 0u);
  ForwardReply forged;
  forged.request = request;
  forged.status = ReplicaStatus::kOk;
  forged.reply.outcome = Outcome::kOk;
  cluster.Deliver(outside, MessageReceived{replicas[1], forged});
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.Deliver(outside, MessageReceived{replicas[0], forged});
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
}

TEST(NodeForwardTest, ADrainingReplicaSaysOverloadedAndNothingIsDone) {
  MiniCluster cluster(Five());
  const NodeId outside = cluster.NoReplicaOf("k");
  cluster.Deliver(cluster.ReplicasOf("k")[0], Drain{});
  const ClientReply reply = cluster.Call(outside, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOverloaded);
  EXPECT_EQ(cluster.RecordAt(cluster.ReplicasOf("k")[0], "k"), "");
}

TEST(NodeForwardTest, NobodyHeardOfYet) {
  MiniOptions options = Five();
  options.start = false;
  MiniCluster cluster(options);
  const NodeId outside = cluster.NoReplicaOf("k");
  cluster.Start(outside);
  cluster.Settle();
  EXPECT_EQ(cluster.Call(outside, Put("k", "v")).outcome, Outcome::kNotApplied);
}

TEST(NodeForwardTest, StrangersHaveNoSay) {
  MiniCluster cluster(Five());
  ReplicaWrite write;
  write.layout = 1;
  write.key = MakeRecordKey(0, "k");
  write.partition = cluster.PartitionOf("k");
  write.record = std::string(40, 'x');
  const NodeId first = cluster.ReplicasOf("k")[0];
  cluster.Deliver(first, MessageReceived{77, write});
  cluster.Deliver(first, MessageReceived{first, write});
  cluster.Deliver(first, MessageReceived{77, Gossip{{}, {}, true}});
  cluster.Settle();
  EXPECT_EQ(cluster.Sent("ReplicaWriteReply"), 0u);
  EXPECT_EQ(cluster.RecordAt(first, "k"), "");
}

// A record that is none must not get in, not even where nothing stands in its way.
TEST(NodeForwardTest, ADamagedRecordIsNotTaken) {
  MiniCluster cluster(Five());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  ReplicaWrite write;
  write.layout = 1;
  write.key = MakeRecordKey(0, "k");
  write.partition = cluster.PartitionOf("k");
  write.record = "rot";
  ReplicaStatus answered = ReplicaStatus::kOk;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (const auto* reply = std::get_if<ReplicaWriteReply>(&message)) answered = reply->status;
    return Fate::kDeliver;
  });
  cluster.Deliver(replicas[0], MessageReceived{replicas[1], write});
  cluster.Settle();
  EXPECT_EQ(answered, ReplicaStatus::kError);
  EXPECT_EQ(cluster.RecordAt(replicas[0], "k"), "");
  EXPECT_EQ(cluster.Call(replicas[0], Put("k", "v")).outcome, Outcome::kOk);
}

TEST(NodeForwardTest, AnotherLayoutIsRefused) {
  MiniCluster cluster(Five());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  ReplicaStatus answered = ReplicaStatus::kOk;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (const auto* reply = std::get_if<ReplicaReadReply>(&message)) answered = reply->status;
    return Fate::kDeliver;
  });
  ReplicaRead read;
  read.layout = 2;
  read.key = MakeRecordKey(0, "k");
  read.partition = cluster.PartitionOf("k");
  cluster.Deliver(replicas[0], MessageReceived{replicas[1], read});
  cluster.Settle();
  EXPECT_EQ(answered, ReplicaStatus::kWrongLayout);
  answered = ReplicaStatus::kOk;
  read.layout = 1;
  read.partition = static_cast<PartitionId>((read.partition + 1) % 8);
  cluster.Deliver(replicas[0], MessageReceived{replicas[1], read});
  cluster.Settle();
  EXPECT_EQ(answered, ReplicaStatus::kWrongLayout) << "the key is not of that partition";
  answered = ReplicaStatus::kOk;
  read.partition = 65535;
  cluster.Deliver(replicas[0], MessageReceived{replicas[1], read});
  cluster.Settle();
  EXPECT_EQ(answered, ReplicaStatus::kWrongLayout) << "no such partition";
}

// The wiped node was in its first generation, and starts in a first generation again.
TEST(NodeLivesTest, AWipedNodeRaisesItsGeneration) {
  MiniOptions options = Five();
  options.gossip = true;
  MiniCluster cluster(options);
  cluster.Run(5'000'000);
  cluster.Crash(1);
  cluster.Wipe(1);
  cluster.Start(1);
  cluster.Run(2'000'000);
  EXPECT_EQ(cluster.Status(1).generation, 2u);
  for (const MemberStatus& member : cluster.Status(2).members) {
    if (member.id == 1) {
      EXPECT_EQ(member.generation, 2u);
    }
  }
  cluster.Crash(1);
  cluster.Start(1);
  cluster.Run(2'000'000);
  EXPECT_EQ(cluster.Status(1).generation, 3u) << "and it is durable";
}

// Acknowledgements of a request of an earlier life must not count for one of this life,
// though a wiped disk begins the same generation and count again.
TEST(NodeLivesTest, AnswersToAnEarlierLifeFindNobody) {
  MiniOptions options;
  options.gossip = false;
  MiniCluster cluster(options);
  cluster.SetJudge(All<ReplicaWriteReply>(Fate::kHold));
  cluster.Ask(1, Put("k", "v"));
  cluster.Settle();
  ASSERT_EQ(cluster.held(), 2u);
  cluster.Crash(1);
  cluster.Wipe(1);
  cluster.Start(1);
  cluster.Settle();
  cluster.SetJudge(All<ReplicaWrite>(Fate::kDrop));
  const uint64_t ticket = cluster.Ask(1, Put("k", "w"));
  cluster.Settle();
  cluster.ReleaseHeld();
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr) << "nobody holds the second write but us";
}

TEST(NodeLivesTest, ANodeServesOnlyWhenItsIdentityAndLeaseAreDurable) {
  MiniOptions options;
  options.start = false;
  options.gossip = false;
  MiniCluster cluster(options);
  cluster.store(1).FailSlots(true);
  cluster.Start(1);
  cluster.Settle();
  EXPECT_FALSE(cluster.Status(1).started);
  EXPECT_EQ(cluster.Call(1, Get("k")).outcome, Outcome::kOverloaded);
  EXPECT_EQ(cluster.Sent("Gossip"), 0u) << "it is nobody yet";
  cluster.store(1).FailSlots(false);
  cluster.Run(2'000'000);
  EXPECT_TRUE(cluster.Status(1).started);
  EXPECT_EQ(cluster.Status(1).generation, 1u);
  EXPECT_GT(cluster.Sent("Gossip"), 0u);
}

TEST(NodeLivesTest, DoubtBeginsNewIncarnations) {
  MiniOptions options;
  options.gossip = false;
  MiniCluster cluster(options);
  cluster.Call(1, Put("k", "a"));
  cluster.Crash(1);
  cluster.Start(1);
  cluster.Settle();
  cluster.Call(1, Put("k", "b"));
  Record record;
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(1, "k"), &record));
  EXPECT_EQ(record.context().size(), 1u) << "a clean restart goes on under its incarnation";
  cluster.Crash(1);
  cluster.Start(1, /*doubtful=*/true);
  cluster.Settle();
  cluster.Call(1, Put("k", "c"));
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(1, "k"), &record));
  EXPECT_EQ(record.context().size(), 2u);
}

}  // namespace
}  // namespace norn
