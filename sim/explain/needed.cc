#include "sim/explain/needed.h"

#include <algorithm>
#include <utility>

namespace norn::sim {

NeededParts FindNeeded(size_t count,
                       const std::function<std::string(const std::vector<size_t>& gone)>& without,
                       const std::function<bool()>& over) {
  NeededParts found;
  found.parts.resize(count);
  std::vector<size_t> needed;
  std::vector<size_t> others;
  for (size_t i = 0; i < count; ++i) {
    if (over()) return found;
    PartNeed& part = found.parts[i];
    part.instead = without({i});
    part.need = part.instead.empty() ? PartNeed::Need::kNotNeeded : PartNeed::Need::kNeeded;
    (part.instead.empty() ? others : needed).push_back(i);
  }
  if (over()) return found;
  if (others.size() < 2 || without(others).empty()) {
    found.enough = std::move(needed);
    return found;
  }
  // Some stand in for each other: one after the other goes for good, if it can, the last first:
  // what comes early explains more.
  std::vector<size_t> gone;
  for (auto i = others.rbegin(); i != others.rend(); ++i) {
    if (over()) return found;
    gone.insert(gone.begin(), *i);
    if (gone.size() == 1 || without(gone).empty()) continue;  // one alone was tried
    gone.erase(gone.begin());
    needed.push_back(*i);
  }
  std::sort(needed.begin(), needed.end());
  found.enough = std::move(needed);
  return found;
}

const char* NeedName(PartNeed::Need need) {
  switch (need) {
    case PartNeed::Need::kNeeded:
      return "needed";
    case PartNeed::Need::kNotNeeded:
      return "not needed";
    case PartNeed::Need::kNotTried:
      return "not tried";
  }
  return "?";
}

}  // namespace norn::sim
