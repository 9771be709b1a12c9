// Tombstones and expired values are forgotten on proof, and nothing that they covered comes back.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/testing/mini_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::Delete;
using testing::Fate;
using testing::Get;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using Outcome = ClientReply::Outcome;

constexpr int64_t kSecond = 1'000'000;

MiniOptions Removing(int nodes = 3) {
  MiniOptions options;
  options.nodes = nodes;
  options.partitions = 1;
  options.remove_tombstones = true;
  options.node.tombstone_keep_us = kSecond;
  options.node.tombstone_interval_us = kSecond / 2;
  return options;
}

std::vector<std::string> Records(const MiniCluster& cluster, const std::string& key) {
  std::vector<std::string> records;
  for (const NodeId replica : cluster.ReplicasOf(key)) {
    if (cluster.IsUp(replica)) records.push_back(cluster.RecordAt(replica, key));
  }
  return records;
}

bool IsGone(const MiniCluster& cluster, const std::string& key) {
  for (const std::string& record : Records(cluster, key)) {
    if (!record.empty()) return false;
  }
  return true;
}

std::vector<std::string> Values(const ClientReply& reply) {
  EXPECT_EQ(reply.outcome, Outcome::kOk) << reply.message;
  std::vector<std::string> values;
  for (const Sibling& sibling : reply.siblings) values.push_back(sibling.value);
  return values;
}

using One = std::vector<std::string>;

