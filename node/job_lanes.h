// The threads that run the storage engine's jobs: one for the log (what replies wait for), one
// for flush and compaction, and two for reads of blocks.
//
// Invariants:
//   * a job that was started is finished exactly once: it comes out of TakeFinished(), in the
//     order of its lane's ends, or is destroyed by the destructor without having been run;
//   * `wake` is called after a job was put among the finished, unless an earlier call has not
//     been answered by TakeFinished() yet: many completions cost one wake-up of the loop.
//
// A thread that runs out of work watches for more for a few microseconds before it sleeps: the
// log's next group commit is usually ready as soon as the loop has taken the last one, and
// waking a sleeping thread costs as much as a fast disk's sync.
//
// Reads come here only if the page cache lacks them (RandomAccessFile::TryRead). For those one
// io_uring would serve 1.2 to 1.8 times as many at a time of one, 2.3 times as many at 32, for a
// third to a sixth of the processor time (//benchmarks/engines:io_paths): the hand-over between
// threads is what costs. The threads are what works on every kernel and in every container.
//
// Threads: all methods are called on the loop's thread. `wake` is called on a lane's thread and
// must neither block nor call back.

#ifndef NORN_NODE_JOB_LANES_H_
#define NORN_NODE_JOB_LANES_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/job.h"

namespace norn::node {

class JobLanes {
 public:
  explicit JobLanes(std::function<void()> wake);
  // Lets each thread finish the job it is at, drops those that wait, and joins.
  ~JobLanes();
  JobLanes(const JobLanes&) = delete;
  JobLanes& operator=(const JobLanes&) = delete;

  // Queues `job` on its lane. O(1).
  void Start(std::unique_ptr<storage::Job> job);

  // The jobs that have finished since the last call, appended to `*jobs` (which is cleared).
  void TakeFinished(std::vector<std::unique_ptr<storage::Job>>* jobs);

  // Jobs that were started and have not been taken back.
  size_t outstanding() const { return outstanding_; }

 private:
  // What the threads of one lane share.
  struct Lane {
    std::mutex mutex;
    std::condition_variable ready;
    std::deque<std::unique_ptr<storage::Job>> waiting;  // under mutex
    int sleeping = 0;                                   // under mutex
    bool stop = false;                                  // under mutex
    std::atomic<size_t> queued{0};  // waiting.size(), to be watched without the mutex
  };

  void RunLane(Lane* lane);
  std::unique_ptr<storage::Job> Next(Lane* lane);
  void Publish(std::unique_ptr<storage::Job> job);

  const std::function<void()> wake_;
  std::array<Lane, storage::kLaneCount> lanes_;
  size_t outstanding_ = 0;  // loop's thread only

  std::mutex finished_mutex_;
  std::vector<std::unique_ptr<storage::Job>> finished_;  // under finished_mutex_
  bool woken_ = false;                                   // under finished_mutex_

  std::vector<std::thread> threads_;
};

}  // namespace norn::node

#endif  // NORN_NODE_JOB_LANES_H_
