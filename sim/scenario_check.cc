#include "sim/scenario_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/config.h"
#include "sim/fault_plan.h"
#include "sim/levels.h"
#include "sim/message_rules.h"

namespace norn::sim {

namespace {

const std::set<std::string>& Outcomes() {
  static const auto* const kOutcomes =
      new std::set<std::string>{"ok",      "invalid",     "overloaded",     "not applied",
                                "unknown", "unavailable", "never answered", "any"};
  return *kOutcomes;
}

// Walks the steps once, and keeps what was named so far. Every check returns what is wrong,
// or nothing.
class Checker {
 public:
  explicit Checker(const Scenario& scenario) : script_(scenario.script) {
    nodes_ = script_.cluster().has_nodes() ? script_.cluster().nodes() : 3;
    sloppy_ = script_.cluster().sloppy();
  }

  std::string Step(const v1::ScenarioStep& step) {
    switch (step.what_case()) {
      case v1::ScenarioStep::kOperation:
        return Operation(step.operation(), /*waits=*/true);
      case v1::ScenarioStep::kBegin:
        return Operation(step.begin(), /*waits=*/false);
      case v1::ScenarioStep::kAwait:
        unawaited_.erase(step.await());
        if (open_.erase(step.await()) > 0) return "";
        return absl::StrCat("await \"", step.await(), "\": no begin of that name is open");
      case v1::ScenarioStep::kFault:
        return Fault(step.fault());
      case v1::ScenarioStep::kRule:
        return Rule(step.rule());
      case v1::ScenarioStep::kEnd:
        return Known(step.end(), {"fault", "rule"});
      case v1::ScenarioStep::kRelease:
        return Known(step.release(), {"rule"});
      case v1::ScenarioStep::kAwaitEffect:
        return Known(step.await_effect(), {"fault", "rule"});
      case v1::ScenarioStep::kRestart:
        return Node("restart", step.restart());
      case v1::ScenarioStep::kCheck:
        return Check(step.check());
      case v1::ScenarioStep::kWaitMs:
      case v1::ScenarioStep::kSettleMs:
        return "";
      case v1::ScenarioStep::WHAT_NOT_SET:
        return "the step is empty: write an operation, a fault, wait_ms, ...";
    }
    return "";
  }

  // What was begun and is never looked at.
  std::string Rest() const {
    if (unawaited_.empty()) return "";
    return absl::StrCat("\"", *unawaited_.begin(),
                        "\" is begun and never awaited: await it, or write expect: \"any\"");
  }

 private:
  std::string Node(const char* field, uint32_t node) const {
    if (node >= 1 && node <= nodes_) return "";
    return absl::StrCat(field, " is ", node, ": the cluster has the nodes 1 to ", nodes_);
  }

  std::string Name(const std::string& name, const std::string& what) {
    if (name.empty() || kinds_.emplace(name, what).second) return "";
    return absl::StrCat("two steps have the name \"", name, "\"");
  }

  std::string Known(const std::string& name, const std::set<std::string>& kinds) const {
    const auto it = kinds_.find(name);
    if (it != kinds_.end() && kinds.count(it->second) != 0) return "";
    return absl::StrCat("no ", absl::StrJoin(kinds, " or "), " before this has the name \"", name,
                        "\"");
  }

