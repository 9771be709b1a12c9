#include "sim/protocol_node.h"

#include <deque>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/protocol_log.h"
#include "sim/sim_file_system.h"

namespace norn::sim {

namespace {

constexpr int64_t kStallUs = 1'000;  // until a stalled disk is tried again
constexpr int64_t kToSelfUs = 1;

}  // namespace

// All that dies in a crash; to the process, the world.
class ProtocolNode::Life final : public Context {
 public:
  Life(ProtocolNode& node, KeyedSeed seed)
      : node_(node),
        file_seed_(seed.With("files")),
        files_(&node.disk_, absl::StrCat("n", node.id())) {}

  NodeId self() const override { return node_.id(); }
  int nodes() const override { return node_.nodes_; }
  int64_t now_us() const override { return node_.scheduler_.now_us(); }
  int64_t wall_us() const override { return wall_us_; }
  Random Chance(absl::string_view about) const override {
    return node_.seed_.With("chance").With(about).Stream();
  }
  int64_t setting(absl::string_view name) const override {
    const auto it = node_.settings_.find(std::string(name));
    CORE_CHECK(it != node_.settings_.end());  // Protocol::Settings does not list it
    return it->second;
  }

  void Send(NodeId to, const std::string& name, const std::string& key, std::string bytes,
            const std::string& text) override {
    CORE_CHECK(to >= 1 && to <= node_.nodes_);
    if (node_.trace_.prints()) Explain(absl::StrCat("to n", to, ": ", text));
    if (to != self()) {
      node_.network_.Send(self(), to, std::move(bytes), MessageLabel{name, key, text, 0});
      return;
    }
    node_.scheduler_.After(kToSelfUs,
                           [&owner = node_, bytes = std::move(bytes), epoch = node_.epoch_] {
                             if (owner.epoch_ == epoch) owner.DeliverMessage(owner.id(), bytes);
                           });
  }

  void SetTimer(uint64_t token, int64_t after_us) override {
    CORE_CHECK(after_us >= 0);
    timers_[token] = ++armings_;
    node_.scheduler_.After(after_us,
                           [&owner = node_, token, arming = armings_, epoch = node_.epoch_] {
                             owner.OnTimer(token, arming, epoch);
                           });
  }
  void CancelTimer(uint64_t token) override { timers_.erase(token); }

  void Reply(uint64_t request, Answer answer, const std::string& value) override {
    node_.hooks_.reply(request, answer, value);
  }

  void Append(std::string record) override {
    last_appended_ = record;
    Enqueue({true, std::move(record), 0});
  }
  void Sync(uint64_t token) override { Enqueue({false, last_appended_, token}); }

  void Explain(absl::string_view text) override {
    node_.trace_.Explain(node_.scheduler_.now_us(), self(), text);
  }

 private:
  friend class ProtocolNode;

  struct FileStep {
    bool append = false;
    std::string record;  // of a sync: the last before it
    uint64_t token = 0;  // of a sync
  };

  void Enqueue(FileStep step) {
    steps_.push_back(std::move(step));
    if (steps_.size() == 1) AwaitStep();
  }
  // Mostly quick, now and then a slow device.
  void AwaitStep() {
    const FileStep& step = steps_.front();
    const KeyedSeed kind = file_seed_.With(step.append ? "append" : "sync").With(step.record);
    Random random = kind.With(++steps_of_[kind.value()]).Stream();
    const bool slow = random.Chance(1, 50);
    int64_t delay_us = slow ? random.Between(1'000, 20'000) : random.Between(20, 400);
    delay_us += node_.SlowDiskUs(random);
    node_.scheduler_.After(delay_us,
                           [&owner = node_, epoch = node_.epoch_] { owner.StepLog(epoch); });
  }

