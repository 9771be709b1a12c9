#include "sim/sim_node.h"

#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/node_context.h"
#include "core/replication/hint_record.h"
#include "sim/history.h"
#include "sim/sim_bus.h"
#include "sim/sim_file_system.h"
#include "storage/file_names.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

constexpr int64_t kScrubIntervalUs = 500'000;
constexpr int64_t kStallUs = 1'000;  // until a stalled disk is tried again
constexpr uint64_t kScrubBytes = 10'000;

}  // namespace

// All that dies in a crash. It is the node's ports, too.
struct SimNode::Process final : Clock, MessageBus, Storage, ClientPort, Timer, NoteSink {
  Process(SimNode& node_in, KeyedSeed job_seed_in)
      : node(node_in),
        job_seed(job_seed_in),
        bus(node_in.scheduler_, node_in.trace_, node_in.network_, node_in.id(), node_in.rules_),
        file_system(&node_in.disk_, absl::StrCat("n", node_in.id())) {}

  Now Read() override { return Now{node.scheduler_.now_us(), node.WallUs()}; }

  void Send(NodeId to, Message&& message) override {
    if (file_system.crashed()) return;
    bus.Send(to, std::move(message));
  }

  void Submit(StoreRequest&& request) override {
    if (const StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
      const MintOp* mint = std::get_if<MintOp>(&update->op);
      if (const HintMintOp* const hint = std::get_if<HintMintOp>(&update->op)) {
        mint = &hint->mint;
        ++node.hints_minted_;
      }
      if (std::holds_alternative<HintMergeOp>(update->op)) ++node.hints_written_;
      if (std::holds_alternative<HintRemoveOp>(update->op)) ++node.hints_removed_;
      const RemoveOp* const remove = std::get_if<RemoveOp>(&update->op);
      if (remove != nullptr && TicketKindOf(update->ticket) == TicketKind::kTombstones) {
        node.observer_->OnRemove(update->key, remove->hash);
      }
      if (mint != nullptr) {
        minting[update->ticket] = mint->dot;
        node.observer_->OnMint(node.id(), update->key, *mint);
      }
    }
    if (node.watch_ != nullptr) node.watch_->Submitted(request);
    records->Submit(std::move(request));
  }

  void Reply(ClientReply&& reply) override {
    if (file_system.crashed()) return;
    node.reply_sink_(node.id(), std::move(reply));
  }

  void Arm(int64_t deadline_us) override {
    const uint64_t arming = ++timer_armings;
    if (deadline_us == kNever) return;
    const int64_t at_us = std::max(deadline_us, node.scheduler_.now_us());
    node.scheduler_.At(
        at_us, [&owner = node, arming, epoch = node.epoch_] { owner.OnTimer(arming, epoch); });
  }

  void Write(const Note& note) override {
    node.trace_.Explain(node.scheduler_.now_us(), node.id(), note.text);
  }

  // Tells the observer of a mint's result before the node hears of it.
  void Observe(const StoreReply& reply) {
    if (TicketKindOf(reply.ticket) == TicketKind::kTombstones) {
      node.observer_->OnLooked(reply.entries);
    }
    const auto it = minting.find(reply.ticket);
    if (it == minting.end()) return;
    if (reply.status.ok()) {
      HintView hint;  // a stand-in's: the record that it holds
      const bool is_hint = HintView::Parse(reply.record, &hint);
      node.observer_->OnMinted(it->second, is_hint ? std::string(hint.record) : reply.record);
    } else if (!reply.applied) {
      node.observer_->OnRefused(it->second);
    }
    minting.erase(it);
  }

  SimNode& node;
  const KeyedSeed job_seed;
  SimBus bus;
  SimFileSystem file_system;
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<storage::RecordStorage> records;
  std::unique_ptr<Host> host;
  struct RunningJob {
    std::unique_ptr<storage::Job> job;
    Random random;  // of its delays
  };
  std::map<uint64_t, RunningJob> jobs;  // under way, by slot
  uint64_t next_job = 0;
  std::map<std::string, uint64_t> jobs_begun;  // by name
  uint64_t timer_armings = 0;
  bool replies_awaited = false;
  int64_t compaction_awaited_us = kNever;
  std::map<StoreTicket, Dot> minting;
};

