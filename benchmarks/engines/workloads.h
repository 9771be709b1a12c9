// The workloads: what is done to an engine, and what is measured meanwhile.

#ifndef NORN_BENCHMARKS_ENGINES_WORKLOADS_H_
#define NORN_BENCHMARKS_ENGINES_WORKLOADS_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/dataset.h"

namespace norn::benchmarks {

enum class Workload {
  kFillSeq,
  kFillRandom,
  kWarm,  // fills the caches; not reported
  kReadRandom,
  kReadMissing,
  kReadHot,
  kSeek10,
  kReadSeq,
  kOverwrite,
  kReadWhileWriting,
  kPutIdle,
  kPutBesideCompaction,
  kSyncBesideCompaction,
  kFillSync1,
  kFillSync8,
  kFillSync32,
  kBareSync,  // no engine: appends to a file
};

const char* WorkloadName(Workload workload);

// A workload that changes nothing it depends on is cut into slices: the engines take turns
// slice by slice, and the median counts, so that a disturbance hits few slices of each.
struct Slice {
  Workload workload = Workload::kFillSeq;
  int index = 0;
  int count = 1;
};

// Into how many slices a workload is cut.
int SlicesOf(Workload workload);

// How much is done.
struct Effort {
  uint64_t reads = 0;          // of readrandom, readmissing, readhot; a quarter of them seeks
  double seconds = 0;          // of what is measured by time, all slices together
  double puts_per_second = 0;  // of writers that do not run as fast as they can
};

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// Crosses a pipe as bytes.
struct Measurement {
  double ops_per_second = kNotMeasured;
  double p50_us = kNotMeasured;
  double p99_us = kNotMeasured;
  double p999_us = kNotMeasured;
  double cpu_us_per_op = kNotMeasured;
  double write_amplification = kNotMeasured;
  double space_amplification = kNotMeasured;
  double peak_memory_mib = kNotMeasured;
  double process_cpu_seconds = 0;  // all of it, to be told from what other programs used
};

// Prepares what all engines draw from, before their processes are forked.
class Bench {
 public:
  Bench(uint64_t entries, size_t value_bytes, const Effort& effort);

  const Dataset& data() const { return data_; }

  // Runs in the engine's process; `engine` is null for kBareSync.
  Measurement Run(const Slice& slice, EngineAdapter* engine, const std::string& dir) const;

 private:
  Measurement Dispatch(const Slice& slice, EngineAdapter* engine, const std::string& dir) const;

  enum class Order { kSequential, kShuffled };

  Measurement Write(Order order, uint64_t version, EngineAdapter* engine,
                    const std::string& dir) const;
  void Warm(EngineAdapter* engine) const;
  using Numbers = absl::Span<const uint32_t>;
  Measurement Read(Numbers numbers, bool present, EngineAdapter* engine) const;
  Measurement Seek10(Numbers numbers, EngineAdapter* engine) const;
  Measurement ReadSeq(EngineAdapter* engine) const;
  Measurement ReadWhileWriting(Numbers numbers, double seconds, EngineAdapter* engine) const;
  Measurement PutIdle(double seconds, EngineAdapter* engine) const;
  Measurement PutBesideCompaction(double seconds, EngineAdapter* engine) const;
  Measurement SyncBesideCompaction(double seconds, EngineAdapter* engine) const;
  enum class Start { kWarm, kCold };
  Measurement SyncedPuts(int writers, Start start, double seconds, EngineAdapter* engine) const;
  Measurement BareSync(double seconds, const std::string& dir) const;

  const Dataset data_;
  const Effort effort_;
  const std::vector<uint32_t> uniform_;
  const std::vector<uint32_t> zipfian_;
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_WORKLOADS_H_
