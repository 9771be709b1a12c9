// Which parts of a failing case its failure needs: the run is repeated without each of them.

#ifndef NORN_SIM_EXPLAIN_NEEDED_H_
#define NORN_SIM_EXPLAIN_NEEDED_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace norn::sim {

struct PartNeed {
  enum class Need { kNeeded, kNotNeeded, kNotTried };
  Need need = Need::kNotTried;
  std::string instead;  // kNeeded: what became of the run without it
};

struct NeededParts {
  std::vector<PartNeed> parts;
  // Parts, ascending, without the rest of which it fails in the same way, and none of which can
  // go then: those that are needed, and, where parts stand in for each other, some of these.
  // Nothing: there was no time to find them.
  std::optional<std::vector<size_t>> enough;
};

// `without` performs the run without these parts, ascending, and returns what came instead of the
// failure; empty: the same failure. `over` says that there is no time for more.
// At most 2 * count + 1 runs.
NeededParts FindNeeded(size_t count,
                       const std::function<std::string(const std::vector<size_t>& gone)>& without,
                       const std::function<bool()>& over);

// "needed", "not needed", "not tried".
const char* NeedName(PartNeed::Need need);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_NEEDED_H_
