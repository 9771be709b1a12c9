// Reads that take digests for large records, through whole nodes.

#include <algorithm>
#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/describe.h"
#include "core/testing/mini_cluster.h"
#include "core/testing/sloppy_cluster.h"
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

constexpr size_t kLarge = 2'000;

MiniOptions Quiet(int nodes = 3, int r = 2, int w = 2) {
  MiniOptions options;
  options.nodes = nodes;
  options.gossip = false;
  options.bucket.r = r;
  options.bucket.w = w;
  return options;
}

// A record as another node would have written it, planted behind everybody's back.
std::string Foreign(char value, uint64_t counter = 1, uint16_t node = 9) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(node, 1), counter};
  version.value = std::string(kLarge, value);
  record.Put(version, VersionVector());
  return record.Encode();
}

void Plant(MiniCluster& cluster, NodeId id, const std::string& record) {
  cluster.store(id).Plant(cluster.PartitionOf("k"), MakeRecordKey(0, "k"), record);
}

// The values' first letters.
std::string Values(const ClientReply& reply) {
  std::string letters = reply.outcome == Outcome::kOk ? "" : Describe(reply);
  for (const Sibling& sibling : reply.siblings) letters += sibling.value.substr(0, 1);
  return letters;
}

bool IsDigest(const Message& message) {
  const auto* const reply = std::get_if<ReplicaReadReply>(&message);
  return reply != nullptr && (reply->digest_high != 0 || reply->digest_low != 0);
}

// Counts what replies to reads bring.
struct Replies {
  int digests = 0;
  int records = 0;

  MiniCluster::Judge Count(MiniCluster::Judge then = nullptr) {
    return [this, then](NodeId from, NodeId to, const Message& message) {
      if (IsDigest(message)) {
        ++digests;
      } else if (const auto* const reply = std::get_if<ReplicaReadReply>(&message)) {
        records += reply->record.size() > kLarge ? 1 : 0;
      }
      return then ? then(from, to, message) : Fate::kDeliver;
    };
  }
};

TEST(NodeDigestTest, ALargeRecordThatAllHoldTravelsOnce) {
  MiniCluster cluster(Quiet(5, 3, 2));
  for (const NodeId id : cluster.ReplicasOf("k")) Plant(cluster, id, Foreign('v'));
  Replies replies;
  cluster.SetJudge(replies.Count());
  const ClientReply reply = cluster.Call(cluster.NoReplicaOf("k"), Get("k"));
  EXPECT_EQ(Values(reply), "v");
  EXPECT_EQ(reply.replicas, 3);
  EXPECT_EQ(reply.durable, 3);
  EXPECT_EQ(replies.records, 1);
  EXPECT_EQ(replies.digests, 2);
  EXPECT_EQ(cluster.Sent("ReplicaRead"), 3u) << "one round";
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 0u);
}

TEST(NodeDigestTest, AReplicaThatCoordinatesSendsForDigestsOnly) {
  MiniCluster cluster(Quiet());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.Call(replicas[0], Put("k", std::string(kLarge, 'v'), 3));
  Replies replies;
  cluster.SetJudge(replies.Count());
  EXPECT_EQ(Values(cluster.Call(replicas[0], Get("k"))), "v");
  EXPECT_EQ(replies.records, 0);
  EXPECT_EQ(replies.digests, 1);
  EXPECT_EQ(cluster.Status(replicas[0]).digests_equal, 1u);
}

TEST(NodeDigestTest, SmallRecordsAndNodesWithoutTheOptionSendRecords) {
  for (const uint64_t above : {uint64_t{0}, uint64_t{kLarge} * 2}) {
    MiniOptions options = Quiet();
    options.node.digest_above_bytes = above;
    MiniCluster cluster(options);
    for (const NodeId id : cluster.ReplicasOf("k")) Plant(cluster, id, Foreign('v'));
    Replies replies;
    cluster.SetJudge(replies.Count());
    EXPECT_EQ(Values(cluster.Call(cluster.ReplicasOf("k")[0], Get("k"))), "v");
    EXPECT_EQ(replies.digests, 0);
    EXPECT_EQ(replies.records, 1);
  }
}

