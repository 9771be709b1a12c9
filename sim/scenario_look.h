// What a scenario's check sees of one node: the hints that it holds, and the values of a key.

#ifndef NORN_SIM_SCENARIO_LOOK_H_
#define NORN_SIM_SCENARIO_LOOK_H_

#include <string>

#include "core/ring/layout.h"
#include "sim/scenario.pb.h"
#include "sim/sim_node.h"

namespace norn::sim {

// The client's part of a value, without its padding.
std::string NameOfValue(const std::string& value);

// What is otherwise than the check says, in a line; empty: all is so. A node that is down, or
// whose store cannot be read, is not as any check says.
std::string FindOtherwise(const v1::ScenarioCheck& check, const Layout& layout, SimNode& node);

}  // namespace norn::sim

#endif  // NORN_SIM_SCENARIO_LOOK_H_
