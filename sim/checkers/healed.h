// What the replicas of a key know together, in the end, and had known of what was removed.

#ifndef NORN_SIM_CHECKERS_HEALED_H_
#define NORN_SIM_CHECKERS_HEALED_H_

#include <map>
#include <string>

#include "core/causality/record.h"
#include "core/types.h"
#include "sim/checkers/checkers.h"

namespace norn::sim {

struct Healed {
  VersionVector context;         // the union of what they have seen
  std::map<Dot, Version> alive;  // tombstones included

  Healed(const FinalState& state, const History& history, const std::string& client_key) {
    for (const Burial& burial : history.burials) {
      if (burial.key == client_key) context.Join(burial.context);
    }
    const auto it = state.find(MakeRecordKey(BucketOfKey(client_key), client_key));
    if (it == state.end()) return;
    Record merged;
    for (const auto& [node, bytes] : it->second) {
      Record record;
      if (Record::Decode(bytes, &record)) merged.Merge(record);
    }
    context.Join(merged.context());
    for (const Version& version : merged.versions()) alive.emplace(version.dot, version);
  }

  bool IsAlive(const Dot& dot) const { return alive.count(dot) != 0; }
};

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_HEALED_H_
