#include "storage/manifest.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "storage/record_log.h"

namespace norn::storage {
namespace {

TableMeta Meta(uint64_t number, const std::string& smallest, const std::string& largest) {
  return {.number = number,
          .file_id = number * 1000,
          .bytes = 5000,
          .entries = 50,
          .smallest = smallest,
          .largest = largest,
          .smallest_sequence = 1,
          .largest_sequence = 60};
}

VersionEdit FullEdit() {
  VersionEdit edit;
  edit.flushed_sequence = 60;
  edit.next_file_number = 12;
  edit.added_wals = {{.number = 5, .file_id = 55, .first_sequence = 50},
                     {.number = 9, .file_id = 99, .first_sequence = 61}};
  edit.added_tables = {{.level = 0, .meta = Meta(3, "a", "m")},
                       {.level = 2, .meta = Meta(4, "", std::string("\0\xff", 2))}};
  edit.suspect = true;
  edit.lost_from = 61;
  edit.added_drops = {{.from = "b", .to = "c", .sequence = 40},
                      {.from = "x", .to = "", .sequence = 41}};
  edit.checkpoint = 60;
  return edit;
}

TEST(ManifestTest, EditsAddUp) {
  VersionState state;
  ASSERT_TRUE(state.Apply(*DecodeEdit(EncodeEdit(FullEdit()))));
  EXPECT_EQ(state.flushed_sequence, 60u);
  EXPECT_EQ(state.next_file_number, 12u);
  EXPECT_EQ(state.wals, FullEdit().added_wals);
  ASSERT_EQ(state.levels[0].size(), 1u);
  EXPECT_EQ(state.levels[0][0], Meta(3, "a", "m"));
  EXPECT_EQ(state.levels[2][0], Meta(4, "", std::string("\0\xff", 2)));
  EXPECT_TRUE(state.suspect);
  EXPECT_EQ(state.lost_from, 61u);
  EXPECT_EQ(state.drops, FullEdit().added_drops);
  EXPECT_EQ(state.checkpoint, 60u);

  VersionEdit second;
  second.dropped_wals = {5};
  second.dropped_tables = {{.level = 0, .number = 3}};
  second.added_tables = {{.level = 1, .meta = Meta(3, "a", "m")}};  // a move
  second.suspect = false;
  second.lost_from = 0;
  second.settled_drops = {FullEdit().added_drops[1]};
  ASSERT_TRUE(state.Apply(*DecodeEdit(EncodeEdit(second))));
  EXPECT_EQ(state.flushed_sequence, 60u);
  EXPECT_EQ(state.wals.size(), 1u);
  EXPECT_TRUE(state.levels[0].empty());
  EXPECT_EQ(state.levels[1].size(), 1u);
  EXPECT_FALSE(state.suspect);
  EXPECT_EQ(state.lost_from, 0u);
  EXPECT_EQ(state.drops, std::vector<RangeDrop>{FullEdit().added_drops[0]});
}

TEST(ManifestTest, GivenUpBlocksStayWithTheirTableAndQuarantinesUntilTheyAreLifted) {
  VersionState state;
  VersionEdit edit = FullEdit();
  edit.given_up = {{.table = 3, .offset = 100}, {.table = 3, .offset = 50}, {.table = 77}};
  edit.quarantined = {{.from = "b", .until = "f", .sequence = 60, .table = 3, .reason = "rotten"}};
  ASSERT_TRUE(state.Apply(*DecodeEdit(EncodeEdit(edit))));
  const std::map<uint64_t, std::vector<uint64_t>> given_up = {{3, {50, 100}}};
  EXPECT_EQ(state.given_up, given_up);
  EXPECT_EQ(state.quarantine.all(), edit.quarantined);

  VersionEdit move;
  move.dropped_tables = {{.level = 0, .number = 3}};
  move.added_tables = {{.level = 1, .meta = Meta(3, "a", "m")}};
  move.lifted = {{.from = "d", .until = "", .sequence = 60}};
  move.quarantined = {{.from = "x", .until = "z", .sequence = 9, .table = 5, .reason = "lost"}};
  ASSERT_TRUE(state.Apply(*DecodeEdit(EncodeEdit(move))));
  EXPECT_EQ(state.given_up, given_up);
  ASSERT_EQ(state.quarantine.all().size(), 2u);
  EXPECT_EQ(state.quarantine.all()[0].until, "d");
  EXPECT_EQ(state.quarantine.all()[1], move.quarantined[0]);

  VersionEdit drop;
  drop.dropped_tables = {{.level = 1, .number = 3}};
  ASSERT_TRUE(state.Apply(drop));
  EXPECT_TRUE(state.given_up.empty());
  EXPECT_EQ(state.quarantine.all().size(), 2u);

  // A range that ends before it begins is none.
  edit.quarantined[0].until = "b";
  EXPECT_FALSE(DecodeEdit(EncodeEdit(edit)).has_value());
}

TEST(ManifestTest, EditsThatDoNotFitAreRefused) {
  VersionState state;
  ASSERT_TRUE(state.Apply(FullEdit()));
  VersionEdit edit;
  edit.dropped_wals = {6};
  EXPECT_FALSE(VersionState(state).Apply(edit));
  edit = VersionEdit();
  edit.settled_drops = {{.from = "b", .to = "c", .sequence = 39}};
  EXPECT_FALSE(VersionState(state).Apply(edit));
  edit = VersionEdit();
  edit.dropped_tables = {{.level = 1, .number = 3}};
  EXPECT_FALSE(VersionState(state).Apply(edit));
  edit = VersionEdit();
  edit.added_tables = {{.level = 1, .meta = Meta(3, "x", "y")}};
  EXPECT_FALSE(VersionState(state).Apply(edit));
  edit = VersionEdit();
  edit.added_wals = {{.number = 9, .file_id = 1, .first_sequence = 70}};
  EXPECT_FALSE(VersionState(state).Apply(edit));
}

TEST(ManifestTest, EveryCutOfAnEditIsNoticed) {
  const std::string bytes = EncodeEdit(FullEdit());
  int accepted = 0;
  for (size_t n = 0; n < bytes.size(); ++n) {
    // A cut between fields leaves a smaller edit; the record's checksum notices that.
    if (DecodeEdit(absl::string_view(bytes).substr(0, n)).has_value()) ++accepted;
  }
  EXPECT_EQ(accepted, 11);
  EXPECT_FALSE(DecodeEdit("\x09").has_value());
}

std::string ManifestBytes(bool synced) {
  LogEncoder encoder(LogKind::kManifest, 2, 3);
  std::string bytes;
  encoder.AppendHeader(&bytes);
  encoder.AppendRecord(EncodeEdit(FullEdit()), &bytes);
  if (synced) encoder.MarkSynced();
  VersionEdit second;
  second.flushed_sequence = 100;
  encoder.AppendRecord(EncodeEdit(second), &bytes);
  return bytes;
}

TEST(ManifestTest, ATornTailIsCutAndDamageIsRefused) {
  const std::string bytes = ManifestBytes(true);
  EXPECT_EQ(ReadManifest("m", bytes)->flushed_sequence, 100u);
  EXPECT_EQ(
      ReadManifest("m", absl::string_view(bytes).substr(0, bytes.size() - 1))->flushed_sequence,
      60u);
  std::string damaged = bytes;
  damaged[kLogHeaderBytes + kRecordHeadBytes + 3] ^= 1;
  const absl::Status status = ReadManifest("some/manifest", damaged).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "some/manifest")) << status;
  EXPECT_TRUE(absl::IsDataLoss(ReadManifest("m", "").status()));
  EXPECT_TRUE(absl::IsDataLoss(
      ReadManifest("m", absl::string_view(bytes).substr(0, kLogHeaderBytes + 5)).status()));
}

TEST(CurrentTest, SurvivesOddOwners) {
  for (const std::string& owner :
       {std::string("cluster/n1"), std::string(), std::string("line\nbreak\0\xff", 12)}) {
    const auto current = DecodeCurrent("C", EncodeCurrent({.owner = owner, .manifest = 17}));
    ASSERT_TRUE(current.ok()) << current.status();
    EXPECT_EQ(current->owner, owner);
    EXPECT_EQ(current->manifest, 17u);
  }
}

TEST(CurrentTest, EveryCutAndFlipIsNoticed) {
  const std::string good = EncodeCurrent({.owner = "o", .manifest = 17});
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(DecodeCurrent("C", absl::string_view(good).substr(0, i)).ok()) << i;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DecodeCurrent("C", bad).ok()) << i;
  }
}

}  // namespace
}  // namespace norn::storage