TEST(NodeTombstoneTest, ATombstoneGoesWhenAllHoldItAndItsTimeIsOver) {
  MiniCluster cluster(Removing());
  EXPECT_EQ(cluster.Call(1, Put("k", "v")).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(1, Put("alive", "v")).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(kSecond / 2);
  for (const std::string& record : Records(cluster, "k")) EXPECT_NE(record, "") << "kept a while";
  cluster.Run(3 * kSecond);
  EXPECT_TRUE(IsGone(cluster, "k"));
  uint64_t removed = 0;
  for (NodeId id = 1; id <= 3; ++id) removed += cluster.Status(id).tombstones_removed;
  EXPECT_EQ(removed, 3u);
  EXPECT_EQ(Values(cluster.Call(3, Get("k"))), One{});
  EXPECT_EQ(Values(cluster.Call(3, Get("alive"))), One{"v"});
  EXPECT_EQ(cluster.Call(3, Put("k", "again")).outcome, Outcome::kOk);
  EXPECT_EQ(Values(cluster.Call(1, Get("k"))), One{"again"});
}

TEST(NodeTombstoneTest, NothingGoesWhileAReplicaIsAway) {
  MiniOptions options = Removing();
  options.exchange = true;
  MiniCluster cluster(options);
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.Crash(3);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(10 * kSecond);
  for (const std::string& record : Records(cluster, "k")) EXPECT_NE(record, "");
  cluster.Start(3);
  cluster.Run(10 * kSecond);
  EXPECT_TRUE(IsGone(cluster, "k"));
  EXPECT_EQ(Values(cluster.Call(3, Get("k", 3))), One{});
}

TEST(NodeTombstoneTest, NothingGoesThatOneReplicaHoldsOtherwise) {
  MiniCluster cluster(Removing());
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  cluster.SetJudge([](NodeId, NodeId to, const Message& message) {
    const bool lost = to == 3 && std::holds_alternative<ReplicaWrite>(message);
    return lost ? Fate::kDrop : Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(10 * kSecond);
  for (const std::string& record : Records(cluster, "k")) EXPECT_NE(record, "");
}

// Regression 17, in the small: a copy of the value is on its way all the while.
TEST(NodeTombstoneTest, WhatIsOlderThanARemovalIsRefused) {
  MiniCluster cluster(Removing());
  std::optional<ReplicaWrite> late;
  std::vector<ReplicaStatus> answers;
  cluster.SetJudge([&](NodeId, NodeId to, const Message& message) {
    if (const auto* write = std::get_if<ReplicaWrite>(&message); write != nullptr && to == 3) {
      if (!late.has_value()) late = *write;
    }
    if (const auto* reply = std::get_if<ReplicaWriteReply>(&message)) {
      answers.push_back(reply->status);
    }
    return Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(4 * kSecond);
  ASSERT_TRUE(IsGone(cluster, "k"));
  ASSERT_TRUE(late.has_value());
  answers.clear();
  cluster.Deliver(3, MessageReceived{1, *late});
  cluster.Settle();
  EXPECT_EQ(answers, std::vector<ReplicaStatus>{ReplicaStatus::kStale});
  EXPECT_TRUE(IsGone(cluster, "k"));
  EXPECT_EQ(Values(cluster.Call(3, Get("k", 3))), One{});
}

// An epoch ends between a mint and its replication: the coordinator reads its store again, and is
// not refused a second time.
TEST(NodeTombstoneTest, AWriteThatIsRefusedIsLabelledAnew) {
  MiniOptions options = Removing();
  options.node.request_timeout_us = 30 * kSecond;
  MiniCluster cluster(options);
  bool hold = false;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    const bool write = std::holds_alternative<ReplicaWrite>(message);
    return write && hold ? Fate::kHold : Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  hold = true;
  ClientRequest slow = Put("other", "w", 3);
  const uint64_t ticket = cluster.Ask(1, std::move(slow));
  cluster.Run(4 * kSecond);
  ASSERT_TRUE(IsGone(cluster, "k"));
  ASSERT_EQ(cluster.ReplyTo(ticket), nullptr) << testing::Describe(*cluster.ReplyTo(ticket));
  hold = false;
  cluster.ReleaseHeld();
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(cluster.ReplyTo(ticket)->outcome, Outcome::kOk);
  for (const std::string& record : Records(cluster, "other")) EXPECT_NE(record, "");
}

// A read meets the same: it begins again.
TEST(NodeTombstoneTest, AReadWhoseRepairIsRefusedBeginsAgain) {
  MiniOptions options = Removing();
  options.node.request_timeout_us = 30 * kSecond;
  MiniCluster cluster(options);
  bool lose = true;
  bool hold = false;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (!std::holds_alternative<ReplicaWrite>(message)) return Fate::kDeliver;
    if (hold) return Fate::kHold;
    return lose ? Fate::kDrop : Fate::kDeliver;
  });
  cluster.Ask(1, Put("half", "w"));  // only 1 has it
  cluster.Settle();
  lose = false;
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Settle();
  hold = true;
  ClientRequest read = Get("half", 3);
  const uint64_t ticket = cluster.Ask(1, std::move(read));
  cluster.Run(4 * kSecond);
  ASSERT_TRUE(IsGone(cluster, "k"));
  ASSERT_EQ(cluster.ReplyTo(ticket), nullptr) << "its repairs are still under way";
  hold = false;
  cluster.ReleaseHeld();
  cluster.Run(kSecond);
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Values(*cluster.ReplyTo(ticket)), One{"w"});
}

TEST(NodeTombstoneTest, WhatHasExpiredGoesToo) {
  MiniCluster cluster(Removing());
  ClientRequest put = Put("k", "v");
  put.ttl_us = kSecond;
  EXPECT_EQ(cluster.Call(1, std::move(put)).outcome, Outcome::kOk);
  cluster.Run(kSecond + kSecond / 2);
  for (const std::string& record : Records(cluster, "k")) EXPECT_NE(record, "");
  cluster.Run(4 * kSecond);
  EXPECT_TRUE(IsGone(cluster, "k"));
}

// The epoch is part of what a replica must not forget.
TEST(NodeTombstoneTest, AnEpochSurvivesARestartAndAWipe) {
  for (const bool wipe : {false, true}) {
    SCOPED_TRACE(wipe);
    MiniOptions options = Removing();
    options.exchange = true;
    MiniCluster cluster(options);
    std::optional<ReplicaWrite> late;
    cluster.SetJudge([&](NodeId, NodeId to, const Message& message) {
      const auto* write = std::get_if<ReplicaWrite>(&message);
      if (write != nullptr && to == 3 && !late.has_value()) late = *write;
      return Fate::kDeliver;
    });
    EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
    EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
    cluster.Run(4 * kSecond);
    ASSERT_TRUE(IsGone(cluster, "k"));
    cluster.Crash(3);
    if (wipe) cluster.Wipe(3);
    cluster.Start(3);
    cluster.Run(3 * kSecond);
    cluster.Deliver(3, MessageReceived{1, *late});
    cluster.Run(kSecond);
    EXPECT_TRUE(IsGone(cluster, "k"));
  }
}

// The disk comes back as it was before the delete, without its lease.
TEST(NodeTombstoneTest, ARestoredReplicaBringsNothingBack) {
  MiniOptions options = Removing();
  options.exchange = true;
  MiniCluster cluster(options);
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(1, Put("alive", "w", 3)).outcome, Outcome::kOk);
  const std::string old = cluster.RecordAt(3, "k");
  const std::string standing = cluster.store(3).Slot("standing");
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(4 * kSecond);
  ASSERT_TRUE(IsGone(cluster, "k"));
  cluster.Crash(3);
  cluster.store(3).Plant(cluster.PartitionOf("k"), MakeRecordKey(0, "k"), old);
  cluster.store(3).SetSlot("standing", standing);
  cluster.store(3).SetSlot("lease", "");
  cluster.store(3).SetSlot("merkle", "");
  cluster.Start(3);
  cluster.Run(10 * kSecond);
  EXPECT_TRUE(IsGone(cluster, "k"));
  EXPECT_EQ(Values(cluster.Call(3, Get("k", 3))), One{});
  EXPECT_EQ(Values(cluster.Call(3, Get("alive", 3))), One{"w"});
  EXPECT_EQ(cluster.Difference(), "");
}

// A torn tail, as after a power cut, costs nothing that was durable: W = 1 may rest on it.
TEST(NodeTombstoneTest, ATornTailThrowsNothingAway) {
  MiniOptions options = Removing();
  options.bucket.w = options.bucket.w_min = 1;
  options.exchange = true;
  MiniCluster cluster(options);
  EXPECT_EQ(cluster.Call(1, Put("k", "v", 3)).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.Call(2, Delete("k")).outcome, Outcome::kOk);
  cluster.Run(4 * kSecond);
  ASSERT_TRUE(IsGone(cluster, "k"));
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDrop; });
  EXPECT_EQ(cluster.Call(3, Put("only here", "w", 1)).outcome, Outcome::kOk);
  cluster.Crash(3);
  cluster.SetJudge([](NodeId, NodeId, const Message&) { return Fate::kDeliver; });
  cluster.Start(3, /*doubtful=*/true);
  cluster.Run(10 * kSecond);
  EXPECT_EQ(Values(cluster.Call(1, Get("only here", 3))), One{"w"});
}

}  // namespace
}  // namespace norn
