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

// Keys that share prefixes, contain zeros, and end around the eighth byte.
std::string AwkwardKey(Random* random) {
  std::string key(random->Below(11), '\0');
  for (char& c : key) c = static_cast<char>(random->Below(3) * 127);
  return key;
}

TEST(MemtableTest, AgreesWithAMap) {
  Memtable memtable(1);
  Random random(2);
  std::map<std::string, std::pair<uint64_t, std::string>> newest;
  std::map<std::pair<std::string, uint64_t>, std::string> all;  // by key, newest first
  for (uint64_t sequence = 1; sequence <= 5000; ++sequence) {
    const std::string key = AwkwardKey(&random);
    const std::string value = absl::StrCat("v", sequence);
    memtable.Add(sequence, key, value);
    newest[key] = {sequence, value};
    all[{key, UINT64_MAX - sequence}] = value;
    const std::string probe = AwkwardKey(&random);
    absl::string_view found_value;
    uint64_t found_sequence = 0;
    const bool found = memtable.Find(probe, &found_value, &found_sequence);
    ASSERT_EQ(found, newest.contains(probe));
    if (found) {
      ASSERT_EQ(found_sequence, newest[probe].first);
      ASSERT_EQ(found_value, newest[probe].second);
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
    iterator.Next();
  }
  EXPECT_EQ(iterator.state(), Iterator::State::kEnd);
}

TEST(MemtableTest, SeekFindsTheFirstAtOrBehind) {
  Memtable memtable(1);
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

TEST(MemtableTest, CountsBytesAlikeEverywhere) {
  Memtable a(7);
  Memtable b(7);
  for (uint64_t i = 1; i < 1000; ++i) {
    a.Add(i, absl::StrCat("key", i), std::string(i % 300, 'v'));
    b.Add(i, absl::StrCat("key", i), std::string(i % 300, 'w'));
  }
  EXPECT_EQ(a.bytes(), b.bytes());
  EXPECT_GT(a.bytes(), 1000u * 150);
}

}  // namespace
}  // namespace norn::storage