SimNode::SimNode(Scheduler& scheduler, Trace& trace, SimNetwork& network,
                 const ClusterConfig& cluster, const NodeOptions& options,
                 const storage::EngineOptions& engine, KeyedSeed seed, StoreObserver* observer,
                 std::vector<Fault>* plan, MessageRules* rules, ReplySink replies,
                 CrashSink crashed)
    : FaultedNode(scheduler, trace, options.id, seed.With("disk").value(), plan),
      network_(network),
      cluster_(cluster),
      options_(options),
      engine_options_(engine),
      seed_(seed),
      observer_(observer),
      rules_(rules),
      reply_sink_(std::move(replies)),
      crash_sink_(std::move(crashed)) {
  if (!trace_.listened()) return;
  watch_ = std::make_unique<ReplicaWatch>(scheduler_, trace_, id(),
                                          RecordHasher(cluster_.name, cluster_.secret),
                                          [this] { return DurableEntries(); });
}

SimNode::~SimNode() = default;

storage::Engine* SimNode::engine() { return up() ? process_->engine.get() : nullptr; }
const Node* SimNode::node() const { return up() ? &process_->host->node() : nullptr; }

bool SimNode::StartUp(std::string* error) {
  CORE_CHECK(!up());
  ++epoch_;
  if (disk_.crashed()) disk_.Restart();
  const KeyedSeed life = seed_.With(++lives_);
  disk_.Reseed(life.With("disk").value());
  process_ = std::make_unique<Process>(*this, life.With("jobs"));
  engine_options_.seed = life.With("engine").value();
  const uint64_t node_seed = life.With("host").value();
  trace_.Record(scheduler_.now_us(), id(), "start", "");
  if (watch_ != nullptr) watch_->Begin();
  storage::RecoveryReport report;
  if (std::exchange(restored_, false)) {
    // As operators are told to, who copy a disk by other means than a checkpoint.
    const absl::Status removed =
        process_->file_system.Remove(storage::SlotPath(engine_options_.dir, storage::kLeaseSlot));
    CORE_CHECK(removed.ok() || absl::IsNotFound(removed) || process_->file_system.crashed());
  }
  auto engine = storage::Engine::Open(process_->file_system, engine_options_, &report);
  if (BuryIfCrashed()) return true;
  if (!engine.ok()) {
    *error = std::string(engine.status().message());
    process_.reset();
    return false;
  }
  doubts_its_store_ = report.suspect || report.possibly_lost_from.has_value();
  for (const std::string& note : report.notes) {
    trace_.Explain(scheduler_.now_us(), id(), note);
  }
  process_->engine = *std::move(engine);
  process_->records = std::make_unique<storage::RecordStorage>(
      *process_->engine, RecordHasher(cluster_.name, cluster_.secret),
      engine_options_.record_cache_bytes, engine_options_.rare);
  Ports ports;
  ports.clock = process_.get();
  ports.bus = process_.get();
  ports.storage = process_.get();
  ports.clients = process_.get();
  ports.timer = process_.get();
  ports.notes = process_.get();
  process_->host = std::make_unique<Host>(cluster_, options_, ports);
  AwaitScrub(epoch_);
  Deliver(Start{node_seed, storage::MakeStoreRecovery(*process_->engine, report)});
  return true;
}

// ---- Events -----------------------------------------------------------------------

void SimNode::OnTimer(uint64_t arming, uint64_t epoch) {
  if (epoch_ != epoch || process_->timer_armings != arming) return;
  if (Hold([this, arming, epoch] { OnTimer(arming, epoch); })) return;
  Deliver(TimerFired{});
}

void SimNode::DeliverMessage(NodeId from, const std::string& bytes) {
  if (!up()) return;
  if (Hold([this, from, bytes] { DeliverMessage(from, bytes); })) return;
  Deliver(process_->bus.Receive(from, bytes));
}

