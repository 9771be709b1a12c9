#include "sim/case_check.h"

#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/case.h"
#include "sim/fault_plan.h"

namespace norn::sim {

namespace {

constexpr uint32_t kNodesMax = 64;
constexpr uint32_t kClientsMax = 1'000;
constexpr int64_t kUntilMaxUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kLongestUs = int64_t{1} << 50;  // far from where moments overflow
constexpr uint64_t kAmountMax = uint64_t{1} << 50;

// Every check returns what is wrong, or nothing.
class Checker {
 public:
  explicit Checker(const v1::Case& written)
      : written_(written), nodes_(static_cast<uint32_t>(written.node_size())) {}

  std::string Head() const {
    if (nodes_ < 1 || nodes_ > kNodesMax) {
      return absl::StrCat("there are ", nodes_, " nodes: it must be 1 to ", kNodesMax);
    }
    return "";
  }

  std::string Until() const {
    if (written_.until_us() >= 1 && written_.until_us() <= kUntilMaxUs) return "";
    return absl::StrCat("until_us is ", written_.until_us(), ": it must be 1 to ", kUntilMaxUs);
  }

  std::string Fault(const v1::CaseFault& fault) {
    if (fault.id() == 0 || !faults_.insert(fault.id()).second) {
      return absl::StrCat("the fault's id is ", fault.id(),
                          ": it must be above 0, and no other fault's");
    }
    if (!fault.has_kind()) return "the fault has no kind";
    if (!v1::ScenarioFault::Kind_IsValid(fault.kind())) {
      return absl::StrCat("there is no kind ", static_cast<int>(fault.kind()), " of faults");
    }
    for (const uint32_t node : fault.nodes()) {
      if (std::string wrong = Node("nodes", node); !wrong.empty()) return wrong;
    }
    if (fault.start_us() < 0 || fault.start_us() >= fault.end_us()) {
      return absl::StrCat("the fault begins at ", fault.start_us(), " and ends at ", fault.end_us(),
                          ": it must last, and not begin before 0");
    }
    if (fault.end_us() > written_.until_us()) {
      return absl::StrCat("the fault ends at ", fault.end_us(),
                          ", after the time of faults (until_us is ", written_.until_us(), ")");
    }
    const auto kind = static_cast<FaultKind>(fault.kind());
    if (OneNodeOnly(kind) && fault.nodes_size() != 1) {
      return absl::StrCat("a ", FaultKindName(kind), " is of one node: name it in nodes");
    }
    if (fault.nodes_size() == 0 && NeedsNodes(kind)) {
      return absl::StrCat("a ", FaultKindName(kind), " needs nodes");
    }
    if (kind == FaultKind::kZoneOutage) {
      const auto zone = [this](uint32_t node) {
        return written_.node(static_cast<int>(node) - 1).zone();
      };
      for (const uint32_t node : fault.nodes()) {
        if (zone(node) == zone(fault.nodes(0))) continue;
        return absl::StrCat("the nodes ", fault.nodes(0), " and ", node, " are not of one zone");
      }
    }
    if (fault.down_us() < 0 || fault.down_us() > kLongestUs) {
      return absl::StrCat("down_us is ", fault.down_us(), ": it must be 0 to ", kLongestUs);
    }
    if (fault.amount() > kAmountMax) {
      return absl::StrCat("amount is ", fault.amount(), ": it must be at most ", kAmountMax);
    }
    if (fault.amount() < LeastAmount(kind)) {
      return absl::StrCat("a ", FaultKindName(kind), " needs an amount of at least ",
                          LeastAmount(kind));
    }
    if (fault.shift_us() < -kLongestUs || fault.shift_us() > kLongestUs) {
      return absl::StrCat("shift_us is ", fault.shift_us(), ": it must be within ", kLongestUs);
    }
    return "";
  }

