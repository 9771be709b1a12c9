// What nobody counted: a replica that was away is sent what it missed (owed_writes.h).

#include <string>
#include <vector>

#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::Describe;
using testing::Fate;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kSuspected = 5 * kSecond;  // long enough for the failure detector

MiniOptions Strict() {
  MiniOptions options;
  options.nodes = 3;
  return options;
}

TEST(NodeOwedTest, AReplicaThatWasAwayIsSentWhatItMissed) {
  MiniCluster cluster(Strict());  // without exchanges
  const std::vector<NodeId> owners = cluster.ReplicasOf("k");
  cluster.Crash(owners[1]);
  cluster.Run(kSuspected);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(Describe(cluster.Call(owners[0], Put("k" + std::to_string(i), "old"))), "ok 2");
  }
  EXPECT_EQ(Describe(cluster.Call(owners[0], Put("k7", "new"))), "ok 2");
  EXPECT_EQ(cluster.Status(owners[0]).owed_held, 30u);
  cluster.Start(owners[1]);
  cluster.Run(2 * kSuspected);
  EXPECT_EQ(cluster.Difference(), "");
  EXPECT_EQ(cluster.Status(owners[0]).owed_held, 0u);
  EXPECT_EQ(cluster.Status(owners[0]).owed_sent, 30u);
}

TEST(NodeOwedTest, WhatIsOwedTooLongIsForgotten) {
  MiniOptions options = Strict();
  options.node.hint_age_max_us = 20 * kSecond;
  MiniCluster cluster(options);
  const std::vector<NodeId> owners = cluster.ReplicasOf("k");
  cluster.Crash(owners[1]);
  cluster.Run(kSuspected);
  EXPECT_EQ(Describe(cluster.Call(owners[0], Put("k", "v"))), "ok 2");
  cluster.Run(25 * kSecond);
  EXPECT_EQ(Describe(cluster.Call(owners[0], Put("later", "v"))), "ok 2");
  cluster.Start(owners[1]);
  cluster.Run(2 * kSuspected);
  EXPECT_EQ(cluster.RecordAt(owners[1], "k"), "");
  EXPECT_NE(cluster.RecordAt(owners[1], "later"), "");
  EXPECT_EQ(cluster.Status(owners[0]).owed_held, 0u);
}

// Nothing of a strict bucket's writes rests on what is owed: without room it is left out.
TEST(NodeOwedTest, WhatIsOwedIsBounded) {
  MiniOptions options = Strict();
  options.node.hint_bytes_max = 16 * 200;
  MiniCluster cluster(options);
  const std::vector<NodeId> owners = cluster.ReplicasOf("k");
  cluster.Crash(owners[1]);
  cluster.Run(kSuspected);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Describe(cluster.Call(owners[0], Put("k" + std::to_string(i), "v"))), "ok 2");
  }
  EXPECT_EQ(cluster.Status(owners[0]).owed_held, 2u);
}

TEST(NodeOwedTest, SilenceAloneOwesNothing) {
  MiniCluster cluster(Strict());
  const std::vector<NodeId> owners = cluster.ReplicasOf("k");
  cluster.SetJudge([&](NodeId, NodeId to, const Message& message) {
    return to == owners[1] && std::holds_alternative<ReplicaWrite>(message) ? Fate::kDrop
                                                                            : Fate::kDeliver;
  });
  EXPECT_EQ(Describe(cluster.Call(owners[0], Put("k", "v"))), "ok 2");
  EXPECT_EQ(cluster.Status(owners[0]).owed_held, 0u);
}

}  // namespace
}  // namespace norn
