#include "sim/scenario_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"
#include "sim/levels.h"
#include "sim/scenario_look.h"

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr int64_t kAwakeUs = 2'000 * kMilli;    // before the first step: all know each other
constexpr int64_t kEffectUs = 60'000 * kMilli;  // how long an effect is awaited
constexpr int64_t kLookUs = 20 * kMilli;        // between two looks at what is awaited
constexpr uint64_t kAllReads = 1'000'000;

int64_t Micros(uint64_t milliseconds) { return static_cast<int64_t>(milliseconds) * kMilli; }

static_assert(v1::ScenarioFault::Kind_MAX + 1 == kFaultKindCount);
FaultKind KindOf(v1::ScenarioFault::Kind kind) { return static_cast<FaultKind>(kind); }

MessageRule::Action ActionOf(v1::ScenarioRule::Action action) {
  switch (action) {
    case v1::ScenarioRule::DELAY:
      return MessageRule::Action::kDelay;
    case v1::ScenarioRule::DUPLICATE:
      return MessageRule::Action::kDuplicate;
    case v1::ScenarioRule::HOLD:
      return MessageRule::Action::kHold;
    default:
      return MessageRule::Action::kDrop;
  }
}

std::string OutcomeOf(const Operation& operation) {
  return operation.completed_us == kNever ? "never answered" : OutcomeName(operation.outcome);
}

}  // namespace

std::optional<Violation> ScenarioRunner::Run() {
  stage_.scheduler.RunUntil(kAwakeUs);
  for (size_t i = 0; i < scenario_.lines.size(); ++i) {
    if (auto unmet = Perform(i)) return unmet;
    if (!unstaged_.empty()) return std::nullopt;
  }
  for (const Harm& harm : harms_) {
    if (!harm.effects_max.has_value() || EffectsOf(harm) <= *harm.effects_max) continue;
    return Unmet(harm.step, absl::StrCat(EffectsOf(harm), " such messages were sent, at most ",
                                         *harm.effects_max, " were expected"));
  }
  return std::nullopt;
}

std::string ScenarioRunner::Unstaged() const {
  if (!unstaged_.empty()) return unstaged_;
  for (const Harm& harm : harms_) {
    const uint64_t effects = EffectsOf(harm);
    if (effects >= harm.effects_min) continue;
    return absl::StrCat(scenario_.Where(harm.step), ": the ", harm.is_rule ? "rule" : "fault",
                        " had ", effects, " effects, and should have ", harm.effects_min);
  }
  return "";
}

Violation ScenarioRunner::Unmet(size_t step, const std::string& what) const {
  return Violation{absl::StrCat("what the scenario expects at ", scenario_.Where(step)), what};
}

std::optional<Violation> ScenarioRunner::Perform(size_t step) {
  const v1::ScenarioStep& what = scenario_.script.step(static_cast<int>(step));
  Scheduler& scheduler = stage_.scheduler;
  switch (what.what_case()) {
    case v1::ScenarioStep::kOperation:
      return PerformOperation(step, what.operation(), /*waits=*/true);
    case v1::ScenarioStep::kBegin:
      return PerformOperation(step, what.begin(), /*waits=*/false);
    case v1::ScenarioStep::kAwait:
      return Await(outcomes_.at(operations_.at(what.await())));
    case v1::ScenarioStep::kWaitMs:
      scheduler.RunUntil(scheduler.now_us() + Micros(what.wait_ms()));
      break;
    case v1::ScenarioStep::kFault:
      BeginFault(step, what.fault());
      break;
    case v1::ScenarioStep::kRule:
      AddRule(step, what.rule());
      break;
    case v1::ScenarioStep::kEnd:
      End(harms_[harm_by_name_.at(what.end())]);
      break;
    case v1::ScenarioStep::kRelease:
      stage_.rules.Release(harms_[harm_by_name_.at(what.release())].number);
      break;
    case v1::ScenarioStep::kAwaitEffect: {
      const Harm& harm = harms_[harm_by_name_.at(what.await_effect())];
      const auto had = [this, &harm] { return EffectsOf(harm) >= harm.effects_min; };
      if (!scheduler.RunUntilDone(scheduler.now_us() + kEffectUs, had)) {
        unstaged_ = absl::StrCat(scenario_.Where(step), ": \"", what.await_effect(),
                                 "\" has had no effect after ", kEffectUs / kMilli, " ms");
      }
      break;
    }
    case v1::ScenarioStep::kRestart:
      stage_.faults.StartNode(static_cast<NodeId>(what.restart()));
      break;
    case v1::ScenarioStep::kSettleMs: {
      const int64_t until_us = scheduler.now_us() + Micros(what.settle_ms());
      while (!stage_.agree() && scheduler.now_us() < until_us) {
        scheduler.RunUntil(scheduler.now_us() + kLookUs);
      }
      if (!stage_.agree()) return Unmet(step, "the replicas do not agree");
      break;
    }
    case v1::ScenarioStep::kCheck:
      return Check(step, what.check());
    case v1::ScenarioStep::WHAT_NOT_SET:
      break;
  }
  return std::nullopt;
}

