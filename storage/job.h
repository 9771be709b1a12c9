// A job is work that must not run on the event loop: a group commit of the log, a
// flush, a compaction, the read of a block. The engine makes jobs; the world runs
// them (a thread pool in nornd, virtual time in norn-sim) and hands them back.
//
// Life of a job:  Engine::NextJob() -> RunStep() until it returns true -> Engine::Finish().
//
// NextJob and Finish run on the engine's thread; RunStep runs anywhere, one step at a
// time. A job owns what it writes, reads only immutable inputs, and does at most ONE
// file operation a step, so that the simulator can crash a node between any two.
// A job that is never finished (its node died) is simply destroyed.

#ifndef NORN_STORAGE_JOB_H_
#define NORN_STORAGE_JOB_H_

namespace norn::storage {

// A lane runs one job at a time, in order; different lanes run beside each other.
enum class Lane {
  kLog = 0,     // WAL group commits, slots: what replies wait for
  kRead,        // blocks that were not in the cache (several at a time are allowed)
  kBackground,  // flush and compaction
};
inline constexpr int kLaneCount = 3;

class Job {
 public:
  virtual ~Job() = default;

  // Does the next step; true when the job is finished and must not be stepped again.
  // Errors are kept in the job, and judged by Engine::Finish().
  virtual bool RunStep() = 0;

  // For traces and logs, as "flush 000012.sst". No addresses, no clocks.
  virtual const char* Name() const = 0;

  Lane lane() const { return lane_; }

 protected:
  explicit Job(Lane lane) : lane_(lane) {}

 private:
  Lane lane_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_JOB_H_
