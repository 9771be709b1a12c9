// Writes through whole nodes: quorum, forwarding, failure, loss, drain, limits.

#include <algorithm>
#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/describe.h"
#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::Delete;
using testing::Describe;
using testing::Fate;
using testing::Get;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using testing::PutAfter;
using testing::PutBeside;
using Outcome = ClientReply::Outcome;

MiniOptions Quiet(int nodes) {
  MiniOptions options;
  options.nodes = nodes;
  options.gossip = false;
  return options;
}

// Every message of one kind meets one fate.
template <typename M>
MiniCluster::Judge All(Fate fate) {
  return [fate](NodeId, NodeId, const Message& message) {
    return std::holds_alternative<M>(message) ? fate : Fate::kDeliver;
  };
}

std::vector<std::string> Values(const ClientReply& reply) {
  std::vector<std::string> values;
  for (const Sibling& sibling : reply.siblings) values.push_back(sibling.value);
  std::sort(values.begin(), values.end());
  return values;
}

TEST(NodeWriteTest, PutGetDelete) {
  MiniCluster cluster(Quiet(3));
  ClientReply reply = cluster.Call(1, Get("k"));
  EXPECT_EQ(Describe(reply), "ok 2") << "nothing is there, and that is an answer";
  reply = cluster.Call(1, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOk);
  EXPECT_GE(reply.replicas, 2);
  for (NodeId id = 1; id <= 3; ++id) {
    reply = cluster.Call(id, Get("k"));
    EXPECT_EQ(Values(reply), (std::vector<std::string>{"v"}));
    EXPECT_GT(reply.siblings[0].timestamp_us, 0);
  }
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  for (NodeId id = 1; id <= 3; ++id) {
    reply = cluster.Call(id, Get("k"));
    EXPECT_EQ(Describe(reply), "ok 2");
    EXPECT_FALSE(reply.context.empty()) << "a context that covers the delete";
  }
  EXPECT_EQ(cluster.Difference(), "");
}

TEST(NodeWriteTest, AnEmptyValueIsAValue) {
  MiniCluster cluster(Quiet(3));
  EXPECT_EQ(cluster.Call(1, Put("k", "")).outcome, Outcome::kOk);
  EXPECT_EQ(Values(cluster.Call(2, Get("k"))), (std::vector<std::string>{""}));
}

