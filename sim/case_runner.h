// Runs in child processes: one that crashes, fails an assertion or hangs is an outcome, and not
// the end of who asked for it.

#ifndef NORN_SIM_CASE_RUNNER_H_
#define NORN_SIM_CASE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/case.pb.h"
#include "sim/run_event.h"
#include "sim/subject.h"

namespace norn::sim {

// What became of a run.
struct CaseRun {
  int exit_code = 0;     // as norn-sim's; kExitCrashed also if it was stopped at its limit
  bool stopped = false;  // at its limit
  std::string hash;      // of its trace; empty: it did not end
  std::string verdict;   // "VIOLATED", ..., "CRASHED", "STOPPED"
  std::string property;  // what was violated, or which assertion failed
  std::string witness;
  std::string config;
  // What it can be replayed from, with its outcome; if it did not end, as far as it came.
  v1::Case recorded;
  // If RunOptions::record_events asked for them, in order of time.
  std::vector<RunEvent> events;
  // If RunOptions::record_history asked for it, and the run ended.
  v1::CaseHistory history;
  // What faults that are left to chance did to single messages.
  std::vector<v1::CaseHarm> harms;

  // Equal for two failures that are the same but for names of nodes and keys, and numbers.
  std::string Fingerprint() const;
};

struct CaseRunnerOptions {
  int jobs = 1;               // runs at once
  int64_t limit_ms = 60'000;  // of real time for one run; then it is killed
  // The runs of First: with RunOptions::record_history.
  bool record_history = false;
};

class CaseRunner {
 public:
  // `subject` outlives this.
  CaseRunner(const Subject& subject, const CaseRunnerOptions& options)
      : subject_(subject), options_(options) {}

  CaseRun Run(const RunOptions& options);

  // Runs the `count` candidates, some at once, and returns the place of the first in their order
  // that is `wanted`, whichever ended first; `*run`, if not null, is then what became of it.
  // Nothing if none is, or if `enough` said so between two runs. A case that makes no sense is not
  // wanted.
  std::optional<size_t> First(size_t count, const std::function<v1::Case(size_t)>& candidate,
                              const std::function<bool(const CaseRun& run)>& wanted,
                              const std::function<bool()>& enough, CaseRun* run);

  uint64_t runs() const { return runs_; }

 private:
  const Subject& subject_;
  const CaseRunnerOptions options_;
  uint64_t runs_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_RUNNER_H_
