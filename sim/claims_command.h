// norn-sim claims: prints the claims matrix, and shows what is never claimed.

#ifndef NORN_SIM_CLAIMS_COMMAND_H_
#define NORN_SIM_CLAIMS_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/claims_matrix.h"

namespace norn::sim {

struct Showing {
  uint64_t runs = 0;
  uint64_t shown = 0;     // of them; the anomaly is shown if it was in all
  std::string otherwise;  // the first run that did not: its seed, and what it came to
};

// Runs the scenario `witness`, a name or a path, under the seeds 1 to `seeds`. kNotFound or
// kInvalidArgument as of FindScenario.
absl::StatusOr<Showing> ShowWitness(const std::string& witness, uint64_t seeds, int jobs);

// claims [--prove [--seeds N] [--jobs J]] [--json]
// kExitValid; kExitViolated if something that is never claimed was not shown; or kExitUsage, with
// what is wrong on standard error. `processors` is the default of --jobs.
int ClaimsCommand(const ClaimsMatrix& matrix, const std::vector<std::string>& words,
                  int processors);

}  // namespace norn::sim

#endif  // NORN_SIM_CLAIMS_COMMAND_H_
