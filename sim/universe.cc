#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "sim/case_history.h"
#include "sim/case_report.h"
#include "sim/environment/environment.h"
#include "sim/environment/measure_phases.h"
#include "sim/fault_draw.h"
#include "sim/keyed_seed.h"
#include "sim/store_case_report.h"
#include "sim/universe_impl.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kQuietUs = 1 * kSecond;    // before the first fault
constexpr int64_t kFaultsUs = 12 * kSecond;  // how long faults and clients go on
constexpr int64_t kHealUs = 60 * kSecond;    // the bound of the healing phase, and for each
constexpr int64_t kHealRounds = 6;           // partition so many exchanges of every replica

}  // namespace

RunResult Universe::Run() {
  Build();
  if (scripted()) {
    RunScenario();
  } else {
    workload_->Begin();
    faults_->Schedule();
    scheduler_.RunUntil(until_us_);
    while (!faults_->AllStaged() && scheduler_.now_us() < until_us_ + kOvertimeUs) {
      scheduler_.RunUntil(scheduler_.now_us() + kHealPollUs);
    }
    workload_->Stop();
  }
  if (result_.verdict != Verdict::kViolated) Heal();
  result_.trace_hash = trace_.Hash();
  result_.virtual_us = scheduler_.now_us();
  result_.events = scheduler_.events();
  result_.traced_events = trace_.events();
  result_.messages = network_->sent();
  for (const auto& node : nodes_) result_.file_operations += node->file_operations();
  for (const auto& node : nodes_) {
    if (node->node() == nullptr) continue;
    const NodeStatus status = node->node()->Status();
    if (status.digests_equal != 0) result_.outcomes["digest equal"] += status.digests_equal;
    if (status.digests_other != 0) result_.outcomes["digest of another"] += status.digests_other;
  }
  if (config_.bucket().sloppy) {
    for (const auto& node : nodes_) {
      result_.outcomes["hint written"] += node->hints_written();
      result_.outcomes["hint minted"] += node->hints_minted();
      result_.outcomes["hint handed over"] += node->hints_removed();
    }
  }
  result_.outcomes["tombstone forgotten"] = burials_.count();
  for (const Fault& fault : plan_) {
    result_.fault_effects[FaultKindName(fault.kind)] += fault.effects;
  }
  for (const Operation& operation : workload_->history().operations) {
    ++result_.outcomes[DescribeOutcome(operation)];
  }
  result_.plan = plan_;
  if (described()) {
    result_.phases = MeasurePhases(workload_->history(), options_.scenario->environment->times);
  }
  for (const Fault& fault : plan_) {
    if (!trace_.listened()) break;
    RunEvent event;
    event.kind = RunEvent::Kind::kFaultEffects;
    event.time_us = scheduler_.now_us();
    event.id = fault.id;
    event.number = fault.effects;
    trace_.Tell(event);
  }
  if (recording() && options_.record_history) {
    options_.recorder(ReportHistory(workload_->history(), state_));
  }
  if (recording()) options_.recorder(ReportEnd(result_, network_->harms()));
  return std::move(result_);
}

TraceView Universe::Listened(TraceView view) const {
  if (recording() && options_.record_events) {
    view.listener = [this](const RunEvent& event) { options_.recorder(ReportEvent(event)); };
  }
  return view;
}

int64_t Universe::UntilUs(const RunOptions& options) {
  if (options.replay != nullptr) return options.replay->until_us;
  const bool described = options.scenario != nullptr && options.scenario->environment != nullptr;
  return described ? options.scenario->environment->times.until_us : kQuietUs + kFaultsUs;
}

void Universe::RunScenario() {
  const ScenarioRunner::Stage stage{
      scheduler_, trace_,  *workload_,
      *faults_,   *rules_, plan_,
      *layout_,   nodes_,  [this] {
        return !FindApart().has_value(); }};
  runner_ = std::make_unique<ScenarioRunner>(*options_.scenario, stage);
  Violated(runner_->Run());
}

void Universe::Choose() {
  const KeyedSeed seed(seed_);
  if (described()) {
    config_ = options_.scenario->environment->config;
    plan_ = DrawPlan(*options_.scenario->environment, seed.With("faults"));
    AdaptEngines(plan_, &config_);
  } else if (options_.scenario != nullptr) {
    config_ = options_.scenario->Config();
  } else if (options_.replay != nullptr) {
    config_ = replay().config;
    plan_ = replay().faults;
  } else {
    config_ = DrawUniverseConfig(seed, options_);
    const PlanShape shape{static_cast<int>(config_.cluster.members.size()),
                          ZonesOf(config_.cluster), kQuietUs, until_us_, options_.wipes};
    plan_ = DrawFaultPlan(seed.With("faults"), shape, options_.faults);
    if (config_.bucket().n == 1) {
      // What a device cannot read for long is given up when level 0 is full: nobody would have it.
      std::erase_if(plan_, [](const Fault& fault) { return fault.kind == FaultKind::kBadBlock; });
    }
    AdaptToFaults(plan_, &config_);
  }
}

