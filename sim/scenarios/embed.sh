#!/bin/bash
# Prints C++ that holds scenarios: a function of this name (sim/scenario_library.h) that returns the
# files that it is given, by name.
# usage: embed.sh FUNCTION FILE...
set -euo pipefail
function=$1
shift
echo '#include "sim/scenario_library.h"'
echo 'namespace norn::sim {'
echo "const std::vector<LibraryScenario>& $function() {"
echo '  static const auto* const kScenarios = new std::vector<LibraryScenario>{'
for file in "$@"; do
  printf '{"%s", R"scenario(%s\n)scenario"},\n' "$(basename "$file" .textproto)" "$(cat "$file")"
done
echo '  };'
echo '  return *kScenarios;'
echo '}'
echo '}  // namespace norn::sim'
