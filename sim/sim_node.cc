#include "sim/sim_node.h"

#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/sim_bus.h"
#include "sim/sim_file_system.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

constexpr int64_t kScrubIntervalUs = 500'000;
constexpr uint64_t kScrubBytes = 10'000;
constexpr int64_t kWallOriginUs = 1'700'000'000'000'000;  // some day in 2023

}  // namespace

// All that dies in a crash. It is the node's ports, too.
struct SimNode::Process final : Clock, MessageBus, Storage, ClientPort, Timer, NoteSink {
  explicit Process(SimNode& node_in)
      : node(node_in),
        bus(node_in.scheduler_, node_in.trace_, node_in.network_, node_in.id()),
        file_system(&node_in.disk_, absl::StrCat("n", node_in.id())) {}

  Now Read() override {
    return Now{node.scheduler_.now_us(), kWallOriginUs + node.scheduler_.now_us()};
  }

  void Send(NodeId to, Message&& message) override {
    if (file_system.crashed()) return;
    bus.Send(to, std::move(message));
  }

  void Submit(StoreRequest&& request) override {
    if (const StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
      if (const MintOp* const mint = std::get_if<MintOp>(&update->op)) {
        minting[update->ticket] = mint->dot;
        node.observer_->OnMint(node.id(), update->key, *mint);
      }
    }
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
    node.scheduler_.At(at_us, [&owner = node, arming, epoch = node.epoch_] {
      if (owner.epoch_ != epoch || owner.process_->timer_armings != arming) return;
      owner.Deliver(TimerFired{});
    });
  }

  void Write(const Note& note) override {
    node.trace_.Explain(node.scheduler_.now_us(), node.id(), note.text);
  }

  // Tells the observer of a mint's result before the node hears of it.
  void Observe(const StoreReply& reply) {
    const auto it = minting.find(reply.ticket);
    if (it == minting.end()) return;
    if (reply.status.ok()) {
      node.observer_->OnMinted(it->second, reply.record);
    } else if (!reply.applied) {
      node.observer_->OnRefused(it->second);
    }
    minting.erase(it);
  }

  SimNode& node;
  SimBus bus;
  SimFileSystem file_system;
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<storage::RecordStorage> records;
  std::unique_ptr<Host> host;
  std::map<uint64_t, std::unique_ptr<storage::Job>> jobs;  // under way, by slot
  uint64_t next_job = 0;
  uint64_t timer_armings = 0;
  std::map<StoreTicket, Dot> minting;
};

SimNode::SimNode(Scheduler& scheduler, Trace& trace, SimNetwork& network,
                 const ClusterConfig& cluster, const NodeOptions& options,
                 const storage::EngineOptions& engine, uint64_t seed, StoreObserver* observer,
                 std::vector<Fault>* plan, ReplySink replies, CrashSink crashed)
    : scheduler_(scheduler),
      trace_(trace),
      network_(network),
      cluster_(cluster),
      options_(options),
      engine_options_(engine),
      random_(seed),
      observer_(observer),
      plan_(plan),
      reply_sink_(std::move(replies)),
      crash_sink_(std::move(crashed)),
      disk_(SplitMix64(seed)) {}

SimNode::~SimNode() = default;

storage::Engine* SimNode::engine() { return up() ? process_->engine.get() : nullptr; }
const Node* SimNode::node() const { return up() ? &process_->host->node() : nullptr; }