TEST(NodeWriteTest, ContextsDecideWhatIsReplaced) {
  MiniCluster cluster(Quiet(3));
  const ClientReply first = cluster.Call(1, Put("k", "a"));
  ASSERT_FALSE(first.context.empty());
  const ClientReply beside = cluster.Call(2, PutBeside("k", "b"));
  EXPECT_EQ(beside.outcome, Outcome::kOk);
  EXPECT_TRUE(beside.context.empty()) << "it would cover a sibling its client never saw";
  EXPECT_EQ(Values(cluster.Call(3, Get("k"))), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(cluster.Call(3, PutAfter("k", "c", first.context)).outcome, Outcome::kOk);
  const ClientReply both = cluster.Call(1, Get("k"));
  EXPECT_EQ(Values(both), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(cluster.Status(1).siblings_seen, 1u);
  EXPECT_EQ(cluster.Call(2, PutAfter("k", "d", both.context)).outcome, Outcome::kOk);
  EXPECT_EQ(Values(cluster.Call(1, Get("k"))), (std::vector<std::string>{"d"}));
  const ClientReply forged = cluster.Call(1, PutAfter("other", "x", both.context));
  EXPECT_EQ(forged.outcome, Outcome::kInvalid) << "a token of another key";
}

TEST(NodeWriteTest, ThePlainSiblingWinsThatIsNewest) {
  MiniCluster cluster(Quiet(3));
  cluster.Call(1, Put("k", "old"));
  cluster.Run(1000);
  cluster.Call(2, PutBeside("k", "new"));
  const ClientReply reply = cluster.Call(3, Get("k"));
  ASSERT_EQ(reply.siblings.size(), 2u);
  EXPECT_EQ(reply.siblings[0].value, "new");
}

TEST(NodeWriteTest, ACoordinatorThatIsNoReplicaForwards) {
  MiniCluster cluster(Quiet(5));
  const NodeId outside = cluster.NoReplicaOf("k");
  const ClientReply reply = cluster.Call(outside, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOk) << Describe(reply);
  EXPECT_EQ(cluster.Sent("Forward"), 1u);
  EXPECT_EQ(cluster.RecordAt(outside, "k"), "") << "it keeps no copy";
  EXPECT_EQ(Values(cluster.Call(outside, Get("k"))), (std::vector<std::string>{"v"}));
  EXPECT_EQ(cluster.Status(outside).dots_minted, 0u) << "only replicas mint";
  // What the receiver finds wrong comes back as it said it.
  const ClientReply invalid = cluster.Call(outside, PutAfter("k", "v", "no token"));
  EXPECT_EQ(invalid.outcome, Outcome::kInvalid);
}

TEST(NodeWriteTest, TheQuorumCannotBeMet) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.store(replicas[1]).SetFull(true);
  EXPECT_EQ(cluster.Call(replicas[0], Put("k", "v")).outcome, Outcome::kOk) << "two of three";
  cluster.store(replicas[2]).SetFull(true);
  const ClientReply reply = cluster.Call(replicas[0], Put("k", "w"));
  EXPECT_EQ(reply.outcome, Outcome::kUnknown);
  EXPECT_EQ(reply.replicas, 1);
  EXPECT_NE(reply.message.find("only 1 of 2"), std::string::npos) << reply.message;
  EXPECT_EQ(cluster.Status(replicas[0]).failed_unknown, 1u);
}

TEST(NodeWriteTest, NobodyAnswersInTime) {
  MiniCluster cluster(Quiet(3));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.SetJudge(All<ReplicaWrite>(Fate::kDrop));
  const uint64_t ticket = cluster.Ask(replicas[0], Put("k", "v"));
  cluster.Run(1'999'000);
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.Run(2'000);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.ReplyTo(ticket)->replicas, 1);
}

TEST(NodeWriteTest, TheRequestsOwnTimeoutCounts) {
  MiniCluster cluster(Quiet(3));
  cluster.SetJudge(All<ReplicaWrite>(Fate::kDrop));
  ClientRequest request = Put("k", "v");
  request.timeout_us = 10'000;
  const uint64_t ticket = cluster.Ask(1, request);
  cluster.Run(10'000);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  request.timeout_us = 3'600'000'000;  // no more than the node allows
  const uint64_t long_one = cluster.Ask(1, request);
  cluster.Run(2'000'000);
  ASSERT_NE(cluster.ReplyTo(long_one), nullptr);
}

// A timer that goes off early is gone; the host must arm it again for the same deadline.
TEST(NodeWriteTest, AnEarlyTimerIsArmedAgain) {
  MiniCluster cluster(Quiet(3));
  cluster.SetJudge(All<ReplicaWrite>(Fate::kDrop));
  const uint64_t ticket = cluster.Ask(1, Put("k", "v"));
  cluster.Run(500'000);
  cluster.FireEarly(1);
  cluster.Run(1'500'000);
  EXPECT_NE(cluster.ReplyTo(ticket), nullptr);
}

TEST(NodeWriteTest, ALostReplicaWriteIsSentAgain) {
  MiniCluster cluster(Quiet(3));
  int lost = 0;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaWrite>(message) || lost >= 2) return Fate::kDeliver;
    ++lost;
    return Fate::kDrop;
  });
  const ClientReply reply = cluster.Call(1, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOk) << Describe(reply);
  EXPECT_EQ(lost, 2);
}

// W=3 of 3, one of them silent: the doubled acknowledgement of the other is no third copy.
TEST(NodeWriteTest, DoubledAcknowledgementsCountOnce) {
  MiniOptions options = Quiet(3);
  options.bucket.w = 3;
  MiniCluster cluster(options);
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.SetJudge([&](NodeId from, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaWriteReply>(message)) return Fate::kDeliver;
    return from == replicas[1] ? Fate::kDouble : Fate::kDrop;
  });
  const ClientReply reply = cluster.Call(replicas[0], Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kUnknown);
  EXPECT_EQ(reply.replicas, 2);
}