  std::string Operation(const v1::ScenarioOperation& operation, bool waits) {
    const bool get = operation.kind() == v1::ScenarioOperation::GET;
    const bool put = operation.kind() == v1::ScenarioOperation::PUT;
    if (operation.key().empty()) return "the operation has no key";
    if (operation.has_via()) {
      if (std::string wrong = Node("via", operation.via()); !wrong.empty()) return wrong;
    }
    if (put == operation.value().empty()) return "a put has a value, and nothing else has one";
    if (put && !values_.insert(operation.value()).second) {
      return absl::StrCat("the value ", operation.value(),
                          " was put before: values tell whose write was read");
    }
    if (operation.value().find(' ') != std::string::npos) {
      return "the value has a space: what follows one is taken for padding";
    }
    if (operation.repeat() > 1 && (get || !waits)) return "only puts and deletes can be repeated";
    if (operation.has_ttl_ms() && (!put || operation.ttl_ms() == 0)) {
      return "ttl_ms is for puts, and at least 1";
    }
    if (operation.has_stood_in() && !sloppy_) return Strict("stood_in");
    if (operation.has_level() && operation.has_quorum()) return "a level is instead of a quorum";
    if (operation.has_level() && !LevelOfName(operation.level()).has_value()) {
      return absl::StrCat("level is \"", operation.level(), "\": write ", kLevelNames);
    }
    const std::string& base = operation.base();
    if (!base.empty() && get) return "a get has no base";
    if (!base.empty() && base != "current" && base != "nothing") {
      if (std::string wrong = Known(base, {"operation"}); !wrong.empty()) {
        return absl::StrCat("base is neither \"current\" nor \"nothing\", and ", wrong);
      }
    }
    if (operation.has_expect() && Outcomes().count(operation.expect()) == 0) {
      return absl::StrCat("expect is \"", operation.expect(), "\": write one of ",
                          absl::StrJoin(Outcomes(), ", "));
    }
    const bool looks = operation.reads_size() > 0 || operation.reads_nothing() ||
                       operation.contains_size() > 0 || operation.lacks_size() > 0;
    if (looks && !get) return "only a get reads";
    if (!waits) {
      if (operation.name().empty()) return "a begin needs a name, to be awaited by";
      open_.insert(operation.name());
      if (operation.expect() != "any") unawaited_.insert(operation.name());
    }
    return Name(operation.name(), "operation");
  }

  static std::string Strict(const char* field) {
    return absl::StrCat(field,
                        ": nobody stands in for anybody here; write sloppy: true in cluster");
  }

  std::string Check(const v1::ScenarioCheck& check) const {
    if (std::string wrong = Node("node", check.node()); !wrong.empty()) return wrong;
    const bool hints = check.has_hints_min() || check.has_hints_max() ||
                       check.has_hint_bytes_min() || check.has_hint_bytes_max() ||
                       check.has_hints_refused_min();
    const bool damage =
        check.has_damaged_min() || check.has_damaged_max() || check.has_mended_min();
    const bool work = check.has_replica_work_refused_min() ||
                      check.has_replica_work_expired_min() || check.has_replica_work_waiting_max();
    if (!hints && !damage && !work && !check.has_key())
      return "the check looks at nothing: write hints_min, key, ...";
    if ((hints || check.hint()) && !sloppy_) return Strict("hints");
    if (check.has_hints_max() && check.hints_min() > check.hints_max()) {
      return "hints_min is above hints_max";
    }
    if (check.has_hint_bytes_max() && check.hint_bytes_min() > check.hint_bytes_max()) {
      return "hint_bytes_min is above hint_bytes_max";
    }
    if (check.has_damaged_max() && check.damaged_min() > check.damaged_max()) {
      return "damaged_min is above damaged_max";
    }
    const bool holds = check.holds_size() > 0;
    if (!check.has_key() &&
        (holds || check.holds_nothing() || check.forgotten() || check.has_hint())) {
      return "what is held of which key?";
    }
    if (check.has_key() && int{holds} + int{check.holds_nothing()} + int{check.forgotten()} != 1) {
      return "what is held of the key? Write holds, holds_nothing: true, or forgotten: true";
    }
    return "";
  }

