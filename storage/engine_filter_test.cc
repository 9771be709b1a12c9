// Compaction filters: what they are asked, and what readers see of their decisions.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/compaction_filter.h"
#include "storage/record_storage.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

// Values are "expires N ..."; those of N below the horizon go, those of twice that shrink.
class Expiry : public CompactionFilter {
 public:
  explicit Expiry(int horizon) : horizon_(horizon) {}

  static std::string Value(int expires) { return absl::StrCat("expires ", expires, " padding"); }
  static std::string Shrunk(int expires) { return absl::StrCat("expires ", expires); }

  Decision Decide(absl::string_view /*key*/, absl::string_view value,
                  std::string* replacement) const override {
    const int expires = std::stoi(std::string(value.substr(8)));
    if (expires < horizon_) return Decision::kDrop;
    if (expires >= 2 * horizon_ || !absl::EndsWith(value, " padding")) return Decision::kKeep;
    *replacement = Shrunk(expires);
    return Decision::kReplace;
  }

 private:
  const int horizon_;
};

class EngineFilterTest : public EngineTest {
 protected:
  // Everything meets at the last level.
  void CompactAll() {
    options_.level0_tables_to_compact = 1;
    options_.level1_bytes = 1;
    options_.level_growth = 1;
    ASSERT_TRUE(Open().ok());
    RunJobs(engine_.get());
  }
};

TEST_F(EngineFilterTest, DropsReplacesAndKeeps) {
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 600; ++i) {
    MustPut(Key(i), Expiry::Value(i));
    if (i % 16 == 0) RunJobs(engine_.get());
  }
  RunJobs(engine_.get());
  CompactAll();
  EXPECT_EQ(ScanAll(engine_.get(), 100)->size(), 600u);
  engine_->SetCompactionFilter(std::make_shared<Expiry>(200));
  for (int i = 0; i < 600; i += 7) MustPut(Key(i), Expiry::Value(i));
  RunJobs(engine_.get());
  options_.compaction_filter = std::make_shared<Expiry>(200);
  CompactAll();
  for (int i = 0; i < 600; ++i) {
    const std::string expected = i < 200   ? "(absent)"
                                 : i < 400 ? Expiry::Shrunk(i)
                                           : Expiry::Value(i);
    ASSERT_EQ(Value(Key(i)), expected);
  }
  EXPECT_GE(engine_->stats().filtered_entries, 300u);
}

// An old value must not come back from below when the one that hid it is dropped.
TEST_F(EngineFilterTest, IsNotAskedWhileSomethingOlderIsBelow) {
  ASSERT_TRUE(Open().ok());
  Random random(5);
  std::map<std::string, int> newest;
  options_.level0_tables_to_compact = 1;
  options_.level0_percent = 1;
  options_.level1_bytes = 4000;
  options_.level_growth = 3;
  options_.compaction_filter = std::make_shared<Expiry>(300);
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 8000; ++i) {
    const std::string key = Key(static_cast<int>(random.Below(400)));
    newest[key] = static_cast<int>(random.Below(900));
    MustPut(key, Expiry::Value(newest[key]));
    if (random.Chance(1, 20)) RunJobs(engine_.get());
  }
  RunJobs(engine_.get());
  EXPECT_GT(engine_->stats().filtered_entries, 100u);
  ASSERT_TRUE(Open().ok());
  RunJobs(engine_.get());
  for (const auto& [key, expires] : newest) {
    const std::string value = Value(key);
    const bool as_it_was = value == Expiry::Value(expires);
    if (expires < 300) {
      ASSERT_TRUE(as_it_was || value == "(absent)") << key << " " << value;
    } else {
      ASSERT_TRUE(as_it_was || (expires < 600 && value == Expiry::Shrunk(expires))) << value;
    }
  }
}

TEST_F(EngineFilterTest, LetsNothingOlderShineThrough) {
  ASSERT_TRUE(Open().ok());
  const auto fill = [this](int expires) {
    for (int i = 0; i < 300; ++i) {
      MustPut(Key(i * 7 % 300), Expiry::Value(expires));
      if (i % 16 == 0) RunJobs(engine_.get());
    }
    RunJobs(engine_.get());
  };
  fill(900);
  CompactAll();
  ASSERT_GT(engine_->stats().tables_per_level.back(), 0);
  options_.level1_bytes = 64u << 20;
  options_.level0_percent = 1;
  options_.compaction_filter = std::make_shared<Expiry>(200);
  ASSERT_TRUE(Open().ok());
  for (int round = 0; round < 4; ++round) fill(10);
  ASSERT_TRUE(Open().ok());  // the newest ones go to a table, and are merged, too
  RunJobs(engine_.get());
  ASSERT_GT(engine_->stats().compactions, 0u);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(Value(Key(i)), Expiry::Value(10)) << i;
}

// From the old answer to the new one, and not back: whoever asks, through the record cache, past
// it, or by a scan, at any moment of a compaction that is taken over piece by piece.
TEST_F(EngineFilterTest, ReadersNeverSeeTheOldEntryBehindTheNewOne) {
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 1200; ++i) {
    MustPut(MakeEngineKey(1, Key(i)), Expiry::Value(i % 300));
    if (i % 16 == 0) RunJobs(engine_.get());
  }
  RunJobs(engine_.get());
  options_.level0_tables_to_compact = 1;
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 1200; i += 5) MustPut(MakeEngineKey(1, Key(i)), Expiry::Value(i % 300));
  RecordStorage storage(*engine_, RecordHasher("cluster", "secret"), 1 << 20);
  const auto read = [&](int i) {
    storage.Submit(StoreRead{.ticket = 1, .partition = 1, .key = Key(i)});
    StoreReply reply;
    while (!storage.PopReply(&reply)) {
      RunJob(engine_.get(), Lane::kRead);
      RunJob(engine_.get(), Lane::kLog);
      storage.Pump(/*now_us=*/0);
    }
    EXPECT_TRUE(reply.status.ok()) << reply.status;
    return reply.record;
  };
  RunJobs(engine_.get());
  std::map<int, std::string> seen;
  int changes = 0;
  const auto look = [&](int i, const std::string& record) {
    const int expires = i % 300;
    const std::string old = Expiry::Value(expires);
    const std::string decided = expires < 200 ? "" : Expiry::Shrunk(expires);
    const auto [last, first_look] = seen.emplace(i, record);
    ASSERT_TRUE(record == old || record == decided) << i << " " << record;
    if (last->second == record) return;
    ASSERT_EQ(record, decided) << i << ": the old entry behind the new one";
    last->second = record;
    ++changes;
  };
  for (int i = 0; i < 1200; ++i) look(i, read(i));
  engine_->SetCompactionFilter(std::make_shared<Expiry>(200));
  for (int round = 0; round < 40; ++round) {
    // Tables that reach over all keys, and so are merged with all tables.
    for (const char* key : {"a", "z"}) {
      MustPut(MakeEngineKey(1, key), absl::StrCat("expires 9999 ", std::string(2000, 'x')));
    }
    for (int step = 0; step < 6; ++step) {
      RunJob(engine_.get(), Lane::kBackground);
      RunJob(engine_.get(), Lane::kLog);
      storage.Pump(/*now_us=*/0);
      for (int i = step; i < 1200; i += 31) {
        look(i, GetNow(engine_.get(), MakeEngineKey(1, Key(i)))->value_or(""));
        look(i, read(i));
      }
    }
  }
  EXPECT_GT(engine_->stats().filtered_entries, 500u);
  EXPECT_GT(changes, 100);
}

}  // namespace
}  // namespace norn::storage
