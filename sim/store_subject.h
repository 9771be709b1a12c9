// Norn's store as a subject of the simulator.

#ifndef NORN_SIM_STORE_SUBJECT_H_
#define NORN_SIM_STORE_SUBJECT_H_

#include "sim/subject.h"

namespace norn::sim {

const Subject& NornStore();

}  // namespace norn::sim

#endif  // NORN_SIM_STORE_SUBJECT_H_
