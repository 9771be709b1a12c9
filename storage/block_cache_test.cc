#include "storage/block_cache.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "storage/index_block.h"
#include "storage/table_format.h"

namespace norn::storage {
namespace {

std::shared_ptr<const Block> BlockOf(size_t value_bytes) {
  BlockBuilder builder(16);
  builder.Add("key", 1, std::string(value_bytes, 'v'));
  return Block::Parse(std::string(builder.Finish()));
}

TEST(BlockCacheTest, WhatWasAskedForAgainStaysLonger) {
  BlockCache cache(3500);
  for (uint64_t i = 0; i < 3; ++i) cache.Insert({.table = 1, .offset = i}, BlockOf(1000));
  EXPECT_NE(cache.Find({.table = 1, .offset = 0}), nullptr);
  cache.Insert({.table = 1, .offset = 3}, BlockOf(1000));
  EXPECT_NE(cache.Find({.table = 1, .offset = 0}), nullptr);
  EXPECT_EQ(cache.Find({.table = 1, .offset = 1}), nullptr);
  EXPECT_NE(cache.Find({.table = 1, .offset = 2}), nullptr);
  EXPECT_EQ(cache.Find({.table = 2, .offset = 0}), nullptr);
  EXPECT_EQ(cache.hits(), 3u);
  EXPECT_EQ(cache.misses(), 2u);
}

TEST(BlockCacheTest, ReadingManyOnceDoesNotPushOutWhatIsReadOften) {
  BlockCache cache(20'000);
  const BlockId often{.table = 7, .offset = 7};
  cache.Insert(often, BlockOf(1000));
  for (uint64_t i = 0; i < 1000; ++i) {
    if (i % 5 == 0) {
      ASSERT_NE(cache.Find(often), nullptr) << i;
    }
    cache.Insert({.table = 1, .offset = i}, BlockOf(1000));
  }
}

TEST(BlockCacheTest, AnIndexStaysLongerThanData) {
  BlockBuilder builder(1);
  builder.Add("key", 0, EncodeHandle({.offset = 0, .size = 10}));
  const std::shared_ptr<const Block> index = IndexBlock::Parse(std::string(builder.Finish()), 100);
  ASSERT_NE(index, nullptr);
  BlockCache cache(20'000);
  const BlockId of_index{.table = 7, .offset = 7};
  const BlockId of_data{.table = 7, .offset = 8};
  cache.Insert(of_index, index);
  cache.Insert(of_data, BlockOf(1000));
  EXPECT_GT(cache.index_bytes(), index->bytes());
  EXPECT_LT(cache.index_bytes(), cache.bytes());
  EXPECT_NE(cache.Find(of_index), nullptr);
  EXPECT_NE(cache.Find(of_data), nullptr);
  uint64_t i = 0;
  for (; cache.Peek(of_data) != nullptr; ++i) {
    cache.Insert({.table = 1, .offset = i}, BlockOf(1000));
  }
  EXPECT_NE(cache.Peek(of_index), nullptr);
  for (const uint64_t so_far = i; i < 10 * so_far; ++i) {
    cache.Insert({.table = 1, .offset = i}, BlockOf(1000));
  }
  EXPECT_EQ(cache.Peek(of_index), nullptr);
  EXPECT_EQ(cache.index_bytes(), 0u);
}

TEST(BlockCacheTest, KeepsToItsBytes) {
  BlockCache cache(10000);
  for (uint64_t i = 0; i < 1000; ++i) {
    cache.Insert({.table = 1 + i % 7, .offset = i}, BlockOf(static_cast<size_t>(i) * 3));
    ASSERT_LE(cache.bytes(), 10000u);
  }
  const size_t before = cache.bytes();
  cache.Insert({.table = 9, .offset = 9}, BlockOf(20000));
  EXPECT_EQ(cache.bytes(), before);
  EXPECT_EQ(cache.Find({.table = 9, .offset = 9}), nullptr);
}

TEST(BlockCacheTest, ABlockOutlivesItsPlace) {
  BlockCache cache(2000);
  cache.Insert({.table = 1, .offset = 1}, BlockOf(1000));
  const std::shared_ptr<const Block> held = cache.Find({.table = 1, .offset = 1});
  cache.Insert({.table = 1, .offset = 2}, BlockOf(1000));
  EXPECT_EQ(cache.Find({.table = 1, .offset = 1}), nullptr);
  BlockCursor cursor(held);
  cursor.SeekToFirst();
  EXPECT_EQ(cursor.key(), "key");
}

}  // namespace
}  // namespace norn::storage