std::optional<Violation> ScenarioRunner::Check(size_t step, const v1::ScenarioCheck& check) {
  Scheduler& scheduler = stage_.scheduler;
  SimNode& node = *stage_.nodes[check.node() - 1];
  const int64_t until_us = scheduler.now_us() + Micros(check.within_ms());
  std::string otherwise = FindOtherwise(check, stage_.layout, node);
  while (!otherwise.empty() && scheduler.now_us() < until_us) {
    scheduler.RunUntil(std::min(scheduler.now_us() + kLookUs, until_us));
    otherwise = FindOtherwise(check, stage_.layout, node);
  }
  if (otherwise.empty()) return std::nullopt;
  if (!check.staged()) return Unmet(step, otherwise);
  unstaged_ = absl::StrCat(scenario_.Where(step), ": not staged: ", otherwise);
  return std::nullopt;
}

// ---- Operations -------------------------------------------------------------------

const v1::ScenarioOperation& ScenarioRunner::OperationOf(size_t step) const {
  const v1::ScenarioStep& what = scenario_.script.step(static_cast<int>(step));
  return what.has_operation() ? what.operation() : what.begin();
}

std::optional<Violation> ScenarioRunner::PerformOperation(size_t step,
                                                          const v1::ScenarioOperation& operation,
                                                          bool waits) {
  const uint32_t times = std::max(operation.repeat(), 1u);
  for (uint32_t i = 0; i < times; ++i) {
    Ask(step, operation, operation.repeat() > 1 ? absl::StrCat("-", i) : std::string());
    if (!waits) continue;
    if (auto unmet = Await(outcomes_.at(last_))) return unmet;
  }
  return std::nullopt;
}

void ScenarioRunner::Ask(size_t step, const v1::ScenarioOperation& operation,
                         const std::string& suffix) {
  ClientRequest request;
  request.key = operation.key() + suffix;
  request.quorum = static_cast<int>(operation.quorum());
  request.level = LevelOfName(operation.level()).value_or(Level::kNumber);
  switch (operation.kind()) {
    case v1::ScenarioOperation::PUT:
      request.kind = ClientRequest::Kind::kPut;
      request.value = operation.value() + suffix;
      if (operation.has_pad_bytes()) {
        request.value.append(" ").append(operation.pad_bytes(), 'x');
      }
      request.ttl_us = Micros(operation.ttl_ms());
      break;
    case v1::ScenarioOperation::DELETE:
      request.kind = ClientRequest::Kind::kDelete;
      break;
    default:
      break;
  }
  const std::string& base = operation.base();
  if (base == "nothing") {
    request.base = ClientRequest::Base::kNothing;
  } else if (!base.empty() && base != "current") {
    const Outcome& earlier = outcomes_.at(operations_.at(base));
    if (earlier.token.empty()) {
      unstaged_ = absl::StrCat(scenario_.Where(step), ": \"", base, "\" was given no token");
      return;
    }
    request.base = ClientRequest::Base::kToken;
    request.context = earlier.token;
  }
  const uint64_t number = ++last_;
  if (!operation.name().empty()) operations_[operation.name()] = number;
  outcomes_[number].step = step;
  const int client = operation.has_client() ? static_cast<int>(operation.client()) : 1;
  const auto via = static_cast<NodeId>(operation.has_via() ? operation.via() : 1);
  outcomes_[number].operation = stage_.workload.Ask(client, via, std::move(request),
                                                    [this, number](const ClientReply* reply) {
                                                      Outcome& outcome = outcomes_.at(number);
                                                      outcome.ended = true;
                                                      if (reply == nullptr) return;
                                                      outcome.message = reply->message;
                                                      outcome.token = reply->context;
                                                      outcome.stand_ins = reply->hints;
                                                    });
}

std::optional<Violation> ScenarioRunner::Await(Outcome& outcome) {
  if (!unstaged_.empty()) return std::nullopt;
  CORE_CHECK(stage_.scheduler.RunUntilDone(kNever, [&outcome] { return outcome.ended; }));
  return Judge(outcome);
}

