// norn-sim explain: what went wrong in a case, in words, as a page, and as a log for ShiViz.

#ifndef NORN_SIM_EXPLAIN_EXPLAIN_COMMAND_H_
#define NORN_SIM_EXPLAIN_EXPLAIN_COMMAND_H_

#include <string>
#include <vector>

#include "sim/subject.h"

namespace norn::sim {

// explain FILE [--json] [--html PAGE] [--shiviz LOG] [--budget 60s] [--limit 60s]. Returns the
// exit code of the run; kExitUsage, with what is wrong on standard error, if it cannot be
// explained.
int ExplainCommand(const Subject& subject, const std::vector<std::string>& words);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_EXPLAIN_COMMAND_H_
