#include "node/loop_timer.h"

#include <chrono>
#include <vector>

#include "asio/io_context.hpp"
#include "gtest/gtest.h"
#include "node/real_clock.h"

namespace norn::node {
namespace {

class LoopTimerTest : public ::testing::Test {
 protected:
  int64_t NowUs() { return clock_.Read().monotonic_us; }
  void RunFor(int64_t us) { loop_.run_for(std::chrono::microseconds(us)); }

  asio::io_context loop_{1};
  RealClock clock_;
  std::vector<int64_t> fired_us_;
  LoopTimer timer_{loop_, clock_, [this] { fired_us_.push_back(NowUs()); }};
};

TEST_F(LoopTimerTest, FiresOnceAndNotEarly) {
  const int64_t deadline_us = NowUs() + 20'000;
  timer_.Arm(deadline_us);
  RunFor(5'000'000);  // ends as soon as there is nothing to wait for
  ASSERT_EQ(fired_us_.size(), 1u);
  EXPECT_GE(fired_us_[0], deadline_us);
}

TEST_F(LoopTimerTest, AnEarlierDeadlineReplacesALaterOne) {
  const int64_t start_us = NowUs();
  timer_.Arm(start_us + 60'000'000);
  timer_.Arm(start_us + 10'000);
  RunFor(5'000'000);
  ASSERT_EQ(fired_us_.size(), 1u);
  EXPECT_LT(fired_us_[0], start_us + 5'000'000);
}

TEST_F(LoopTimerTest, ALaterDeadlineReplacesAnEarlierOne) {
  const int64_t start_us = NowUs();
  timer_.Arm(start_us + 10'000);
  timer_.Arm(start_us + 60'000);
  RunFor(5'000'000);
  ASSERT_EQ(fired_us_.size(), 1u);
  EXPECT_GE(fired_us_[0], start_us + 60'000);
}

TEST_F(LoopTimerTest, APastDeadlineFiresFromTheLoopAndNeverFromArm) {
  timer_.Arm(NowUs() - 1);
  EXPECT_TRUE(fired_us_.empty());
  RunFor(5'000'000);
  EXPECT_EQ(fired_us_.size(), 1u);
}

TEST_F(LoopTimerTest, NeverMeansNever) {
  timer_.Arm(NowUs() + 10'000);
  timer_.Arm(kNever);
  RunFor(50'000);
  EXPECT_TRUE(fired_us_.empty());
}

}  // namespace
}  // namespace norn::node
