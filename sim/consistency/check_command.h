// norn-sim check HISTORY --model register|cas-register|sessions [--json] [--limit N]
//                        [--initial VALUE] [--format jsonl|edn]

#ifndef NORN_SIM_CONSISTENCY_CHECK_COMMAND_H_
#define NORN_SIM_CONSISTENCY_CHECK_COMMAND_H_

#include <string>
#include <vector>

namespace norn::consistency {

// `words` is what follows the command. Returns the exit code: 0 valid, 1 violated, 2 wrong usage or
// a history that cannot be read (said on standard error), 4 not decided.
int CheckCommand(const std::vector<std::string>& words);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_CHECK_COMMAND_H_
