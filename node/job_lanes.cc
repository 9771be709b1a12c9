#include "node/job_lanes.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace norn::node {

namespace {

// How often a thread without work looks for some before it sleeps: about 5 microseconds.
constexpr int kSpins = 100;

constexpr int kReadThreads = 2;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

const char* LaneName(storage::Lane lane) {
  switch (lane) {
    case storage::Lane::kLog:
      return "norn-log";
    case storage::Lane::kRead:
      return "norn-read";
    case storage::Lane::kBackground:
      return "norn-background";
  }
  return "norn-lane";
}

// Signals are the loop's: a lane must not be the thread that the kernel picks for one.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

JobLanes::JobLanes(std::function<void()> wake) : wake_(std::move(wake)) {
  const SignalsBlocked blocked;  // threads inherit the mask they are started under
  for (int i = 0; i < storage::kLaneCount; ++i) {
    const storage::Lane which = static_cast<storage::Lane>(i);
    const int count = which == storage::Lane::kRead ? kReadThreads : 1;
    for (int j = 0; j < count; ++j) {
      threads_.emplace_back([this, i] { RunLane(&lanes_[static_cast<size_t>(i)]); });
      // For top and perf; at most 15 characters are kept, and failure harms nothing.
      (void)pthread_setname_np(threads_.back().native_handle(), LaneName(which));
    }
  }
}

JobLanes::~JobLanes() {
  for (Lane& lane : lanes_) {
    const std::lock_guard<std::mutex> lock(lane.mutex);
    lane.stop = true;
    lane.waiting.clear();
    lane.ready.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void JobLanes::Start(std::unique_ptr<storage::Job> job) {
  Lane& lane = lanes_[static_cast<size_t>(job->lane())];
  ++outstanding_;
  bool wake_one = false;
  {
    const std::lock_guard<std::mutex> lock(lane.mutex);
    lane.waiting.push_back(std::move(job));
    lane.queued.store(lane.waiting.size(), std::memory_order_release);
    wake_one = lane.sleeping > 0;
  }
  // Outside the mutex, or the thread would wake only to wait for it. A thread that is about to
  // sleep has either seen the job, or is counted as sleeping.
  if (wake_one) lane.ready.notify_one();
}

void JobLanes::TakeFinished(std::vector<std::unique_ptr<storage::Job>>* jobs) {
  jobs->clear();
  {
    const std::lock_guard<std::mutex> lock(finished_mutex_);
    jobs->swap(finished_);
    woken_ = false;
  }
  outstanding_ -= jobs->size();
}

std::unique_ptr<storage::Job> JobLanes::Next(Lane* lane) {
  for (int i = 0; i < kSpins && lane->queued.load(std::memory_order_acquire) == 0; ++i) Pause();
  std::unique_lock<std::mutex> lock(lane->mutex);
  while (lane->waiting.empty() && !lane->stop) {
    ++lane->sleeping;
    lane->ready.wait(lock);
    --lane->sleeping;
  }
  if (lane->stop) return nullptr;
  std::unique_ptr<storage::Job> job = std::move(lane->waiting.front());
  lane->waiting.pop_front();
  lane->queued.store(lane->waiting.size(), std::memory_order_release);
  return job;
}

void JobLanes::RunLane(Lane* lane) {
  while (std::unique_ptr<storage::Job> job = Next(lane)) {
    while (!job->RunStep()) {
    }
    Publish(std::move(job));
  }
}

void JobLanes::Publish(std::unique_ptr<storage::Job> job) {
  bool wake = false;
  {
    const std::lock_guard<std::mutex> lock(finished_mutex_);
    finished_.push_back(std::move(job));
    wake = !woken_;
    woken_ = true;
  }
  if (wake) wake_();
}

}  // namespace norn::node