void SimNode::DeliverRequest(ClientRequest&& request) {
  CORE_CHECK(up());
  if (stands_still()) {
    const auto waiting = std::make_shared<ClientRequest>(std::move(request));
    CORE_CHECK(Hold([this, waiting] { DeliverRequest(std::move(*waiting)); }));
    return;
  }
  Deliver(std::move(request));
}

void SimNode::Deliver(Event&& event) {
  trace_.Record(scheduler_.now_us(), id(), EventName(event), "");
  process_->host->Deliver(std::move(event));
  DrainEvents();
}

void SimNode::DrainEvents() {
  process_->records->Pump(scheduler_.now_us());
  StoreReply reply;
  while (!disk_.crashed() && process_->records->PopReply(&reply)) {
    trace_.Record(scheduler_.now_us(), id(), "store", reply.record);
    process_->Observe(reply);
    if (watch_ != nullptr) watch_->Replied(reply);
    process_->host->Deliver(std::move(reply));
    process_->records->Pump(scheduler_.now_us());
  }
  if (BuryIfCrashed()) return;
  AwaitDelayedReplies();
  StartJobs();
  AwaitCompaction();
}

void SimNode::OnDelayedReplies(uint64_t epoch) {
  if (epoch != epoch_) return;
  if (Hold([this, epoch] { OnDelayedReplies(epoch); })) return;
  process_->replies_awaited = false;
  DrainEvents();
}

// Replies to updates, while flushes and compactions lag.
void SimNode::AwaitDelayedReplies() {
  const int64_t due_us = process_->records->NextDue();
  if (due_us == kNever || process_->replies_awaited) return;
  process_->replies_awaited = true;
  scheduler_.At(std::max(due_us, scheduler_.now_us()),
                [this, epoch = epoch_] { OnDelayedReplies(epoch); });
}

// One that is held to a rate.
void SimNode::AwaitCompaction() {
  const int64_t due_us = process_->engine->NextDue();
  if (due_us >= process_->compaction_awaited_us) return;
  process_->compaction_awaited_us = due_us;
  scheduler_.At(std::max(due_us, scheduler_.now_us()),
                [this, due_us, epoch = epoch_] { OnCompactionDue(due_us, epoch); });
}

void SimNode::OnCompactionDue(int64_t due_us, uint64_t epoch) {
  if (epoch != epoch_) return;
  if (Hold([this, due_us, epoch] { OnCompactionDue(due_us, epoch); })) return;
  if (process_->compaction_awaited_us == due_us) process_->compaction_awaited_us = kNever;
  DrainEvents();
}

void SimNode::StartJobs() {
  for (int lane = 0; lane < storage::kLaneCount; ++lane) {
    while (auto job = process_->engine->NextJob(static_cast<storage::Lane>(lane))) {
      const uint64_t slot = ++process_->next_job;
      const std::string name = job->Name();
      Random random = process_->job_seed.With(name).With(++process_->jobs_begun[name]).Stream();
      const int64_t delay_us = random.Between(5, 50);
      process_->jobs.emplace(slot, Process::RunningJob{std::move(job), random});
      scheduler_.After(delay_us, [this, slot, epoch = epoch_] { StepJob(slot, epoch); });
    }
  }
}

void SimNode::StepJob(size_t slot, uint64_t epoch) {
  if (epoch != epoch_) return;
  if (Hold([this, slot, epoch] { StepJob(slot, epoch); })) return;
  if (Fault* const stall = Active(FaultKind::kStalledDisk)) {
    ++stall->effects;
    scheduler_.After(kStallUs, [this, slot, epoch] { StepJob(slot, epoch); });
    return;
  }
  const auto it = process_->jobs.find(slot);
  CORE_CHECK(it != process_->jobs.end());
  trace_.Record(scheduler_.now_us(), id(), it->second.job->Name(), "");
  const bool done = it->second.job->RunStep();
  if (BuryIfCrashed()) return;
  if (!done) {
    // Mostly quick, now and then a slow device.
    Random& random = it->second.random;
    const bool slow = random.Chance(1, 50);
    int64_t delay_us = slow ? random.Between(1'000, 20'000) : random.Between(20, 400);
    delay_us += SlowDiskUs(random);
    scheduler_.After(delay_us, [this, slot, epoch] { StepJob(slot, epoch); });
    return;
  }
  std::unique_ptr<storage::Job> job = std::move(it->second.job);
  process_->jobs.erase(it);
  process_->engine->Finish(std::move(job));
  DrainEvents();
}