std::optional<Violation> ScenarioRunner::Judge(const Outcome& outcome) const {
  const v1::ScenarioOperation& expected = OperationOf(outcome.step);
  const Operation& operation = stage_.workload.history().operations[outcome.operation];
  const auto unmet = [&](const std::string& what) {
    return Unmet(outcome.step,
                 absl::StrCat(Describe(operation), "\n", what, "\n", outcome.message));
  };
  const std::string wanted = expected.has_expect() ? expected.expect() : "ok";
  if (wanted != "any" && wanted != OutcomeOf(operation)) return unmet("expected: " + wanted);
  if (!absl::StrContains(outcome.message, expected.says())) {
    return unmet(absl::StrCat("expected words: ", expected.says()));
  }
  const int64_t took_us = operation.completed_us - operation.invoked_us;
  if (expected.has_within_ms() &&
      (operation.completed_us == kNever || took_us > Micros(expected.within_ms()))) {
    return unmet(absl::StrCat("expected within ", expected.within_ms(), " ms"));
  }
  if (!operation.ok()) return std::nullopt;
  if (expected.has_stood_in() && outcome.stand_ins != static_cast<int>(expected.stood_in())) {
    return unmet(
        absl::StrCat(outcome.stand_ins, " stand-ins took part, expected: ", expected.stood_in()));
  }
  std::vector<std::string> read;
  for (const std::string& value : operation.read) read.push_back(NameOfValue(value));
  std::sort(read.begin(), read.end());
  std::vector<std::string> exactly(expected.reads().begin(), expected.reads().end());
  std::sort(exactly.begin(), exactly.end());
  if ((expected.reads_nothing() || !exactly.empty()) && read != exactly) {
    return unmet(absl::StrCat("expected: {", absl::StrJoin(exactly, ", "), "}"));
  }
  const auto has = [&read](const std::string& value) {
    return std::binary_search(read.begin(), read.end(), value);
  };
  for (const std::string& value : expected.contains()) {
    if (!has(value)) return unmet(absl::StrCat("expected among others: ", value));
  }
  for (const std::string& value : expected.lacks()) {
    if (has(value)) return unmet(absl::StrCat("not expected: ", value));
  }
  return std::nullopt;
}

// ---- Harm -------------------------------------------------------------------------

void ScenarioRunner::BeginFault(size_t step, const v1::ScenarioFault& from) {
  Fault fault;
  fault.kind = KindOf(from.kind());
  for (const uint32_t node : from.nodes()) fault.nodes.push_back(static_cast<NodeId>(node));
  fault.amount = from.amount();
  fault.tables_only = true;
  if (!from.has_amount() && fault.kind == FaultKind::kReadError) fault.amount = kAllReads;
  if (!from.has_amount() && AmountIsOne(fault.kind)) fault.amount = 1;
  fault.shift_us = from.shift_ms() * kMilli;
  fault.loss = static_cast<int>(from.loss());
  fault.beyond_budget = from.beyond_budget();
  const int64_t now_us = stage_.scheduler.now_us();
  fault.end_us = from.has_for_ms() ? now_us + Micros(from.for_ms()) : kNever;
  fault.down_us = from.has_back_after_ms() ? Micros(from.back_after_ms()) : kNever;
  const bool ends_itself = fault.end_us != kNever;
  const std::optional<size_t> number = stage_.faults.Begin(std::move(fault));
  if (!number.has_value()) {
    unstaged_ = absl::StrCat(scenario_.Where(step),
                             ": the fault budget does not allow this: W_min - 1 replicas of a "
                             "key are destroyed already");
    return;
  }
  if (ends_itself) {
    stage_.scheduler.At(stage_.plan[*number].end_us,
                        [this, number = *number] { stage_.faults.End(number); });
  }
  if (!from.name().empty()) harm_by_name_[from.name()] = harms_.size();
  harms_.push_back({step, false, *number, from.has_effects_min() ? from.effects_min() : 1, {}});
}

void ScenarioRunner::AddRule(size_t step, const v1::ScenarioRule& from) {
  MessageRule rule;
  rule.message = from.message();
  rule.from = static_cast<NodeId>(from.from());
  rule.to = static_cast<NodeId>(from.to());
  rule.key = from.key();
  if (from.has_nth()) rule.nth = from.nth();
  if (from.has_times()) rule.times = from.times();
  rule.action = ActionOf(from.action());
  rule.delay_us = Micros(from.by_ms());
  const size_t number = stage_.rules.Add(std::move(rule));
  if (!from.name().empty()) harm_by_name_[from.name()] = harms_.size();
  harms_.push_back({step, true, number, from.has_effects_min() ? from.effects_min() : 1, {}});
  if (from.has_effects_max()) harms_.back().effects_max = from.effects_max();
}

void ScenarioRunner::End(const Harm& harm) {
  if (harm.is_rule) {
    stage_.rules.End(harm.number);
  } else {
    stage_.faults.End(harm.number);
  }
}

uint64_t ScenarioRunner::EffectsOf(const Harm& harm) const {
  return harm.is_rule ? stage_.rules.effects(harm.number) : stage_.faults.EffectsOf(harm.number);
}

}  // namespace norn::sim
