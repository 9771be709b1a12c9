#include "core/config.h"

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace norn {
namespace {

struct Inputs {
  ClusterConfig cluster;
  NodeOptions node;
};

Inputs Good() {
  Inputs setup;
  setup.cluster.name = "cluster";
  setup.cluster.secret = "secret";
  for (NodeId id = 1; id <= 3; ++id) {
    MemberConfig member;
    member.id = id;
    member.address = "host" + std::to_string(id) + ":7001";
    setup.cluster.members.push_back(member);
  }
  setup.node.id = 1;
  return setup;
}

TEST(ConfigTest, TheDefaultsAreValid) {
  const Inputs setup = Good();
  EXPECT_TRUE(Validate(setup.cluster, setup.node).ok());
}

TEST(ConfigTest, WhatIsAllowedAtTheEdges) {
  Inputs setup = Good();
  setup.cluster.partitions = 16384;
  setup.cluster.buckets[0].n = 3;
  setup.cluster.buckets[0].r = 3;
  setup.cluster.buckets[0].r_min = 1;
  setup.cluster.buckets[0].w = 1;
  setup.cluster.members[0].weight = 1000;
  BucketConfig other;
  other.id = 65535;
  other.name = std::string(kBucketNameBytesMax, '9');
  other.name[3] = 'x';
  other.n = 1;
  other.r = 1;
  other.w = 1;
  other.sloppy = true;
  other.conflicts = ConflictPolicy::kLww;
  other.ttl_us = kTtlUsMax;
  other.prune_entries_above = 18;
  setup.cluster.buckets.push_back(other);
  setup.node.suspect_after_us = 2 * setup.node.gossip_interval_us;
  EXPECT_TRUE(Validate(setup.cluster, setup.node).ok()) << Validate(setup.cluster, setup.node);
}

// Each way to be wrong, and the words that tell it.
TEST(ConfigTest, EveryRefusalNamesWhatIsWrong) {
  struct Case {
    std::function<void(Inputs&)> spoil;
    std::string words;
  };
  const auto bucket = [](Inputs& s) -> BucketConfig& { return s.cluster.buckets[0]; };
  const std::vector<Case> cases = {
      {[](Inputs& s) { s.cluster.name = ""; }, "the cluster has no name"},
      {[](Inputs& s) { s.cluster.partitions = 0; }, "partitions is 0: it must be a power of two"},
      {[](Inputs& s) { s.cluster.partitions = 3; }, "partitions is 3"},
      {[](Inputs& s) { s.cluster.partitions = 32768; }, "partitions is 32768"},
      {[](Inputs& s) { s.cluster.members.clear(); }, "the cluster has no members"},
      {[](Inputs& s) { s.cluster.members[1].id = 0; }, "a member has no id"},
      {[](Inputs& s) { s.cluster.members[1].id = 1; }, "two members have the id 1"},
      {[](Inputs& s) { s.cluster.members[1].address = s.cluster.members[0].address; },
       "two members have the address host1:7001"},
      {[](Inputs& s) { s.cluster.members[1].weight = 0; }, "member 2: weight is 0"},
      {[](Inputs& s) { s.cluster.members[1].weight = 1001; }, "member 2: weight is 1001"},
      {[](Inputs& s) { s.cluster.buckets.clear(); }, "the cluster has no buckets"},
      {[](Inputs& s) { s.cluster.buckets.push_back(BucketConfig{}); }, "two buckets have the id 0"},
      {[&](Inputs& s) { bucket(s).id = 4; }, "bucket 0 is missing"},
      {[&](Inputs& s) { bucket(s).n = 0; }, "bucket 0 (default): n is 0: it must be 1 to 9"},
      {[&](Inputs& s) { bucket(s).n = 10; }, "n is 10: it must be 1 to 9"},
      {[&](Inputs& s) { bucket(s).n = 4; }, "n is 4 but the cluster has 3 members"},
      {[](Inputs& s) { s.cluster.secret.clear(); }, "the cluster has no secret"},
      {[](Inputs& s) {
         BucketConfig other;
         other.id = 7;
         s.cluster.buckets.push_back(other);
       },
       "bucket 7 (default): name is another bucket's too"},
      {[](Inputs& s) {
         for (BucketId id = 1; id <= kBucketsMax; ++id) {
           BucketConfig other;
           other.id = id;
           other.name = "b" + std::to_string(id);
           s.cluster.buckets.push_back(other);
         }
       },
       "the cluster has 65 buckets, the limit is 64"},
      {[&](Inputs& s) { bucket(s).name = ""; }, "bucket 0 (): name is no name"},
      {[&](Inputs& s) { bucket(s).name = "12"; }, "bucket 0 (12): name is no name"},
      {[&](Inputs& s) { bucket(s).name = "a b"; }, "bucket 0 (a b): name is no name"},
      {[&](Inputs& s) { bucket(s).name = std::string(65, 'x'); }, "name is no name"},
      {[&](Inputs& s) { bucket(s).ttl_us = -1; }, "ttl is -1"},
      {[&](Inputs& s) { bucket(s).ttl_us = kTtlUsMax + 1; }, "100 years"},
      {[&](Inputs& s) { bucket(s).prune_entries_above = 17; }, "prune_entries_above is 17"},
      {[&](Inputs& s) { bucket(s).r = 0; }, "r is 0: it must be 1 to n, which is 3"},
      {[&](Inputs& s) { bucket(s).r = 4; }, "r is 4"},
      {[&](Inputs& s) { bucket(s).w = 0; }, "w is 0: it must be 1 to n, which is 3"},
      {[&](Inputs& s) { bucket(s).w = 4; }, "w is 4"},
      {[&](Inputs& s) { bucket(s).r_min = 3; }, "r_min is 3: it must be 1 to r, 2"},
      {[&](Inputs& s) { bucket(s).r_min = -1; }, "r_min is -1"},
      {[&](Inputs& s) { bucket(s).w_min = 3; }, "w_min is 3: it must be 1 to w, 2"},
      {[&](Inputs& s) { bucket(s).w_min = -1; }, "w_min is -1"},
      {[](Inputs& s) { s.node.id = 9; }, "this node's id is 9, which is not among"},
      {[](Inputs& s) { s.node.key_bytes_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.value_bytes_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.siblings_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.requests_in_flight_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.record_bytes_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.context_entries_max = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.record_bytes_max = s.node.value_bytes_max + 4095; },
       "record_bytes_max is 1052671, less than one value"},
      {[](Inputs& s) { s.node.record_bytes_max = (5u << 20) + 1; },
       "record_bytes_max is 5242881: the siblings of all 3 replicas of a key together must fit "
       "into a message: lower it to 5242880, or N"},
      {[](Inputs& s) { s.node.max_clock_skew_us = -1; }, "max_clock_skew is below 0"},
      {[](Inputs& s) { s.node.exchange_page_entries = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.exchange_page_bytes = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.lease_counters = 0; }, "a limit is 0"},
      {[](Inputs& s) { s.node.request_timeout_us = 0; }, "a timeout or interval is not above 0"},
      {[](Inputs& s) { s.node.gossip_interval_us = -1; }, "a timeout or interval"},
      {[](Inputs& s) { s.node.exchange_interval_us = 0; }, "a timeout or interval"},
      {[](Inputs& s) { s.node.speculate_after_us = -1; }, "a timeout or interval"},
      {[](Inputs& s) { s.node.suspect_after_us = 2 * s.node.gossip_interval_us - 1; },
       "suspect_after is less than two gossip intervals"},
  };
  for (const Case& wrong : cases) {
    Inputs setup = Good();
    wrong.spoil(setup);
    const absl::Status status = Validate(setup.cluster, setup.node);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong.words;
    EXPECT_NE(std::string(status.message()).find(wrong.words), std::string::npos)
        << "got: " << status.message() << "\nwanted: " << wrong.words;
  }
}

TEST(ConfigTest, BucketsAreFoundByNameAndByNumber) {
  Inputs setup = Good();
  BucketConfig other;
  other.id = 7;
  other.name = "logs";
  other.n = 1;
  setup.cluster.buckets.push_back(other);
  EXPECT_EQ(FindBucket(setup.cluster, "logs")->id, 7);
  EXPECT_EQ(FindBucket(setup.cluster, "7")->id, 7);
  EXPECT_EQ(FindBucket(setup.cluster, "0")->name, "default");
  EXPECT_EQ(FindBucket(setup.cluster, "07"), nullptr);
  EXPECT_EQ(FindBucket(setup.cluster, "Logs"), nullptr);
  EXPECT_EQ(GreatestN(setup.cluster), 3);
}

}  // namespace
}  // namespace norn
