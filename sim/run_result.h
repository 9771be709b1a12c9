// What came of a run, whatever was run.

#ifndef NORN_SIM_RUN_RESULT_H_
#define NORN_SIM_RUN_RESULT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/fault_plan.h"
#include "sim/run_phases.h"

namespace norn::sim {

inline constexpr int kExitValid = 0;
inline constexpr int kExitViolated = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNoProgress = 3;
inline constexpr int kExitUnknown = 4;
inline constexpr int kExitCrashed = 5;

enum class Verdict : uint8_t { kValid, kViolated, kNoProgress, kUnknown };
const char* VerdictName(Verdict verdict);

struct RunResult {
  Verdict verdict = Verdict::kUnknown;
  std::string property;  // what was violated, or why there is no verdict
  std::string witness;
  std::string trace_hash;
  int64_t virtual_us = 0;
  std::string config;           // what was run, in words
  int64_t healed_after_us = 0;  // from the end of the faults until all was well
  int64_t heal_bound_us = 0;    // what it may take
  uint64_t events = 0;
  uint64_t traced_events = 0;  // that the hash has seen
  uint64_t messages = 0;
  uint64_t file_operations = 0;
  std::map<std::string, uint64_t> outcomes;       // operations by "get ok" and so on
  std::map<std::string, uint64_t> fault_effects;  // by kind of fault
  std::map<std::string, uint64_t> rare_branches;  // that were forced, by name
  std::vector<Fault> plan;
  RunPhases phases;  // of a described run: how its clients fared
};

// 0 for kValid, and so on: what the program exits with.
int ExitCodeOfVerdict(Verdict verdict);

}  // namespace norn::sim

#endif  // NORN_SIM_RUN_RESULT_H_