// Whoever is behind, whoever is ahead, or neither: the answer is the merged record, on two.
TEST(NodeDigestTest, WhatDiffersIsFetchedMergedAndRepaired) {
  std::string merged;
  ASSERT_TRUE(MergeEncoded(Foreign('v'), Foreign('w', 1, 8), &merged));
  const struct {
    std::string here, there, answer;
  } cases[] = {
      {"", Foreign('v'), "v"},
      {Foreign('v'), "", "v"},
      {Foreign('v'), merged, "vw"},
      {Foreign('v'), Foreign('w', 1, 8), "vw"},
  };
  for (const auto& its : cases) {
    MiniCluster cluster(Quiet());
    const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
    Plant(cluster, replicas[0], its.here);
    Plant(cluster, replicas[1], its.there);
    int asked = 0;
    cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
      asked += to == replicas[1] && std::holds_alternative<ReplicaRead>(message) ? 1 : 0;
      return from == replicas[2] || to == replicas[2] ? Fate::kDrop : Fate::kDeliver;
    });
    const ClientReply reply = cluster.Call(replicas[0], Get("k"));
    std::string values = Values(reply);
    std::sort(values.begin(), values.end());
    EXPECT_EQ(values, its.answer);
    EXPECT_EQ(reply.durable, 2);
    EXPECT_EQ(cluster.RecordAt(replicas[0], "k"), cluster.RecordAt(replicas[1], "k"));
    // An absent record has nothing to save.
    EXPECT_EQ(cluster.Status(replicas[0]).digests_other, its.there.empty() ? 0u : 1u);
    EXPECT_EQ(asked, its.there.empty() ? 1 : 2);
  }
}

// A digest that is late, or doubled, says nothing beside the record that was asked for since.
TEST(NodeDigestTest, ADigestOfAnEarlierMomentIsNotBelievedAnyMore) {
  MiniCluster cluster(Quiet());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], Foreign('v'));
  Plant(cluster, replicas[1], Foreign('w', 2));
  int asked = 0;
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    if (from == replicas[2] || to == replicas[2]) return Fate::kDrop;
    asked += to == replicas[1] && std::holds_alternative<ReplicaRead>(message) ? 1 : 0;
    return IsDigest(message) ? Fate::kDouble : Fate::kDeliver;
  });
  EXPECT_EQ(cluster.Call(replicas[0], Get("k")).outcome, Outcome::kOk);
  EXPECT_EQ(asked, 2) << "the second digest does not ask again";
  EXPECT_EQ(cluster.RecordAt(replicas[0], "k"), cluster.RecordAt(replicas[1], "k"));
}

// Between the digest and the record a write comes: what is answered is what the record says.
TEST(NodeDigestTest, ARecordMayBeNewerThanTheDigestThatAskedForIt) {
  MiniCluster cluster(Quiet());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  Plant(cluster, replicas[0], Foreign('v'));
  Plant(cluster, replicas[1], Foreign('w', 1, 8));
  cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
    if (from == replicas[2] || to == replicas[2]) return Fate::kDrop;
    if (IsDigest(message)) Plant(cluster, replicas[1], Foreign('v'));
    return Fate::kDeliver;
  });
  EXPECT_EQ(Values(cluster.Call(replicas[0], Get("k"))), "v");
  EXPECT_EQ(cluster.Sent("ReplicaWrite"), 0u) << "there is nothing to repair";
}

TEST(NodeDigestTest, WhoStepsInForTheRecordSendsIt) {
  MiniCluster cluster(Quiet());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  for (const NodeId id : replicas) Plant(cluster, id, Foreign('v'));
  cluster.store(replicas[0]).SpoilAll(true);
  Replies replies;
  cluster.SetJudge(replies.Count());
  const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
  cluster.Settle();
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Values(*cluster.ReplyTo(ticket)), "v");
  EXPECT_EQ(replies.digests, 1);
  EXPECT_EQ(replies.records, 1);
}

