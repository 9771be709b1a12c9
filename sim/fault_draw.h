// Draws what goes wrong in a run from its seed.
//
// Which classes of faults a run knows at all is drawn first, then which kinds, then each fault.
// Whatever is left out, by that lottery or because it is switched off, is left out of the same
// plan: what remains happens when and to whom it would have happened anyway.

#ifndef NORN_SIM_FAULT_DRAW_H_
#define NORN_SIM_FAULT_DRAW_H_

#include <cstdint>
#include <vector>

#include "core/types.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"

namespace norn::sim {

// What a plan is drawn for.
struct PlanShape {
  int nodes = 0;                           // n1, n2, ...
  std::vector<std::vector<NodeId>> zones;  // each node is in one
  int64_t begin_us = 0;                    // nothing begins before this,
  int64_t end_us = 0;                      // or at this
  bool wipes = false;                      // with those kinds that destroy what a disk held
};

// Ordered by start; ids are given from 1.
//
// What makes sure that they take effect: a node's crashes and power cuts do not overlap, and
// end within the time; disks fall ill when there are tables to read. The fault budget: only
// one node's disk is ever ill, so that every record has replicas that can be read; what may be
// destroyed when is decided during the run (sim/checkers/fault_budget.h).
std::vector<Fault> DrawFaultPlan(const KeyedSeed& seed, const PlanShape& shape,
                                 const FaultChoice& choice);

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_DRAW_H_
