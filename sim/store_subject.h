// Norn's store as a subject of the simulator.

#ifndef NORN_SIM_STORE_SUBJECT_H_
#define NORN_SIM_STORE_SUBJECT_H_

#include <cstdint>
#include <string>

#include "sim/run_options.h"
#include "sim/subject.h"

namespace norn::sim {

const Subject& NornStore();

// The command line of a run of a seed, or of a scenario, with the options that are not usual.
std::string CommandOf(const RunOptions& run, uint64_t seed);

}  // namespace norn::sim

#endif  // NORN_SIM_STORE_SUBJECT_H_
