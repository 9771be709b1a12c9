#include "sim/protocol_run.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/case_report.h"
#include "sim/fault_draw.h"
#include "sim/keyed_seed.h"
#include "sim/protocol_case.h"
#include "sim/protocol_clients.h"
#include "sim/protocol_history.h"
#include "sim/protocol_node.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/universe_faults.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kQuietUs = 1 * kSecond;    // before the first fault
constexpr int64_t kFaultsUs = 12 * kSecond;  // how long faults and clients go on
constexpr int64_t kHealUs = 60 * kSecond;    // the bound of the healing phase
constexpr int64_t kPollUs = kSecond / 4;
constexpr int64_t kStartAgainUs = kPollUs;  // after its disk has failed a node
constexpr int kLastReadTries = 5;           // of each key: a node may be busy, or still waking up

FaultSet StoodBy(const Protocol& protocol) {
  FaultSet stood;
  for (int i = 0; i < kFaultKindCount; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (protocol.Stands(kind)) stood.Add(kind);
  }
  return stood;
}

class ProtocolRun {
 public:
  ProtocolRun(const Protocol& protocol, const RunOptions& options, TraceView view)
      : protocol_(protocol),
        options_(options),
        seed_(options.replay != nullptr ? options.replay->seed : options.seed),
        until_us_(options.replay != nullptr ? options.replay->until_us : kQuietUs + kFaultsUs),
        trace_(Listened(std::move(view))) {}

  RunResult Run();

 private:
  // With the recorder as its listener, if it wants events.
  TraceView Listened(TraceView view) const;
  void Choose();
  void Build();
  void Heal();
  bool ReadEverything();
  bool ReadOnce(const std::string& key, size_t turn);
  void Judge();
  std::string Unstaged() const;
  void Finish();
  std::string Missing() const;
  void Violated(Violation violation);
  bool violated() const { return result_.verdict == Verdict::kViolated; }
  void Tell(RunEvent::Kind kind, uint64_t id, uint64_t number);

  const ProtocolCase& replay() const { return static_cast<const ProtocolCase&>(*options_.replay); }
  ProtocolNode& node(NodeId id) { return *nodes_[id - 1u]; }

  const Protocol& protocol_;
  const RunOptions options_;
  const uint64_t seed_;
  const int64_t until_us_;  // of faults and clients
  Trace trace_;
  Scheduler scheduler_;
  ProtocolConfig config_;
  std::vector<Fault> plan_;
  std::unique_ptr<SimNetwork> network_;
  ProtocolNode::Hooks hooks_;
  std::vector<std::unique_ptr<ProtocolNode>> nodes_;
  std::unique_ptr<UniverseFaults> faults_;
  std::unique_ptr<ProtocolClients> clients_;
  std::unique_ptr<Observer> observer_;
  RunResult result_;
};

TraceView ProtocolRun::Listened(TraceView view) const {
  if (options_.recorder && options_.record_events) {
    view.listener = [this](const RunEvent& event) { options_.recorder(ReportEvent(event)); };
  }
  return view;
}

RunResult ProtocolRun::Run() {
  Build();
  clients_->Begin();
  faults_->Schedule();
  const auto over = [this] { return violated(); };
  bool ended = scheduler_.RunUntilDone(until_us_, over);
  while (!ended && !faults_->AllStaged() && scheduler_.now_us() < until_us_ + kOvertimeUs) {
    ended = scheduler_.RunUntilDone(scheduler_.now_us() + kPollUs, over);
  }
  clients_->Stop();
  if (!violated()) Heal();
  Finish();
  return std::move(result_);
}

