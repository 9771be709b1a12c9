// A run's history on its way from the process that ran it (sim/case_history.proto).

#ifndef NORN_SIM_CASE_HISTORY_H_
#define NORN_SIM_CASE_HISTORY_H_

#include "sim/case.pb.h"
#include "sim/case_history.pb.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"

namespace norn::sim {

// What the second makes of the first is equal to what the first was given. O(size).
v1::CaseHistory WriteHistory(const History& history, const FinalState& state);
// As a piece of what the run tells of itself.
v1::CaseReport ReportHistory(const History& history, const FinalState& state);
// Fields that are absent have the values of a History's. False: a version vector is none.
bool ReadHistory(const v1::CaseHistory& written, History* history, FinalState* state);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_HISTORY_H_
