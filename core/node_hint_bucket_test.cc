// Sloppy buckets beside what else a bucket may say: fewer replicas than others, primaries, last
// writer wins.

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "core/testing/mini_cluster.h"
#include "core/testing/sloppy_cluster.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using testing::CrashAll;
using testing::Get;
using testing::kSecond;
using testing::kSuspected;
using testing::MiniCluster;
using testing::MiniOptions;
using testing::Put;
using testing::Sloppy;
using testing::ValuesOf;
using testing::Walk;
using Outcome = ClientReply::Outcome;
using Values = std::vector<std::string>;

// Where other buckets have more replicas, who holds the partition for those stands in.
TEST(NodeHintBucketTest, StandInsBeginBehindTheBucketsOwnReplicas) {
  MiniOptions options = Sloppy();
  BucketConfig small{.id = 1, .name = "small", .n = 1, .r = 1, .w = 1};
  small.sloppy = true;
  options.more_buckets = {small};
  MiniCluster cluster(options);
  const std::vector<NodeId> owners = cluster.ReplicasOf("k", 1);
  ASSERT_EQ(owners.size(), 1u);
  const PartitionId partition = cluster.PartitionOf("k", 1);
  const NodeId stand_in = cluster.layout().StandIns(partition, 1).front();
  EXPECT_TRUE(cluster.layout().IsReplica(partition, stand_in));
  CrashAll(cluster, owners);
  const ClientReply put = cluster.Call(stand_in, testing::In(1, Put("k", "v")));
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.hints, 1);
  EXPECT_EQ(ValuesOf(cluster.HintAt(stand_in, "k", 1)), Values{"v"});
  EXPECT_EQ(cluster.RecordAt(stand_in, "k", 1), "");
  cluster.Start(owners[0]);
  cluster.Run(kSuspected);
  EXPECT_EQ(ValuesOf(cluster.RecordAt(owners[0], "k", 1)), Values{"v"});
  EXPECT_EQ(cluster.HintAt(stand_in, "k", 1), "");
}

TEST(NodeHintBucketTest, PrimariesAreOwners) {
  MiniCluster cluster(Sloppy());
  const Walk walk(cluster);
  CrashAll(cluster, {walk.owners[1], walk.owners[2]});
  ClientRequest put = Put("k", "v", 3);
  put.primary = 1;
  EXPECT_EQ(cluster.Call(walk.owners[0], std::move(put)).outcome, Outcome::kOk);
  put = Put("k", "w", 3);
  put.primary = 2;
  EXPECT_EQ(cluster.Call(walk.owners[0], std::move(put)).outcome, Outcome::kUnknown);
  ClientRequest get = Get("k");
  EXPECT_EQ(cluster.Call(walk.owners[0], std::move(get)).outcome, Outcome::kOk);
  get = Get("k");
  get.primary = 2;
  EXPECT_EQ(cluster.Call(walk.owners[0], std::move(get)).outcome, Outcome::kUnavailable);
}

TEST(NodeHintBucketTest, HintsKeepWhatTheirRecordsAre) {
  MiniOptions options = Sloppy();
  options.bucket.conflicts = ConflictPolicy::kLww;
  options.bucket.ttl_us = 3'600 * kSecond;
  MiniCluster cluster(options);
  const Walk walk(cluster);
  CrashAll(cluster, walk.owners);
  EXPECT_EQ(cluster.Call(walk.stand_ins[0], Put("k", "v")).outcome, Outcome::kOk);
  const std::string bytes = cluster.HintAt(walk.stand_ins[0], "k");
  RecordView hint;
  ASSERT_TRUE(RecordView::Parse(bytes, &hint));
  EXPECT_TRUE(hint.last_writer_wins);
  ASSERT_EQ(hint.versions.size(), 1u);
  EXPECT_NE(hint.versions[0].expires_us, 0);
  for (const NodeId owner : walk.owners) cluster.Start(owner);
  cluster.Run(2 * kSuspected);
  for (const NodeId owner : walk.owners) EXPECT_EQ(cluster.RecordAt(owner, "k"), bytes);
}
}  // namespace
}  // namespace norn
