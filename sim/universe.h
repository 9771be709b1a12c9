// One run: a cluster, its clients, its faults, in virtual time, from one seed.
//
//   0 ─── quiet start ─── faults and clients ─── healing: clean network, all nodes up ───►
//
// Safety is checked over the whole run; at the end the replicas must agree by value within
// the healing bound, what disks have lost must be mended, and every key be readable again.

#ifndef NORN_SIM_UNIVERSE_H_
#define NORN_SIM_UNIVERSE_H_

#include "sim/run_options.h"
#include "sim/run_result.h"
#include "sim/trace.h"

namespace norn::sim {

RunResult RunUniverse(const RunOptions& options, TraceView view);

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_H_
