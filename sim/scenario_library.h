// The named scenarios that are part of norn-sim: sim/scenarios/NAME.textproto, put into the binary
// by the build, so that they run wherever it does. And the witnesses of norn-sim claims, which are
// found by their names as well: sim/witnesses/NAME.textproto.

#ifndef NORN_SIM_SCENARIO_LIBRARY_H_
#define NORN_SIM_SCENARIO_LIBRARY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/scenario.h"

namespace norn::sim {

struct LibraryScenario {
  std::string name;  // "data-center-outage"
  std::string text;  // of its file
};

// By name.
const std::vector<LibraryScenario>& ScenarioLibrary();

// Each shows something that is never claimed (sim/claims_matrix.h). By name, of each folder.
const std::vector<LibraryScenario>& WitnessScenarios();

// Null: neither the library nor the witnesses have one of this name.
const LibraryScenario* FindInLibrary(const std::string& name);

// A scenario of the library by its name, or else a file by its path. kInvalidArgument as of
// ParseScenario; kNotFound if it is neither, with the names that there are.
absl::StatusOr<std::shared_ptr<const Scenario>> FindScenario(const std::string& name_or_path);

// norn-sim scenarios [NAME|DIR]: lists the library and then a folder's (tests/scenarios, if it is
// there, when no other is asked for), a line each, or prints the file of that name. Returns the
// exit code.
int ScenariosCommand(const std::vector<std::string>& words);

}  // namespace norn::sim

#endif  // NORN_SIM_SCENARIO_LIBRARY_H_
