// Which parts of a failing case its failure needs: the run is repeated without each of them.

#ifndef NORN_SIM_EXPLAIN_NEEDED_H_
#define NORN_SIM_EXPLAIN_NEEDED_H_

#include <cstddef>
#include <functional>
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
  // Whether it fails in the same way without all that are not needed: two that stand in for each
  // other are each not needed. `instead` as above.
  PartNeed::Need others_together = PartNeed::Need::kNotTried;
  std::string instead;
};

// `without` performs the run without these parts, ascending, and returns what came instead of the
// failure; empty: the same failure. `enough` says that there is no time for more.
// O(count) runs.
NeededParts FindNeeded(size_t count,
                       const std::function<std::string(const std::vector<size_t>& gone)>& without,
                       const std::function<bool()>& enough);

// "needed", "not needed", "not tried".
const char* NeedName(PartNeed::Need need);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_NEEDED_H_
