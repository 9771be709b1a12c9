#include "core/causality/record.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/causality/record_hasher.h"
#include "core/coding.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

// Any canonical record at all, not only those that a history leads to: few incarnations
// and small counters, so that two of them meet, and even disagree on what a dot names.
std::string DrawEncoded(Random& random) {
  const uint64_t incarnations = random.Below(5);
  if (incarnations == 0) return std::string();
  VersionVector context;
  for (uint64_t i = 0; i < incarnations; ++i) {
    context.Add(
        {MakeIncarnation(static_cast<NodeId>(1 + random.Below(5)), 0), 1 + random.Below(4)});
  }
  std::string bytes = "\x01";
  std::string versions;
  uint64_t count = 0;
  AppendVarint(&bytes, context.size());
  for (size_t index = 0; index < context.size(); ++index) {
    const VersionVector::Entry& entry = context.entries()[index];
    AppendFixed64(&bytes, entry.incarnation);
    AppendVarint(&bytes, entry.counter);
    for (uint64_t counter = 1; counter <= entry.counter; ++counter) {
      if (random.Chance(1, 2)) continue;
      const bool tombstone = random.Chance(1, 4);
      ++count;
      AppendVarint(&versions, index);
      AppendVarint(&versions, counter);
      versions.push_back(tombstone ? 1 : 0);
      AppendVarint(&versions, random.Below(3) - 1);  // -1, 0, 1
      AppendBytes(&versions, tombstone ? "" : std::string(random.Below(3), 'v'));
    }
  }
  AppendVarint(&bytes, count);
  return bytes + versions;
}

Record DrawRecord(Random& random) {
  Record record;
  const std::string bytes = DrawEncoded(random);
  RC_ASSERT(Record::Decode(bytes, &record));
  RC_ASSERT(record.Encode() == bytes);
  return record;
}

Record Merged(Record a, const Record& b) {
  a.Merge(b);
  return a;
}

RC_GTEST_PROP(RecordProperty, MergeIsCommutativeAssociativeAndIdempotent, (uint64_t seed)) {
  Random random(seed);
  const Record a = DrawRecord(random);
  const Record b = DrawRecord(random);
  const Record c = DrawRecord(random);
  RC_ASSERT(Merged(a, b).Encode() == Merged(b, a).Encode());
  RC_ASSERT(Merged(Merged(a, b), c).Encode() == Merged(a, Merged(b, c)).Encode());
  RC_ASSERT(Merged(a, a) == a);
  RC_ASSERT(Merged(Merged(a, b), b) == Merged(a, b));
  RC_ASSERT(Merged(a, Record()) == a);
  RC_ASSERT(Merged(Record(), a) == a);
}

RC_GTEST_PROP(RecordProperty, EncodedMergeAndCoverageAgreeWithMerge, (uint64_t seed)) {
  Random random(seed);
  const Record a = DrawRecord(random);
  const Record b = random.Chance(1, 2) ? DrawRecord(random) : Merged(DrawRecord(random), a);
  std::string merged;
  RC_ASSERT(MergeEncoded(a.Encode(), b.Encode(), &merged));
  RC_ASSERT(merged == Merged(a, b).Encode());
  RC_ASSERT(IsCoveredBy(a.Encode(), b.Encode()) == (Merged(b, a) == b));
  RC_ASSERT(IsCoveredBy(a.Encode(), merged));
  RC_ASSERT(IsCoveredBy(b.Encode(), merged));
}

RC_GTEST_PROP(RecordProperty, EqualRecordsHaveEqualBytes, (uint64_t seed)) {
  Random random(seed);
  const Record a = DrawRecord(random);
  const Record b = DrawRecord(random);
  RC_ASSERT((a == b) == (a.Encode() == b.Encode()));
  RC_ASSERT(Record::IsCanonical(a.Encode()));
}

