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
#include "sim/history.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/sim_node.h"
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

ClusterConfig DrawCluster(Random& random, const RunOptions& options) {
  ClusterConfig cluster;
  cluster.name = "sim";
  cluster.secret = "a simulated secret";
  cluster.partitions = uint32_t{16} << random.Below(3);
  for (int i = 1; i <= options.nodes; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i);
    member.address = absl::StrCat("n", i);
    member.zone = absl::StrCat("z", i % 3);
    cluster.members.push_back(std::move(member));
  }
  cluster.buckets.front().n = options.n;
  cluster.buckets.front().r = options.r;
  cluster.buckets.front().w = options.w;
  return cluster;
}

NodeOptions DrawNodeOptions(Random& random) {
  NodeOptions node;
  node.request_timeout_us = random.Between(kSecond, 3 * kSecond);
  node.gossip_interval_us = random.Between(50'000, 300'000);
  node.suspect_after_us = random.Between(3, 10) * node.gossip_interval_us;
  node.speculate_after_us = random.Between(2'000, 50'000);
  node.exchange_interval_us = random.Between(20'000, 300'000);
  node.exchange_page_entries = 1 + random.Below(8);
  node.exchange_page_bytes = 64 + random.Below(16'384);
  node.lease_counters = 2 + random.Below(64);
  // Few keys a bucket, so that few keys make deep trees.
  node.tree_bucket_keys = 1 + random.Below(4);
  node.tree_scrub_interval_us = random.Between(20'000, 300'000);
  node.tree_save_after_us = random.Between(5'000, 200'000);
  node.tree_scan_bytes_per_second = 50'000 + random.Below(1'000'000);
  node.exchange_bytes_per_second = 100'000 + random.Below(10'000'000);
  return node;
}

// The node whose disk falls ill, or kNoNode.
NodeId IllNode(const std::vector<Fault>& plan) {
  for (const Fault& fault : plan) {
    if (OfDisk(fault.kind)) return fault.nodes.front();
  }
  return kNoNode;
}

storage::EngineOptions DrawEngineOptions(Random& random) {
  storage::EngineOptions engine;
  engine.dir = "/data";
  engine.memtable_bytes = 2'000 + random.Below(30'000);
  engine.immutable_memtables_max = static_cast<int>(random.Between(1, 4));
  engine.wal_preallocate_bytes = 64 << 10;
  engine.block_bytes = 256 + random.Below(2'048);
  engine.block_restart_interval = static_cast<int>(random.Between(1, 16));
  engine.block_cache_bytes = random.Below(16'384);
  engine.record_cache_bytes = random.Chance(1, 3) ? 0 : random.Below(8'192);
  engine.level0_tables_to_compact = static_cast<int>(random.Between(2, 4));
  engine.level0_percent = static_cast<int>(random.Between(1, 100));
  engine.level0_tables_max = static_cast<int>(random.Between(4, 10));
  engine.level1_bytes = 20'000 + random.Below(60'000);
  engine.table_bytes = 4'000 + random.Below(16'000);
  return engine;
}

class Universe final : public StoreObserver {
 public:
  Universe(const RunOptions& options, Trace::Printer printer)
      : options_(options), trace_(std::move(printer)), random_(options.seed) {}

  RunResult Run();

 private:
  void Build();
  void Heal();
  std::optional<Violation> FindApart();
  // What went wrong, or nothing. Leaves the final state and the last reads behind.
  std::optional<std::string> ReadEverything();
  FinalState ReadState();
  std::optional<Violation> CheckTrees() const;
  void Judge();

  void OnMint(NodeId node, const std::string& record_key, const MintOp& mint) override;
  void OnMinted(const Dot& dot, const std::string& record) override;
  void OnRefused(const Dot& dot) override {
    workload_->history().minted[minted_.at(dot)].refused = true;
  }

  SimNode& node(NodeId id) { return *nodes_[id - 1u]; }
  bool Violated(std::optional<Violation> violation);

  const RunOptions options_;
  Trace trace_;
  Random random_;
  Scheduler scheduler_;
  ClusterConfig cluster_;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<TokenSealer> sealer_;
  std::vector<Fault> plan_;
  std::unique_ptr<SimNetwork> network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<UniverseFaults> faults_;
  std::map<Dot, size_t> minted_;  // into the history's list
  int64_t heal_bound_us_ = 0;
  std::set<std::string> keys_seen_;  // record keys that were ever minted
  FinalState state_;                 // at rest, after healing
  size_t last_reads_ = 0;            // the first of the reads of that state, in the history
  RunResult result_;
};

RunResult Universe::Run() {
  Build();
  workload_->Begin();
  faults_->Schedule();
  scheduler_.RunUntil(kQuietUs + kFaultsUs);
  workload_->Stop();
  Heal();
  result_.trace_hash = trace_.Hash();
  result_.virtual_us = scheduler_.now_us();
  result_.events = scheduler_.events();
  result_.messages = network_->sent();
  for (const auto& node : nodes_) result_.file_operations += node->file_operations();
  for (const Fault& fault : plan_) {
    result_.fault_effects[FaultKindName(fault.kind)] += fault.effects;
  }
  for (const Operation& operation : workload_->history().operations) {
    static constexpr const char* kKinds[] = {"get", "put", "delete"};
    const char* const outcome =
        operation.completed_us == kNever ? "never answered" : OutcomeName(operation.outcome);
    ++result_.outcomes[absl::StrCat(kKinds[static_cast<int>(operation.kind)], " ", outcome)];
  }
  result_.plan = plan_;
  return std::move(result_);
}

void Universe::Build() {
  Random knobs = random_.Fork();
  Random faults = random_.Fork();
  Random network = random_.Fork();
  Random clients = random_.Fork();
  Random seeds = random_.Fork();
  Random harm = random_.Fork();
  cluster_ = DrawCluster(knobs, options_);
  const NodeOptions node_options = DrawNodeOptions(knobs);
  const storage::EngineOptions engine_options = DrawEngineOptions(knobs);
  // A replica exchanges its partitions one after the other.
  const int64_t held = int64_t{cluster_.partitions} * options_.n / options_.nodes;
  heal_bound_us_ = kHealUs + kHealRounds * held * node_options.exchange_interval_us;
  layout_ =
      std::make_unique<Layout>(Layout::Build(1, cluster_.partitions, options_.n, cluster_.members));
  sealer_ = std::make_unique<TokenSealer>(cluster_.name, cluster_.secret);
  plan_ = DrawFaultPlan(faults, options_.nodes, kQuietUs, kQuietUs + kFaultsUs);

  const int64_t delay_min_us = knobs.Between(50, 500);
  const int64_t delay_max_us = delay_min_us + knobs.Between(100, 5'000);
  network_ =
      std::make_unique<SimNetwork>(scheduler_, trace_, network, &plan_, delay_min_us, delay_max_us,
                                   [this](NodeId from, NodeId to, const std::string& bytes) {
                                     node(to).DeliverMessage(from, bytes);
                                   });
  const NodeId ill = IllNode(plan_);
  for (const MemberConfig& member : cluster_.members) {
    NodeOptions own_options = node_options;
    own_options.id = member.id;
    storage::EngineOptions own_engine = engine_options;
    own_engine.owner = absl::StrCat(cluster_.name, "/", member.id);
    if (member.id == ill) {  // to be read, it must not have all in memory
      own_engine.memtable_bytes = std::min<size_t>(own_engine.memtable_bytes, 2'000);
      own_engine.block_cache_bytes = 0;
    }
    CORE_CHECK(Validate(cluster_, own_options).ok());
    nodes_.push_back(std::make_unique<SimNode>(
        scheduler_, trace_, *network_, cluster_, own_options, own_engine, seeds.Next64(), this,
        &plan_,
        [this](NodeId, ClientReply&& reply) {
          const bool ok = reply.outcome == ClientReply::Outcome::kOk;
          if (ok && workload_->IsWrite(reply.client)) faults_->OnAcknowledged();
          workload_->OnReply(std::move(reply));
        },
        [this](NodeId id) { faults_->OnCrash(id); }));
  }
  faults_ = std::make_unique<UniverseFaults>(
      scheduler_, trace_, harm, &plan_, &nodes_, kQuietUs + kFaultsUs,
      [this](NodeId id, const std::string& error) {
        Violated(Violation{"a node whose disk obeys its contract opens again",
                           absl::StrCat("n", id, ": ", error)});
      });
  WorkloadOptions workload;
  workload.clients = static_cast<int>(clients.Between(3, 8));
  workload.keys = static_cast<int>(clients.Between(4, 40));
  // With fewer, an ill disk might be that of a node that has hardly any of them.
  if (ill != kNoNode) workload.keys = std::max(workload.keys, 32);
  workload_ = std::make_unique<Workload>(scheduler_, trace_, clients, workload, options_.nodes,
                                         *sealer_, [this](NodeId id, ClientRequest&& request) {
                                           if (!node(id).up()) return false;
                                           node(id).DeliverRequest(std::move(request));
                                           return true;
                                         });
  for (const MemberConfig& member : cluster_.members) faults_->StartNode(member.id);
}

void Universe::Heal() {
  const int64_t began_us = scheduler_.now_us();
  faults_->EndAll();
  std::optional<Violation> apart;
  do {
    scheduler_.RunUntil(scheduler_.now_us() + kPollUs);
    apart = FindApart();
  } while ((apart.has_value() || !workload_->idle()) &&
           scheduler_.now_us() < began_us + heal_bound_us_);
  result_.healed_after_us = scheduler_.now_us() - began_us;
  if (result_.verdict == Verdict::kViolated) return;
  if (auto stuck = ReadEverything()) {
    result_.verdict = Verdict::kNoProgress;
    result_.property = *std::move(stuck);
    return;
  }
  if (Violated(std::move(apart))) return;
  Judge();
}

std::optional<Violation> Universe::FindApart() {
  const FinalState state = ReadState();
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
    size_t answered = 0;
    NodeId via = 1;
    for (const std::string& key : keys) {
      workload_->ReadOnce(via, key, [&answered](bool ok) { answered += ok ? 1 : 0; });
      via = static_cast<NodeId>(via % static_cast<NodeId>(options_.nodes) + 1);
    }
    while (!workload_->idle()) scheduler_.RunUntil(scheduler_.now_us() + kPollUs);
    if (answered < keys.size()) return "after healing every key can be read";
    if (ReadState() == state_) return std::nullopt;
  }
  return "after healing the replicas come to rest";
}

FinalState Universe::ReadState() {
  FinalState state;
  for (const std::string& key : keys_seen_) state[key];
  for (const auto& node : nodes_) {
    CORE_CHECK(node->up());
    std::string from;
    do {
      std::vector<storage::Engine::Entry> entries;
      std::string next;
      const absl::Status status = node->engine()->Scan(from, "", 1000, 4 << 20, &entries, &next);
      if (!status.ok()) {
        Violated(
            Violation{"a disk that was never damaged can be read",
                      absl::StrCat("n", node->id(), ": ", absl::string_view(status.message()))});
        break;
      }
      for (storage::Engine::Entry& entry : entries) {
        const std::string record_key = entry.key.substr(storage::kEngineKeyPrefixBytes);
        state[record_key][node->id()] = std::move(entry.value);
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

void Universe::Judge() {
  const History& history = workload_->history();
  if (Violated(CheckDotsUnique(history))) return;
  if (Violated(CheckMintedOnce(history))) return;
  if (Violated(CheckNothingInvented(history))) return;
  const bool overlapping = options_.r + options_.w > options_.n;
  if (Violated(CheckNothingLost(history, state_))) return;
  if (Violated(CheckRefusalsHold(history, state_))) return;
  if (Violated(CheckNoResurrection(history, state_, last_reads_, overlapping))) return;
  if (Violated(CheckFinalReads(history, state_, last_reads_))) return;
  if (Violated(CheckTrees())) return;
  if (overlapping) {
    if (Violated(CheckReadsCoverWrites(history))) return;
    if (Violated(CheckMonotonicReads(history))) return;
  }
  for (const Fault& fault : plan_) {
    if (fault.effects > 0) continue;
    result_.verdict = Verdict::kUnknown;
    result_.property = absl::StrCat("a planned fault never took effect: ", ToString(fault));
    return;
  }
  const bool anything =
      std::any_of(history.operations.begin(), history.operations.end(),
                  [](const Operation& o) { return o.ok() && o.kind == ClientRequest::Kind::kPut; });
  result_.verdict = anything ? Verdict::kValid : Verdict::kUnknown;
  if (!anything) result_.property = "no write was ever acknowledged: nothing was tested";
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
  if (mint.base != ClientRequest::Base::kCurrent) {
    version.base_known = true;
    version.base = mint.context;
  }
  minted_[mint.dot] = history.minted.size();
  history.minted.push_back(std::move(version));
}

void Universe::OnMinted(const Dot& dot, const std::string& bytes) {
  MintedVersion& version = workload_->history().minted[minted_.at(dot)];
  version.succeeded = true;
  if (version.base_known || bytes.empty()) return;
  Record record;
  CORE_CHECK(Record::Decode(bytes, &record));
  version.base_known = true;
  version.base = record.context();
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid:
      return "VALID";
    case Verdict::kViolated:
      return "VIOLATED";
    case Verdict::kNoProgress:
      return "NO PROGRESS";
    case Verdict::kUnknown:
      return "UNKNOWN";
  }
  return "?";
}

RunResult RunUniverse(const RunOptions& options, Trace::Printer printer) {
  return Universe(options, std::move(printer)).Run();
}

}  // namespace norn::sim