  std::string Fault(const v1::ScenarioFault& fault) {
    using Kind = v1::ScenarioFault;
    for (const uint32_t node : fault.nodes()) {
      if (std::string wrong = Node("nodes", node); !wrong.empty()) return wrong;
    }
    if (!v1::ScenarioFault::Kind_IsValid(fault.kind())) {
      return absl::StrCat("there is no kind ", static_cast<int>(fault.kind()), " of faults");
    }
    const auto kind = static_cast<FaultKind>(fault.kind());
    if ((OneNodeOnly(kind) || kind == FaultKind::kIsolate) && fault.nodes_size() != 1) {
      return "this fault befalls one node: name it by nodes";
    }
    if (NeedsNodes(kind) && fault.nodes_size() == 0) return "which nodes? Name them by nodes";
    if (kind == FaultKind::kRing && fault.nodes_size() < LeastNodes(kind)) {
      return absl::StrCat("a ring has at least ", LeastNodes(kind), " nodes: in one of ",
                          fault.nodes_size(), " everybody reaches everybody");
    }
    if (kind == FaultKind::kBridge && fault.nodes_size() < 2) {
      return "a bridge partition needs the bridge and one of the halves in nodes";
    }
    if (kind == FaultKind::kZoneOutage) {
      const uint32_t zones =
          std::max(script_.cluster().has_zones() ? script_.cluster().zones() : 3u, 1u);
      for (const uint32_t node : fault.nodes()) {
        if (node % zones == fault.nodes(0) % zones) continue;
        return absl::StrCat("the nodes ", fault.nodes(0), " and ", node,
                            " are not of one zone: a POWER_CUT takes any nodes");
      }
    }
    const bool may_lack = kind == FaultKind::kCrash || kind == FaultKind::kPowerCut ||
                          (AmountIsOne(kind) && !fault.has_amount());
    if (!may_lack && fault.amount() < LeastAmount(kind)) {
      return absl::StrCat("amount is ", fault.amount(), ": a ", InfoOf(kind).words,
                          " needs at least ", LeastAmount(kind));
    }
    if (fault.has_at_ms() || fault.in_size() > 0 || fault.has_times() || fault.has_every_ms() ||
        fault.has_in_turn()) {
      return "at_ms, in, times, every_ms and in_turn are for described runs: a step has its place";
    }
    if (fault.beyond_budget() && !Destroys(kind) && !Rots(kind)) {
      return "beyond_budget is for faults that cost a disk what it holds";
    }
    const bool shifts = fault.kind() == Kind::CLOCK_JUMP || fault.kind() == Kind::CLOCK_DRIFT;
    if (shifts != (fault.shift_ms() != 0)) return "shift_ms is for clocks, and they need it";
    return Name(fault.name(), "fault");
  }

  std::string Rule(const v1::ScenarioRule& rule) {
    if (!rule.message().empty() && MessageNames().count(rule.message()) == 0) {
      return absl::StrCat("message is \"", rule.message(), "\": write one of ",
                          absl::StrJoin(MessageNames(), ", "));
    }
    for (const uint32_t node : {rule.from(), rule.to()}) {
      if (node == 0) continue;
      if (std::string wrong = Node("from or to", node); !wrong.empty()) return wrong;
    }
    if (rule.has_nth() && rule.nth() == 0) return "nth is 0: the first is 1";
    const bool later =
        rule.action() == v1::ScenarioRule::DELAY || rule.action() == v1::ScenarioRule::DUPLICATE;
    if (later != rule.has_by_ms()) return "by_ms is for DELAY and DUPLICATE, and they need it";
    return Name(rule.name(), "rule");
  }

  const v1::Scenario& script_;
  uint32_t nodes_ = 0;
  bool sloppy_ = false;
  std::map<std::string, std::string> kinds_;  // of what has a name
  std::set<std::string> values_;
  std::set<std::string> open_;       // begun
  std::set<std::string> unawaited_;  // begun, and somebody has to look
};

}  // namespace

absl::Status CheckScenario(const Scenario& scenario) {
  const auto refuse = [](absl::string_view where, absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", why));
  };
  if (scenario.script.description().empty()) {
    return refuse(scenario.path, "no description: say in one line what is staged");
  }
  if (scenario.script.step_size() == 0) return refuse(scenario.path, "no steps");
  const UniverseConfig config = scenario.Config();
  NodeOptions node = config.node;
  node.id = 1;
  if (const absl::Status status = Validate(config.cluster, node); !status.ok()) {
    return refuse(scenario.path, absl::string_view(status.message()));
  }
  Checker checker(scenario);
  for (int i = 0; i < scenario.script.step_size(); ++i) {
    const std::string wrong = checker.Step(scenario.script.step(i));
    if (!wrong.empty()) return refuse(scenario.Where(static_cast<size_t>(i)), wrong);
  }
  if (const std::string wrong = checker.Rest(); !wrong.empty()) {
    return refuse(scenario.path, wrong);
  }
  return absl::OkStatus();
}

}  // namespace norn::sim