// Whatever bytes come in, Decode stays inside them, and what it accepts it would write again.
RC_GTEST_PROP(RecordProperty, OnlyCanonicalBytesAreAccepted, (uint64_t seed)) {
  Random random(seed);
  std::string bytes = DrawEncoded(random);
  const uint64_t mutations = 1 + random.Below(3);
  for (uint64_t i = 0; i < mutations; ++i) {
    const uint64_t at = random.Below(bytes.size() + 1);
    switch (random.Below(4)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, 1, static_cast<char>(random.Below(256)));
        break;
      case 2:
        if (at < bytes.size()) bytes.erase(at, 1);
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.Below(256));
    }
  }
  // A copy of just the right size, so that a sanitizer sees every step outside.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  Record record;
  const absl::string_view input(exact.data(), exact.size());
  const bool accepted = Record::Decode(input, &record);
  RC_ASSERT(Record::IsCanonical(input) == accepted);
  if (accepted) RC_ASSERT(record.Encode() == bytes);
  std::string merged;
  const Record other = DrawRecord(random);
  const bool looked_into = !bytes.empty() && !other.empty() && bytes != other.Encode();
  if (looked_into) RC_ASSERT(MergeEncoded(bytes, other.Encode(), &merged) == accepted);
  if (looked_into && !accepted) RC_ASSERT(!IsCoveredBy(bytes, other.Encode()));
}

TEST(RecordTest, RefusesEachBrokenInvariant) {
  const auto entry = [](uint64_t incarnation, uint64_t counter) {
    std::string out;
    AppendFixed64(&out, incarnation);
    AppendVarint(&out, counter);
    return out;
  };
  const auto version = [](uint64_t index, uint64_t counter, int flags, absl::string_view value) {
    std::string out;
    AppendVarint(&out, index);
    AppendVarint(&out, counter);
    out.push_back(static_cast<char>(flags));
    AppendVarint(&out, 5);
    AppendBytes(&out, value);
    return out;
  };
  const std::string one = std::string("\x01\x01") + entry(7, 2);
  const std::string zero(1, '\0');
  EXPECT_TRUE(Record::IsCanonical(""));
  EXPECT_TRUE(Record::IsCanonical(one + zero));
  EXPECT_TRUE(Record::IsCanonical(one + "\x01" + version(0, 2, 0, "v")));
  EXPECT_TRUE(Record::IsCanonical(one + "\x02" + version(0, 1, 0, "v") + version(0, 2, 1, "")));
  EXPECT_FALSE(Record::IsCanonical("\x02" + one.substr(1) + zero)) << "another format";
  EXPECT_FALSE(Record::IsCanonical("\x01" + zero + zero)) << "an empty record has no bytes";
  EXPECT_FALSE(Record::IsCanonical(one)) << "cut";
  EXPECT_FALSE(Record::IsCanonical(one + zero + zero)) << "bytes behind the end";
  EXPECT_FALSE(Record::IsCanonical(one + "\x01" + version(1, 1, 0, "v"))) << "no such entry";
  EXPECT_FALSE(Record::IsCanonical(one + "\x01" + version(0, 3, 0, "v"))) << "not covered";
  EXPECT_FALSE(Record::IsCanonical(one + "\x01" + version(0, 0, 0, "v"))) << "counter 0";
  EXPECT_FALSE(Record::IsCanonical(one + "\x01" + version(0, 2, 2, "v"))) << "unknown flag";
  EXPECT_FALSE(Record::IsCanonical(one + "\x01" + version(0, 2, 1, "v"))) << "deleted, with value";
  EXPECT_FALSE(Record::IsCanonical(one + "\x02" + version(0, 2, 0, "") + version(0, 1, 0, "")))
      << "versions out of order";
  EXPECT_FALSE(Record::IsCanonical(one + "\x02" + version(0, 2, 0, "") + version(0, 2, 0, "")))
      << "a dot twice";
  EXPECT_FALSE(Record::IsCanonical("\x01\x02" + entry(7, 2) + entry(7, 3) + zero));
  EXPECT_FALSE(Record::IsCanonical("\x01\x02" + entry(7, 2) + entry(6, 3) + zero));
  EXPECT_FALSE(Record::IsCanonical("\x01\x01" + entry(7, 0) + zero));
}

Version MakeVersion(Incarnation incarnation, uint64_t counter, absl::string_view value) {
  Version version;
  version.dot = {incarnation, counter};
  version.wall_us = static_cast<int64_t>(counter);
  version.value = std::string(value);
  return version;
}

std::vector<std::string> Values(const Record& record) {
  std::vector<std::string> values;
  for (const Version& version : record.versions()) values.push_back(version.value);
  return values;
}

