// What a run tells of itself, piece by piece, so that a case can be made of it: what is there
// before it begins, each operation as it is invoked, each message that a fault harms, and in the
// end what came of it. Merged in their order, the pieces are the whole.

#ifndef NORN_SIM_CASE_REPORT_H_
#define NORN_SIM_CASE_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/case.pb.h"
#include "sim/fault_plan.h"
#include "sim/run_event.h"
#include "sim/run_result.h"
#include "sim/sim_network.h"

namespace norn::sim {

// `config` is what is run, in words. Each subject adds its nodes, settings and operations.
v1::CaseReport ReportSetup(uint64_t seed, int64_t until_us, const std::string& config,
                           const std::vector<Fault>& plan);
v1::CaseReport ReportHarm(const MessageHarm& harm);
v1::CaseReport ReportEvent(const RunEvent& event);
RunEvent MakeRunEvent(const v1::CaseEvent& written);
// `asked` are the harms that were asked for, not those of faults.
v1::CaseReport ReportEnd(const RunResult& result, const std::vector<MessageHarm>& asked);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_REPORT_H_
