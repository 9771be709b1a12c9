#include "node/job_lanes.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace norn::node {
namespace {

using storage::Job;
using storage::Lane;

class StepsJob : public Job {
 public:
  StepsJob(Lane lane, int number, int steps, std::atomic<int>* running = nullptr)
      : Job(lane), number_(number), steps_(steps), running_(running) {}

  bool RunStep() override {
    if (running_ != nullptr && ran_ == 0) at_once_ = ++*running_;
    ++ran_;
    if (ran_ < steps_) return false;
    if (running_ != nullptr) --*running_;
    return true;
  }
  const char* Name() const override { return "steps"; }

  int number() const { return number_; }
  int ran() const { return ran_; }
  int steps() const { return steps_; }
  int at_once() const { return at_once_; }

 private:
  const int number_;
  const int steps_;
  std::atomic<int>* const running_;
  int ran_ = 0;
  int at_once_ = 0;
};

// Blocks in its step until told to go on.
class GatedJob : public Job {
 public:
  GatedJob(Lane lane, std::atomic<bool>* entered, std::atomic<bool>* go)
      : Job(lane), entered_(entered), go_(go) {}
  bool RunStep() override {
    entered_->store(true);
    while (!go_->load()) std::this_thread::yield();
    return true;
  }
  const char* Name() const override { return "gated"; }

 private:
  std::atomic<bool>* const entered_;
  std::atomic<bool>* const go_;
};

// Stands for the loop: sleeps until woken, and counts how often that was.
class Bell {
 public:
  void Ring() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++rings_;
    rung_.notify_one();
  }
  void Await() {
    std::unique_lock<std::mutex> lock(mutex_);
    rung_.wait(lock, [this] { return rings_ > heard_; });
    heard_ = rings_;
  }
  int rings() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  int rings_ = 0;
  int heard_ = 0;
};

TEST(JobLanesTest, EveryJobRunsAllItsStepsAndComesBackOnceInOrderOfItsLane) {
  Bell bell;
  JobLanes lanes([&bell] { bell.Ring(); });
  std::atomic<int> running{0};
  constexpr int kJobs = 500;
  for (int i = 0; i < kJobs; ++i) {
    lanes.Start(std::make_unique<StepsJob>(Lane::kLog, i, 1 + i % 3, &running));
    lanes.Start(std::make_unique<StepsJob>(Lane::kBackground, i, 2));
    lanes.Start(std::make_unique<StepsJob>(Lane::kRead, i, 1));
  }
  EXPECT_EQ(lanes.outstanding(), 3u * kJobs);
  std::vector<int> next(storage::kLaneCount, 0);
  std::set<int> reads;
  std::vector<std::unique_ptr<Job>> finished;
  while (lanes.outstanding() > 0) {
    bell.Await();
    lanes.TakeFinished(&finished);
    for (const std::unique_ptr<Job>& job : finished) {
      const StepsJob& steps = static_cast<const StepsJob&>(*job);
      EXPECT_EQ(steps.ran(), steps.steps());
      if (job->lane() == Lane::kRead) {
        EXPECT_TRUE(reads.insert(steps.number()).second);
        continue;
      }
      EXPECT_EQ(steps.number(), next[static_cast<size_t>(job->lane())]++);
      if (job->lane() == Lane::kLog) {
        EXPECT_EQ(steps.at_once(), 1);
      }
    }
  }
  EXPECT_EQ(reads.size(), static_cast<size_t>(kJobs));
}

TEST(JobLanesTest, ASlowBackgroundJobDoesNotDelayTheLog) {
  Bell bell;
  JobLanes lanes([&bell] { bell.Ring(); });
  std::atomic<bool> entered{false};
  std::atomic<bool> go{false};
  lanes.Start(std::make_unique<GatedJob>(Lane::kBackground, &entered, &go));
  while (!entered.load()) std::this_thread::yield();
  lanes.Start(std::make_unique<StepsJob>(Lane::kLog, 7, 1));
  bell.Await();
  std::vector<std::unique_ptr<Job>> finished;
  lanes.TakeFinished(&finished);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0]->lane(), Lane::kLog);
  go.store(true);
  bell.Await();
}

TEST(JobLanesTest, ManyCompletionsCostOneWakeUp) {
  Bell bell;
  JobLanes lanes([&bell] { bell.Ring(); });
  std::atomic<bool> entered{false};
  std::atomic<bool> go{false};
  constexpr int kJobs = 100;
  for (int i = 0; i < kJobs; ++i) lanes.Start(std::make_unique<StepsJob>(Lane::kLog, i, 1));
  // A lane works in order: once this one is entered, the hundred before it are finished.
  lanes.Start(std::make_unique<GatedJob>(Lane::kLog, &entered, &go));
  while (!entered.load()) std::this_thread::yield();
  EXPECT_EQ(bell.rings(), 1);
  std::vector<std::unique_ptr<Job>> finished;
  lanes.TakeFinished(&finished);
  EXPECT_EQ(finished.size(), static_cast<size_t>(kJobs));
  go.store(true);
  bell.Await();
  bell.Await();
  EXPECT_EQ(bell.rings(), 2);
}

TEST(JobLanesTest, StopsWithAJobAtWorkAndJobsWaiting) {
  std::atomic<bool> entered{false};
  std::atomic<bool> go{false};
  std::thread opener;
  {
    JobLanes lanes([] {});
    lanes.Start(std::make_unique<GatedJob>(Lane::kLog, &entered, &go));
    for (int i = 0; i < 10; ++i) lanes.Start(std::make_unique<StepsJob>(Lane::kLog, i, 1));
    while (!entered.load()) std::this_thread::yield();
    opener = std::thread([&go] { go.store(true); });
  }
  opener.join();
}

}  // namespace
}  // namespace norn::node
