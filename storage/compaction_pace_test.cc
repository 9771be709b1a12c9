#include "storage/compaction_pace.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/types.h"
#include "gtest/gtest.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

TEST(CompactionPaceTest, BytesTakeTheirTime) {
  CompactionPace pace(1000);
  EXPECT_EQ(pace.StartAt(0), 0) << "nothing was written yet";
  pace.Wrote(7'000'000, 500);
  EXPECT_EQ(pace.StartAt(0), 7'500'000);
  pace.Wrote(9'000'000, 0);
  EXPECT_EQ(pace.StartAt(0), 9'000'000) << "a slice that only read";
  pace.Wrote(9'000'000, UINT64_MAX);
  EXPECT_EQ(pace.StartAt(0), 69'000'000) << "a minute is the most";
}

TEST(CompactionPaceTest, DebtShortensThePauseUntilThereIsNone) {
  CompactionPace pace(1000);
  pace.Wrote(0, 1000);
  EXPECT_EQ(pace.StartAt(50), 750'000);
  EXPECT_EQ(pace.StartAt(199), 5'000);
  EXPECT_EQ(pace.StartAt(200), 0);
  EXPECT_EQ(pace.StartAt(kWriteDebtMax), 0);
}

TEST(CompactionPaceTest, WithoutALimitThereIsNoPause) {
  CompactionPace pace(0);
  pace.Wrote(5'000'000, 1u << 30);
  EXPECT_EQ(pace.StartAt(0), 0);
}

class EnginePaceTest : public EngineTest {
 protected:
  // Runs what can start now; a compaction's slices, too.
  void RunAt(int64_t now_us) {
    engine_->SetTime(now_us);
    RunJobs(engine_.get());
  }

  // Tables enough at level 0 that a compaction begins, and has more to do than one slice.
  void FillUntilCompacting() {
    for (int i = 0; engine_->NextDue() == kNever && i < 20'000; ++i) {
      MustPut(Key(i % 3000), std::string(100, 'v'));
      if (i % 16 == 0) RunAt(now_us_);
    }
    ASSERT_NE(engine_->NextDue(), kNever);
  }

  int64_t now_us_ = 1'000'000;
};

TEST_F(EnginePaceTest, SlicesWaitForTheirTimeAndNothingElseDoes) {
  options_.compaction_bytes_per_second = 1'000'000;
  ASSERT_TRUE(Open().ok());
  FillUntilCompacting();
  const uint64_t compactions = engine_->stats().compactions;
  // Neither jobs of other lanes nor calls without number bring it forward.
  MustPut("key", "value");
  RunJobs(engine_.get(), /*patience=*/100);
  EXPECT_EQ(Value("key"), "value");
  const int64_t due_us = engine_->NextDue();
  EXPECT_GT(due_us, now_us_);
  RunAt(due_us - 1);
  EXPECT_EQ(engine_->NextDue(), due_us);
  EXPECT_EQ(engine_->stats().compactions, compactions);
  // From pause to pause it comes to its end, in the time that its bytes take.
  const uint64_t written = engine_->stats().table_bytes_written;
  const int64_t began_us = now_us_;
  while (engine_->NextDue() != kNever) {
    const int64_t next_us = engine_->NextDue();
    ASSERT_GT(next_us, now_us_);
    now_us_ = next_us;
    RunAt(now_us_);
  }
  EXPECT_GT(engine_->stats().compactions, compactions);
  const auto bytes = static_cast<int64_t>(engine_->stats().table_bytes_written - written);
  ASSERT_GT(bytes, 50'000);
  // The last slice is followed by no pause.
  EXPECT_NEAR(static_cast<double>(now_us_ - began_us), static_cast<double>(bytes), 50'000);
}

// Whoever sleeps until then would wake up again and again, and find the lane taken.
TEST_F(EnginePaceTest, NothingIsDueWhileTheLaneIsTaken) {
  options_.compaction_bytes_per_second = 1'000'000;
  ASSERT_TRUE(Open().ok());
  FillUntilCompacting();
  const int64_t due_us = engine_->NextDue();
  engine_->GrantScrub(1);
  std::unique_ptr<Job> scrub = engine_->NextJob(Lane::kBackground);
  ASSERT_NE(scrub, nullptr);
  EXPECT_EQ(engine_->NextDue(), kNever);
  engine_->SetTime(due_us + 1);
  EXPECT_EQ(engine_->NextJob(Lane::kBackground), nullptr);
  EXPECT_EQ(engine_->NextDue(), kNever);
  while (!scrub->RunStep()) {
  }
  engine_->Finish(std::move(scrub));
  std::unique_ptr<Job> slice = engine_->NextJob(Lane::kBackground);
  ASSERT_NE(slice, nullptr) << "its time has come";
  while (!slice->RunStep()) {
  }
  engine_->Finish(std::move(slice));
}

TEST_F(EnginePaceTest, WithoutALimitNothingIsDueLater) {
  ASSERT_TRUE(Open().ok());
  for (int round = 0; round < 5; ++round) Fill(0, 3000, "value");
  EXPECT_GT(engine_->stats().compactions, 0u);
  EXPECT_EQ(engine_->NextDue(), kNever);
}

// A writer that is too fast for the rate: it is the rate that gives way.
TEST_F(EnginePaceTest, PutsAreNeverRefusedForTheSakeOfTheRate) {
  options_.compaction_bytes_per_second = 1;
  options_.level0_tables_to_compact = 2;
  options_.level0_percent = 1;
  options_.level0_tables_max = 4;
  ASSERT_TRUE(Open().ok());
  for (int i = 0; i < 20'000; ++i) {
    MustPut(Key(i * 7919 % 3000), std::string(100, 'v'));
    if (i % 16 == 0) RunAt(now_us_);
    ASSERT_LE(engine_->stats().tables_per_level[0], 5) << "one above its limit";
  }
  EXPECT_GT(engine_->stats().compactions, 5u);
}

}  // namespace
}  // namespace norn::storage
