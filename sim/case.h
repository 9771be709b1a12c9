// A case: a run with every choice written down (the schema: sim/case.proto). This file reads,
// checks and writes cases; a subject that is given one performs it (RunOptions::replay).

#ifndef NORN_SIM_CASE_H_
#define NORN_SIM_CASE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/types.h"
#include "sim/case.pb.h"
#include "sim/fault_plan.h"
#include "sim/sim_network.h"
#include "sim/subject.h"

namespace norn::sim {

inline constexpr uint32_t kCaseFormat = 1;

// Unless a case says otherwise, all that travels between nodes, or between a client and a node,
// takes the same time.
inline constexpr int64_t kCaseDelayUs = 1'000;
inline constexpr int64_t kCaseWayUs = 100;

// A case that makes sense, as its subject takes it: each has more of its own.
struct Case {
  virtual ~Case() = default;

  // The nodes that are to hold the key, if it is only some.
  virtual std::vector<NodeId> ReplicasOf(const std::string&) const { return {}; }

  uint64_t seed = 0;
  int64_t until_us = 0;
  int nodes = 0;
  std::vector<Fault> faults;       // by start
  std::vector<MessageHarm> harms;  // to single messages
  // What is told of a node that is down, in words: "on its disk", "before".
  std::string held_when_down;
};

// kInvalidArgument names the file and the line of what is wrong, and what to write instead:
// syntax, another format version, unknown settings, nodes that are not there, faults and
// operations that lack what they need.
absl::StatusOr<v1::Case> ParseCase(const Subject& subject, absl::string_view text,
                                   const std::string& path);
// Also kNotFound if there is no such file.
absl::StatusOr<v1::Case> LoadCase(const Subject& subject, const std::string& path);

// kInvalidArgument without a place: for cases that were never a file.
absl::StatusOr<std::shared_ptr<const Case>> MakeCase(const Subject& subject,
                                                     const v1::Case& written);

// For subjects: takes what every case has.
void TakeCommon(const v1::Case& written, Case* made);

// As ParseCase reads it; each operation, fault, ... on one line.
std::string FormatCase(const v1::Case& written);
// kUnavailable names the file.
absl::Status SaveCase(const v1::Case& written, const std::string& path);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_H_
