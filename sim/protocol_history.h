// What clients of a protocol did, judged by a consistency model.

#ifndef NORN_SIM_PROTOCOL_HISTORY_H_
#define NORN_SIM_PROTOCOL_HISTORY_H_

#include <string>
#include <vector>

#include "sim/consistency/check_history.h"
#include "sim/protocol_clients.h"
#include "sim/violation.h"

namespace norn::sim {

struct HistoryJudgement {
  consistency::Verdict verdict = consistency::Verdict::kValid;
  // kViolated: of which model, and the operations that show it (DescribeRecord). kUnknown: why.
  Violation violation;
};

// Requests must be reads, writes and, if the model has them, cas. Empty values are what registers
// hold before any write.
HistoryJudgement JudgeHistory(const std::vector<ProtocolRecord>& records, consistency::Model model);

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_HISTORY_H_
