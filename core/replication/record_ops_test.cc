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

MintOp Lww(uint64_t counter, int64_t wall_us, absl::string_view value) {
  MintOp op = Mint(counter, Base::kCurrent, value);
  op.wall_us = wall_us;
  op.last_writer_wins = true;
  op.max_clock_skew_us = 100;
  return op;
}

int64_t NewestOf(const std::string& bytes) {
  RecordView record;
  EXPECT_TRUE(RecordView::Parse(bytes, &record));
  return record.NewestWallUs();
}

TEST(RecordOpsTest, LwwDatesAVersionAboveAllThatItReplaces) {
  const std::string first = Apply(Lww(1, 1000, "a"), "");
  EXPECT_EQ(NewestOf(first), 1000);
  EXPECT_EQ(NewestOf(Apply(Lww(2, 5000, "b"), first)), 5000) << "the clock is ahead";
  EXPECT_EQ(NewestOf(Apply(Lww(2, 1000, "b"), first)), 1001) << "the clock stands still";
  EXPECT_EQ(NewestOf(Apply(Lww(2, 900, "b"), first)), 1001) << "the clock went back";
  EXPECT_EQ(Values(Apply(Lww(2, 900, "b"), first)), (std::vector<std::string>{"b"}));
  MintOp beside = Lww(2, 900, "b");
  beside.base = Base::kNothing;
  EXPECT_EQ(Values(Apply(beside, first)), (std::vector<std::string>{"b"})) << "no siblings";
  MintOp by_token = Lww(2, 900, "b");
  by_token.base = Base::kToken;
  by_token.context_wall_us = 950;
  EXPECT_EQ(NewestOf(Apply(by_token, "")), 951) << "the client has seen a later one";
}

TEST(RecordOpsTest, LwwRefusesToMintFarAboveItsClock) {
  const std::string first = Apply(Lww(1, 1000, "a"), "");
  std::string next = "untouched";
  EXPECT_EQ(NewestOf(Apply(Lww(2, 900, "b"), first)), 1001) << "at the limit";
  const absl::Status status = ApplyOp(Lww(2, 899, "b"), first, &next);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(std::string(status.message()).find("max_clock_skew"), std::string::npos);
  EXPECT_EQ(next, "untouched");
  MintOp by_token = Lww(2, 899, "b");
  by_token.base = Base::kToken;
  by_token.context_wall_us = 1000;
  EXPECT_TRUE(absl::IsFailedPrecondition(ApplyOp(by_token, "", &next)));
  EXPECT_EQ(Apply(MergeOp{first}, ""), first) << "merging never refuses";
}

TEST(RecordOpsTest, LimitsHoldForMintsThatGrow) {
  std::string next;
  MintOp wide = Mint(2, Base::kNothing, std::string(100, 'b'));
  const std::string first = Apply(Mint(1, Base::kCurrent, std::string(100, 'a')), "");
  wide.record_bytes_max = 200;
  const absl::Status bytes = ApplyOp(wide, first, &next);
  EXPECT_TRUE(absl::IsInvalidArgument(bytes)) << bytes;
  EXPECT_NE(std::string(bytes.message()).find("record_bytes_max"), std::string::npos);
  wide.record_bytes_max = 300;
  const std::string both = Apply(wide, first);
  MintOp resolve = Mint(3, Base::kCurrent, std::string(100, 'c'));
  resolve.record_bytes_max = 50;  // the record was carried past it by a merge
  EXPECT_EQ(Values(Apply(resolve, both)).size(), 1u) << "what makes it smaller is taken";

  MintOp other = Mint(1, Base::kNothing, "c");
  other.dot.incarnation += 1;
  other.context_entries_max = 1;
  const absl::Status entries = ApplyOp(other, first, &next);
  EXPECT_TRUE(absl::IsInvalidArgument(entries)) << entries;
  EXPECT_NE(std::string(entries.message()).find("context_entries_max"), std::string::npos);
  MintOp same = Mint(2, Base::kNothing, "c");
  same.context_entries_max = 0;
  EXPECT_EQ(Values(Apply(same, first)).size(), 2u) << "no entry is added";
}

TEST(RecordOpsTest, PruningKeepsTheNewestEntries) {
  std::string record;
  for (uint64_t i = 1; i <= 5; ++i) {
    MintOp op = Mint(1, Base::kCurrent, "v");
    op.dot.incarnation += 10 - i;
    op.wall_us = static_cast<int64_t>(i);
    op.prune_entries_above = 3;
    record = Apply(op, record);
  }
  RecordView view;
  ASSERT_TRUE(RecordView::Parse(record, &view));
  ASSERT_EQ(view.context.size(), 3u);
  for (const VersionVector::Entry& entry : view.context.entries()) EXPECT_GE(entry.minted_us, 3);
}

}  // namespace
}  // namespace norn