void Universe::Build() {
  Choose();
  const KeyedSeed seed(seed_);
  result_.config = ToString(config_);
  const ClusterConfig& cluster = config_.cluster;
  const auto nodes = static_cast<int>(cluster.members.size());
  // A replica exchanges its partitions one after the other.
  const int64_t held = int64_t{cluster.partitions} * config_.bucket().n / nodes + 1;
  // A scenario may do without exchanges: then the replicas agree without, or not at all.
  const int64_t interval_us = std::min(config_.node.exchange_interval_us, kSecond);
  result_.heal_bound_us =
      config_.healing_us != 0 ? config_.healing_us : kHealUs + kHealRounds * held * interval_us;
  layout_ = std::make_unique<Layout>(
      Layout::Build(1, cluster.partitions, config_.bucket().n, cluster.members));
  budget_ =
      std::make_unique<FaultBudget>(*layout_, config_.bucket().WMin(), config_.bucket().sloppy);
  sealer_ = std::make_unique<TokenSealer>(cluster.name, cluster.secret);
  network_ = std::make_unique<SimNetwork>(scheduler_, trace_, seed.With("network"), &plan_,
                                          config_.delay_min_us, config_.delay_max_us,
                                          [this](NodeId from, NodeId to, const std::string& bytes) {
                                            node(to).DeliverMessage(from, bytes);
                                          });
  network_->SetLinks(config_.links);
  if (options_.replay != nullptr) network_->Harm(options_.replay->harms);
  if (scripted()) rules_ = std::make_unique<MessageRules>(scheduler_, *network_);
  for (const MemberConfig& member : cluster.members) {
    NodeOptions own_options = config_.node;
    own_options.id = member.id;
    const auto own = config_.own_engine.find(member.id);
    storage::EngineOptions own_engine =
        own != config_.own_engine.end() ? own->second : config_.engine;
    own_engine.owner = absl::StrCat(cluster.name, "/", member.id);
    rare_.push_back(
        std::make_unique<SimRareBranches>(seed.With("rare branches").With(uint64_t{member.id}),
                                          &config_.rare, &result_.rare_branches));
    own_options.rare = own_engine.rare = rare_.back().get();
    CORE_CHECK(Validate(cluster, own_options).ok());
    nodes_.push_back(std::make_unique<SimNode>(
        scheduler_, trace_, *network_, cluster, own_options, own_engine,
        seed.With("node").With(uint64_t{member.id}), this, &plan_, rules_.get(),
        [this](NodeId, ClientReply&& reply) {
          const bool ok = reply.outcome == ClientReply::Outcome::kOk;
          if (ok && workload_->IsWrite(reply.client)) faults_->OnAcknowledged();
          workload_->OnReply(std::move(reply));
        },
        [this](NodeId id) { faults_->OnCrash(id); }));
    nodes_.back()->disk().set_page_cache(config_.page_cache);
  }
  UniverseFaults::Hooks hooks;
  hooks.refused = [this](NodeId id, const std::string& error) {
    Violated(Violation{"a node whose disk obeys its contract opens again",
                       absl::StrCat("n", id, ": ", error)});
  };
  hooks.may_destroy = [this](NodeId id) { return MayDestroy(id); };
  hooks.destroyed = [this](NodeId id) {
    budget_->Destroyed(id, DurableState());
    CheckSurvivors();
  };
  hooks.power_cut = [this] { CheckSurvivors(); };
  std::vector<FaultedNode*> faulted;
  for (const auto& sim_node : nodes_) faulted.push_back(sim_node.get());
  faults_ = std::make_unique<UniverseFaults>(scheduler_, trace_, seed.With("harm"), &plan_,
                                             std::move(faulted), until_us_, std::move(hooks));
  workload_ =
      std::make_unique<Workload>(scheduler_, trace_, seed.With("clients"), config_.workload, nodes,
                                 *sealer_, [this](NodeId id, ClientRequest&& request) {
                                   if (!node(id).up()) return false;
                                   node(id).DeliverRequest(std::move(request));
                                   return true;
                                 });
  if (options_.replay != nullptr) workload_->Follow(replay().script);
  if (recording()) {
    options_.recorder(ReportStoreSetup(seed_, until_us_, config_, plan_));
    workload_->set_recorder([this](const ScriptedOperation& operation) {
      options_.recorder(ReportOperation(operation));
    });
    network_->set_witness([this](const MessageHarm& harm) { options_.recorder(ReportHarm(harm)); });
  }
  for (const MemberConfig& member : cluster.members) faults_->StartNode(member.id);
}

void Universe::OnMint(NodeId id, const std::string& record_key, const MintOp& mint) {
  History& history = workload_->history();
  keys_seen_.insert(record_key);
  MintedVersion version;
  version.dot = mint.dot;
  version.node = id;
  version.key = std::string(ClientKeyOf(record_key));
  version.value = mint.value;
  version.tombstone = mint.tombstone;
  version.minted_us = scheduler_.now_us();
  version.expires_us = mint.expires_us;
  if (mint.base != ClientRequest::Base::kCurrent) {
    version.base_known = true;
    version.base = mint.context;
  }
  minted_[mint.dot] = history.minted.size();
  history.minted.push_back(std::move(version));
}

void Universe::OnLooked(const std::vector<KeyRecord>& entries) {
  for (const KeyRecord& entry : entries) burials_.Found(entry.key, entry.record);
}

void Universe::OnRemove(const std::string& record_key, const RecordHash& hash) {
  History& history = workload_->history();
  const size_t before = history.burials.size();
  Violated(burials_.Removed(&history, record_key, hash, scheduler_.now_us()));
  if (history.burials.size() == before) return;
  budget_->Buried(record_key, history.burials.back().context);
}

void Universe::OnMinted(const Dot& dot, const std::string& bytes) {
  MintedVersion& version = workload_->history().minted[minted_.at(dot)];
  version.succeeded = true;
  if (bytes.empty()) return;
  Record record;
  CORE_CHECK(Record::Decode(bytes, &record));
  for (const Version& stored : record.versions()) {
    if (stored.dot == dot) version.wall_us = stored.wall_us;
  }
  if (version.base_known) return;
  version.base_known = true;
  version.base = record.context();
}

RunResult RunUniverse(const RunOptions& options, TraceView view) {
  return Universe(options, std::move(view)).Run();
}

}  // namespace norn::sim
