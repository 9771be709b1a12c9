// How the clients of a run fared, from its history.

#ifndef NORN_SIM_ENVIRONMENT_MEASURE_PHASES_H_
#define NORN_SIM_ENVIRONMENT_MEASURE_PHASES_H_

#include <cstdint>

#include "sim/history.h"
#include "sim/run_phases.h"

namespace norn::sim {

// From when it is counted, when there are faults, and when all ends. Ascending, microseconds of
// virtual time.
struct PhaseTimes {
  int64_t from_us = 0;
  int64_t faults_from_us = 0;
  int64_t faults_until_us = 0;
  int64_t until_us = 0;
};

// Of all clients of the loops; not of the last reads, which come after the healing.
RunPhases MeasurePhases(const History& history, const PhaseTimes& times);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_MEASURE_PHASES_H_
