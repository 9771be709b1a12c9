// A case of a protocol of your own: what its run needs besides what every case has.

#ifndef NORN_SIM_PROTOCOL_CASE_H_
#define NORN_SIM_PROTOCOL_CASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sim/case.h"
#include "sim/case_check.h"
#include "sim/protocol.h"
#include "sim/protocol_clients.h"

namespace norn::sim {

// What a run is made of before anything happens.
struct ProtocolConfig {
  int nodes = 0;
  int64_t delay_min_us = 0;  // of a message on a healthy network
  int64_t delay_max_us = 0;
  ProtocolClientOptions clients;
  std::map<std::string, int64_t> settings;  // all that the protocol has
};

struct ProtocolCase final : Case {
  ProtocolConfig config;
  std::vector<ProtocolOperation> script;  // by time
};

std::map<std::string, int64_t> UsualSettings(const Protocol& protocol);
// kInvalidArgument, with what is wrong and what would be right.
absl::Status SetSetting(const Protocol& protocol, const std::string& name, int64_t value,
                        std::map<std::string, int64_t>* settings);

// "abd: 3 nodes, 4 clients, ...": for verdict lines.
std::string ToString(const Protocol& protocol, const ProtocolConfig& config);

// Subject::Make of a protocol.
std::optional<CaseProblem> MakeProtocolCase(const Protocol& protocol, const v1::Case& written,
                                            std::shared_ptr<const Case>* made);

// What a run tells of itself before it begins, and of each operation (sim/case_report.h).
v1::CaseReport ReportProtocolSetup(const Protocol& protocol, uint64_t seed, int64_t until_us,
                                   const ProtocolConfig& config, const std::vector<Fault>& plan);
v1::CaseReport ReportProtocolOperation(const ProtocolOperation& operation);

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_CASE_H_
