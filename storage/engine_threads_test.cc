// The engine as a node runs it: jobs on threads of their own, on a real disk, while the
// engine's thread goes on. Made for TSan and ASan, which see what the simulator cannot.

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

// A thread for each lane, and a queue of finished jobs.
class Lanes {
 public:
  Lanes() {
    for (size_t lane = 0; lane < kLaneCount; ++lane) {
      threads_.emplace_back([this, lane] { Work(&queues_[lane]); });
    }
  }
  ~Lanes() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Start(std::unique_ptr<Job> job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queues_[static_cast<size_t>(job->lane())].push_back(std::move(job));
      ++out_;
    }
    changed_.notify_all();
  }

  // Takes back what is finished, having waited for something if `wait`, and starts what
  // can start. False if nothing is out then.
  bool Turn(Engine* engine, bool wait) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (wait) finished_some_.wait(lock, [this] { return out_ == 0 || !finished_.empty(); });
    while (!finished_.empty()) {
      std::unique_ptr<Job> job = std::move(finished_.front());
      finished_.pop_front();
      --out_;
      lock.unlock();
      engine->Finish(std::move(job));
      lock.lock();
    }
    lock.unlock();
    for (const Lane lane : {Lane::kLog, Lane::kRead, Lane::kBackground}) {
      while (std::unique_ptr<Job> job = engine->NextJob(lane)) Start(std::move(job));
    }
    lock.lock();
    return out_ > 0;
  }

 private:
  void Work(std::deque<std::unique_ptr<Job>>* queue) {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || !queue->empty(); });
      if (queue->empty()) return;
      std::unique_ptr<Job> job = std::move(queue->front());
      queue->pop_front();
      lock.unlock();
      while (!job->RunStep()) {
      }
      lock.lock();
      finished_.push_back(std::move(job));
      finished_some_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable finished_some_;
  std::deque<std::unique_ptr<Job>> queues_[kLaneCount];
  std::deque<std::unique_ptr<Job>> finished_;
  int out_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

TEST(EngineThreadsTest, JobsRunBesideTheEngine) {
  PosixFileSystem file_system;
  EngineOptions options;
  options.dir = absl::StrCat(std::getenv("TEST_TMPDIR"), "/engine");
  options.owner = "o";
  options.memtable_bytes = 64u << 10;
  options.level1_bytes = 256u << 10;
  options.table_bytes = 64u << 10;
  options.block_cache_bytes = 32u << 10;
  options.wal_preallocate_bytes = 64u << 10;
  std::map<std::string, std::string> expected;
  Random random(3);
  for (int round = 0; round < 3; ++round) {
    ++options.seed;
    RecoveryReport report;
    auto engine = Engine::Open(file_system, options, &report);
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_FALSE(report.suspect);
    Lanes lanes;
    std::map<const PendingRead*, std::pair<std::string, std::shared_ptr<PendingRead>>> reading;
    const auto check = [&](const std::string& key, std::shared_ptr<PendingRead> read) {
      const Lookup lookup = (*engine)->Get(key, &read);
      if (lookup.state == Lookup::State::kNeedsRead) {
        reading[read.get()] = {key, read};
        return;
      }
      const auto found = expected.find(key);
      ASSERT_EQ(lookup.state,
                found == expected.end() ? Lookup::State::kAbsent : Lookup::State::kFound)
          << key << lookup.status;
      if (found != expected.end()) {
        ASSERT_EQ(lookup.value, found->second);
      }
    };
    const auto take_reads = [&] {
      for (const std::shared_ptr<PendingRead>& read : (*engine)->TakeFinishedReads()) {
        const auto waiting = reading.extract(read.get());
        check(waiting.mapped().first, read);
      }
    };
    for (int i = 0; i < 6000; ++i) {
      const std::string key = absl::StrCat("key", random.Below(2000));
      const std::string value = absl::StrCat(i, std::string(random.Below(200), 'v'));
      uint64_t sequence = 0;
      absl::Status status = (*engine)->Put(key, value, &sequence);
      while (absl::IsResourceExhausted(status)) {  // flushes lag
        lanes.Turn(engine->get(), true);
        status = (*engine)->Put(key, value, &sequence);
      }
      ASSERT_TRUE(status.ok()) << status;
      expected[key] = value;
      check(absl::StrCat("key", random.Below(2500)), nullptr);
      if (i % 8 == 0) {
        lanes.Turn(engine->get(), false);
        take_reads();
      }
    }
    while (lanes.Turn(engine->get(), true) || !reading.empty()) take_reads();
    EXPECT_EQ((*engine)->durable_sequence(), (*engine)->last_sequence());
    EXPECT_GT((*engine)->stats().compactions, 0u);
    const auto all = ScanAll(engine->get(), 100);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(*all, expected);
  }
}

}  // namespace
}  // namespace norn::storage
