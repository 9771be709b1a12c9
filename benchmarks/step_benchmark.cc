// The cost of causality: what a request costs in the step machine, with siblings on, beside what
// the bare containers cost for the same pairs. The store behind it is an absl::flat_hash_map of
// records, so that all that is measured is the protocol: dots, contexts, records, quorums, messages
// as values.
//
// N=1: one node. N=3, R=W=2: three nodes in this one process, on one thread; the figure is
// the work of all three and of carrying the messages by hand (no bytes, no codec).
//
//   bazel run --config=release //benchmarks:step_benchmark
//
// Columns: Time, of one operation, of the processor, and least_ns, in the best round of 10,000;
// allocs, heap allocations of one; x_hash and x_tree, how many times what an absl::flat_hash_map
// and a std::map take for the same pair, in the same run.
//
// BM_StepGetDigests: a read of N=3, R=2, with digests of records above 1 KiB and without; bytes,
// what its messages take on the wire, in both directions, and at_replica or not, who coordinates: a
// replica, or a node that holds no copy. Their limit is one record to whoever has none, and none to
// whoever has one.
//
// The limit: with N=1 the map itself, twice (the record is looked up and written once, and its
// bytes are copied in, and back). With N=3 three times that, and five messages.

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmark/benchmark.h"
#include "benchmarks/allocations.h"
#include "core/causality/record_hasher.h"
#include "core/check.h"
#include "core/host.h"
#include "core/replication/record_ops.h"
#include "core/ring/layout.h"
#include "net/codec.h"
#include "net/frame.h"

