#include "sim/history.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace norn::sim {

namespace {

// Values carry padding behind their name.
std::string NameOf(const std::string& value) { return value.substr(0, value.find(' ')); }

std::string Milliseconds(int64_t time_us) { return absl::StrCat(time_us / 1000, " ms"); }

}  // namespace

std::string DescribeInvocation(const Operation& operation) {
  std::string text = absl::StrCat("client ", operation.client, ": ");
  switch (operation.kind) {
    case ClientRequest::Kind::kGet:
      absl::StrAppend(&text, "get ", operation.key);
      break;
    case ClientRequest::Kind::kPut:
      absl::StrAppend(&text, "put ", operation.key, " = ", NameOf(operation.value));
      break;
    case ClientRequest::Kind::kDelete:
      absl::StrAppend(&text, "delete ", operation.key);
      break;
  }
  absl::StrAppend(&text, " via n", operation.node, " at ", Milliseconds(operation.invoked_us));
  return text;
}

std::string Describe(const Operation& operation) {
  std::string text = DescribeInvocation(operation);
  if (operation.completed_us == kNever) return absl::StrCat(text, ", never answered");
  absl::StrAppend(&text, ", ", OutcomeName(operation.outcome), " at ",
                  Milliseconds(operation.completed_us));
  if (operation.kind == ClientRequest::Kind::kGet && operation.ok()) {
    std::vector<std::string> names;
    for (const std::string& value : operation.read) names.push_back(NameOf(value));
    absl::StrAppend(&text, ", read {", absl::StrJoin(names, ", "), "}");
  }
  return text;
}

std::string DescribeOutcome(const Operation& operation) {
  static constexpr const char* kKinds[] = {"get", "put", "delete"};
  const bool never = operation.completed_us == kNever;
  return absl::StrCat(kKinds[static_cast<int>(operation.kind)], " ",
                      never ? "never answered" : OutcomeName(operation.outcome));
}

}  // namespace norn::sim
