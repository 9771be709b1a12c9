// A campaign with a budget of time: first the corpus, then seeds until the budget is spent.
//
// At the first failure a quarter of the budget is set aside for writing failures down; one that is
// found in the last quarter ends the search.

#ifndef NORN_SIM_CI_CI_RUN_H_
#define NORN_SIM_CI_CI_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/ci/ci_report.h"
#include "sim/ci/corpus.h"
#include "sim/ci/seed_plan.h"

namespace norn::sim {

struct CiOptions {
  SeedPlan plan;
  int64_t budget_ms = 600'000;
  int64_t limit_ms = 60'000;  // of real time for one run: then it is killed, which is a failure
  int jobs = 1;
  std::vector<std::string> corpus;  // folders
  std::string report;               // the folder, which is there
  std::string junit;                // a file; empty: none
};

// Files of the corpus that this shard runs: every `shards`-th.
std::vector<CorpusFile> OwnFiles(const std::vector<CorpusFile>& corpus, const SeedPlan& plan);

// `run_of` says what is run of a seed: RunOfSeed, usually.
// Says on standard error how far it is: on a terminal in one line, else a line every 10 s.
// `interrupted` is asked several times a second whether to come to an end, which takes at most a
// few seconds. Writes the files of failures; WriteReport is left to the caller.
absl::StatusOr<CiReport> RunCi(const CiOptions& options, const std::vector<CorpusFile>& corpus,
                               const std::function<RunOptions(uint64_t seed)>& run_of,
                               const std::function<bool()>& interrupted);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_CI_RUN_H_