namespace norn {
namespace {

constexpr size_t kKeys = 10'000;
constexpr int64_t kAnHour = 3'600'000'000;

std::string KeyOf(uint64_t i) { return "user:" + std::to_string(1'000'000 + i % kKeys); }

// A node and its ports: everything is durable at once.
class Machine : public Clock,
                public MessageBus,
                public Storage,
                public ClientPort,
                public Timer,
                public NoteSink {
 public:
  struct Parcel {
    NodeId from;
    NodeId to;
    Message message;
  };

  Machine(NodeId id, const ClusterConfig& cluster, const NodeOptions& base,
          std::deque<Parcel>* wire)
      : id_(id), wire_(wire), hasher_(cluster.name, cluster.secret) {
    NodeOptions options = base;
    options.id = id;
    options.gossip_interval_us = kAnHour;
    options.suspect_after_us = 2 * kAnHour;
    options.exchange_interval_us = kAnHour;
    options.tree_scrub_interval_us = 0;
    options.damage_check_interval_us = 0;
    options.lease_counters = 1u << 20;
    host_ = std::make_unique<Host>(cluster, options, Ports{this, this, this, this, this, this});
    StoreRecovery recovery;
    recovery.created = true;
    Deliver(Start{id, std::move(recovery)});
  }

  Now Read() override { return Now{now_us_, now_us_ + 1'700'000'000'000'000}; }
  void Send(NodeId to, Message&& message) override {
    wire_->push_back({id_, to, std::move(message)});
  }
  void Submit(StoreRequest&& request) override {
    StoreReply reply;
    if (StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
      reply.ticket = update->ticket;
      std::string& current = records_[update->key];
      reply.status = ApplyOp(update->op, current, &scratch_);
      if (reply.status.ok()) {
        reply.applied = true;
        RecordChange change;
        change.sequence = ++sequence_;
        change.partition = update->partition;
        change.before = hasher_.Hash(update->key, current);
        change.after = hasher_.Hash(update->key, scratch_);
        change.key = std::move(update->key);
        reply.change = std::move(change);
        current = scratch_;
        if (update->record_wanted) reply.record = scratch_;
      }
    } else if (StoreRead* const read = std::get_if<StoreRead>(&request)) {
      reply.ticket = read->ticket;
      const auto it = records_.find(read->key);
      if (it != records_.end()) reply.record = it->second;
    } else if (StoreScan* const scan = std::get_if<StoreScan>(&request)) {
      reply.ticket = scan->ticket;  // of what was there at the start: nothing
    } else if (StoreSlot* const slot = std::get_if<StoreSlot>(&request)) {
      reply.ticket = slot->ticket;
    }
    replies_.push_back(std::move(reply));
  }
  void Reply(ClientReply&& reply) override {
    CORE_CHECK(reply.outcome == ClientReply::Outcome::kOk);
    last_ = std::move(reply);
    ++answered_;
  }
  void Arm(int64_t /*deadline_us*/) override {}
  void Write(const Note& /*note*/) override {}

  void Deliver(Event&& event) {
    host_->Deliver(std::move(event));
    while (!replies_.empty()) {
      StoreReply reply = std::move(replies_.front());
      replies_.pop_front();
      host_->Deliver(std::move(reply));
    }
  }
  // Time passes, so that deadlines of finished requests are swept as in a real node.
  void Tick(int64_t us) {
    now_us_ += us;
    if (host_->node().NextDeadline() <= now_us_) Deliver(TimerFired{});
  }

  NodeStatus Status() const { return host_->node().Status(); }
  uint64_t answered() const { return answered_; }
  const ClientReply& last() const { return last_; }

 private:
  NodeId id_;
  std::deque<Parcel>* wire_;
  const RecordHasher hasher_;
  uint64_t sequence_ = 0;
  std::unique_ptr<Host> host_;
  absl::flat_hash_map<std::string, std::string> records_;
  std::deque<StoreReply> replies_;
  std::string scratch_;
  ClientReply last_;
  uint64_t answered_ = 0;
  int64_t now_us_ = 1;
};

class Cluster {
 public:
  explicit Cluster(int n, int nodes = 0, const NodeOptions& options = NodeOptions()) {
    nodes = std::max(n, nodes);
    ClusterConfig config;
    config.name = "benchmark";
    config.secret = "secret";
    config.buckets[0].n = n;
    config.buckets[0].r = n / 2 + 1;
    config.buckets[0].w = n / 2 + 1;
    for (int i = 1; i <= nodes; ++i) {
      MemberConfig member;
      member.id = static_cast<NodeId>(i);
      member.address = std::to_string(i);
      config.members.push_back(member);
    }
    layout_ = std::make_unique<Layout>(Layout::Build(1, config.partitions, n, config.members));
    for (int i = 1; i <= nodes; ++i) {
      machines_.push_back(
          std::make_unique<Machine>(static_cast<NodeId>(i), config, options, &wire_));
    }
    Carry();
    // Replicas have to meet before they count.
    for (int i = 0; !AreComplete(); ++i) {
      CORE_CHECK(i < 1000);
      for (const auto& machine : machines_) machine->Tick(10'000);
      Carry();
    }
  }

  // By the first node, or the one at `index`.
  const ClientReply& Call(ClientRequest&& request, size_t index = 0) {
    Machine& first = *machines_[index];
    const uint64_t before = first.answered();
    first.Deliver(std::move(request));
    Carry();
    CORE_CHECK(first.answered() == before + 1);
    for (const auto& machine : machines_) machine->Tick(1);
    return first.last();
  }

  // A node that holds no copy of it: there are more than N.
  NodeId NoReplicaOf(const std::string& key) const {
    const PartitionId partition = layout_->PartitionOf(MakeRecordKey(0, key));
    NodeId node = 1;
    while (layout_->IsReplica(partition, node)) ++node;
    CORE_CHECK(node <= machines_.size());
    return node;
  }
  // What its messages take on the wire, which is counted only for this.
  uint64_t BytesOf(ClientRequest&& request, size_t index) {
    bytes_ = 0;
    counting_ = true;
    Call(std::move(request), index);
    counting_ = false;
    return bytes_;
  }

 private:
  bool AreComplete() const {
    return std::all_of(machines_.begin(), machines_.end(), [](const auto& machine) {
      const NodeStatus status = machine->Status();
      return status.partitions_complete == status.partitions_held;
    });
  }
  void Carry() {
    while (!wire_.empty()) {
      Machine::Parcel parcel = std::move(wire_.front());
      wire_.pop_front();
      if (counting_) bytes_ += net::EncodedSize(parcel.message) + net::kFrameHeaderBytes;
      machines_[parcel.to - 1u]->Deliver(MessageReceived{parcel.from, std::move(parcel.message)});
    }
  }

  std::deque<Machine::Parcel> wire_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::unique_ptr<Layout> layout_;
  bool counting_ = false;
  uint64_t bytes_ = 0;
};

// ---- What is measured --------------------------------------------------------------------

// The containers that the same pairs could lie in: one copy, no history, no failure.
using Tree = std::map<std::string, std::string>;
using Hash = absl::flat_hash_map<std::string, std::string>;

template <typename Map>
void MapOp(Map& map, bool puts, uint64_t i, const std::string& value) {
  if (puts) {
    map[KeyOf(i)] = value;
  } else {
    std::string copy = map.find(KeyOf(i))->second;
    benchmark::DoNotOptimize(copy);
  }
}

// Of this thread's processor time: others on this machine do not count.
double NowNs() {
  timespec now{};
  CORE_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// What operation(i) costs, over rounds through all keys: of the time, the least of the rounds.
struct Cost {
  double ns = 0;
  double allocations = 0;
};
template <typename Operation>
void AddRound(Cost& least, Operation operation) {
  const uint64_t allocations = AllocationsMade();
  const double begin_ns = NowNs();
  for (uint64_t i = 0; i < kKeys; ++i) operation(i * 7919 % kKeys);
  const double ns = (NowNs() - begin_ns) / kKeys;
  least.allocations = static_cast<double>(AllocationsMade() - allocations) / kKeys;
  least.ns = least.ns == 0 ? ns : std::min(least.ns, ns);
}

// Measured once.
template <typename Map>
Cost MapCost(bool puts, size_t bytes) {
  static std::map<std::pair<bool, size_t>, Cost> known;
  const auto [at, is_new] = known.emplace(std::make_pair(puts, bytes), Cost());
  if (!is_new) return at->second;
  Map map;
  const std::string value(bytes, 'v');
  for (uint64_t i = 0; i < kKeys; ++i) map[KeyOf(i)] = value;
  for (int round = 0; round < 20; ++round) {
    AddRound(at->second, [&](uint64_t i) { MapOp(map, puts, i, value); });
  }
  return at->second;
}

ClientRequest Request(ClientRequest::Kind kind, ClientRequest::Base base, uint64_t i,
                      const std::string& value) {
  ClientRequest request;
  request.kind = kind;
  request.base = base;
  request.key = KeyOf(i);
  if (kind == ClientRequest::Kind::kPut) request.value = value;
  request.context_wanted = false;
  return request;
}

// Leaves each key with so many siblings.
void Fill(Cluster& cluster, int64_t siblings, const std::string& value) {
  using Base = ClientRequest::Base;
  for (uint64_t i = 0; i < kKeys; ++i) {
    for (int64_t s = 0; s < siblings; ++s) {
      const Base base = s == 0 ? Base::kCurrent : Base::kNothing;
      cluster.Call(Request(ClientRequest::Kind::kPut, base, i, value));
    }
  }
}

// One iteration is a round through all keys; the time shown is that of one operation.
template <typename Operation>
void Round(benchmark::State& state, Cost& least, Operation operation) {
  Cost round;
  AddRound(round, operation);
  least.allocations = round.allocations;
  least.ns = least.ns == 0 ? round.ns : std::min(least.ns, round.ns);
  state.SetIterationTime(round.ns * 1e-9);
}

void Report(benchmark::State& state, const Cost& least, bool puts, size_t bytes) {
  state.counters["least_ns"] = least.ns;
  state.counters["allocs"] = least.allocations;
  state.counters["x_hash"] = least.ns / MapCost<Hash>(puts, bytes).ns;
  state.counters["x_tree"] = least.ns / MapCost<Tree>(puts, bytes).ns;
}

// A plain put: it replaces what there is. Arguments: N, bytes of a value.
void BM_StepPut(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  Fill(cluster, 1, value);
  Cost cost;
  for (auto _ : state) {
    Round(state, cost, [&](uint64_t i) {
      cluster.Call(Request(ClientRequest::Kind::kPut, ClientRequest::Base::kCurrent, i, value));
    });
  }
  Report(state, cost, /*puts=*/true, value.size());
}

// A put that resolves the siblings which its context names, and brings a context back.
// Arguments: N, bytes of a value, siblings of the key before it.
void BM_StepPutWithContext(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  std::vector<std::string> contexts(kKeys);
  Cost cost;
  for (auto _ : state) {
    Fill(cluster, state.range(2), value);
    for (uint64_t i = 0; i < kKeys; ++i) {
      ClientRequest get = Request(ClientRequest::Kind::kGet, {}, i, value);
      get.context_wanted = true;
      contexts[i] = cluster.Call(std::move(get)).context;
    }
    Round(state, cost, [&](uint64_t i) {
      ClientRequest put = Request(ClientRequest::Kind::kPut, ClientRequest::Base::kToken, i, value);
      put.context = contexts[i];
      put.context_wanted = true;
      CORE_CHECK(!cluster.Call(std::move(put)).context.empty());
    });
  }
  Report(state, cost, /*puts=*/true, value.size());
}

// Arguments: N, bytes of a value, siblings, whether the client wants a context.
void BM_StepGet(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  const auto siblings = static_cast<size_t>(state.range(2));
  Fill(cluster, state.range(2), value);
  Cost cost;
  for (auto _ : state) {
    Round(state, cost, [&](uint64_t i) {
      ClientRequest get = Request(ClientRequest::Kind::kGet, {}, i, value);
      get.context_wanted = state.range(3) != 0;
      const ClientReply& reply = cluster.Call(std::move(get));
      CORE_CHECK(reply.siblings.size() == siblings &&
                 reply.siblings[0].value.size() == value.size());
    });
  }
  Report(state, cost, /*puts=*/false, value.size());
}

// All replicas hold the same. Arguments: bytes of a value, whether digests are taken, whether a
// replica coordinates.
void BM_StepGetDigests(benchmark::State& state) {
  NodeOptions options;
  if (state.range(1) == 0) options.digest_above_bytes = 0;
  Cluster cluster(3, 4, options);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  // Keys of whatever partition: which of the four nodes has no copy of it, that of the layout says.
  constexpr size_t kSome = 200;
  std::vector<size_t> at;
  for (uint64_t i = 0; i < kSome; ++i) {
    cluster.Call(Request(ClientRequest::Kind::kPut, ClientRequest::Base::kCurrent, i, value));
    const NodeId outside = cluster.NoReplicaOf(KeyOf(i));
    at.push_back(state.range(2) == 0 ? outside - 1u : outside % 4u);
  }
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < kSome; ++i) {
    bytes += cluster.BytesOf(Request(ClientRequest::Kind::kGet, {}, i, value), at[i]);
  }
  double least_ns = 0;
  for (auto _ : state) {
    const double begin_ns = NowNs();
    for (uint64_t i = 0; i < kSome; ++i) {
      const ClientReply& reply =
          cluster.Call(Request(ClientRequest::Kind::kGet, {}, i, value), at[i]);
      CORE_CHECK(reply.siblings.size() == 1 && reply.siblings[0].value.size() == value.size());
    }
    const double ns = (NowNs() - begin_ns) / kSome;
    least_ns = least_ns == 0 ? ns : std::min(least_ns, ns);
    state.SetIterationTime(ns * 1e-9);
  }
  state.counters["least_ns"] = least_ns;
  state.counters["bytes"] = static_cast<double>(bytes) / kSome;
}

// The peers. Arguments: whether it puts, bytes of a value.
template <typename Map>
void BM_Map(benchmark::State& state) {
  Cost cost;
  for (auto _ : state) {
    cost = MapCost<Map>(state.range(0) != 0, static_cast<size_t>(state.range(1)));
    state.SetIterationTime(cost.ns * 1e-9);
  }
  Report(state, cost, state.range(0) != 0, static_cast<size_t>(state.range(1)));
}

void Shapes(benchmark::internal::Benchmark* benchmark, std::vector<std::string> names,
            const std::vector<std::vector<int64_t>>& values) {
  benchmark->ArgNames(names)->ArgsProduct(values);
  benchmark->UseManualTime()->Iterations(10)->Unit(benchmark::kNanosecond);
}
void PutShapes(benchmark::internal::Benchmark* b) {
  Shapes(b, {"n", "bytes"}, {{1, 3}, {100, 1'000}});
}
void ContextShapes(benchmark::internal::Benchmark* b) {
  Shapes(b, {"n", "bytes", "siblings"}, {{1, 3}, {100, 1'000}, {1, 4}});
}
void GetShapes(benchmark::internal::Benchmark* b) {
  Shapes(b, {"n", "bytes", "siblings", "context"}, {{1, 3}, {100, 1'000}, {1, 4}, {0, 1}});
}
void MapShapes(benchmark::internal::Benchmark* b) {
  Shapes(b, {"puts", "bytes"}, {{1, 0}, {100, 1'000}});
}
void DigestShapes(benchmark::internal::Benchmark* b) {
  Shapes(b, {"bytes", "digests", "at_replica"}, {{100, 1'024, 10'240, 102'400}, {0, 1}, {0, 1}});
  b->Iterations(50);
}
BENCHMARK(BM_StepGetDigests)->Apply(DigestShapes);
BENCHMARK(BM_StepPut)->Apply(PutShapes);
BENCHMARK(BM_StepPutWithContext)->Apply(ContextShapes);
BENCHMARK(BM_StepGet)->Apply(GetShapes);
BENCHMARK_TEMPLATE(BM_Map, Hash)->Apply(MapShapes);
BENCHMARK_TEMPLATE(BM_Map, Tree)->Apply(MapShapes);

}  // namespace
}  // namespace norn
