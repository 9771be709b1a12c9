#include "sim/consistency/check_history.h"

#include <utility>

#include "sim/consistency/session_guarantees.h"
#include "sim/consistency/zones.h"

namespace norn::consistency {
namespace {

Finding SearchKey(const KeyHistory& key, uint64_t configurations_max, bool witness) {
  if (witness) return CheckLinearization(key, configurations_max);
  Finding finding;
  finding.verdict = SearchLinearization(key.operations, configurations_max).verdict;
  return finding;
}

Finding CheckKey(const KeyHistory& key, Model model, uint64_t configurations_max, bool witness) {
  if (model == Model::kSessions) return CheckSessionGuarantees(key);
  if (model == Model::kRegister) {
    if (std::optional<Finding> finding = CheckZones(key)) return *std::move(finding);
  }
  return SearchKey(key, configurations_max, witness);
}

}  // namespace

const char* ModelName(Model model) {
  return model == Model::kRegister      ? "register"
         : model == Model::kCasRegister ? "cas-register"
                                        : "sessions";
}

std::optional<Model> ModelNamed(absl::string_view name) {
  for (const Model model : {Model::kRegister, Model::kCasRegister, Model::kSessions}) {
    if (name == ModelName(model)) return model;
  }
  return std::nullopt;
}

const char* VerdictName(Verdict verdict) {
  return verdict == Verdict::kValid      ? "VALID"
         : verdict == Verdict::kViolated ? "VIOLATED"
                                         : "UNKNOWN";
}

CheckResult CheckHistory(const History& history, Model model, uint64_t configurations_max) {
  CheckResult result;
  for (size_t i = 0; i < history.keys.size(); ++i) {
    const bool witness = result.findings.size() < kFindingsMax;
    Finding finding = CheckKey(history.keys[i], model, configurations_max, witness);
    if (finding.verdict == Verdict::kValid) continue;
    ++(finding.verdict == Verdict::kViolated ? result.keys_violated : result.keys_unknown);
    if (witness) result.findings.push_back({i, std::move(finding)});
  }
  if (result.keys_violated > 0) {
    result.verdict = Verdict::kViolated;
  } else if (result.keys_unknown > 0) {
    result.verdict = Verdict::kUnknown;
  } else if (history.completed == 0) {
    result.verdict = Verdict::kUnknown;
    result.why = "no operation of this history was completed: there is nothing to check";
  }
  return result;
}

}  // namespace norn::consistency
