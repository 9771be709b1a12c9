// norn-dump as a function: what main() calls, and tests.

#ifndef NORN_TOOLS_DUMP_RUN_H_
#define NORN_TOOLS_DUMP_RUN_H_

#include <ostream>
#include <string>
#include <vector>

namespace norn::dump {

// The exit code. `arguments` without the program's name; progress is shown on `err` if asked.
int Run(const std::vector<std::string>& arguments, bool shows_progress, std::ostream& out,
        std::ostream& err);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_RUN_H_
