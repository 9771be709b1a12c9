// Overload: what a node has more of than it can do is refused early, or dropped when nobody waits
// for it any more; and a slow replica does not slow the others.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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
using Outcome = ClientReply::Outcome;

MiniOptions Narrow(size_t replica_work_max) {
  MiniOptions options;
  options.gossip = false;
  options.bucket.r_min = 1;
  options.bucket.w_min = 1;
  options.node.replica_work_max = replica_work_max;
  return options;
}

std::string Key(int i) { return absl::StrCat("k", i); }

// Node 2's store is stuck; so many writes reach it.
void PutMany(MiniCluster& cluster, int from, int to) {
  for (int i = from; i < to; ++i) {
    ASSERT_EQ(Describe(cluster.Call(1, Put(Key(i), "v"))).substr(0, 2), "ok") << i;
  }
}

TEST(NodeOverloadTest, AStuckReplicaTakesSoMuchRefusesTheRestAndSlowsNobody) {
  MiniCluster cluster(Narrow(3));
  cluster.store(2).Hold(true);
  const int64_t began_us = cluster.now_us();
  PutMany(cluster, 0, 10);
  EXPECT_EQ(cluster.now_us(), began_us) << "the others are as fast as ever";
  NodeStatus status = cluster.Status(2);
  EXPECT_EQ(cluster.store(2).waiting(), 3u);
  EXPECT_EQ(status.replica_work_waiting, 3u);
  EXPECT_EQ(status.replica_work_refused, 4u);
  cluster.store(2).Hold(false);
  cluster.Settle();
  status = cluster.Status(2);
  EXPECT_EQ(status.replica_work_waiting, 0u);
  EXPECT_EQ(status.replica_work_expired, 0u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(cluster.RecordAt(2, Key(i)).empty(), i >= 6) << "in the order of arrival: " << i;
  }
}

TEST(NodeOverloadTest, WhatNobodyWaitsForAnyMoreIsDropped) {
  MiniCluster cluster(Narrow(2));
  cluster.store(2).Hold(true);
  PutMany(cluster, 0, 4);
  cluster.Run(2'000'000);  // request_timeout_us
  EXPECT_EQ(cluster.Status(2).replica_work_waiting, 2u);
  PutMany(cluster, 4, 6);
  EXPECT_EQ(cluster.Status(2).replica_work_expired, 2u) << "they make room";
  EXPECT_EQ(cluster.Status(2).replica_work_refused, 0u);
  cluster.store(2).Hold(false);
  cluster.Settle();
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(cluster.RecordAt(2, Key(i)).empty(), i == 2 || i == 3) << i;
  }
}

// The deadline of a client that would not wait long is the deadline of its replicas.
TEST(NodeOverloadTest, DeadlinesTravel) {
  MiniCluster cluster(Narrow(1));
  cluster.store(2).Hold(true);
  PutMany(cluster, 0, 1);
  ClientRequest hasty = Put(Key(1), "v", 3);
  hasty.timeout_us = 100'000;
  const uint64_t ticket = cluster.Ask(1, std::move(hasty));
  cluster.Run(100'000);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kUnknown);
  cluster.store(2).Hold(false);
  cluster.Settle();
  EXPECT_EQ(cluster.Status(2).replica_work_expired, 1u);
  EXPECT_EQ(cluster.RecordAt(2, Key(1)), "");
}

// Minted here, refused there: it may take effect.
TEST(NodeOverloadTest, AWriteThatReplicasRefusedIsUnknown) {
  MiniCluster cluster(Narrow(1));
  for (const NodeId id : std::vector<NodeId>{2, 3}) cluster.store(id).Hold(true);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(cluster.Call(1, Put(Key(i), "v", 1)).outcome, Outcome::kOk);
  }
  const ClientReply reply = cluster.Call(1, Put(Key(2), "v"));
  EXPECT_EQ(reply.outcome, Outcome::kUnknown) << Describe(reply);
  EXPECT_EQ(reply.durable, 1);
  EXPECT_NE(cluster.RecordAt(1, Key(2)), "");
}

TEST(NodeOverloadTest, AReadTurnsFromARefusalToAnotherAtOnce) {
  MiniCluster cluster(Narrow(1));
  const NodeId second = cluster.ReplicasOf("k")[1];
  const NodeId reader = cluster.ReplicasOf("k")[0];
  cluster.Call(reader, Put("k", "v", 3));
  cluster.store(second).Hold(true);
  for (int i = 0; i < 2; ++i) cluster.Call(reader, Put(Key(i), "v", 1));
  cluster.Settle();
  const uint64_t ticket = cluster.Ask(reader, Get("k"));
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr) << "without a moment of waiting";
  EXPECT_EQ(Describe(*cluster.ReplyTo(ticket)), "ok 2: v");
}

// Requests time out, what they asked the store for stays: it does not pile up without end.
TEST(NodeOverloadTest, BehindAStuckStoreNewRequestsAreRefused) {
  MiniOptions options = Narrow(1);
  options.node.requests_in_flight_max = 8;
  MiniCluster cluster(options);
  cluster.store(1).Hold(true);
  size_t refused = 0;
  for (int i = 0; i < 40; ++i) {
    std::vector<uint64_t> tickets;
    for (int j = 0; j < 8; ++j) tickets.push_back(cluster.Ask(1, Put(Key(i * 8 + j), "v")));
    cluster.Run(2'000'000);
    for (const uint64_t ticket : tickets) {
      ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
      refused += cluster.ReplyTo(ticket)->outcome == Outcome::kOverloaded ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 200u);
  EXPECT_LT(cluster.store(1).waiting(), 100u);
  cluster.store(1).Hold(false);
  cluster.Settle();
  EXPECT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk);
}

}  // namespace
}  // namespace norn