// Figure 3 of the Dynamo paper: D1 and D2 written by Sx, then D3 by Sy and D4 by Sz, both
// after D2; a client reads both and resolves through Sx.
TEST(RecordTest, WorkedExampleOfTheDynamoPaper) {
  const Incarnation x = MakeIncarnation(1, 0);
  const Incarnation y = MakeIncarnation(2, 0);
  const Incarnation z = MakeIncarnation(3, 0);
  Record at_x;
  at_x.Put(MakeVersion(x, 1, "D1"), VersionVector());
  at_x.Put(MakeVersion(x, 2, "D2"), at_x.context());
  EXPECT_EQ(Values(at_x), (std::vector<std::string>{"D2"}));
  const VersionVector read_of_d2 = at_x.context();

  Record at_y = at_x;
  at_y.Put(MakeVersion(y, 1, "D3"), read_of_d2);
  Record at_z = at_x;
  at_z.Put(MakeVersion(z, 1, "D4"), read_of_d2);
  EXPECT_EQ(Values(at_y), (std::vector<std::string>{"D3"}));
  EXPECT_EQ(Values(at_z), (std::vector<std::string>{"D4"}));

  at_x.Merge(at_y);
  at_x.Merge(at_z);
  EXPECT_EQ(Values(at_x), (std::vector<std::string>{"D3", "D4"}));
  EXPECT_EQ(at_x.SiblingCount(), 2u);
  VersionVector expected;  // [(Sx, 2), (Sy, 1), (Sz, 1)]
  expected.Add({x, 2});
  expected.Add({y, 1});
  expected.Add({z, 1});
  EXPECT_EQ(at_x.context(), expected);

  at_x.Put(MakeVersion(x, 3, "D5"), at_x.context());
  EXPECT_EQ(Values(at_x), (std::vector<std::string>{"D5"}));
  at_y.Merge(at_x);
  at_z.Merge(at_x);
  EXPECT_EQ(at_y.Encode(), at_x.Encode());
  EXPECT_EQ(at_z.Encode(), at_x.Encode());
}

TEST(RecordTest, ATombstoneIsAVersionWithoutValue) {
  Record record;
  EXPECT_FALSE(record.HasValue());
  record.Put(MakeVersion(1, 1, "value"), VersionVector());
  EXPECT_TRUE(record.HasValue());
  Version deleted;
  deleted.dot = {1, 2};
  deleted.tombstone = true;
  record.Put(deleted, record.context());
  EXPECT_FALSE(record.HasValue());
  EXPECT_EQ(record.versions().size(), 1u);
  EXPECT_FALSE(record.empty());
  EXPECT_EQ(DebugString(record), "{0.000000:2=deleted} seen {0.000000:2}");
  record.Put(MakeVersion(1, 3, "concurrent"), VersionVector());
  EXPECT_EQ(record.SiblingCount(), 1u);
  EXPECT_EQ(record.versions().size(), 2u);
}

TEST(RecordDeathTest, ADotIsNeverPutTwice) {
  Record record;
  record.Put(MakeVersion(1, 2, "value"), VersionVector());
  EXPECT_DEATH(record.Put(MakeVersion(1, 2, "again"), VersionVector()), "check failed");
  EXPECT_DEATH(record.Put(MakeVersion(1, 1, "older"), VersionVector()), "check failed");
}

// Replicas of different versions compare these hashes, and saved trees hold them.
TEST(RecordTest, ItsBytesAndItsHashStay) {
  Record record;
  record.Put(MakeVersion(MakeIncarnation(2, 9), 1, "one"), VersionVector());
  record.Put(MakeVersion(MakeIncarnation(1, 9), 200, "two"), VersionVector());
  const std::string expected(
      "\x01\x02"
      "\x09\0\0\0\0\0\x01\0\xc8\x01"
      "\x09\0\0\0\0\0\x02\0\x01"
      "\x02"
      "\0\xc8\x01\0\xc8\x01\x03two"
      "\x01\x01\0\x01\x03one",
      40);
  EXPECT_EQ(record.Encode(), expected);
  const RecordHasher hasher("cluster", "secret");
  const RecordHash hash = hasher.Hash("key", record.Encode());
  EXPECT_EQ(hash.high, 3641985309369016416ull);
  EXPECT_EQ(hash.low, 3820602317820978442ull);
  EXPECT_FALSE(hash == hasher.Hash("kez", record.Encode())) << "the key is part of it";
  EXPECT_FALSE(hash == RecordHasher("cluster", "other").Hash("key", record.Encode()));
  EXPECT_NE(hasher.fingerprint(), RecordHasher("cluster", "other").fingerprint());
  EXPECT_TRUE(hasher.Hash("key", "").absent());
}

}  // namespace
}  // namespace norn
