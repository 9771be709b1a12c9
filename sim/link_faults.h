// Which links a fault of the network cuts, slows or resets at a moment. Pure: the network asks for
// each message, and counts.

#ifndef NORN_SIM_LINK_FAULTS_H_
#define NORN_SIM_LINK_FAULTS_H_

#include <cstdint>

#include "core/types.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"

namespace norn::sim {

// Whether what `from` sends to `to` is lost now. O(nodes of the fault).
bool Cuts(const Fault& fault, NodeId from, NodeId to, int64_t now_us);

// Whether messages from `from` to `to` take longer (kSlow, kReorder, kSlowLinks).
bool Slows(const Fault& fault, NodeId from, NodeId to, int64_t now_us);

// Whether a kReset broke the link between the two in (after_us, until_us]. When in each period it
// does hangs on the seed, the fault and the link, whose two directions break at once. O(periods in
// between).
bool Resets(const Fault& fault, const KeyedSeed& seed, NodeId from, NodeId to, int64_t after_us,
            int64_t until_us);

}  // namespace norn::sim

#endif  // NORN_SIM_LINK_FAULTS_H_