  std::string Link(const v1::CaseLink& link) const {
    if (std::string wrong = Node("from", link.from()); !wrong.empty()) return wrong;
    if (std::string wrong = Node("to", link.to()); !wrong.empty()) return wrong;
    if (link.delay_min_us() >= 0 && link.delay_min_us() <= link.delay_max_us() &&
        link.delay_max_us() <= kLongestUs) {
      return "";
    }
    return absl::StrCat("the link takes ", link.delay_min_us(), " to ", link.delay_max_us(),
                        " us: it must be 0 to ", kLongestUs, ", and the least not above the most");
  }

  std::string Message(const v1::CaseMessage& message) const {
    if (message.name().empty()) return "the message has no name";
    if (std::string wrong = Node("from", message.from()); !wrong.empty()) return wrong;
    if (std::string wrong = Node("to", message.to()); !wrong.empty()) return wrong;
    if (message.nth() == 0) return "nth is missing: the first is 1";
    if (message.later_us() < 0 || message.later_us() > kLongestUs) {
      return absl::StrCat("later_us is ", message.later_us(), ": it must be 0 to ", kLongestUs);
    }
    const bool harmed = message.lost() || message.doubled() || message.later_us() > 0;
    return harmed ? "" : "nothing befalls the message: set lost, doubled or later_us";
  }

  std::string Operation(const v1::CaseOperation& operation) {
    if (operation.id() == 0 || operation.id() > kAmountMax ||
        !operations_.insert(operation.id()).second) {
      return absl::StrCat("the operation's id is ", operation.id(),
                          ": it must be above 0, and no other operation's");
    }
    if (operation.client() < 1 || operation.client() > kClientsMax) {
      return absl::StrCat("client is ", operation.client(), ": it must be 1 to ", kClientsMax);
    }
    if (std::string wrong = Node("via", operation.via()); !wrong.empty()) return wrong;
    if (operation.at_us() < 0 || operation.at_us() >= written_.until_us() + kOvertimeUs) {
      return absl::StrCat("at_us is ", operation.at_us(),
                          ": it must be 0 or more, and below until_us and overtime, ",
                          written_.until_us() + kOvertimeUs);
    }
    return "";
  }

 private:
  std::string Node(const char* field, uint32_t node) const {
    if (node >= 1 && node <= nodes_) return "";
    return absl::StrCat(field, " is ", node, ": the cluster has the nodes 1 to ", nodes_);
  }

  const v1::Case& written_;
  const uint32_t nodes_;
  std::set<uint64_t> faults_;
  std::set<uint64_t> operations_;
};

}  // namespace

std::optional<CaseProblem> FindProblem(const v1::Case& written) {
  Checker checker(written);
  if (std::string wrong = checker.Head(); !wrong.empty()) return CaseProblem{"node", -1, wrong};
  if (std::string wrong = checker.Until(); !wrong.empty()) {
    return CaseProblem{"until_us", -1, wrong};
  }
  for (int i = 0; i < written.fault_size(); ++i) {
    std::string wrong = checker.Fault(written.fault(i));
    if (!wrong.empty()) return CaseProblem{"fault", i, std::move(wrong)};
  }
  for (int i = 0; i < written.link_size(); ++i) {
    std::string wrong = checker.Link(written.link(i));
    if (!wrong.empty()) return CaseProblem{"link", i, std::move(wrong)};
  }
  if (written.healing_us() < 0 || written.healing_us() > kUntilMaxUs) {
    return CaseProblem{"healing_us", -1,
                       absl::StrCat("healing_us is ", written.healing_us(), ": it must be 1 to ",
                                    kUntilMaxUs, ", or absent")};
  }
  for (int i = 0; i < written.message_size(); ++i) {
    std::string wrong = checker.Message(written.message(i));
    if (!wrong.empty()) return CaseProblem{"message", i, std::move(wrong)};
  }
  for (int i = 0; i < written.operation_size(); ++i) {
    std::string wrong = checker.Operation(written.operation(i));
    if (!wrong.empty()) return CaseProblem{"operation", i, std::move(wrong)};
  }
  return std::nullopt;
}

}  // namespace norn::sim
