#include "core/replication/record_ops.h"

#include <string>
#include <vector>

#include "core/causality/record.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

using Base = ClientRequest::Base;

MintOp Mint(uint64_t counter, Base base, absl::string_view value) {
  MintOp op;
  op.dot = {MakeIncarnation(1, 5), counter};
  op.wall_us = 1000 + static_cast<int64_t>(counter);
  op.base = base;
  op.value = std::string(value);
  op.siblings_max = 3;
  return op;
}

std::string Apply(const RecordOp& op, absl::string_view current) {
  std::string next;
  const absl::Status status = ApplyOp(op, current, &next);
  EXPECT_TRUE(status.ok()) << status;
  return next;
}

std::vector<std::string> Values(absl::string_view bytes) {
  Record record;
  EXPECT_TRUE(Record::Decode(bytes, &record));
  std::vector<std::string> values;
  for (const Version& version : record.versions()) {
    values.push_back(version.tombstone ? "deleted" : version.value);
  }
  return values;
}

VersionVector ContextOf(absl::string_view bytes) {
  Record record;
  EXPECT_TRUE(Record::Decode(bytes, &record));
  return record.context();
}

TEST(RecordOpsTest, MintReplacesWhatItsBaseSays) {
  const std::string a = Apply(Mint(1, Base::kCurrent, "a"), "");
  EXPECT_EQ(Values(a), (std::vector<std::string>{"a"}));
  const std::string ab = Apply(Mint(2, Base::kNothing, "b"), a);
  EXPECT_EQ(Values(ab), (std::vector<std::string>{"a", "b"}));
  MintOp with_token = Mint(3, Base::kToken, "c");
  with_token.context = ContextOf(a);
  EXPECT_EQ(Values(Apply(with_token, ab)), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(Values(Apply(Mint(4, Base::kCurrent, "d"), ab)), (std::vector<std::string>{"d"}));
  MintOp deletion = Mint(5, Base::kCurrent, "");
  deletion.tombstone = true;
  EXPECT_EQ(Values(Apply(deletion, ab)), (std::vector<std::string>{"deleted"}));
}

// A context that is not asked for must not sneak in.
TEST(RecordOpsTest, OnlyATokenBaseLooksAtTheContext) {
  const std::string a = Apply(Mint(1, Base::kCurrent, "a"), "");
  MintOp op = Mint(2, Base::kNothing, "b");
  op.context = ContextOf(a);
  EXPECT_EQ(Values(Apply(op, a)), (std::vector<std::string>{"a", "b"}));
}

// A replica that is behind takes over from the token what it has not seen itself: what the
// client replaced stays replaced when it arrives.
TEST(RecordOpsTest, ATokenCoversWhatTheReplicaHasNotSeen) {
  const std::string elsewhere = Apply(Mint(1, Base::kCurrent, "a"), "");
  MintOp op = Mint(1, Base::kToken, "b");
  op.dot.incarnation = MakeIncarnation(2, 5);
  op.context = ContextOf(elsewhere);
  const std::string here = Apply(op, "");
  EXPECT_EQ(Values(Apply(MergeOp{elsewhere}, here)), (std::vector<std::string>{"b"}));
}

TEST(RecordOpsTest, TooManySiblingsAreRefusedButMergesNeverAre) {
  std::string record;
  for (uint64_t i = 1; i <= 3; ++i) record = Apply(Mint(i, Base::kNothing, "v"), record);
  std::string next = "untouched";
  const absl::Status refused = ApplyOp(Mint(4, Base::kNothing, "v"), record, &next);
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_NE(refused.message().find("4 concurrent versions, the limit is 3"),
            absl::string_view::npos);
  EXPECT_EQ(next, "untouched");
  MintOp elsewhere = Mint(1, Base::kNothing, "v");
  elsewhere.dot.incarnation = MakeIncarnation(2, 5);
  const std::string merged = Apply(MergeOp{Apply(elsewhere, "")}, record);
  EXPECT_EQ(Values(merged).size(), 4u);
  EXPECT_EQ(Values(Apply(Mint(4, Base::kCurrent, "resolved"), merged)).size(), 1u);
}

TEST(RecordOpsTest, ADotSeenBeforeIsRefused) {
  const std::string record = Apply(Mint(7, Base::kCurrent, "v"), "");
  std::string next;
  EXPECT_TRUE(absl::IsAborted(ApplyOp(Mint(7, Base::kCurrent, "w"), record, &next)));
  EXPECT_TRUE(absl::IsAborted(ApplyOp(Mint(3, Base::kNothing, "w"), record, &next)));
  MintOp by_token = Mint(3, Base::kToken, "w");  // the token knows it, the record does not
  by_token.context = ContextOf(record);
  EXPECT_TRUE(absl::IsAborted(ApplyOp(by_token, "", &next)));
}

TEST(RecordOpsTest, WhatIsNoRecordIsNeitherTakenNorOverwritten) {
  const std::string record = Apply(Mint(1, Base::kCurrent, "v"), "");
  std::string next;
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(MergeOp{"rot"}, record, &next)));
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(MergeOp{"rot"}, "", &next))) << "as a first copy";
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(MergeOp{record}, "rot", &next)));
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(Mint(2, Base::kCurrent, "w"), "rot", &next)));
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(MergeOp{record.substr(0, record.size() - 1)}, "", &next)));
}

TEST(RecordOpsTest, AMergeThatChangesNothingGivesTheSameBytes) {
  const std::string a = Apply(Mint(1, Base::kCurrent, "a"), "");
  const std::string b = Apply(Mint(2, Base::kCurrent, "b"), a);
  EXPECT_EQ(Apply(MergeOp{a}, b), b);
  EXPECT_EQ(Apply(MergeOp{b}, b), b);
  EXPECT_EQ(Apply(MergeOp{""}, b), b);
  EXPECT_EQ(Apply(MergeOp{b}, ""), b);
  EXPECT_EQ(Apply(MergeOp{b}, a), b);
}

}  // namespace
}  // namespace norn
