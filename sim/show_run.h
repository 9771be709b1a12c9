// One run on standard output: what happens, line by line, and what came of it.

#ifndef NORN_SIM_SHOW_RUN_H_
#define NORN_SIM_SHOW_RUN_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/subject.h"

namespace norn::sim {

struct ShowOptions {
  bool trace = false;
  // With `trace`: only events `first` to `last`, each with its number and hash.
  bool window = false;
  uint64_t first = 1;
  uint64_t last = std::numeric_limits<uint64_t>::max();
  // Not 0: instead of the trace, a line "EVENTS HASH" after so many events each, and at the end.
  uint64_t checkpoint_every = 0;
};

// Takes the word at `*i` and its value, if it is an option of these: --trace, --events A..B,
// --checkpoints K. False: it is not, and nothing was taken; `*wrong` is set if its value is none.
bool TakeShowOption(const std::vector<std::string>& words, size_t* i, ShowOptions* options,
                    std::optional<std::string>* wrong);

// Returns the exit code. The run happens in this process: a crash is this process's.
int ShowRun(const Subject& subject, const RunOptions& run, const ShowOptions& options);

}  // namespace norn::sim

#endif  // NORN_SIM_SHOW_RUN_H_