  ProtocolNode& node_;
  const KeyedSeed file_seed_;
  SimFileSystem files_;
  std::unique_ptr<ProtocolLog> log_;
  std::string last_appended_;
  std::map<uint64_t, uint64_t> steps_of_;  // begun, by kind
  std::deque<FileStep> steps_;             // the first is under way
  std::map<uint64_t, uint64_t> timers_;    // by token: which arming counts
  uint64_t armings_ = 0;
  int64_t wall_us_ = 0;
  std::unique_ptr<Process> process_;  // dies first
};

ProtocolNode::ProtocolNode(Scheduler& scheduler, Trace& trace, SimNetwork& network,
                           const Protocol& protocol, const std::map<std::string, int64_t>& settings,
                           int nodes, NodeId id, KeyedSeed seed, std::vector<Fault>* plan,
                           const Hooks& hooks)
    : FaultedNode(scheduler, trace, id, seed.With("disk").value(), plan),
      network_(network),
      protocol_(protocol),
      settings_(settings),
      nodes_(nodes),
      seed_(seed),
      hooks_(hooks) {}

ProtocolNode::~ProtocolNode() = default;

const Process* ProtocolNode::process() const { return up() ? life_->process_.get() : nullptr; }

bool ProtocolNode::StartUp(std::string* error) {
  CORE_CHECK(!up());
  ++epoch_;
  if (disk_.crashed()) disk_.Restart();
  const KeyedSeed seed = seed_.With(++lives_);
  disk_.Reseed(seed.With("disk").value());
  life_ = std::make_unique<Life>(*this, seed);
  trace_.Record(scheduler_.now_us(), id(), "start", "");
  if (trace_.listened()) {
    told_.clear();
    RunEvent event;
    event.kind = RunEvent::Kind::kUp;
    event.time_us = scheduler_.now_us();
    event.node = id();
    trace_.Tell(event);
  }
  std::vector<std::string> records;
  auto log = ProtocolLog::Open(&life_->files_, &records);
  if (BuryIfCrashed()) return true;
  if (!log.ok()) {
    *error = std::string(log.status().message());
    life_.reset();
    return false;
  }
  life_->log_ = *std::move(log);
  life_->process_ = protocol_.MakeProcess(*life_);
  Step("recovered", absl::StrCat(records.size()),
       [&records](Process& process) { process.OnStart(records); });
  return true;
}

void ProtocolNode::Step(const char* what, const std::string& content,
                        const std::function<void(Process&)>& call) {
  trace_.Record(scheduler_.now_us(), id(), what, content);
  life_->wall_us_ = WallUs();
  call(*life_->process_);
  if (trace_.listened()) TellState();
  hooks_.stepped(id(), *life_->process_);
}

void ProtocolNode::DeliverMessage(NodeId from, const std::string& bytes) {
  if (!up()) return;
  if (Hold([this, from, bytes] { DeliverMessage(from, bytes); })) return;
  Step("message", bytes, [from, &bytes](Process& process) { process.OnMessage(from, bytes); });
}

void ProtocolNode::DeliverRequest(uint64_t request, const ProtocolRequest& asked) {
  CORE_CHECK(up());
  if (Hold([this, request, asked] { DeliverRequest(request, asked); })) return;
  Step("request", absl::StrCat(request),
       [request, &asked](Process& process) { process.OnRequest(request, asked); });
}

void ProtocolNode::OnTimer(uint64_t token, uint64_t arming, uint64_t epoch) {
  if (epoch != epoch_) return;
  const auto it = life_->timers_.find(token);
  if (it == life_->timers_.end() || it->second != arming) return;
  if (Hold([this, token, arming, epoch] { OnTimer(token, arming, epoch); })) return;
  life_->timers_.erase(it);
  Step("timer", absl::StrCat(token), [token](Process& process) { process.OnTimer(token); });
}

void ProtocolNode::StepLog(uint64_t epoch) {
  if (epoch != epoch_) return;
  if (Hold([this, epoch] { StepLog(epoch); })) return;
  if (Fault* const stall = Active(FaultKind::kStalledDisk)) {
    ++stall->effects;
    scheduler_.After(kStallUs, [this, epoch] { StepLog(epoch); });
    return;
  }
  const Life::FileStep step = std::move(life_->steps_.front());
  trace_.Record(scheduler_.now_us(), id(), step.append ? "append" : "sync",
                step.append ? step.record : "");
  const absl::Status done = step.append ? life_->log_->Append(step.record) : life_->log_->Sync();
  if (BuryIfCrashed()) return;
  if (!done.ok()) {
    // As a server would that cannot know any more what it has promised.
    disk_.Crash(CrashLoss::kProcessOnly);
    Bury(std::string(done.message()));
    hooks_.failed(id());
    return;
  }
  life_->steps_.pop_front();
  if (!life_->steps_.empty()) life_->AwaitStep();
  if (step.append) return;
  Step("synced", absl::StrCat(step.token),
       [&step](Process& process) { process.OnSynced(step.token); });
}

void ProtocolNode::TellState() {
  std::map<std::string, std::string> now;
  for (auto& [key, text] : life_->process_->State()) now[key] = text;
  for (const auto& [key, text] : told_) now.emplace(key, "");
  for (const auto& [key, text] : now) {
    std::string& told = told_[key];
    if (told == text) continue;
    told = text;
    RunEvent event;
    event.kind = RunEvent::Kind::kRecord;
    event.time_us = scheduler_.now_us();
    event.node = id();
    event.key = key;
    event.text = text;
    trace_.Tell(event);
  }
}

bool ProtocolNode::BuryIfCrashed() {
  if (!disk_.crashed() || life_ == nullptr) return false;
  Bury(disk_.crash_site());
  hooks_.crashed(id());
  return true;
}

void ProtocolNode::Bury(const std::string& why) {
  trace_.Record(scheduler_.now_us(), id(), "crash", why);
  if (!why.empty()) trace_.Explain(scheduler_.now_us(), id(), absl::StrCat("crash at ", why));
  if (trace_.listened()) {
    RunEvent event;
    event.kind = RunEvent::Kind::kDown;
    event.time_us = scheduler_.now_us();
    event.node = id();
    event.text = why;
    trace_.Tell(event);
  }
  ++epoch_;
  life_.reset();
  held_.clear();
}

}  // namespace norn::sim
