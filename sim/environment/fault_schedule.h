// What a scenario says of the faults of a described run: those that it lists, at their times, and
// the mix from which others are drawn (fault_mix.h). All end, and whom they took down is back, when
// the faulty phase ends.

#ifndef NORN_SIM_ENVIRONMENT_FAULT_SCHEDULE_H_
#define NORN_SIM_ENVIRONMENT_FAULT_SCHEDULE_H_

#include <vector>

#include "absl/status/status.h"
#include "core/config.h"
#include "sim/environment/fault_mix.h"
#include "sim/environment/file_place.h"
#include "sim/environment/measure_phases.h"
#include "sim/fault_plan.h"
#include "sim/scenario.pb.h"

namespace norn::sim {

// A fault that was listed, and which entry of the file it is from.
struct ListedFault {
  Fault fault;  // without its id; effects_min is at least 1
  int entry = 0;
};

// The listed faults, one for each time and, in turn, node. kInvalidArgument names the line: nodes
// and places that are not there, times outside the faulty phase, two faults that would end each
// other.
absl::Status TakeFaults(const v1::Scenario& script, const FilePlace& place,
                        const ClusterConfig& cluster, const PhaseTimes& times,
                        std::vector<ListedFault>* faults);

// kInvalidArgument names the line: weights that are all 0, bounds the wrong way round.
absl::Status TakeMix(const v1::ScenarioFaultMix& from, const FilePlace& place,
                     const ClusterConfig& cluster, FaultMix* mix);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_FAULT_SCHEDULE_H_