// As a node's timer does, but oftener: a run is short.
void SimNode::AwaitScrub(uint64_t epoch) {
  scheduler_.After(kScrubIntervalUs, [this, epoch] {
    if (epoch_ != epoch) return;
    if (Active(FaultKind::kPause) != nullptr) return AwaitScrub(epoch);
    process_->engine->GrantScrub(kScrubBytes);
    StartJobs();
    AwaitScrub(epoch);
  });
}

void SimNode::Restore(const SimDisk& copy) {
  restored_ = true;
  FaultedNode::Restore(copy);
}

uint64_t SimNode::damage_met() const {
  if (!up()) return 0;
  const storage::Engine& engine = *process_->engine;
  return engine.damaged_ranges().size() + engine.stats().bad_blocks;
}

bool SimNode::refuses_writes() const { return up() && !process_->engine->health().ok(); }

bool SimNode::hurt() const {
  return up() && (process_->engine->stats().damaged_tables > 0 || !process_->engine->health().ok());
}

std::map<std::string, std::string> SimNode::DurableRecords() const {
  std::map<std::string, std::string> records;
  for (auto& [key, value] : DurableEntries()) {
    // A stand-in's copy is one, too.
    HintView hint;
    const bool is_hint = storage::PartitionIn(key) == kHintSpace && HintView::Parse(value, &hint);
    records[key.substr(storage::kEngineKeyPrefixBytes)] =
        is_hint ? std::string(hint.record) : std::move(value);
  }
  return records;
}

std::map<std::string, std::string> SimNode::DurableEntries() const {
  std::map<std::string, std::string> held;
  const std::unique_ptr<SimDisk> copy = disk_.Fork();
  for (const SimDisk::FileState& file : copy->Files()) {
    CORE_CHECK(copy->ClearReadErrors(file.path).ok());
  }
  copy->set_capacity_bytes(SimDisk::kUnlimited);
  if (!copy->crashed()) copy->Crash(CrashLoss::kAllUnsynced);
  copy->Restart();
  SimFileSystem file_system(copy.get(), "the oracle");
  storage::RecoveryReport report;
  storage::EngineOptions options = engine_options_;
  options.rare = nullptr;
  const auto engine = storage::Engine::Open(file_system, options, &report);
  if (!engine.ok()) return held;
  std::string from;
  do {
    std::vector<storage::Engine::Entry> entries;
    std::string next;
    const absl::Status status = (*engine)->Scan(from, "", 1000, 4 << 20, &entries, &next);
    if (!status.ok() && !absl::IsDataLoss(status)) break;  // what has rotted is not held
    for (storage::Engine::Entry& entry : entries) {
      held[std::move(entry.key)] = std::move(entry.value);
    }
    from = std::move(next);
  } while (!from.empty());
  return held;
}

bool SimNode::BuryIfCrashed() {
  if (!disk_.crashed() || process_ == nullptr) return false;
  trace_.Record(scheduler_.now_us(), id(), "crash", disk_.crash_site());
  if (!disk_.crash_site().empty()) {
    trace_.Explain(scheduler_.now_us(), id(), absl::StrCat("crash at ", disk_.crash_site()));
  }
  if (trace_.listened()) {
    RunEvent event;
    event.kind = RunEvent::Kind::kDown;
    event.time_us = scheduler_.now_us();
    event.node = id();
    event.text = disk_.crash_site();
    trace_.Tell(event);
  }
  ++epoch_;
  process_.reset();
  if (watch_ != nullptr) watch_->End();
  held_.clear();
  crash_sink_(id());
  return true;
}

}  // namespace norn::sim
