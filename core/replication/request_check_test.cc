#include "core/replication/request_check.h"

#include <string>

#include "gtest/gtest.h"

namespace norn {
namespace {

NodeContext MakeNode() {
  ClusterConfig cluster;
  cluster.name = "cluster";
  for (NodeId id = 1; id <= 3; ++id) {
    MemberConfig member;
    member.id = id;
    member.address = std::to_string(id);
    cluster.members.push_back(member);
  }
  cluster.buckets[0].r_min = 1;
  BucketConfig fixed;
  fixed.id = 5;
  fixed.name = "fixed";
  cluster.buckets.push_back(fixed);
  NodeOptions options;
  options.id = 1;
  options.key_bytes_max = 10;
  options.value_bytes_max = 20;
  return NodeContext(cluster, options);
}

std::string Verdict(BucketId bucket, size_t key, size_t value, int quorum,
                    ClientRequest::Kind kind = ClientRequest::Kind::kPut) {
  ClientRequest request;
  request.kind = kind;
  request.bucket = bucket;
  request.key.assign(key, 'k');
  request.value.assign(value, 'v');
  request.quorum = quorum;
  const absl::Status status = CheckRequest(MakeNode(), request);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
  return std::string(status.message());
}

TEST(RequestCheckTest, LimitsAreInclusive) {
  EXPECT_EQ(Verdict(0, 1, 0, 0), "");
  EXPECT_EQ(Verdict(0, 10, 20, 0), "");
  EXPECT_EQ(Verdict(0, 0, 0, 0), "the key is empty");
  EXPECT_EQ(Verdict(0, 11, 0, 0), "the key has 11 bytes, the limit is 10 (key_bytes_max)");
  EXPECT_EQ(Verdict(0, 1, 21, 0), "the value has 21 bytes, the limit is 20 (value_bytes_max)");
  EXPECT_EQ(Verdict(3, 1, 0, 0), "bucket 3 does not exist: the configuration lists them");
}

TEST(RequestCheckTest, QuorumsStayWithinTheBucketsBounds) {
  using Kind = ClientRequest::Kind;
  EXPECT_EQ(Verdict(0, 1, 0, 1, Kind::kGet), "");
  EXPECT_EQ(Verdict(0, 1, 0, 3, Kind::kGet), "");
  EXPECT_EQ(Verdict(5, 1, 0, 1, Kind::kGet), "R is 1: bucket fixed permits 2 to 3 (r_min, n)");
  EXPECT_EQ(Verdict(0, 1, 0, 4, Kind::kGet), "R is 4: bucket default permits 1 to 3 (r_min, n)");
  EXPECT_EQ(Verdict(0, 1, 0, -1, Kind::kGet), "R is -1: bucket default permits 1 to 3 (r_min, n)");
  EXPECT_EQ(Verdict(0, 1, 0, 3), "");
  EXPECT_EQ(Verdict(0, 1, 0, 1), "W is 1: bucket default permits 2 to 3 (w_min, n)");
  EXPECT_EQ(Verdict(0, 1, 0, 1, Kind::kDelete), "W is 1: bucket default permits 2 to 3 (w_min, n)");
}

}  // namespace
}  // namespace norn
