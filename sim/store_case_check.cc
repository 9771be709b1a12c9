#include "sim/store_case_check.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/claims.h"
#include "sim/fault_plan.h"
#include "sim/levels.h"
#include "sim/message_rules.h"

namespace norn::sim {

namespace {

constexpr int64_t kLongestUs = int64_t{1} << 50;  // far from where moments overflow
constexpr uint64_t kPadBytesMax = 1u << 20;

bool OfClocks(const v1::CaseFault& fault) {
  const auto kind = static_cast<FaultKind>(fault.kind());
  return kind == FaultKind::kClockJump || kind == FaultKind::kClockDrift;
}

// What is wrong, or nothing. `values` are those of the puts before it.
std::string Check(const v1::CaseOperation& operation, const v1::Case& written, bool clocks,
                  std::set<std::string>* values) {
  if (operation.has_name() || operation.has_expected()) {
    return "name and expected are of other protocols: the store has kind";
  }
  if (operation.key().empty()) return "the operation has no key";
  const bool put = operation.kind() == v1::ScenarioOperation::PUT;
  if (put == operation.value().empty()) return "a put has a value, and nothing else has one";
  if (operation.value().find(' ') != std::string::npos) {
    return "the value has a space: what follows one is taken for padding";
  }
  if (put && !values->insert(operation.value()).second) {
    return absl::StrCat("the value ", operation.value(),
                        " was put before: values tell whose write was read");
  }
  if (operation.pad_bytes() > kPadBytesMax) {
    return absl::StrCat("pad_bytes is ", operation.pad_bytes(), ": it must be at most ",
                        kPadBytesMax);
  }
  if (operation.quorum() > written.bucket().n()) {
    return absl::StrCat("quorum is ", operation.quorum(), ": the bucket has ", written.bucket().n(),
                        " replicas");
  }
  if (operation.has_level() && (!LevelOfName(operation.level()) || operation.has_quorum())) {
    return absl::StrCat("level is \"", operation.level(), "\": write ", kLevelNames,
                        ", and no quorum beside it");
  }
  if (operation.ttl_us() < 0 || operation.ttl_us() > kLongestUs ||
      (operation.has_ttl_us() && !put)) {
    return absl::StrCat("ttl_us is ", operation.ttl_us(), ": it is for puts, and 1 to ",
                        kLongestUs);
  }
  if (operation.ttl_us() > 0 && clocks) {
    return "ttl_us beside a fault of wall clocks: what has expired is judged by one clock";
  }
  return "";
}

}  // namespace

std::optional<CaseProblem> FindStoreProblem(const v1::Case& written) {
  for (int i = 0; i < written.message_size(); ++i) {
    const std::string& name = written.message(i).name();
    if (IsMessageName(name)) continue;
    return CaseProblem{"message", i,
                       absl::StrCat("\"", name, "\" is no message (core/messages.h names them)")};
  }
  for (int i = 0; i < written.claim_size(); ++i) {
    if (ClaimOfName(written.claim(i)).has_value()) continue;
    return CaseProblem{"claim", i, UnknownClaim(written.claim(i))};
  }
  const bool clocks = std::any_of(written.fault().begin(), written.fault().end(), OfClocks);
  std::set<std::string> values;
  for (int i = 0; i < written.operation_size(); ++i) {
    std::string wrong = Check(written.operation(i), written, clocks, &values);
    if (!wrong.empty()) return CaseProblem{"operation", i, std::move(wrong)};
  }
  return std::nullopt;
}

}  // namespace norn::sim
