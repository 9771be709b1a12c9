// What a run of Norn's store tells of itself, besides what every run tells (sim/case_report.h).

#ifndef NORN_SIM_STORE_CASE_REPORT_H_
#define NORN_SIM_STORE_CASE_REPORT_H_

#include <cstdint>
#include <vector>

#include "sim/case.pb.h"
#include "sim/fault_plan.h"
#include "sim/universe_config.h"
#include "sim/workload.h"

namespace norn::sim {

// ReportSetup, with the cluster and all settings.
v1::CaseReport ReportStoreSetup(uint64_t seed, int64_t until_us, const UniverseConfig& config,
                                const std::vector<Fault>& plan);
v1::CaseReport ReportOperation(const ScriptedOperation& operation);

}  // namespace norn::sim

#endif  // NORN_SIM_STORE_CASE_REPORT_H_
