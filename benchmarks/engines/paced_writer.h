// Puts at a fixed rate: what is due is put, late or not, and a put's latency counts from when it
// was due, so that a stall is charged to all puts that it delays.

#ifndef NORN_BENCHMARKS_ENGINES_PACED_WRITER_H_
#define NORN_BENCHMARKS_ENGINES_PACED_WRITER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/dataset.h"
#include "benchmarks/engines/histogram.h"

namespace norn::benchmarks {

class PacedWriter {
 public:
  PacedWriter(EngineAdapter* engine, const Dataset& data, double puts_per_second);
  ~PacedWriter() { StopThread(); }

  // Overwrites the next `count` entries as fast as it goes.
  void PutAtOnce(uint64_t count);

  // Puts what is due by `now_ns` of a schedule that began at `started_ns`.
  void PutWhatIsDue(int64_t started_ns, int64_t now_ns, Histogram* latency = nullptr);

  // Follows a schedule that begins now, watching the clock, for `seconds` or as long as `go_on`.
  void RunFor(double seconds, absl::FunctionRef<bool()> go_on, Histogram* latency);

  // Follows the schedule on a thread of its own.
  void StartThread(int64_t started_ns);
  void StopThread();

 private:
  void PutNext();

  EngineAdapter* const engine_;
  const Dataset& data_;
  const double interval_ns_;
  uint64_t paced_ = 0;
  uint64_t next_ = 0;
  std::string key_;
  std::string value_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_PACED_WRITER_H_