TEST(NodeWriteTest, TheLocalCopyIsDurableBeforeAnythingIsSaid) {
  MiniCluster cluster(Quiet(3));
  cluster.store(1).Hold(true);
  const uint64_t ticket = cluster.Ask(1, Put("k", "v"));
  cluster.Run(100'000);
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 0u);
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.store(1).Sync();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kOk);
}

TEST(NodeWriteTest, AReplicaAcknowledgesOnlyWhatIsDurable) {
  MiniCluster cluster(Quiet(3));
  cluster.store(2).Hold(true);
  cluster.store(3).Hold(true);
  const uint64_t ticket = cluster.Ask(1, Put("k", "v"));
  cluster.Run(100'000);
  EXPECT_EQ(cluster.ReplyTo(ticket), nullptr);
  cluster.store(3).Sync();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->replicas, 2);
}

TEST(NodeWriteTest, WhatTheLocalStoreRefusesIsNotApplied) {
  MiniCluster cluster(Quiet(3));
  cluster.store(1).SpoilAll(true);
  ClientReply reply = cluster.Call(1, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kNotApplied) << Describe(reply);
  cluster.store(1).MendAll();
  cluster.store(1).SetFull(true);
  reply = cluster.Call(1, Put("k", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOverloaded) << Describe(reply);
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 0u);
  EXPECT_EQ(cluster.RecordAt(2, "k"), "");
}

TEST(NodeWriteTest, AFailedSyncLeavesTheWriteUnknown) {
  MiniCluster cluster(Quiet(3));
  cluster.store(1).Hold(true);
  const uint64_t ticket = cluster.Ask(1, Put("k", "v"));
  cluster.Settle();
  cluster.store(1).FailSync();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 0u) << "what is in doubt is told to nobody";
  cluster.store(1).Hold(false);
  EXPECT_EQ(cluster.Call(1, Put("l", "v")).outcome, Outcome::kNotApplied) << "poisoned";
}

// The first put waits for its sync; the second saw it. A crash takes both or none.
TEST(NodeWriteTest, ACrashBetweenApplyAndSyncTakesNothingThatWasTold) {
  MiniCluster cluster(Quiet(3));
  cluster.store(1).Hold(true);
  const uint64_t first = cluster.Ask(1, Put("k", "a"));
  const uint64_t second = cluster.Ask(1, PutBeside("k", "b"));
  cluster.Settle();
  cluster.Crash(1);
  EXPECT_EQ(cluster.ReplyTo(first), nullptr);
  EXPECT_EQ(cluster.ReplyTo(second), nullptr);
  cluster.store(1).Hold(false);
  cluster.Start(1, /*doubtful=*/true);
  cluster.Settle();
  EXPECT_TRUE(Values(cluster.Call(2, Get("k"))).empty());
  EXPECT_EQ(cluster.Call(1, Put("k", "c")).outcome, Outcome::kOk);
  EXPECT_EQ(Values(cluster.Call(2, Get("k"))), (std::vector<std::string>{"c"}));
  EXPECT_EQ(cluster.Difference(), "");
}

// The replica forgot its record but not its lease (an older copy of the disk, say): its
// next dot is already covered elsewhere. The mint is refused and tried under a new name.
TEST(NodeWriteTest, ADotSeenBeforeEndsTheIncarnation) {
  MiniCluster cluster(Quiet(3));
  Record from_the_future;  // minted by 1 under its present incarnation, counter 4000
  ASSERT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk);
  ASSERT_TRUE(Record::Decode(cluster.RecordAt(1, "k"), &from_the_future));
  Version version = from_the_future.versions()[0];
  version.dot.counter = 4000;
  from_the_future.Put(version, from_the_future.context());
  cluster.store(1).Plant(cluster.PartitionOf("k"), MakeRecordKey(0, "k"), from_the_future.Encode());
  const uint64_t before = cluster.Status(1).incarnations;
  const uint64_t one = cluster.Ask(1, Put("k", "w"));
  const uint64_t two = cluster.Ask(1, Put("k", "x"));
  cluster.Run(1'000'000);  // it mints when others have told that nothing was removed meanwhile
  EXPECT_EQ(cluster.ReplyTo(one)->outcome, Outcome::kOk);
  EXPECT_EQ(cluster.ReplyTo(two)->outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Status(1).incarnations, before + 1) << "two found out, one ended";
  EXPECT_EQ(Values(cluster.Call(2, Get("k"))), (std::vector<std::string>{"x"}));
}