bool SimNode::StartUp(std::string* error) {
  CORE_CHECK(!up());
  ++epoch_;
  if (disk_.crashed()) disk_.Restart();
  process_ = std::make_unique<Process>(*this);
  engine_options_.seed = random_.Next64();
  const uint64_t node_seed = random_.Next64();
  trace_.Record(scheduler_.now_us(), id(), "start", "");
  storage::RecoveryReport report;
  auto engine = storage::Engine::Open(process_->file_system, engine_options_, &report);
  if (BuryIfCrashed()) return true;
  if (!engine.ok()) {
    *error = std::string(engine.status().message());
    process_.reset();
    return false;
  }
  for (const std::string& note : report.notes) {
    trace_.Explain(scheduler_.now_us(), id(), note);
  }
  process_->engine = *std::move(engine);
  process_->records = std::make_unique<storage::RecordStorage>(
      *process_->engine, RecordHasher(cluster_.name, cluster_.secret),
      engine_options_.record_cache_bytes);
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

void SimNode::DeliverMessage(NodeId from, const std::string& bytes) {
  if (!up()) return;
  Deliver(process_->bus.Receive(from, bytes));
}

void SimNode::DeliverRequest(ClientRequest&& request) {
  CORE_CHECK(up());
  Deliver(std::move(request));
}

void SimNode::Deliver(Event&& event) {
  trace_.Record(scheduler_.now_us(), id(), EventName(event), "");
  process_->host->Deliver(std::move(event));
  DrainEvents();
}

void SimNode::DrainEvents() {
  process_->records->Pump();
  StoreReply reply;
  while (!disk_.crashed() && process_->records->PopReply(&reply)) {
    trace_.Record(scheduler_.now_us(), id(), "store", reply.record);
    process_->Observe(reply);
    process_->host->Deliver(std::move(reply));
    process_->records->Pump();
  }
  if (BuryIfCrashed()) return;
  StartJobs();
}

void SimNode::StartJobs() {
  for (int lane = 0; lane < storage::kLaneCount; ++lane) {
    while (auto job = process_->engine->NextJob(static_cast<storage::Lane>(lane))) {
      const uint64_t slot = ++process_->next_job;
      process_->jobs[slot] = std::move(job);
      const int64_t delay_us = random_.Between(5, 50);
      scheduler_.After(delay_us, [this, slot, epoch = epoch_] { StepJob(slot, epoch); });
    }
  }
}

void SimNode::StepJob(size_t slot, uint64_t epoch) {
  if (epoch != epoch_) return;
  const auto it = process_->jobs.find(slot);
  CORE_CHECK(it != process_->jobs.end());
  trace_.Record(scheduler_.now_us(), id(), it->second->Name(), "");
  const bool done = it->second->RunStep();
  if (BuryIfCrashed()) return;
  if (!done) {
    // Mostly quick, now and then a slow device.
    const bool slow = random_.Chance(1, 50);
    int64_t delay_us = slow ? random_.Between(1'000, 20'000) : random_.Between(20, 400);
    for (Fault& fault : *plan_) {
      if (fault.kind != FaultKind::kSlowDisk || !fault.Concerns(id())) continue;
      if (!fault.ActiveAt(scheduler_.now_us())) continue;
      delay_us += static_cast<int64_t>(random_.Below(fault.amount + 1));
      ++fault.effects;
    }
    scheduler_.After(delay_us, [this, slot, epoch] { StepJob(slot, epoch); });
    return;
  }
  std::unique_ptr<storage::Job> job = std::move(it->second);
  process_->jobs.erase(it);
  process_->engine->Finish(std::move(job));
  DrainEvents();
}

// As a node's timer does, but oftener: a run is short.
void SimNode::AwaitScrub(uint64_t epoch) {
  scheduler_.After(kScrubIntervalUs, [this, epoch] {
    if (epoch_ != epoch) return;
    process_->engine->GrantScrub(kScrubBytes);
    StartJobs();
    AwaitScrub(epoch);
  });
}

void SimNode::Crash(CrashLoss loss) {
  disk_.Crash(loss);
  BuryIfCrashed();
}

bool SimNode::BuryIfCrashed() {
  if (!disk_.crashed() || process_ == nullptr) return false;
  trace_.Record(scheduler_.now_us(), id(), "crash", disk_.crash_site());
  if (!disk_.crash_site().empty()) {
    trace_.Explain(scheduler_.now_us(), id(), absl::StrCat("crash at ", disk_.crash_site()));
  }
  ++epoch_;
  process_.reset();
  crash_sink_(id());
  return true;
}

}  // namespace norn::sim
