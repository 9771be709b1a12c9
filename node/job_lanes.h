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
// Reads come here only if the page cache lacks them (RandomAccessFile::TryRead). On Linux that
// first try has the device begin, so that any number of reads are under way, and the two threads
// only wait for them. (Two at a time it is on file systems that do not know RWF_NOWAIT.) Hence no
// io_uring: at 32 at a time one reads twice as much as two threads that just read, but no more than
// two threads after a first try (0.86 to 0.98 of it; 0.9 to 1.6 times at 1 and at 4 at a time:
// //benchmarks/engines:io_paths). In a node whose loop submits to the ring and takes from it, that
// is, of GETs of 2,000 bytes that the page cache lacks (2 cores, shared with redis-benchmark, which
// has so many connections; microseconds of processor time a GET):
//
//   at once   GET/s, ring : threads   all threads: threads, ring   the loop alone: threads, ring
//        1      1.00 to 1.07                48         41                  35         41
//        8      0.97 to 1.07                26         23                  21         23
//       32      0.95 to 1.00                20         19                  17         19
//
// A ring saves hand-overs between threads, and puts what the threads did on the loop, which is what
// a busy node is short of: with other processes on the cores, 32 at once
// are 0.54 to 0.76 times as many.
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
