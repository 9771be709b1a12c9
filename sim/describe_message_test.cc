#include "sim/describe_message.h"

#include <string>

#include "core/causality/record.h"
#include "core/messages.h"
#include "core/types.h"
#include "gtest/gtest.h"

namespace norn::sim {
namespace {

std::string RecordOf(const std::string& value) {
  Record record;
  Version version;
  version.dot = Dot{MakeIncarnation(1, 7), 1};
  version.value = value;
  record.Put(version, VersionVector());
  version.dot = Dot{MakeIncarnation(2, 7), 1};
  version.tombstone = true;
  version.value.clear();
  record.Put(version, VersionVector());
  return record.Encode();
}

TEST(DescribeMessage, ShowsKeyRequestAndValues) {
  const ReplicaWrite write{.request = 0x123456789abc,
                           .layout = 1,
                           .partition = 2,
                           .key = MakeRecordKey(0, "k7"),
                           .record = RecordOf("c1-3 xxxxxxxx")};
  EXPECT_EQ(DescribeMessage(write), "ReplicaWrite #789abc k7 = {c1-3, deleted}");
  EXPECT_EQ(DescribeMessage(ReplicaRead{5, 1, 2, MakeRecordKey(0, "k7")}),
            "ReplicaRead #000005 k7");
}

TEST(DescribeMessage, ShowsOutcomes) {
  EXPECT_EQ(DescribeMessage(ReplicaWriteReply{5, ReplicaStatus::kOverloaded, 0, {}}),
            "ReplicaWriteReply #000005 overloaded");
  EXPECT_EQ(DescribeMessage(ReplicaReadReply{5, ReplicaStatus::kOk, "", 0, {}}),
            "ReplicaReadReply #000005 ok {}");
  EXPECT_EQ(DescribeMessage(ReplicaReadReply{5, ReplicaStatus::kOk, "", 0, {}, 0, 1, 2}),
            "ReplicaReadReply #000005 ok as a digest");
  ForwardReply reply;
  reply.request = 5;
  reply.status = ReplicaStatus::kOk;
  reply.reply.outcome = ClientReply::Outcome::kUnknown;
  EXPECT_EQ(DescribeMessage(reply), "ForwardReply #000005 unknown");
}

TEST(DescribeMessage, ShowsForwardedOperations) {
  Forward forward;
  forward.request = 5;
  forward.receiver_generation = 3;
  forward.operation.kind = ClientRequest::Kind::kPut;
  forward.operation.key = "k1";
  forward.operation.value = "c2-9 xx";
  EXPECT_EQ(DescribeMessage(forward), "Forward #000005 put k1 = c2-9 for generation 3");
  forward.operation.kind = ClientRequest::Kind::kDelete;
  EXPECT_EQ(DescribeMessage(forward), "Forward #000005 delete k1 for generation 3");
}

TEST(DescribeMessage, SurvivesDamage) {
  EXPECT_EQ(DescribeMessage(ReplicaReadReply{5, ReplicaStatus::kOk, "rubbish", 0, {}}),
            "ReplicaReadReply #000005 ok damaged");
}

}  // namespace
}  // namespace norn::sim
