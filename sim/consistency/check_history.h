// Checks a whole history, key by key, and says what was found.

#ifndef NORN_SIM_CONSISTENCY_CHECK_HISTORY_H_
#define NORN_SIM_CONSISTENCY_CHECK_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/consistency/finding.h"
#include "sim/consistency/history.h"
#include "sim/consistency/linearization.h"

namespace norn::consistency {

enum class Model : uint8_t {
  kRegister,     // linearizable reads and writes: zones, or a search where values are not unique
  kCasRegister,  // linearizable reads, writes and compare-and-set: a search
  kSessions,     // the four session guarantees
};

// "register", "cas-register", "sessions".
const char* ModelName(Model model);
std::optional<Model> ModelNamed(absl::string_view name);

// "VALID", "VIOLATED", "UNKNOWN".
const char* VerdictName(Verdict verdict);

struct KeyFinding {
  size_t key = 0;  // an index into History::keys
  Finding finding;
};

struct CheckResult {
  // kViolated if any key is; else kUnknown if any key is, or if nothing was completed at all.
  Verdict verdict = Verdict::kValid;
  std::string why;  // of kUnknown, if it is of no key
  int64_t keys_violated = 0;
  int64_t keys_unknown = 0;
  std::vector<KeyFinding> findings;  // of the first keys that are not valid
};

inline constexpr size_t kFindingsMax = 5;

// `configurations_max` is for each key. The model must allow what the history holds.
CheckResult CheckHistory(const History& history, Model model,
                         uint64_t configurations_max = kConfigurationsMax);

// For people: the verdict, and for each finding why, with a table of its operations.
std::string DescribeResult(const History& history, Model model, const CheckResult& result);
// For programs: one JSON object.
std::string ResultJson(const History& history, Model model, const CheckResult& result);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_CHECK_HISTORY_H_
