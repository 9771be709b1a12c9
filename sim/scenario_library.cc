#include "sim/scenario_library.h"

#include <sys/stat.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/text_proto.h"
#include "sim/universe.h"

namespace norn::sim {

namespace {

constexpr char kFolder[] = "tests/scenarios";

std::string Names() {
  return absl::StrJoin(ScenarioLibrary(), ", ",
                       [](std::string* out, const LibraryScenario& one) { out->append(one.name); });
}

bool IsFolder(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

int Refuse(const std::string& why) {
  std::cerr << "norn-sim: " << why << "\n";
  return kExitUsage;
}

void PrintLine(const Scenario& scenario) {
  const v1::Scenario& script = scenario.script;
  std::cout << absl::StrFormat("%-36s %s", scenario.name, script.description());
  if (script.has_expect_violation_until()) {
    std::cout << " (VIOLATED until " << script.expect_violation_until() << ")";
  }
  std::cout << "\n";
}

int ListFolder(const std::string& folder) {
  const auto scenarios = LoadScenarios(folder);
  if (!scenarios.ok()) return Refuse(std::string(scenarios.status().message()));
  for (const auto& scenario : *scenarios) PrintLine(*scenario);
  return kExitValid;
}

int ListAll() {
  std::cout << "The library: norn-sim run --scenario NAME, norn-sim scenarios NAME\n";
  for (const LibraryScenario& one : ScenarioLibrary()) {
    const auto scenario = ParseScenario(one.text, one.name);
    if (!scenario.ok()) return Refuse(std::string(scenario.status().message()));
    PrintLine(**scenario);
  }
  if (!IsFolder(kFolder)) return kExitValid;
  std::cout << "\n" << kFolder << ": norn-sim run --scenario " << kFolder << "/NAME.textproto\n";
  return ListFolder(kFolder);
}

}  // namespace

const LibraryScenario* FindInLibrary(const std::string& name) {
  for (const auto* const scenarios : {&ScenarioLibrary(), &WitnessScenarios()}) {
    for (const LibraryScenario& one : *scenarios) {
      if (one.name == name) return &one;
    }
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const Scenario>> FindScenario(const std::string& name_or_path) {
  if (const LibraryScenario* const found = FindInLibrary(name_or_path)) {
    return ParseScenario(found->text, found->name);
  }
  auto loaded = LoadScenario(name_or_path);
  if (!absl::IsNotFound(loaded.status())) return loaded;
  return absl::NotFoundError(
      absl::StrCat(absl::string_view(loaded.status().message()), "; the library has ", Names()));
}

int ScenariosCommand(const std::vector<std::string>& words) {
  if (words.size() > 1) return Refuse("scenarios takes one name or one folder");
  if (words.empty()) return ListAll();
  if (const LibraryScenario* const found = FindInLibrary(words.front())) {
    std::cout << found->text;
    return kExitValid;
  }
  if (IsFolder(words.front())) return ListFolder(words.front());
  const std::string path = absl::StrCat(kFolder, "/", words.front(), ".textproto");
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "scenario");
  if (text.ok()) {
    std::cout << *text;
    return kExitValid;
  }
  return Refuse(absl::StrCat(words.front(),
                             ": no such folder of scenarios, and neither the library "
                             "nor ",
                             kFolder, " has one of this name; the library has ", Names()));
}

}  // namespace norn::sim
