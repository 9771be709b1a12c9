#include "storage/memtable.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

// Keys that share prefixes, contain zeros, and end around the eighth and the sixteenth byte.
std::string AwkwardKey(Random* random) {
  std::string key(random->Chance(1, 2) ? random->Below(11) : 14 + random->Below(5), '\0');
  if (key.size() > 11) return key.replace(key.size() - 3, 3, random->Chance(1, 2) ? "abc" : "abd");
  for (char& c : key) c = static_cast<char>(random->Below(3) * 127);
  return key;
}

TEST(MemtableTest, AgreesWithAMap) {
  Memtable memtable;
  Random random(2);
  std::map<std::string, std::pair<uint64_t, std::string>> newest;
  std::map<std::pair<std::string, uint64_t>, std::string> all;  // by key, newest first
  for (uint64_t sequence = 1; sequence <= 5000; ++sequence) {
    const std::string key = AwkwardKey(&random);
    const EntryKind kind = random.Chance(1, 5) ? EntryKind::kDeletion : EntryKind::kValue;
    const std::string value = kind == EntryKind::kValue ? absl::StrCat("v", sequence) : "";
    memtable.Add(sequence, key, value, kind);
    newest[key] = {sequence, value};
    all[{key, UINT64_MAX - sequence}] = value;
    const std::string probe = AwkwardKey(&random);
    Memtable::Write write;
    const bool found = memtable.Find(probe, &write);
    ASSERT_EQ(found, newest.contains(probe));
    if (found) {
      ASSERT_EQ(write.sequence, newest[probe].first);
      ASSERT_EQ(write.value, newest[probe].second);
      ASSERT_EQ(write.kind == EntryKind::kDeletion, newest[probe].second.empty());
    }
  }
  EXPECT_EQ(memtable.entries(), 5000u);
  EXPECT_EQ(memtable.last_sequence(), 5000u);
  MemtableIterator iterator(&memtable);
  iterator.Seek("");
  for (const auto& [key, value] : all) {
    ASSERT_EQ(iterator.state(), Iterator::State::kEntry);
    ASSERT_EQ(iterator.key(), key.first);
    ASSERT_EQ(iterator.sequence(), UINT64_MAX - key.second);
    ASSERT_EQ(iterator.value(), value);
    ASSERT_EQ(iterator.kind() == EntryKind::kDeletion, value.empty());
    iterator.Next();
  }
  EXPECT_EQ(iterator.state(), Iterator::State::kEnd);
}

TEST(MemtableTest, SeekFindsTheFirstAtOrBehind) {
  Memtable memtable;
  memtable.Add(1, "b", "1");
  memtable.Add(2, "d", "2");
  MemtableIterator iterator(&memtable);
  iterator.Seek("c");
  EXPECT_EQ(iterator.key(), "d");
  iterator.Seek("d");
  EXPECT_EQ(iterator.key(), "d");
  iterator.Seek(absl::string_view("d\0", 2));
  EXPECT_EQ(iterator.state(), Iterator::State::kEnd);
}

TEST(MemtableTest, AnIteratorStandsAdditions) {
  Memtable memtable;
  std::map<std::string, uint64_t> expected;
  Random random(5);
  uint64_t sequence = 0;
  for (int i = 0; i < 300; ++i) memtable.Add(++sequence, absl::StrCat("k", 1000 + 10 * i), "v");
  MemtableIterator iterator(&memtable);
  std::string last;
  int met = 0;
  for (iterator.Seek(""); iterator.state() == Iterator::State::kEntry; iterator.Next()) {
    ASSERT_LE(last, iterator.key());
    last = std::string(iterator.key());
    if (last.back() == '0') ++met;
    // Before and behind where it stands.
    for (int i = 0; i < 3; ++i) {
      memtable.Add(++sequence, absl::StrCat("k", 1000 + random.Below(3000), "x"), "new");
    }
    memtable.Add(++sequence, last, "newer");  // in front of it
  }
  EXPECT_EQ(met, 300);
}

TEST(MemtableTest, CountsBytesAlikeEverywhere) {
  Memtable a;
  Memtable b;
  for (uint64_t i = 1; i < 1000; ++i) {
    a.Add(i, absl::StrCat("key", i), std::string(i % 300, 'v'));
    b.Add(i, absl::StrCat("key", i), std::string(i % 300, 'w'));
  }
  EXPECT_EQ(a.bytes(), b.bytes());
  EXPECT_GT(a.bytes(), 1000u * 150);
}

}  // namespace
}  // namespace norn::storage
