// norn-sim ci and norn-sim merge.

#ifndef NORN_SIM_CI_CI_COMMAND_H_
#define NORN_SIM_CI_CI_COMMAND_H_

#include <string>
#include <vector>

namespace norn::sim {

// Both return norn-sim's exit code, and have said on standard error what is wrong if it is
// kExitUsage. `words` is what follows the command.

// ci --report DIR [--budget 10m] [--shard I/N] [--revision TEXT] [--corpus DIR]... [--junit FILE]
//    [--limit 60s] [--jobs J] [--dry-run]
// SIGINT and SIGTERM end it early, with its report.
int CiCommand(const std::vector<std::string>& words, int processors);

// merge DIR... -o DIR [--junit FILE]
int MergeCommand(const std::vector<std::string>& words);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_CI_COMMAND_H_
