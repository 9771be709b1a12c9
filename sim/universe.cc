#include "sim/universe.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/context_token.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "core/ring/layout.h"
#include "sim/burials.h"
#include "sim/case_history.h"
#include "sim/case_report.h"
#include "sim/checkers/fault_budget.h"
#include "sim/claims.h"
#include "sim/environment/environment.h"
#include "sim/environment/measure_phases.h"
#include "sim/fault_draw.h"
#include "sim/history.h"
#include "sim/keyed_seed.h"
#include "sim/message_rules.h"
#include "sim/rare_draw.h"
#include "sim/scenario.h"
#include "sim/scenario_runner.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/sim_node.h"
#include "sim/store_case.h"
#include "sim/store_case_report.h"
#include "sim/universe_faults.h"
#include "sim/workload.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kQuietUs = 1 * kSecond;    // before the first fault
constexpr int64_t kFaultsUs = 12 * kSecond;  // how long faults and clients go on
constexpr int64_t kHealUs = 60 * kSecond;    // the bound of the healing phase, and for each
constexpr int64_t kHealRounds = 6;           // partition so many exchanges of every replica
constexpr int64_t kPollUs = kSecond / 4;
constexpr int kLastReadTries = 5;  // of each key: a node may be busy, or still waking up

class Universe final : public StoreObserver {
 public:
  Universe(const RunOptions& options, TraceView view)
      : options_(options),
        seed_(options.replay != nullptr ? options.replay->seed : options.seed),
        until_us_(UntilUs(options)),
        trace_(Listened(std::move(view))) {}

  RunResult Run();

 private:
  void Build();
  // Cases of other subjects are never made into one of the store.
  const StoreCase& replay() const { return static_cast<const StoreCase&>(*options_.replay); }
  static int64_t UntilUs(const RunOptions& options);
  bool scripted() const { return options_.scenario != nullptr && !described(); }
  bool described() const {
    return options_.scenario != nullptr && options_.scenario->environment != nullptr;
  }
  bool recording() const { return options_.recorder && !scripted(); }
  // With the recorder as its listener, if it wants events.
  TraceView Listened(TraceView view) const;
  // What is drawn, or taken from a case or a scenario, before anything is built.
  void Choose();
  void RunScenario();
  void Heal();
  std::optional<Violation> FindApart();
  // What went wrong, or nothing. Leaves the final state and the last reads behind.
  std::optional<std::string> ReadEverything();
  bool ReadOnce(const std::string& key, size_t turn);
  FinalState ReadState();
  bool Rots(NodeId id) const {
    return std::any_of(plan_.begin(), plan_.end(), [id](const Fault& fault) {
      return sim::Rots(fault.kind) && fault.Concerns(id);
    });
  }
  std::optional<Violation> CheckTrees() const;
  void Judge();
  bool judged(Claim claim) const { return IsJudged(claim, config_); }
  // Goes through the claims that are judged, and stops at the first that does not hold.
  bool FindViolation(const History& history);
  // A fault that was planned and never took effect; empty: none.
  std::string Unstaged() const;

  void OnMint(NodeId node, const std::string& record_key, const MintOp& mint) override;
  void OnMinted(const Dot& dot, const std::string& record) override;
  void OnLooked(const std::vector<KeyRecord>& entries) override;
  void OnRemove(const std::string& record_key, const RecordHash& hash) override;
  void OnRefused(const Dot& dot) override {
    workload_->history().minted[minted_.at(dot)].refused = true;
  }

  SimNode& node(NodeId id) { return *nodes_[id - 1u]; }
  bool Violated(std::optional<Violation> violation);

  // What every node would hold after a power cut, by record key.
  FinalState DurableState() const;
  bool MayDestroy(NodeId id);
  // That no acknowledged write is lost, now that disks are.
  void CheckSurvivors();

  const RunOptions options_;
  UniverseConfig config_;
  const uint64_t seed_;
  const int64_t until_us_;  // of faults and clients, unless there is a scenario
  Trace trace_;
  Scheduler scheduler_;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<FaultBudget> budget_;
  Burials burials_;
  std::unique_ptr<TokenSealer> sealer_;
  std::vector<Fault> plan_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<MessageRules> rules_;                 // a scenario's
  std::vector<std::unique_ptr<SimRareBranches>> rare_;  // by node
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<UniverseFaults> faults_;
  std::unique_ptr<ScenarioRunner> runner_;  // of a scenario
  std::map<Dot, size_t> minted_;            // into the history's list
  std::set<std::string> keys_seen_;         // record keys that were ever minted
  FinalState state_;                        // at rest, after healing
  size_t last_reads_ = 0;                   // the first of the reads of that state, in the history
  std::string unmended_;                    // a range that could not be read then
  std::map<NodeId, std::vector<std::string>> hints_left_;  // when the state was read
  RunResult result_;
};

