#include "core/testing/mini_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/replication/hint_record.h"
#include "core/testing/describe.h"

namespace norn::testing {

namespace {

constexpr int64_t kAnHour = 3'600'000'000;
constexpr int64_t kWallAheadUs = 1'700'000'000'000'000;
constexpr int kSettleBudget = 2'000'000;

ClusterConfig MakeConfig(const MiniOptions& options) {
  ClusterConfig config;
  config.name = "mini";
  config.secret = "secret";
  config.partitions = options.partitions;
  config.buckets = {options.bucket};
  config.buckets.insert(config.buckets.end(), options.more_buckets.begin(),
                        options.more_buckets.end());
  for (int i = 1; i <= options.nodes; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i);
    member.address = absl::StrCat("node", i, ":7001");
    if (!options.data_centers.empty()) {
      const size_t index = static_cast<size_t>(i - 1) % options.data_centers.size();
      member.data_center = options.data_centers[index];
    }
    config.members.push_back(std::move(member));
  }
  return config;
}

}  // namespace

// All ports of one node but its store.
class MiniCluster::NodePorts : public Clock,
                               public MessageBus,
                               public ClientPort,
                               public Timer,
                               public NoteSink {
 public:
  NodePorts(MiniCluster& cluster, NodeId id) : cluster_(cluster), id_(id) {}

  Now Read() override { return Now{cluster_.now_us_, cluster_.wall_us(id_)}; }
  void Send(NodeId to, Message&& message) override {
    ++cluster_.sent_[MessageName(message)];
    cluster_.wire_.push_back({id_, to, std::move(message)});
  }
  void Reply(ClientReply&& reply) override {
    const auto asked = cluster_.replies_.find(reply.client);
    CORE_CHECK(asked != cluster_.replies_.end());
    CORE_CHECK(!asked->second.has_value());  // answered once
    cluster_.Say(absl::StrCat(id_, " answers: ", testing::Describe(reply)));
    asked->second = std::move(reply);
  }
  void Arm(int64_t deadline_us) override { cluster_.At(id_).armed_us = deadline_us; }
  void Write(const Note& note) override {
    cluster_.Say(absl::StrCat(id_, " notes: ", note.text));
    cluster_.notes_.push_back(absl::StrCat(id_, ": ", note.text));
  }

 private:
  MiniCluster& cluster_;
  NodeId id_;
};

