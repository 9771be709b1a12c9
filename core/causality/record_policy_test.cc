// Records of last-writer-wins buckets, values that expire, and contexts that are pruned.

#include <algorithm>
#include <string>
#include <vector>

#include "core/causality/pruning.h"
#include "core/causality/record.h"
#include "core/coding.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

constexpr Incarnation kOne = 1;
constexpr Incarnation kTwo = 2;

Version Dated(Incarnation incarnation, uint64_t counter, int64_t wall_us,
              absl::string_view value = "v") {
  Version version;
  version.dot = {incarnation, counter};
  version.wall_us = wall_us;
  version.value = std::string(value);
  return version;
}

// Any last-writer-wins record at all: small numbers, so that timestamps tie, contexts cover
// each other's winners, and two records even disagree on what a dot names.
Record DrawLww(Random& random) {
  Record record;
  if (random.Chance(1, 10)) return record;
  record.MarkLastWriterWins();
  Version version = Dated(1 + random.Below(4), 1 + random.Below(4), random.Between(1, 3),
                          std::string(random.Below(2), 'v'));
  if (random.Chance(1, 4)) version.expires_us = random.Between(1, 2);
  if (random.Chance(1, 4)) {
    version.tombstone = true;
    version.value.clear();
    version.expires_us = 0;
  }
  VersionVector others;
  for (uint64_t i = random.Below(4); i > 0; --i) {
    const Dot dot{1 + random.Below(4), 1 + random.Below(4)};
    if (dot.incarnation != version.dot.incarnation) others.Add(dot, random.Below(3));
  }
  record.Put(version, others);
  return record;
}

Record Merged(Record a, const Record& b) {
  a.Merge(b);
  return a;
}

RC_GTEST_PROP(LwwRecordProperty, MergeIsCommutativeAssociativeAndIdempotent, (uint64_t seed)) {
  Random random(seed);
  for (int round = 0; round < 20; ++round) {
    const Record a = DrawLww(random);
    const Record b = DrawLww(random);
    const Record c = DrawLww(random);
    RC_ASSERT(Merged(a, b).Encode() == Merged(b, a).Encode());
    RC_ASSERT(Merged(Merged(a, b), c).Encode() == Merged(a, Merged(b, c)).Encode());
    RC_ASSERT(Merged(a, a) == a);
    RC_ASSERT(Merged(Merged(a, b), b) == Merged(a, b));
    RC_ASSERT(Merged(a, Record()) == a);
  }
}

RC_GTEST_PROP(LwwRecordProperty, EncodedMergeAgreesAndTheWinnerIsTheGreatest, (uint64_t seed)) {
  Random random(seed);
  for (int round = 0; round < 20; ++round) {
    const Record a = DrawLww(random);
    const Record b = DrawLww(random);
    std::string merged;
    RC_ASSERT(MergeEncoded(a.Encode(), b.Encode(), &merged));
    RC_ASSERT(merged == Merged(a, b).Encode());
    RC_ASSERT(merged.empty() || Record::IsCanonical(merged));
    RC_ASSERT(IsCoveredBy(a.Encode(), b.Encode()) == (Merged(b, a) == b));
    if (a.empty() || b.empty()) continue;
    const Version& x = a.versions().front();
    const Version& y = b.versions().front();
    const Record both = Merged(a, b);
    RC_ASSERT(both.versions().size() == 1u);
    const Version& winner = both.versions().front();
    RC_ASSERT(winner.wall_us == std::max(x.wall_us, y.wall_us));
    if (x.wall_us == y.wall_us) RC_ASSERT(winner.dot == std::max(x.dot, y.dot));
  }
}

// Contexts do not decide: this is the example of record.h.
TEST(LwwRecordTest, TheOrderOfMergingDoesNotMatter) {
  const auto lww = [](const Version& version, const VersionVector& context) {
    Record record;
    record.MarkLastWriterWins();
    record.Put(version, context);
    return record;
  };
  VersionVector v1;
  v1.Add({kOne, 1});
  const Record a = lww(Dated(kOne, 1, 100, "v1"), {});
  const Record b = lww(Dated(kTwo, 1, 50, "v2"), {});
  const Record c = lww(Dated(3, 1, 10, "v3"), v1);
  EXPECT_EQ(Merged(Merged(a, b), c), Merged(a, Merged(b, c)));
  EXPECT_EQ(Merged(Merged(a, b), c).versions().front().value, "v1");
}

TEST(LwwRecordTest, ItsMarkStaysThroughMerging) {
  Record marked;
  marked.MarkLastWriterWins();
  marked.Put(Dated(kOne, 1, 5), {});
  Record plain;
  plain.Put(Dated(kTwo, 1, 4), {});
  plain.Put(Dated(kTwo, 2, 9), {});
  EXPECT_TRUE(Merged(plain, marked).last_writer_wins());
  EXPECT_EQ(Merged(plain, marked), Merged(marked, plain));
  EXPECT_EQ(Merged(plain, marked).versions().size(), 1u);
  EXPECT_FALSE(IsCoveredBy(marked.Encode(), plain.Encode()));
}

