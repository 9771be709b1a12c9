#include "storage/record_cache.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

TEST(RecordCacheTest, FindsTheNewestRecord) {
  RecordCache cache(1 << 20);
  RecordCache::Found found;
  EXPECT_FALSE(cache.Find("k", &found));
  cache.Put("k", "one", 1);
  ASSERT_TRUE(cache.Find("k", &found));
  EXPECT_EQ(found.record, "one");
  EXPECT_EQ(found.sequence, 1u);
  cache.Put("k", std::string(1000, 'x'), 2);  // outgrows its place
  ASSERT_TRUE(cache.Find("k", &found));
  EXPECT_EQ(found.record, std::string(1000, 'x'));
  EXPECT_EQ(found.sequence, 2u);
  EXPECT_EQ(cache.entries(), 1u);
  cache.Clear();
  EXPECT_FALSE(cache.Find("k", &found));
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(RecordCacheTest, OfNoSizeKeepsNothing) {
  RecordCache cache(0);
  RecordCache::Found found;
  cache.Put("k", "v", 1);
  EXPECT_FALSE(cache.Find("k", &found));
}

TEST(RecordCacheTest, KeepsWithinItsSizeAndKeepsWhatIsUsed) {
  RecordCache cache(64 << 10);
  RecordCache::Found found;
  for (int i = 0; i < 10'000; ++i) {
    cache.Put(absl::StrCat("key", i), std::string(100, 'v'), static_cast<uint64_t>(i));
    ASSERT_LE(cache.bytes(), size_t{64} << 10);
    ASSERT_TRUE(cache.Find("key0", &found)) << "used all the time, lost after " << i;
  }
  EXPECT_GT(cache.entries(), 200u);
  EXPECT_TRUE(cache.Find("key9999", &found)) << "the newest is kept";
}

TEST(RecordCacheTest, NeverAnswersAnythingButTheLastPut) {
  RecordCache cache(20'000);
  std::map<std::string, std::pair<std::string, uint64_t>> model;
  Random random(7);
  uint64_t hits = 0;
  for (uint64_t i = 1; i <= 100'000; ++i) {
    const std::string key = absl::StrCat("k", random.Below(300));
    RecordCache::Found found;
    if (random.Chance(1, 2)) {
      const std::string record(random.Below(200), static_cast<char>('a' + random.Below(26)));
      cache.Put(key, record, i);
      model[key] = {record, i};
    } else if (random.Chance(1, 50)) {
      cache.Erase(key);
      ASSERT_FALSE(cache.Find(key, &found));
    } else if (cache.Find(key, &found)) {
      ++hits;
      ASSERT_EQ(found.record, model[key].first);
      ASSERT_EQ(found.sequence, model[key].second);
    }
  }
  EXPECT_GT(hits, 5'000u);
}

}  // namespace
}  // namespace norn::storage