MiniCluster::MiniCluster(const MiniOptions& options)
    : options_(options),
      config_(MakeConfig(options)),
      layout_(Layout::Build(1, config_.partitions, GreatestN(config_), config_.members)) {
  if (!options_.exchange) options_.node.exchange_interval_us = kAnHour;
  if (!options_.mend_damage) options_.node.damage_check_interval_us = 0;
  if (!options_.remove_tombstones) options_.node.tombstone_interval_us = 0;
  if (!options_.gossip) {
    options_.node.gossip_interval_us = kAnHour;
    options_.node.suspect_after_us = 2 * kAnHour;
  }
  for (const MemberConfig& member : config_.members) {
    Machine& machine = machines_[member.id];
    machine.store = std::make_unique<MemoryStore>(RecordHasher(config_.name, config_.secret));
    machine.ports = std::make_unique<NodePorts>(*this, member.id);
  }
  if (!options_.start) return;
  for (const MemberConfig& member : config_.members) Start(member.id);
  Settle();
  // The first round of gossip may not have reached everybody: another says the rest.
  for (const MemberConfig& member : config_.members) {
    Gossip hello;
    hello.members.push_back({member.id, 1, 1});
    for (const MemberConfig& other : config_.members) {
      if (other.id != member.id) Deliver(other.id, MessageReceived{member.id, hello});
    }
  }
  Settle();
  // Replicas of a new cluster count once they have met, and others stand in for them once they have
  // heard of it.
  const auto complete = [this](const MemberConfig& member) {
    const NodeStatus status = Status(member.id);
    return status.partitions_complete == status.partitions_held && status.partitions_unheard == 0;
  };
  for (int i = 0; i < 50 && !std::all_of(config_.members.begin(), config_.members.end(), complete);
       ++i) {
    Run(i < 40 ? 1 : 200'000);
  }
}

MiniCluster::~MiniCluster() = default;

void MiniCluster::Start(NodeId id, bool doubtful) {
  Machine& machine = At(id);
  CORE_CHECK(machine.host == nullptr);
  NodeOptions node = options_.node;
  node.id = id;
  Ports ports;
  ports.clock = machine.ports.get();
  ports.bus = machine.ports.get();
  ports.storage = machine.store.get();
  ports.clients = machine.ports.get();
  ports.timer = machine.ports.get();
  ports.notes = machine.ports.get();
  machine.armed_us = kNever;
  machine.host = std::make_unique<Host>(config_, node, ports);
  ++machine.lives;
  const uint64_t seed = SplitMix64(options_.seed * 1000003 + id * 1009 + machine.lives);
  Deliver(id, norn::Start{seed, machine.store->Recover(doubtful)});
}

void MiniCluster::Crash(NodeId id) {
  Machine& machine = At(id);
  machine.host.reset();
  machine.store->Crash();
  machine.armed_us = kNever;
}

void MiniCluster::Wipe(NodeId id) {
  CORE_CHECK(!IsUp(id));
  At(id).store->Wipe();
}

NodeStatus MiniCluster::Status(NodeId id) const { return node(id).Status(); }

const Node& MiniCluster::node(NodeId id) const {
  CORE_CHECK(IsUp(id));
  return At(id).host->node();
}

void MiniCluster::Deliver(NodeId id, Event&& event) {
  Machine& machine = At(id);
  if (machine.host != nullptr) machine.host->Deliver(std::move(event));
}

uint64_t MiniCluster::Ask(NodeId id, ClientRequest request) {
  request.client = ++last_ticket_;
  replies_[last_ticket_] = std::nullopt;
  Deliver(id, std::move(request));
  return last_ticket_;
}

const ClientReply* MiniCluster::ReplyTo(uint64_t ticket) const {
  const auto asked = replies_.find(ticket);
  CORE_CHECK(asked != replies_.end());
  return asked->second.has_value() ? &*asked->second : nullptr;
}

ClientReply MiniCluster::Call(NodeId id, ClientRequest request) {
  const uint64_t ticket = Ask(id, std::move(request));
  Settle();
  for (int i = 0; i < 100 && ReplyTo(ticket) == nullptr; ++i) Run(100'000);
  CORE_CHECK(ReplyTo(ticket) != nullptr);
  return *ReplyTo(ticket);
}

size_t MiniCluster::unanswered() const {
  return static_cast<size_t>(std::count_if(replies_.begin(), replies_.end(),
                                           [](const auto& it) { return !it.second.has_value(); }));
}

void MiniCluster::ReleaseHeld() {
  for (Parcel& parcel : held_) {
    parcel.judged = true;
    wire_.push_back(std::move(parcel));
  }
  held_.clear();
}

uint64_t MiniCluster::Sent(const std::string& message_name) const {
  const auto it = sent_.find(message_name);
  return it == sent_.end() ? 0 : it->second;
}

bool MiniCluster::DeliverStoreReply() {
  for (auto& [id, machine] : machines_) {
    const size_t ready = machine.store->ready();
    if (ready == 0) continue;
    const size_t pick = shuffle_.has_value() ? shuffle_->Below(machine.store->unordered()) : 0;
    StoreReply reply = machine.store->TakeReply(pick);
    Deliver(id, std::move(reply));
    return true;
  }
  return false;
}

void MiniCluster::Carry(Parcel&& parcel) {
  Fate fate = Fate::kDeliver;
  if (!parcel.judged && judge_) fate = judge_(parcel.from, parcel.to, parcel.message);
  const bool reaches = machines_.count(parcel.to) != 0 && IsUp(parcel.to);
  const char* const how = fate == Fate::kDrop     ? " (lost)"
                          : fate == Fate::kHold   ? " (held)"
                          : fate == Fate::kDouble ? " (twice)"
                          : !reaches              ? " (nobody there)"
                                                  : "";
  Say(absl::StrCat(parcel.from, " -> ", parcel.to, " ", DescribeMessage(parcel.message), how));
  if (fate == Fate::kHold) {
    held_.push_back(std::move(parcel));
    return;
  }
  if (fate == Fate::kDrop || !reaches) return;
  if (fate == Fate::kDouble) {
    Parcel copy = parcel;
    copy.judged = true;
    wire_.push_back(std::move(copy));
  }
  Deliver(parcel.to, MessageReceived{parcel.from, std::move(parcel.message)});
}

bool MiniCluster::SettleOne() {
  const bool wire_first = shuffle_.has_value() && shuffle_->Chance(1, 2) && !wire_.empty();
  if (!wire_first && DeliverStoreReply()) return true;
  if (wire_.empty()) return false;
  if (shuffle_.has_value()) std::swap(wire_.front(), wire_[shuffle_->Below(wire_.size())]);
  Parcel parcel = std::move(wire_.front());
  wire_.pop_front();
  Carry(std::move(parcel));
  return true;
}

void MiniCluster::Settle() {
  int budget = kSettleBudget;
  do {
    while (SettleOne()) CORE_CHECK(--budget > 0);
    // A timer that is due now is part of this moment.
    FireTimers();
  } while (SettleOne());
}

void MiniCluster::FireTimers() {
  for (auto& [id, machine] : machines_) {
    if (machine.host == nullptr || machine.armed_us > now_us_) continue;
    machine.armed_us = kNever;
    Deliver(id, TimerFired{});
  }
}

void MiniCluster::FireEarly(NodeId id) {
  At(id).armed_us = kNever;
  Deliver(id, TimerFired{});
}

void MiniCluster::Run(int64_t us) {
  const int64_t end_us = now_us_ + us;
  while (true) {
    Settle();
    int64_t next_us = end_us;
    for (const auto& [id, machine] : machines_) next_us = std::min(next_us, machine.armed_us);
    if (next_us >= end_us) break;
    now_us_ = std::max(now_us_ + 1, next_us);
  }
  now_us_ = end_us;
  Settle();
}

bool MiniCluster::RunUntilEqual(int64_t most_us) {
  const int64_t end_us = now_us_ + most_us;
  while (!Difference().empty() && now_us_ < end_us) Run(50'000);
  return Difference().empty();
}

int64_t MiniCluster::wall_us(NodeId id) const {
  return now_us_ + kWallAheadUs + At(id).wall_skew_us;
}

int MiniCluster::NOf(BucketId bucket) const {
  for (const BucketConfig& config : config_.buckets) {
    if (config.id == bucket) return config.n;
  }
  CORE_CHECK(false);
}

PartitionId MiniCluster::PartitionOf(const std::string& key, BucketId bucket) const {
  return layout_.PartitionOf(MakeRecordKey(bucket, key));
}

std::vector<NodeId> MiniCluster::ReplicasOf(const std::string& key, BucketId bucket) const {
  const auto replicas = layout_.Replicas(PartitionOf(key, bucket), NOf(bucket));
  return std::vector<NodeId>(replicas.begin(), replicas.end());
}

NodeId MiniCluster::NoReplicaOf(const std::string& key, BucketId bucket) const {
  const std::vector<NodeId> replicas = ReplicasOf(key, bucket);
  for (const auto& [id, machine] : machines_) {
    if (std::find(replicas.begin(), replicas.end(), id) == replicas.end()) return id;
  }
  CORE_CHECK(false);
}

std::string MiniCluster::RecordAt(NodeId id, const std::string& key, BucketId bucket) const {
  return At(id).store->Get(PartitionOf(key, bucket), MakeRecordKey(bucket, key));
}

std::string MiniCluster::HintAt(NodeId id, const std::string& key, BucketId bucket) const {
  const std::string bytes = At(id).store->Get(kHintSpace, MakeRecordKey(bucket, key));
  HintView hint;
  CORE_CHECK(HintView::Parse(bytes, &hint));
  return std::string(hint.record);
}

std::string MiniCluster::Difference() const {
  std::map<MemoryStore::Place, std::string> all;
  for (const auto& [id, machine] : machines_) {
    for (const auto& [place, record] : machine.store->records()) {
      if (place.partition != kHintSpace) all[place] = record;
    }
  }
  for (const auto& [place, record] : all) {
    for (const NodeId replica : layout_.Replicas(place.partition, NOf(BucketOf(place.key)))) {
      const std::string there = At(replica).store->Get(place.partition, place.key);
      if (there == record) continue;
      return absl::StrCat("key ", ClientKeyOf(place.key), ": ", DescribeRecord(record), ", but at ",
                          replica, " ", DescribeRecord(there));
    }
  }
  return std::string();
}

MiniCluster::Machine& MiniCluster::At(NodeId id) {
  const auto it = machines_.find(id);
  CORE_CHECK(it != machines_.end());
  return it->second;
}

const MiniCluster::Machine& MiniCluster::At(NodeId id) const {
  const auto it = machines_.find(id);
  CORE_CHECK(it != machines_.end());
  return it->second;
}

void MiniCluster::Say(const std::string& line) const {
  if (trace_) trace_(line);
}

ClientRequest Get(std::string key, int r) {
  ClientRequest request;
  request.kind = ClientRequest::Kind::kGet;
  request.key = std::move(key);
  request.quorum = r;
  return request;
}

ClientRequest Put(std::string key, std::string value, int w) {
  ClientRequest request;
  request.kind = ClientRequest::Kind::kPut;
  request.key = std::move(key);
  request.value = std::move(value);
  request.quorum = w;
  return request;
}

ClientRequest PutAfter(std::string key, std::string value, std::string context) {
  ClientRequest request = Put(std::move(key), std::move(value));
  request.base = ClientRequest::Base::kToken;
  request.context = std::move(context);
  return request;
}

ClientRequest PutBeside(std::string key, std::string value) {
  ClientRequest request = Put(std::move(key), std::move(value));
  request.base = ClientRequest::Base::kNothing;
  return request;
}

ClientRequest Delete(std::string key) {
  ClientRequest request;
  request.kind = ClientRequest::Kind::kDelete;
  request.key = std::move(key);
  return request;
}

ClientRequest In(BucketId bucket, ClientRequest request) {
  request.bucket = bucket;
  return request;
}

std::string Describe(const ClientReply& reply) {
  std::string out = absl::StrCat(OutcomeName(reply.outcome), " ", reply.replicas);
  for (size_t i = 0; i < reply.siblings.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? ": " : ", ", reply.siblings[i].value);
  }
  if (!reply.message.empty()) absl::StrAppend(&out, ": ", reply.message);
  return out;
}

}  // namespace norn::testing