// The one that was to send its record is slow: as without digests, a spare makes up for it.
TEST(NodeDigestTest, ASlowRecordIsMadeUpForByASpare) {
  MiniCluster cluster(Quiet(5));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  for (const NodeId id : replicas) Plant(cluster, id, Foreign('v'));
  cluster.SetJudge([&](NodeId from, NodeId, const Message&) {
    return from == replicas[0] ? Fate::kDrop : Fate::kDeliver;
  });
  const uint64_t ticket = cluster.Ask(cluster.NoReplicaOf("k"), Get("k"));
  cluster.Run(20'000);  // speculate_after_us
  ASSERT_NE(cluster.ReplyTo(ticket), nullptr);
  EXPECT_EQ(Values(*cluster.ReplyTo(ticket)), "v");
}

// Before and after the half-way repetition.
TEST(NodeDigestTest, ALostRecordIsAskedForAgain) {
  for (const int64_t held_us : {int64_t{0}, int64_t{1'100'000}}) {
    MiniCluster cluster(Quiet());
    const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
    Plant(cluster, replicas[0], Foreign('v'));
    Plant(cluster, replicas[1], Foreign('w', 1, 8));
    cluster.store(replicas[0]).Hold(true);
    int records = 0;
    cluster.SetJudge([&](NodeId from, NodeId to, const Message& message) {
      if (from == replicas[2] || to == replicas[2]) return Fate::kDrop;
      const auto* const read = std::get_if<ReplicaRead>(&message);
      const bool whole = read != nullptr && read->digest_above == 0;
      // With the own read held, the repetition meets a replica that has answered: no record.
      return whole && records++ == 0 ? Fate::kDrop : Fate::kDeliver;
    });
    const uint64_t ticket = cluster.Ask(replicas[0], Get("k"));
    cluster.Run(held_us);
    cluster.store(replicas[0]).Hold(false);
    cluster.Run(1'999'999 - held_us);
    ASSERT_NE(cluster.ReplyTo(ticket), nullptr) << held_us;
    EXPECT_EQ(cluster.ReplyTo(ticket)->siblings.size(), 2u);
    EXPECT_EQ(records, 2);
  }
}

// A replica that may have forgotten something vouches for nothing, by digest or otherwise.
TEST(NodeDigestTest, AnIncompleteReplicaSendsNoDigest) {
  MiniCluster cluster(Quiet());
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  cluster.Call(replicas[0], Put("k", std::string(kLarge, 'v'), 3));
  cluster.Crash(replicas[1]);
  cluster.Wipe(replicas[1]);
  cluster.Start(replicas[1]);
  Replies replies;
  cluster.SetJudge(replies.Count([&](NodeId from, NodeId to, const Message& message) {
    const bool reads = std::holds_alternative<ReplicaRead>(message) ||
                       std::holds_alternative<ReplicaReadReply>(message);
    const bool mends = (from == replicas[1] || to == replicas[1]) && !reads;
    return mends ? Fate::kDrop : Fate::kDeliver;
  }));
  EXPECT_EQ(Values(cluster.Call(replicas[0], Get("k"))), "v");
  EXPECT_EQ(replies.digests, 0);
  EXPECT_EQ(replies.records, 1) << "of the third";
}

// What stands in for a replica is seldom what the others hold: it sends its record at once.
TEST(NodeDigestTest, StandInsSendRecords) {
  MiniCluster cluster(testing::Sloppy(5));
  const std::vector<NodeId> replicas = cluster.ReplicasOf("k");
  for (const NodeId id : replicas) Plant(cluster, id, Foreign('v'));
  cluster.Crash(replicas[1]);
  cluster.Crash(replicas[2]);
  cluster.Run(10'000'000);
  int asked_by_digest = 0;
  int stand_ins = 0;
  cluster.SetJudge([&](NodeId, NodeId, const Message& message) {
    if (const auto* const read = std::get_if<ReplicaRead>(&message)) {
      if (read->hint_for != kNoNode) ++stand_ins;
      if (read->digest_above != 0) ++asked_by_digest;
    }
    return Fate::kDeliver;
  });
  EXPECT_EQ(Values(cluster.Call(replicas[0], Get("k"))), "v");
  EXPECT_GT(stand_ins, 0);
  EXPECT_EQ(asked_by_digest, 0);
}

}  // namespace
}  // namespace norn
