#include "storage/engine_iterator.h"

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

class EngineIteratorTest : public EngineTest {
 protected:
  std::map<std::string, std::string> Walk(Iterator* at, const std::string& from) {
    std::map<std::string, std::string> entries;
    for (at->Seek(from); at->state() == Iterator::State::kEntry; at->Next()) {
      const auto [entry, is_new] = entries.emplace(at->key(), at->value());
      EXPECT_TRUE(is_new) << entry->first;
    }
    EXPECT_EQ(at->state(), Iterator::State::kEnd);
    return entries;
  }
};

// Whatever happens to the engine afterwards.
TEST_F(EngineIteratorTest, ShowsTheMomentOfItsMaking) {
  ASSERT_TRUE(Open().ok());
  Random random(1);
  std::map<std::string, std::string> model;
  std::map<std::string, std::string> then;
  std::unique_ptr<Iterator> at;
  for (int i = 0; i < 6000; ++i) {
    if (i % 500 == 250) {
      then = model;
      at = engine_->NewIterator();
    }
    const std::string key = Key(static_cast<int>(random.Below(800)));
    model[key] = absl::StrCat("value", i);
    MustPut(key, model[key]);
    if (random.Chance(1, 20)) RunJobs(engine_.get());
    if (i % 500 == 490) {
      EXPECT_EQ(Walk(at.get(), ""), then) << i;
      const std::string from = Key(static_cast<int>(random.Below(800)));
      EXPECT_EQ(Walk(at.get(), from),
                (std::map<std::string, std::string>(then.lower_bound(from), then.end())));
    }
  }
  EXPECT_GT(engine_->stats().compactions, 0u);
}

// Files that a compaction replaced go when the last iterator that reads them goes.
TEST_F(EngineIteratorTest, HoldsItsFilesAndLetsThemGo) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 400, "old");
  const std::unique_ptr<Iterator> at = engine_->NewIterator();
  at->Seek("");
  for (int round = 0; round < 8; ++round) Fill(0, 400, "new");
  const size_t held = FilesEndingIn(".sst").size();
  EXPECT_GT(held, engine_->stats().tables);
  EXPECT_EQ(at->value(), "old0");
  EXPECT_EQ(Walk(at.get(), "").size(), 400u);
}

// A walk reads few large stretches, a seek one block a table.
TEST_F(EngineIteratorTest, ReadsAheadWhereItWalks) {
  options_.table_bytes = 1u << 20;
  options_.level0_tables_to_compact = 1;
  options_.level1_bytes = 64u << 20;
  options_.block_cache_bytes = 0;
  ASSERT_TRUE(Open().ok());
  Fill(0, 3000, std::string(200, 'v'));
  ASSERT_TRUE(Open().ok());
  RunJobs(engine_.get());
  const EngineStats stats = engine_->stats();
  const uint64_t blocks = stats.table_bytes / options_.block_bytes;
  ASSERT_GT(blocks, 500u);
  const auto reads = [this] { return disk_.operations(sim::FileOperation::kRead); };
  uint64_t before = reads();
  const std::unique_ptr<Iterator> at = engine_->NewIterator();
  EXPECT_EQ(Walk(at.get(), "").size(), 3000u);
  EXPECT_LT(reads() - before, stats.tables * 8 + blocks / 16);
  before = reads();
  for (int i = 0; i < 100; ++i) {
    at->Seek(Key(i * 29));
    ASSERT_EQ(at->key(), Key(i * 29));
  }
  EXPECT_LE(reads() - before, 100 * static_cast<uint64_t>(stats.tables_per_level[0] + 1));
}

TEST_F(EngineIteratorTest, AnErrorStandsInItsPlaceAndCanBePassed) {
  ASSERT_TRUE(Open().ok());
  Fill(0, 400, "v");
  Crash(sim::CrashLoss::kNothing);
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(disk_.FlipBit(FilesEndingIn(".sst").front(), 100, 1).ok());
  const std::unique_ptr<Iterator> at = engine_->NewIterator();
  int entries = 0;
  int errors = 0;
  at->Seek("");
  while (at->state() != Iterator::State::kEnd) {
    if (at->state() == Iterator::State::kError) {
      ++errors;
      EXPECT_TRUE(absl::IsDataLoss(at->status())) << at->status();
      const std::string behind = absl::StrCat(at->error_until(), std::string(1, '\0'));
      EXPECT_LT(at->error_from(), behind);
      at->Seek(behind);
      continue;
    }
    ++entries;
    at->Next();
  }
  EXPECT_EQ(errors, 1);
  EXPECT_GT(entries, 250);
  EXPECT_LT(entries, 400);
}

}  // namespace
}  // namespace norn::storage