RunResult Universe::Run() {
  Build();
  if (scripted()) {
    RunScenario();
  } else {
    workload_->Begin();
    faults_->Schedule();
    scheduler_.RunUntil(until_us_);
    while (!faults_->AllStaged() && scheduler_.now_us() < until_us_ + kOvertimeUs) {
      scheduler_.RunUntil(scheduler_.now_us() + kPollUs);
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

void Universe::Heal() {
  const int64_t began_us = scheduler_.now_us();
  config_.rare = RareShares{};
  if (rules_ != nullptr) rules_->EndAll();
  faults_->EndAll();
  std::optional<Violation> apart;
  do {
    scheduler_.RunUntil(scheduler_.now_us() + kPollUs);
    apart = FindApart();
  } while ((apart.has_value() || !workload_->idle()) &&
           scheduler_.now_us() < began_us + result_.heal_bound_us);
  result_.healed_after_us = scheduler_.now_us() - began_us;
  if (trace_.listened()) {
    RunEvent event;
    event.kind = RunEvent::Kind::kHealed;
    event.time_us = scheduler_.now_us();
    trace_.Tell(event);
  }
  if (result_.verdict == Verdict::kViolated) return;
  if (auto stuck = ReadEverything()) {
    result_.verdict = Verdict::kNoProgress;
    result_.property = *std::move(stuck);
    return;
  }
  if (judged(Claim::kConvergence) && Violated(std::move(apart))) return;
  Judge();
}

std::optional<Violation> Universe::FindApart() {
  const FinalState state = ReadState();
  if (!unmended_.empty()) {
    return Violation{"what a disk has lost is mended from the other replicas", unmended_};
  }
  if (auto left = CheckHintsDrained(hints_left_)) return left;
  std::map<std::string, std::vector<NodeId>> replicas;
  for (const auto& [key, copies] : state) {
    const auto span = layout_->Replicas(layout_->PartitionOf(key));
    replicas[key].assign(span.begin(), span.end());
  }
  return CheckConverged(state, replicas);
}

std::optional<std::string> Universe::ReadEverything() {
  const std::vector<std::string> keys = workload_->Keys();
  // A write that was never answered may land late: then once more.
  for (int round = 0; round < 3; ++round) {
    state_ = ReadState();
    last_reads_ = workload_->history().operations.size();
    size_t turn = 0;
    for (const std::string& key : keys) {
      if (!ReadOnce(key, turn++)) return absl::StrCat("after healing every key can be read: ", key);
    }
    if (WithoutDead(ReadState()) == WithoutDead(state_) && !CheckHintsDrained(hints_left_))
      return std::nullopt;
  }
  const std::optional<Violation> left = CheckHintsDrained(hints_left_);
  return absl::StrCat("after healing the replicas come to rest",
                      left.has_value() ? absl::StrCat(": ", left->witness) : std::string());
}

bool Universe::ReadOnce(const std::string& key, size_t turn) {
  bool ok = false;
  for (int i = 0; i < kLastReadTries && !ok; ++i) {
    ClientRequest request;
    request.key = key;
    const auto via = static_cast<NodeId>((turn + static_cast<size_t>(i)) % nodes_.size() + 1);
    workload_->Ask(0, via, std::move(request), [&ok](const ClientReply* reply) {
      ok = reply != nullptr && reply->outcome == ClientReply::Outcome::kOk;
    });
    CORE_CHECK(scheduler_.RunUntilDone(kNever, [this] { return workload_->idle(); }));
  }
  return ok;
}

FinalState Universe::DurableState() const {
  FinalState state;
  for (const auto& node : nodes_) {
    for (auto& [key, record] : node->DurableRecords()) state[key][node->id()] = record;
  }
  return state;
}

bool Universe::MayDestroy(NodeId id) {
  const FinalState copies = DurableState();
  budget_->Reconsider(copies);
  return budget_->Allows(id, copies);
}

void Universe::CheckSurvivors() {
  if (result_.verdict == Verdict::kViolated || !judged(Claim::kDurability)) return;
  auto lost = CheckNothingLost(workload_->history(), DurableState(), config_.pruning());
  if (!lost.has_value()) return;
  lost->property = absl::StrCat("while the cluster runs: ", lost->property);
  Violated(std::move(lost));
}

FinalState Universe::ReadState() {
  FinalState state;
  unmended_.clear();
  hints_left_.clear();
  for (const std::string& key : keys_seen_) state[key];
  for (const auto& node : nodes_) {
    if (!node->up()) continue;
    std::string from;
    do {
      std::vector<storage::Engine::Entry> entries;
      std::string next;
      const absl::Status status = node->engine()->Scan(from, "", 1000, 4 << 20, &entries, &next);
      if (absl::IsDataLoss(status) && Rots(node->id())) {
        unmended_ = absl::StrCat("n", node->id(), ": ", absl::string_view(status.message()));
      } else if (!status.ok()) {
        Violated(
            Violation{"a disk that was never damaged can be read",
                      absl::StrCat("n", node->id(), ": ", absl::string_view(status.message()))});
        break;
      }
      for (storage::Engine::Entry& entry : entries) {
        const std::string record_key = entry.key.substr(storage::kEngineKeyPrefixBytes);
        if (storage::PartitionIn(entry.key) == kHintSpace) {
          hints_left_[node->id()].push_back(record_key);
        } else {
          state[record_key][node->id()] = std::move(entry.value);
        }
      }
      from = std::move(next);
    } while (!from.empty());
  }
  // A key whose mint never became durable anywhere is nowhere, which is agreement.
  for (auto it = state.begin(); it != state.end();) {
    it = it->second.empty() ? state.erase(it) : std::next(it);
  }
  return state;
}

// Scrubs compare the trees with the data all the time. Damage shows in checksums, so it is no
// excuse.
std::optional<Violation> Universe::CheckTrees() const {
  for (const auto& sim_node : nodes_) {
    const uint64_t mismatches = sim_node->node()->Status().tree_mismatches;
    if (mismatches == 0) continue;
    return Violation{"a Merkle tree says what the records say",
                     absl::StrCat("n", sim_node->id(), ": ", mismatches,
                                  " scrubs found other records than their tree stands for")};
  }
  return std::nullopt;
}

bool Universe::FindViolation(const History& history) {
  const int n = config_.bucket().n;
  const bool overlapping = config_.overlapping();
  const auto broken = [this](Claim claim, const auto& check) {
    return judged(claim) && Violated(check());
  };
  std::map<NodeId, std::string> data_centers;
  for (const MemberConfig& member : config_.cluster.members) {
    data_centers[member.id] = member.data_center;
  }
  // Sessions are one check: where clients do not read their writes, that part is left out.
  const Claim sessions =
      judged(Claim::kReadYourWrites) ? Claim::kReadYourWrites : Claim::kWritesFollowReads;
  return broken(Claim::kUniqueDots, [&] { return CheckDotsUnique(history); }) ||
         broken(Claim::kUniqueDots, [&] { return CheckMintedOnce(history); }) ||
         broken(Claim::kNothingInvented, [&] { return CheckNothingInvented(history); }) ||
         broken(Claim::kDurability,
                [&] { return CheckNothingLost(history, state_, config_.pruning()); }) ||
         broken(Claim::kRefusalsHold, [&] { return CheckRefusalsHold(history, state_); }) ||
         broken(Claim::kDeletesHold,
                [&] { return CheckNoResurrection(history, state_, last_reads_, overlapping); }) ||
         broken(Claim::kConvergence,
                [&] { return CheckFinalReads(history, state_, last_reads_); }) ||
         broken(Claim::kLastWriterWins, [&] { return CheckLastWriterWon(history, state_); }) ||
         broken(Claim::kExpiry, [&] { return CheckExpiry(history); }) ||
         broken(Claim::kReplacedStaysGone, [&] { return CheckReplacedStaysReplaced(history); }) ||
         broken(Claim::kTrees, [&] { return CheckTrees(); }) ||
         broken(Claim::kExactSiblings, [&] { return CheckExactSiblings(history, state_); }) ||
         broken(sessions,
                [&] { return CheckSessions(history, n, sessions == Claim::kReadYourWrites); }) ||
         broken(Claim::kReadsCoverWrites, [&] { return CheckReadsCoverWrites(history, n); }) ||
         broken(Claim::kLocalQuorums, [&] { return CheckLocalQuorums(history, data_centers); }) ||
         broken(Claim::kMonotonicReads, [&] { return CheckMonotonicReads(history); });
}

void Universe::Judge() {
  AddBurials(&workload_->history());
  const History& history = workload_->history();
  if (FindViolation(history)) return;
  if (const std::string unstaged = Unstaged(); !unstaged.empty()) {
    result_.verdict = Verdict::kUnknown;
    result_.property = unstaged;
    return;
  }
  const bool anything =
      std::any_of(history.operations.begin(), history.operations.end(),
                  [](const Operation& o) { return o.ok() && o.kind == ClientRequest::Kind::kPut; });
  result_.verdict = anything ? Verdict::kValid : Verdict::kUnknown;
  if (!anything) result_.property = "no write was ever acknowledged: nothing was tested";
}

std::string Universe::Unstaged() const {
  if (runner_ != nullptr) return runner_->Unstaged();
  for (const Fault& fault : plan_) {
    if (fault.staged()) continue;
    return absl::StrCat("a planned fault ",
                        fault.effects == 0
                            ? "never took effect: "
                            : absl::StrCat("had fewer than ", fault.effects_min, " effects: "),
                        ToString(fault));
  }
  for (const MessageHarm& harm : network_->harms()) {
    if (harm.effects > 0) continue;
    return absl::StrCat("there was no ", harm.label.name, " number ", harm.nth, " from n",
                        harm.from, " to n", harm.to, harm.label.key.empty() ? "" : " about ",
                        harm.label.key, " that could be harmed");
  }
  return "";
}

bool Universe::Violated(std::optional<Violation> violation) {
  if (!violation.has_value()) return false;
  result_.verdict = Verdict::kViolated;
  result_.property = violation->property;
  result_.witness = violation->witness;
  return true;
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

}  // namespace

RunResult RunUniverse(const RunOptions& options, TraceView view) {
  return Universe(options, std::move(view)).Run();
}

}  // namespace norn::sim