TEST(NodeWriteTest, SiblingsHaveALimit) {
  MiniOptions options = Quiet(3);
  options.node.siblings_max = 2;
  MiniCluster cluster(options);
  EXPECT_EQ(cluster.Call(1, PutBeside("k", "a")).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(1, PutBeside("k", "b")).outcome, Outcome::kOk);
  const ClientReply reply = cluster.Call(1, PutBeside("k", "c"));
  EXPECT_EQ(reply.outcome, Outcome::kInvalid);
  EXPECT_EQ(Values(cluster.Call(1, Get("k"))), (std::vector<std::string>{"a", "b"}));
}

TEST(NodeWriteTest, RefusalsAtTheDoor) {
  MiniOptions options = Quiet(3);
  options.node.requests_in_flight_max = 2;
  MiniCluster cluster(options);
  EXPECT_EQ(cluster.Call(1, Put("", "v")).outcome, Outcome::kInvalid);
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 1)).outcome, Outcome::kInvalid) << "W below w_min";
  cluster.store(1).Hold(true);
  cluster.Ask(1, Put("a", "v"));
  cluster.Ask(1, Put("b", "v"));
  const ClientReply reply = cluster.Call(1, Put("c", "v"));
  EXPECT_EQ(reply.outcome, Outcome::kOverloaded);
  EXPECT_NE(reply.message.find("requests_in_flight_max is 2"), std::string::npos);
  EXPECT_EQ(cluster.Status(1).refused, 3u);
  EXPECT_EQ(cluster.Status(1).requests_in_flight, 2u);
  cluster.store(1).Hold(false);
  cluster.Settle();
  EXPECT_EQ(cluster.Call(1, Put("c", "v")).outcome, Outcome::kOk);
}

TEST(NodeWriteTest, ADrainedNodeFinishesAndRefuses) {
  MiniCluster cluster(Quiet(3));
  cluster.store(1).Hold(true);
  const uint64_t ticket = cluster.Ask(1, Put("k", "v"));
  cluster.Deliver(1, Drain{});
  EXPECT_FALSE(cluster.node(1).drained());
  EXPECT_EQ(cluster.Call(1, Get("k")).outcome, Outcome::kOverloaded);
  cluster.store(1).Hold(false);
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kOk);
  EXPECT_TRUE(cluster.node(1).drained());
  // It stays a replica until it goes.
  EXPECT_EQ(cluster.Call(2, Put("l", "v", 3)).outcome, Outcome::kOk);
}

TEST(NodeWriteTest, APutWithoutLeaseWaitsThenIsNotApplied) {
  MiniOptions options = Quiet(3);
  options.node.lease_counters = 1;
  MiniCluster cluster(options);
  cluster.store(1).FailSlots(true);
  EXPECT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk) << "the counter left";
  const uint64_t waits = cluster.Ask(1, Put("k", "w"));
  cluster.Settle();
  EXPECT_EQ(cluster.ReplyTo(waits), nullptr);
  cluster.Run(2'000'000);
  EXPECT_EQ(cluster.ReplyTo(waits)->outcome, Outcome::kNotApplied);
  const uint64_t again = cluster.Ask(1, Put("k", "x"));
  cluster.store(1).FailSlots(false);
  cluster.Run(1'500'000);
  EXPECT_EQ(cluster.ReplyTo(again)->outcome, Outcome::kOk);
  EXPECT_EQ(Values(cluster.Call(2, Get("k"))), (std::vector<std::string>{"x"}));
}

}  // namespace
}  // namespace norn
