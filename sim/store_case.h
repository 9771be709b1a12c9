// A case of Norn's store: what a universe needs besides what every case has.

#ifndef NORN_SIM_STORE_CASE_H_
#define NORN_SIM_STORE_CASE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/case.h"
#include "sim/case_check.h"
#include "sim/universe_config.h"
#include "sim/workload.h"

namespace norn::sim {

struct StoreCase final : Case {
  std::vector<NodeId> ReplicasOf(const std::string& key) const override;

  UniverseConfig config;
  std::vector<ScriptedOperation> script;  // by time
};

// Subject::Make of the store.
std::optional<CaseProblem> MakeStoreCase(const v1::Case& written,
                                         std::shared_ptr<const Case>* made);

}  // namespace norn::sim

#endif  // NORN_SIM_STORE_CASE_H_
