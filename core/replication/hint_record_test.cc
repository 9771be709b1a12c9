#include "core/replication/hint_record.h"

#include <string>

#include "core/causality/record.h"
#include "core/replication/record_ops.h"
#include "gtest/gtest.h"

namespace norn {
namespace {

std::string RecordOf(uint64_t counter, const std::string& value) {
  Record record;
  record.Put(Version{Dot{MakeIncarnation(1, 7), counter}, 1, false, value}, VersionVector());
  return record.Encode();
}

std::string Apply(const RecordOp& op, const std::string& current) {
  std::string next;
  EXPECT_TRUE(ApplyOp(op, current, &next).ok());
  return next;
}

std::string RecordIn(const std::string& hint) {
  HintView view;
  EXPECT_TRUE(HintView::Parse(hint, &view));
  return std::string(view.record);
}

TEST(HintRecordTest, OneRecordIsKeptForSeveralOwners) {
  const std::string one = Apply(HintMergeOp{5, RecordOf(1, "a")}, "");
  const std::string two = Apply(HintMergeOp{3, RecordOf(2, "b")}, one);
  HintView view;
  ASSERT_TRUE(HintView::Parse(two, &view));
  EXPECT_EQ(view.owners, (std::vector<NodeId>{3, 5}));
  std::string merged;
  ASSERT_TRUE(MergeEncoded(RecordOf(1, "a"), RecordOf(2, "b"), &merged));
  EXPECT_EQ(view.record, merged);
  EXPECT_EQ(view.Encode(), two);
  EXPECT_EQ(Apply(HintMergeOp{3, RecordOf(2, "b")}, two), two);
}

TEST(HintRecordTest, GoesWithItsLastOwner) {
  const std::string record = RecordOf(1, "a");
  const std::string both = Apply(HintMergeOp{3, record}, Apply(HintMergeOp{5, record}, ""));
  const std::string one = Apply(MakeHintRemoveOp(3, record), both);
  EXPECT_EQ(one, Apply(HintMergeOp{5, record}, ""));
  EXPECT_EQ(Apply(MakeHintRemoveOp(3, record), one), one);  // a doubled acknowledgement
  EXPECT_EQ(Apply(MakeHintRemoveOp(5, record), one), "");
  EXPECT_EQ(Apply(MakeHintRemoveOp(5, record), ""), "");
}

TEST(HintRecordTest, WhatHasGrownSinceItWasHandedOverStays) {
  const std::string before = Apply(HintMergeOp{3, RecordOf(1, "a")}, "");
  const HintRemoveOp remove = MakeHintRemoveOp(3, RecordIn(before));
  const std::string grown = Apply(HintMergeOp{3, RecordOf(2, "b")}, before);
  std::string next;
  EXPECT_TRUE(absl::IsAborted(ApplyOp(remove, grown, &next)));
}

TEST(HintRecordTest, MintsIntoTheRecordThatIsThere) {
  MintOp mint;
  mint.dot = Dot{MakeIncarnation(9, 1), 1};
  mint.value = "b";
  mint.siblings_max = 2;
  const std::string hint = Apply(HintMintOp{4, mint}, Apply(HintMergeOp{3, RecordOf(1, "a")}, ""));
  EXPECT_EQ(RecordIn(hint), Apply(mint, RecordOf(1, "a")));
  HintView view;
  ASSERT_TRUE(HintView::Parse(hint, &view));
  EXPECT_TRUE(view.IsFor(3) && view.IsFor(4));
  std::string next;
  EXPECT_TRUE(absl::IsAborted(ApplyOp(HintMintOp{4, mint}, hint, &next)));  // the dot, once more
}

TEST(HintRecordTest, RefusesWhatIsNoHint) {
  const std::string record = RecordOf(1, "a");
  std::string next;
  for (const std::string& bytes :
       {record, std::string("\x68"), std::string("\x68\x00r", 3), std::string("\x68\x01\x05"),
        std::string("\x68\x02\x05\x05r"), std::string("\x68\x02\x05\x04r"),
        std::string("\x68\x01\x00r", 4), std::string("\x68\x09\x01r")}) {
    HintView view;
    EXPECT_FALSE(HintView::Parse(bytes, &view));
    EXPECT_TRUE(absl::IsDataLoss(ApplyOp(HintMergeOp{3, record}, bytes, &next)));
    EXPECT_TRUE(absl::IsDataLoss(ApplyOp(MakeHintRemoveOp(3, record), bytes, &next)));
  }
  EXPECT_TRUE(absl::IsDataLoss(ApplyOp(HintMergeOp{3, "no record"}, "", &next)));
  EXPECT_TRUE(absl::IsInvalidArgument(ApplyOp(HintMergeOp{3, ""}, "", &next)));
}

}  // namespace
}  // namespace norn
