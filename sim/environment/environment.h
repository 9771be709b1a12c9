// A described run, ready to be performed: what a scenario says of the cluster, the clients, the
// faults and the phases (sim/scenario.proto), checked and made into the universe's own terms.
//
// The same for every seed; what a seed adds is drawn by DrawPlan and by the workload. A run of it
// is written down as a case like any other: the plan, the operations and the delays of links are
// listed there, and the description is not needed any more.

#ifndef NORN_SIM_ENVIRONMENT_ENVIRONMENT_H_
#define NORN_SIM_ENVIRONMENT_ENVIRONMENT_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/environment/fault_mix.h"
#include "sim/environment/file_place.h"
#include "sim/environment/measure_phases.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"
#include "sim/scenario.h"
#include "sim/universe_config.h"

namespace norn::sim {

struct Environment {
  UniverseConfig config;  // with its clients
  PhaseTimes times;
  std::vector<Fault> listed;  // without ids
  FaultMix mix;
};

// Of a scenario that is described. `tree` says where in its file everything stands.
// kInvalidArgument names the file and the line of what is wrong, and what would be right.
absl::StatusOr<std::shared_ptr<const Environment>> MakeEnvironment(const Scenario& scenario,
                                                                   const FilePlace::Tree& tree);

// What goes wrong in the run of this seed.
std::vector<Fault> DrawPlan(const Environment& environment, KeyedSeed seed);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_ENVIRONMENT_H_
