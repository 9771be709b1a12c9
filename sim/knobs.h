// The settings of a run by name, so that a case can list them: "node.request_timeout_us",
// "engine.memtable_bytes", "network.delay_max_us", "client.patience_us", "rare.late_lease".

#ifndef NORN_SIM_KNOBS_H_
#define NORN_SIM_KNOBS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/types.h"
#include "sim/universe_config.h"

namespace norn::sim {

struct Knob {
  std::string name;
  int64_t value = 0;
  NodeId only_node = kNoNode;  // not kNoNode: of the engine of this node alone
};

// All of them, as they are; those of a node alone only where they differ from the others'.
std::vector<Knob> KnobsOf(const UniverseConfig& config);

// kInvalidArgument, with what is wrong and what would be right: an unknown name, a value that no
// run can have, a node that has no setting of its own there. Set the knobs of all nodes before
// those of one.
absl::Status SetKnob(const Knob& knob, UniverseConfig* config);

}  // namespace norn::sim

#endif  // NORN_SIM_KNOBS_H_
