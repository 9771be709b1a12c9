// Whether a scenario that was read can be performed.

#ifndef NORN_SIM_SCENARIO_CHECK_H_
#define NORN_SIM_SCENARIO_CHECK_H_

#include "absl/status/status.h"
#include "sim/scenario.h"

namespace norn::sim {

// OK, or kInvalidArgument with "path:line: what is wrong: what to write".
absl::Status CheckScenario(const Scenario& scenario);

}  // namespace norn::sim

#endif  // NORN_SIM_SCENARIO_CHECK_H_
