// What each SyncMode promises, under crashes at any file operation: the recovered state is a
// prefix of what was written, and holds what the mode says it holds.

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

using sim::CrashLoss;

class EngineSyncTest : public EngineTest,
                       public testing::WithParamInterface<std::tuple<SyncMode, CrashLoss>> {
 protected:
  SyncMode mode() const { return std::get<0>(GetParam()); }
  CrashLoss loss() const { return std::get<1>(GetParam()); }

  // A disk of its own; puts Key(i % 50) -> i until the disk crashes at its n-th operation.
  void RunUntilCrash(uint64_t n) {
    engine_.reset();
    file_system_.reset();
    disk_.Wipe();
    disk_.Restart();
    disk_.Reseed(n);
    options_.sync_mode = mode();
    options_.memtable_bytes = 2000;
    ASSERT_TRUE(Open().ok());
    Random random(n);
    disk_.CrashAtOperation(n, loss());
    written_ = answered_ = synced_ = 0;
    for (int i = 1; i <= 400 && !disk_.crashed(); ++i) {
      uint64_t sequence = 0;
      if (!engine_->Put(Key(i % 50), absl::StrCat(i), &sequence).ok()) break;
      written_ = i;
      const bool request = random.Chance(1, 8);
      if (request) engine_->RequestSync();
      if (!request && random.Chance(1, 3)) continue;
      RunJobs(engine_.get());
      if (disk_.crashed() || engine_->durable_sequence() < sequence) continue;
      answered_ = i;
      if (mode() == SyncMode::kAlways || (mode() == SyncMode::kInterval && request)) synced_ = i;
    }
    crashed_ = disk_.crashed();
    engine_.reset();
    file_system_.reset();
    if (crashed_) disk_.Restart();
  }

  // How many puts the recovered state stands for; nothing if it is no prefix.
  std::optional<int> Recovered() {
    for (int last = written_; last >= 0; --last) {
      bool equal = true;
      for (int k = 0; k < 50 && equal; ++k) {
        int newest = 0;
        for (int i = last; i > 0 && newest == 0; --i) newest = i % 50 == k ? i : 0;
        equal = Value(Key(k)) == (newest == 0 ? "(absent)" : absl::StrCat(newest));
      }
      if (equal) return last;
    }
    return std::nullopt;
  }

  bool crashed_ = false;
  int written_ = 0;   // puts that the engine took
  int answered_ = 0;  // ... that its owner could answer
  int synced_ = 0;    // ... that no power cut takes back
};

TEST_P(EngineSyncTest, RecoversAPrefixThatHoldsWhatItPromised) {
  int crashes = 0;
  for (uint64_t n = 1; n <= 300; ++n) {
    RunUntilCrash(n);
    if (testing::Test::HasFatalFailure()) return;
    if (crashed_) ++crashes;
    SCOPED_TRACE(absl::StrCat("crash at operation ", n, ": ", disk_.crash_site()));
    ASSERT_TRUE(Open().ok());
    const std::optional<int> recovered = Recovered();
    ASSERT_TRUE(recovered.has_value()) << "no prefix of what was written";
    EXPECT_GE(*recovered, synced_);
    // What the kernel has outlives the process.
    if (loss() == CrashLoss::kProcessOnly) {
      EXPECT_GE(*recovered, answered_);
    }
    EXPECT_FALSE(report_.suspect) << absl::StrCat(report_.notes.size(), report_.notes.front());
    // Whoever may have answered what is gone must know.
    if (mode() != SyncMode::kAlways || *recovered < answered_) {
      EXPECT_TRUE(report_.possibly_lost_from.has_value());
    }
  }
  EXPECT_GT(crashes, 50);
}

INSTANTIATE_TEST_SUITE_P(
    Modes, EngineSyncTest,
    testing::Combine(testing::Values(SyncMode::kAlways, SyncMode::kInterval, SyncMode::kNone),
                     testing::Values(CrashLoss::kAllUnsynced, CrashLoss::kRandomSubset,
                                     CrashLoss::kProcessOnly)));

class LazyEngineTest : public EngineTest {};

TEST_F(LazyEngineTest, SyncsOnRequestAndNotOtherwise) {
  options_.sync_mode = SyncMode::kInterval;
  ASSERT_TRUE(Open().ok());
  const uint64_t before = engine_->stats().wal_syncs;
  for (int i = 0; i < 20; ++i) {
    const uint64_t sequence = MustPut(Key(i), "v");
    RunJobs(engine_.get());
    EXPECT_EQ(engine_->durable_sequence(), sequence);
  }
  EXPECT_EQ(engine_->stats().wal_syncs, before);
  engine_->RequestSync();
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->stats().wal_syncs, before + 1);
  engine_->RequestSync();  // nothing new: nothing to do
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->stats().wal_syncs, before + 1);
  Crash(CrashLoss::kAllUnsynced);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Value(Key(19)), "v");
}

// Groups that were answered unsynced are not cut off when the disk fills up behind them.
TEST_F(LazyEngineTest, AFullDiskKeepsWhatWasAnswered) {
  options_.sync_mode = SyncMode::kNone;
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 20; ++i) {
    MustPut(Key(i), "v");
    RunJobs(engine_.get());
  }
  disk_.set_capacity_bytes(disk_.used_bytes());
  MustPut(Key(99), std::string(5'000, 'x'));
  RunJobs(engine_.get());
  disk_.set_capacity_bytes(100u << 20);
  RunJobs(engine_.get(), 1000);
  EXPECT_EQ(engine_->durable_sequence(), engine_->last_sequence());
  Crash(CrashLoss::kProcessOnly);
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Value(Key(i)), "v") << i;
  EXPECT_EQ(Value(Key(99)).size(), 5'000u);
  EXPECT_FALSE(report_.suspect);
}

}  // namespace
}  // namespace norn::storage
