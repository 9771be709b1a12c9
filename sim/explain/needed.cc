#include "sim/explain/needed.h"

namespace norn::sim {

NeededParts FindNeeded(size_t count,
                       const std::function<std::string(const std::vector<size_t>& gone)>& without,
                       const std::function<bool()>& enough) {
  NeededParts found;
  found.parts.resize(count);
  std::vector<size_t> others;
  for (size_t i = 0; i < count && !enough(); ++i) {
    PartNeed& part = found.parts[i];
    part.instead = without({i});
    part.need = part.instead.empty() ? PartNeed::Need::kNotNeeded : PartNeed::Need::kNeeded;
    if (part.instead.empty()) others.push_back(i);
  }
  if (others.size() < 2) {
    // Nothing to do together: one alone was tried above.
    found.others_together = PartNeed::Need::kNotNeeded;
  } else if (!enough()) {
    found.instead = without(others);
    found.others_together =
        found.instead.empty() ? PartNeed::Need::kNotNeeded : PartNeed::Need::kNeeded;
  }
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
