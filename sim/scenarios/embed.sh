#!/bin/bash
# Prints C++ that holds the library of scenarios: the files that it is given, by name.
set -euo pipefail
echo '#include "sim/scenario_library.h"'
echo 'namespace norn::sim {'
echo 'const std::vector<LibraryScenario>& ScenarioLibrary() {'
echo '  static const auto* const kLibrary = new std::vector<LibraryScenario>{'
for file in "$@"; do
  printf '{"%s", R"scenario(%s\n)scenario"},\n' "$(basename "$file" .textproto)" "$(cat "$file")"
done
echo '  };'
echo '  return *kLibrary;'
echo '}'
echo '}  // namespace norn::sim'