void ProtocolRun::Choose() {
  if (options_.replay != nullptr) {
    config_ = replay().config;
    plan_ = replay().faults;
    return;
  }
  const KeyedSeed seed(seed_);
  Random random = seed.With("configuration").Stream();
  config_.nodes = options_.nodes;
  config_.delay_min_us = random.Between(50, 500);
  config_.delay_max_us = config_.delay_min_us + random.Between(100, 20'000);
  config_.clients.clients = protocol_.Clients();
  config_.settings = UsualSettings(protocol_);
  for (const auto& [name, value] : options_.settings) {
    CORE_CHECK(SetSetting(protocol_, name, value, &config_.settings).ok());
  }
  FaultChoice choice = options_.faults;
  choice.allowed = choice.allowed.Intersect(StoodBy(protocol_));
  PlanShape shape;
  shape.nodes = config_.nodes;
  for (int i = 1; i <= config_.nodes; ++i) shape.zones.push_back({static_cast<NodeId>(i)});
  shape.begin_us = kQuietUs;
  shape.end_us = until_us_;
  plan_ = DrawFaultPlan(seed.With("faults"), shape, choice);
}

void ProtocolRun::Build() {
  Choose();
  const KeyedSeed seed(seed_);
  result_.config = ToString(protocol_, config_);
  result_.heal_bound_us = kHealUs;
  observer_ = protocol_.MakeObserver();
  network_ = std::make_unique<SimNetwork>(scheduler_, trace_, seed.With("network"), &plan_,
                                          config_.delay_min_us, config_.delay_max_us,
                                          [this](NodeId from, NodeId to, const std::string& bytes) {
                                            node(to).DeliverMessage(from, bytes);
                                          });
  if (options_.replay != nullptr) network_->Harm(options_.replay->harms);
  hooks_.reply = [this](uint64_t request, Answer answer, const std::string& value) {
    if (answer == Answer::kOk && clients_->IsWrite(request)) faults_->OnAcknowledged();
    clients_->OnReply(request, answer, value);
  };
  hooks_.stepped = [this](NodeId id, const Process& process) {
    if (observer_ == nullptr || violated()) return;
    auto found = observer_->After(scheduler_.now_us(), id, process);
    if (found.has_value()) Violated(*std::move(found));
  };
  hooks_.crashed = [this](NodeId id) { faults_->OnCrash(id); };
  hooks_.failed = [this](NodeId id) {
    scheduler_.After(kStartAgainUs, [this, id] { faults_->StartNode(id); });
  };
  std::vector<FaultedNode*> faulted;
  for (int i = 1; i <= config_.nodes; ++i) {
    const auto id = static_cast<NodeId>(i);
    nodes_.push_back(std::make_unique<ProtocolNode>(
        scheduler_, trace_, *network_, protocol_, config_.settings, config_.nodes, id,
        seed.With("node").With(uint64_t{id}), &plan_, hooks_));
    faulted.push_back(nodes_.back().get());
  }
  UniverseFaults::Hooks hooks;
  hooks.refused = [this](NodeId id, const std::string& error) {
    Violated(
        {"a node whose disk obeys its contract starts again", absl::StrCat("n", id, ": ", error)});
  };
  hooks.may_destroy = [](NodeId) { return false; };
  hooks.destroyed = [](NodeId) {};
  hooks.power_cut = [] {};
  faults_ = std::make_unique<UniverseFaults>(scheduler_, trace_, seed.With("harm"), &plan_,
                                             std::move(faulted), until_us_, std::move(hooks));
  clients_ = std::make_unique<ProtocolClients>(
      scheduler_, trace_, seed.With("clients"), protocol_, config_.clients, config_.nodes,
      [this](NodeId id, uint64_t request, const ProtocolRequest& asked) {
        if (!node(id).up()) return false;
        node(id).DeliverRequest(request, asked);
        return true;
      });
  if (options_.replay != nullptr) clients_->Follow(replay().script);
  if (options_.recorder) {
    options_.recorder(ReportProtocolSetup(protocol_, seed_, until_us_, config_, plan_));
    clients_->set_recorder([this](const ProtocolOperation& operation) {
      options_.recorder(ReportProtocolOperation(operation));
    });
    network_->set_witness([this](const MessageHarm& harm) { options_.recorder(ReportHarm(harm)); });
  }
  for (const auto& started : nodes_) faults_->StartNode(started->id());
}

std::string ProtocolRun::Missing() const {
  if (observer_ == nullptr) return "";
  std::vector<const Process*> processes;
  for (const auto& each : nodes_) {
    if (each->process() == nullptr) return absl::StrCat("n", each->id(), " is not up");
    processes.push_back(each->process());
  }
  return observer_->Missing(processes);
}

void ProtocolRun::Heal() {
  const int64_t began_us = scheduler_.now_us();
  faults_->EndAll();
  std::string missing;
  do {
    if (scheduler_.RunUntilDone(scheduler_.now_us() + kPollUs, [this] { return violated(); })) {
      return;
    }
    missing = Missing();
  } while ((!missing.empty() || !clients_->idle()) && scheduler_.now_us() < began_us + kHealUs);
  result_.healed_after_us = scheduler_.now_us() - began_us;
  Tell(RunEvent::Kind::kHealed, 0, 0);
  if (!missing.empty()) {
    result_.verdict = Verdict::kNoProgress;
    result_.property = absl::StrCat("after healing: ", missing);
    return;
  }
  if (protocol_.HistoryModel().has_value() && !ReadEverything()) return;
  if (!violated()) Judge();
}

bool ProtocolRun::ReadEverything() {
  std::set<std::string> keys;
  for (const ProtocolRecord& record : clients_->history()) {
    keys.insert(record.operation.asked.key);
  }
  size_t turn = 0;
  for (const std::string& key : keys) {
    if (ReadOnce(key, turn++) || violated()) continue;
    result_.verdict = Verdict::kNoProgress;
    result_.property = absl::StrCat("after healing every key can be read: ", key);
    return false;
  }
  return true;
}

bool ProtocolRun::ReadOnce(const std::string& key, size_t turn) {
  for (size_t i = 0; i < kLastReadTries; ++i) {
    const auto via = static_cast<NodeId>((turn + i) % nodes_.size() + 1);
    const size_t place = clients_->Ask(via, {"read", key, "", ""});
    CORE_CHECK(scheduler_.RunUntilDone(kNever, [this] { return violated() || clients_->idle(); }));
    if (clients_->history()[place].ok()) return true;
    if (violated()) return false;
  }
  return false;
}

void ProtocolRun::Judge() {
  const std::vector<ProtocolRecord>& history = clients_->history();
  if (const auto model = protocol_.HistoryModel()) {
    HistoryJudgement judgement = JudgeHistory(history, *model);
    if (judgement.verdict == consistency::Verdict::kViolated) {
      return Violated(std::move(judgement.violation));
    }
    if (judgement.verdict == consistency::Verdict::kUnknown) {
      result_.property = std::move(judgement.violation.property);
      return;
    }
  }
  result_.property = Unstaged();
  if (!result_.property.empty()) return;
  const bool anything = std::any_of(history.begin(), history.end(),
                                    [](const ProtocolRecord& record) { return record.ok(); });
  if (!anything && config_.clients.clients > 0) {
    result_.property = "no request was ever answered: nothing was tested";
    return;
  }
  result_.verdict = Verdict::kValid;
}

std::string ProtocolRun::Unstaged() const {
  for (const Fault& fault : plan_) {
    if (fault.effects > 0) continue;
    return absl::StrCat("a planned fault never took effect: ", ToString(fault));
  }
  for (const MessageHarm& harm : network_->harms()) {
    if (harm.effects > 0) continue;
    return absl::StrCat("there was no ", harm.label.name, " number ", harm.nth, " from n",
                        harm.from, " to n", harm.to, harm.label.key.empty() ? "" : " about ",
                        harm.label.key, " that could be harmed");
  }
  return "";
}

void ProtocolRun::Violated(Violation violation) {
  if (violated()) return;
  result_.verdict = Verdict::kViolated;
  result_.property = std::move(violation.property);
  result_.witness = std::move(violation.witness);
}

void ProtocolRun::Tell(RunEvent::Kind kind, uint64_t id, uint64_t number) {
  if (!trace_.listened()) return;
  RunEvent event;
  event.kind = kind;
  event.time_us = scheduler_.now_us();
  event.id = id;
  event.number = number;
  trace_.Tell(event);
}

void ProtocolRun::Finish() {
  result_.trace_hash = trace_.Hash();
  result_.virtual_us = scheduler_.now_us();
  result_.events = scheduler_.events();
  result_.traced_events = trace_.events();
  result_.messages = network_->sent();
  for (const auto& each : nodes_) result_.file_operations += each->file_operations();
  for (const Fault& fault : plan_) {
    result_.fault_effects[FaultKindName(fault.kind)] += fault.effects;
    Tell(RunEvent::Kind::kFaultEffects, fault.id, fault.effects);
  }
  for (const ProtocolRecord& record : clients_->history()) {
    const char* const outcome = record.end == 0                    ? "never answered"
                                : record.answer == Answer::kOk     ? "ok"
                                : record.answer == Answer::kFailed ? "failed"
                                                                   : "unknown";
    ++result_.outcomes[absl::StrCat(record.operation.asked.kind, " ", outcome)];
  }
  result_.plan = plan_;
  if (options_.recorder) options_.recorder(ReportEnd(result_, network_->harms()));
}

}  // namespace

RunResult RunProtocol(const Protocol& protocol, const RunOptions& options, TraceView view) {
  return ProtocolRun(protocol, options, std::move(view)).Run();
}

std::optional<CaseProblem> ProtocolSubject::Make(const v1::Case& written,
                                                 std::shared_ptr<const Case>* made) const {
  return MakeProtocolCase(protocol_, written, made);
}

ProtocolRequest Protocol::Draw(Random& random, const std::string& fresh) const {
  const std::string key = absl::StrCat("k", random.Below(3));
  if (random.Chance(1, 2)) return {"read", key, "", ""};
  return {"write", key, fresh, ""};
}

bool Protocol::Stands(FaultKind kind) const {
  switch (kind) {
    case FaultKind::kCrash:
    case FaultKind::kPowerCut:
    case FaultKind::kSlowDisk:
    case FaultKind::kStalledDisk:
    case FaultKind::kFullDisk:
    case FaultKind::kPause:
    case FaultKind::kClockJump:
    case FaultKind::kClockDrift:
      return true;
    default:
      return OfNetwork(kind);
  }
}

}  // namespace norn::sim