// Bytes that are on disks.
TEST(RecordPolicyTest, ItsBytesStay) {
  Record record;
  record.MarkLastWriterWins();
  Version version = Dated(kOne, 2, 7, "v");
  version.expires_us = 300;
  record.Put(version, {});
  const std::string entry("\x01\0\0\0\0\0\0\0\x02", 9);
  EXPECT_EQ(record.Encode(),
            "\x03\x01" + entry + std::string("\x01\0\x02\x02\x07\xac\x02\x01v", 9));

  RecordView timed;
  VersionView put;
  put.dot = {kOne, 2};
  put.wall_us = 7;
  timed.Put(put, {}, /*minted_us=*/9);
  EXPECT_EQ(timed.Encode(), "\x05\x01" + entry + "\x09" + std::string("\x01\0\x02\0\x07\0", 6));
}

TEST(RecordPolicyTest, RefusesWhatIsNotCanonical) {
  const std::string entry("\x01\0\0\0\0\0\0\0\x02", 9);
  const auto accepted = [](const std::string& bytes) { return Record::IsCanonical(bytes); };
  const std::string version("\0\x02\x02\x07\x05\x01v", 7);
  EXPECT_TRUE(accepted("\x01\x01" + entry + "\x01" + version));
  EXPECT_TRUE(accepted("\x03\x01" + entry + "\x01" + version));
  EXPECT_FALSE(accepted("\x03\x01" + entry + std::string(1, '\0'))) << "no winner";
  EXPECT_FALSE(accepted("\x09\x01" + entry + "\x01" + version)) << "an unknown format";
  EXPECT_FALSE(accepted("\x02\x01" + entry + "\x01" + version)) << "an unknown format";
  const std::string never("\0\x02\x02\x07\0\x01v", 7);
  EXPECT_FALSE(accepted("\x01\x01" + entry + "\x01" + never)) << "expires at no time";
  const std::string deleted("\0\x02\x03\x07\x05\0", 6);
  EXPECT_FALSE(accepted("\x01\x01" + entry + "\x01" + deleted)) << "a tombstone that expires";
  EXPECT_FALSE(accepted("\x05\x01" + entry + std::string(1, '\0') + "\x01" + version))
      << "times, and none is told";
}

TEST(RecordPolicyTest, AnExpiredValueIsATombstoneFromThatMomentOn) {
  Version version = Dated(kOne, 1, 5);
  EXPECT_FALSE(version.IsDeadAt(INT64_MAX));
  version.expires_us = 100;
  EXPECT_FALSE(version.IsDeadAt(99));
  EXPECT_TRUE(version.IsDeadAt(100));
  version.tombstone = true;
  EXPECT_TRUE(version.IsDeadAt(0));
}

TEST(PruningTest, DropsTheOldestEntriesButNeverALiveVersions) {
  RecordView record;
  for (Incarnation i = 1; i <= 6; ++i) {
    VersionView version;
    version.dot = {i, 1};
    // Minted in the order 6, 5, .. 1; that of 6 stays alive beside the others.
    const VersionVector base = i == 6 ? VersionVector() : record.context;
    record.Put(version, base, static_cast<int64_t>(10 - i));
  }
  ASSERT_EQ(record.versions.size(), 2u);
  EXPECT_EQ(PruneOldestEntries(6, &record), 0u);
  EXPECT_EQ(PruneOldestEntries(4, &record), 2u);
  EXPECT_EQ(record.context.Get(6), 1u) << "the oldest of all, and alive";
  EXPECT_EQ(record.context.Get(5), 1u) << "alive";
  EXPECT_EQ(record.context.Get(4), 0u);
  EXPECT_EQ(record.context.Get(3), 0u);
  EXPECT_EQ(record.context.Get(2), 1u);
  EXPECT_EQ(PruneOldestEntries(0, &record), 2u);
  EXPECT_TRUE(Record::IsCanonical(record.Encode()));
}

// The danger that the header names, as small as it gets.
TEST(PruningTest, APrunedEntryLetsAReplacedVersionComeBack) {
  Record old;
  old.Put(Dated(kOne, 1, 5, "old"), {});
  RecordView next;
  ASSERT_TRUE(RecordView::Parse(old.Encode(), &next));
  VersionView version;
  version.dot = {kTwo, 1};
  version.value = "new";
  next.Put(version, next.context, 9);
  const std::string unpruned = next.Encode();
  ASSERT_EQ(PruneOldestEntries(1, &next), 1u);
  const auto values_beside_old = [&old](const std::string& bytes) {
    Record merged;
    EXPECT_TRUE(Record::Decode(bytes, &merged));
    merged.Merge(old);
    return merged.versions().size();
  };
  EXPECT_EQ(values_beside_old(unpruned), 1u);
  EXPECT_EQ(values_beside_old(next.Encode()), 2u) << "a false sibling";
}

}  // namespace
}  // namespace norn
