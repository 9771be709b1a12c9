// From what a scenario says of its clients (v1::ScenarioWorkload) to what they do.

#ifndef NORN_SIM_ENVIRONMENT_WORKLOAD_TEXT_H_
#define NORN_SIM_ENVIRONMENT_WORKLOAD_TEXT_H_

#include "absl/status/status.h"
#include "sim/environment/file_place.h"
#include "sim/scenario.pb.h"
#include "sim/universe_config.h"

namespace norn::sim {

// Fills in config->workload; the cluster is there already. kInvalidArgument names the line of what
// no client can do: no keys, weights that are all 0, an exponent out of range, a level that the
// bucket does not permit.
absl::Status TakeWorkload(const v1::ScenarioWorkload& from, const FilePlace& place,
                          UniverseConfig* config);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_WORKLOAD_TEXT_H_
