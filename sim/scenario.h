// A scenario: a run as tests/scenarios/NAME.textproto scripts it, or sim/scenarios/NAME.textproto
// describes it (the schema, and what each setting means: sim/scenario.proto). This file reads and
// checks; scenario_runner.h performs scripts, sim/environment/ makes what is described.

#ifndef NORN_SIM_SCENARIO_H_
#define NORN_SIM_SCENARIO_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/scenario.pb.h"
#include "sim/universe_config.h"

namespace norn::sim {

struct Environment;

struct Scenario {
  std::string name;  // of the file, without its folder and ".textproto"
  std::string path;
  v1::Scenario script;
  std::vector<int> lines;  // where each step stands, from 1
  // What it comes to if it is described; null: it is scripted.
  std::shared_ptr<const Environment> environment;

  // "path:line" of a step.
  std::string Where(size_t step) const;
  // The configuration that it asks for: the defaults of nodes and engines, and what it sets. Of a
  // described one without what makes it such.
  UniverseConfig Config() const;
};

// kInvalidArgument names the file and the line of what is wrong, and what to write instead:
// syntax, unknown names, nodes that are not there, operations that lack what they need.
absl::StatusOr<std::shared_ptr<const Scenario>> ParseScenario(absl::string_view text,
                                                              const std::string& path);
// Also kNotFound if there is no such file.
absl::StatusOr<std::shared_ptr<const Scenario>> LoadScenario(const std::string& path);
// Every *.textproto of the folder, by name; the error of the first that is wrong.
absl::StatusOr<std::vector<std::shared_ptr<const Scenario>>> LoadScenarios(const std::string& dir);

}  // namespace norn::sim

#endif  // NORN_SIM_SCENARIO_H_
