// Which workloads run in which order, in which processes and directories, each on all engines
// in turn before the next one starts.

#ifndef NORN_BENCHMARKS_ENGINES_PLAN_H_
#define NORN_BENCHMARKS_ENGINES_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/report.h"
#include "benchmarks/engines/workloads.h"

namespace norn::benchmarks {

struct PlanOptions {
  std::string dir;  // exists; what is made in it is removed
  std::vector<EngineKind> engines;
  uint64_t entries = 0;
  size_t value_bytes = 0;
  Effort effort;
  BlockCompression compression = BlockCompression::kNone;
  bool memory_for_a_tenth = false;           // block caches of a tenth of the data, not of all
  bool read_on_lane = false;                 // Norn's reads of blocks
  uint64_t compaction_bytes_per_second = 0;  // Norn's
  bool always_sync_log = false;              // Norn's log, also where nobody waits for it
  int rounds = 1;
  std::string only;  // part of the name of what is to be reported; empty: all
  // How long to wait in all for other programs to leave the processor alone.
  double patience_seconds = 0;
  // Told what is about to run.
  std::function<void(const std::string&)> progress;
  // Whether the user has lost patience.
  std::function<bool()> interrupted;
};

// Name of the column of kBareSync, which is no engine.
inline constexpr const char* kBareColumn = "bare";

// "100 B readrandom"
std::string GroupName(size_t value_bytes, Workload workload);

// Runs everything for one size of values.
absl::Status RunPlan(const PlanOptions& options, Report* report);

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_PLAN_H_
