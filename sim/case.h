// A case: a run with every choice written down (the schema: sim/case.proto). This file reads,
// checks and writes cases; a universe that is given one performs it (RunOptions::replay).

#ifndef NORN_SIM_CASE_H_
#define NORN_SIM_CASE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/case.pb.h"
#include "sim/fault_plan.h"
#include "sim/sim_network.h"
#include "sim/universe_config.h"
#include "sim/workload.h"

namespace norn::sim {

inline constexpr uint32_t kCaseFormat = 1;

// A case that makes sense, as the universe takes it.
struct Case {
  uint64_t seed = 0;
  int64_t until_us = 0;
  UniverseConfig config;
  std::vector<Fault> faults;              // by start
  std::vector<MessageHarm> harms;         // to single messages
  std::vector<ScriptedOperation> script;  // by time
};

// kInvalidArgument names the file and the line of what is wrong, and what to write instead:
// syntax, another format version, unknown settings, nodes that are not there, faults and
// operations that lack what they need.
absl::StatusOr<v1::Case> ParseCase(absl::string_view text, const std::string& path);
// Also kNotFound if there is no such file.
absl::StatusOr<v1::Case> LoadCase(const std::string& path);

// kInvalidArgument without a place: for cases that were never a file.
absl::StatusOr<std::shared_ptr<const Case>> MakeCase(const v1::Case& written);

// As ParseCase reads it; each operation, fault, ... on one line.
std::string FormatCase(const v1::Case& written);
// kUnavailable names the file.
absl::Status SaveCase(const v1::Case& written, const std::string& path);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_H_
