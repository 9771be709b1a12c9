// What the step machine costs per request, beside what the bare containers cost for the
// same pairs. The store behind it is an absl::flat_hash_map of records, so that all that
// is measured is the protocol: dots, contexts, records, quorums, messages as values.
//
// N=1: one node. N=3, R=W=2: three nodes in this one process, on one thread; the figure is
// the work of all three and of carrying the messages by hand (no bytes, no codec).
//
//   bazel run --config=release //benchmarks:step_benchmark

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmark/benchmark.h"
#include "core/causality/record_hasher.h"
#include "core/check.h"
#include "core/host.h"
#include "core/replication/record_ops.h"

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

  Machine(NodeId id, const ClusterConfig& cluster, std::deque<Parcel>* wire)
      : id_(id), wire_(wire), hasher_(cluster.name, cluster.secret) {
    NodeOptions options;
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
  explicit Cluster(int n) {
    ClusterConfig config;
    config.name = "benchmark";
    config.secret = "secret";
    config.buckets[0].n = n;
    config.buckets[0].r = n / 2 + 1;
    config.buckets[0].w = n / 2 + 1;
    for (int i = 1; i <= n; ++i) {
      MemberConfig member;
      member.id = static_cast<NodeId>(i);
      member.address = std::to_string(i);
      config.members.push_back(member);
    }
    for (int i = 1; i <= n; ++i) {
      machines_.push_back(std::make_unique<Machine>(static_cast<NodeId>(i), config, &wire_));
    }
    Carry();
  }

  const ClientReply& Call(ClientRequest&& request) {
    Machine& first = *machines_[0];
    const uint64_t before = first.answered();
    first.Deliver(std::move(request));
    Carry();
    CORE_CHECK(first.answered() == before + 1);
    for (const auto& machine : machines_) machine->Tick(1);
    return first.last();
  }

 private:
  void Carry() {
    while (!wire_.empty()) {
      Machine::Parcel parcel = std::move(wire_.front());
      wire_.pop_front();
      machines_[parcel.to - 1u]->Deliver(MessageReceived{parcel.from, std::move(parcel.message)});
    }
  }

  std::deque<Machine::Parcel> wire_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

ClientRequest Request(ClientRequest::Kind kind, uint64_t i, const std::string& value,
                      bool context) {
  ClientRequest request;
  request.kind = kind;
  request.key = KeyOf(i);
  if (kind == ClientRequest::Kind::kPut) request.value = value;
  request.context_wanted = context;
  return request;
}

// Arguments: N, bytes of a value, whether the client wants a context.
void BM_StepPut(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  uint64_t i = 0;
  for (auto _ : state) {
    cluster.Call(Request(ClientRequest::Kind::kPut, ++i * 7919, value, state.range(2) != 0));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_StepGet(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  const std::string value(static_cast<size_t>(state.range(1)), 'v');
  for (uint64_t i = 0; i < kKeys; ++i) {
    cluster.Call(Request(ClientRequest::Kind::kPut, i, value, false));
  }
  uint64_t i = 0;
  for (auto _ : state) {
    const ClientReply& reply =
        cluster.Call(Request(ClientRequest::Kind::kGet, ++i * 7919, value, state.range(2) != 0));
    CORE_CHECK(reply.siblings.size() == 1 && reply.siblings[0].value.size() == value.size());
  }
  state.SetItemsProcessed(state.iterations());
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"n", "bytes", "context"});
  for (const int64_t n : {1, 3}) {
    for (const int64_t bytes : {100, 10'000}) {
      for (const int64_t context : {0, 1}) benchmark->Args({n, bytes, context});
    }
  }
}
BENCHMARK(BM_StepPut)->Apply(Shapes);
BENCHMARK(BM_StepGet)->Apply(Shapes);

// The peers: one container, no history, no replicas, no failure. Argument: bytes of a value.
template <typename Map>
void BM_MapPut(benchmark::State& state) {
  Map map;
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  uint64_t i = 0;
  for (auto _ : state) map[KeyOf(++i * 7919)] = value;
  state.SetItemsProcessed(state.iterations());
}
template <typename Map>
void BM_MapGet(benchmark::State& state) {
  Map map;
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  for (uint64_t i = 0; i < kKeys; ++i) map[KeyOf(i)] = value;
  uint64_t i = 0;
  for (auto _ : state) {
    std::string copy = map.find(KeyOf(++i * 7919))->second;
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(state.iterations());
}
using Tree = std::map<std::string, std::string>;
using Hash = absl::flat_hash_map<std::string, std::string>;
BENCHMARK_TEMPLATE(BM_MapPut, Tree)->ArgName("bytes")->Arg(100)->Arg(10'000);
BENCHMARK_TEMPLATE(BM_MapPut, Hash)->ArgName("bytes")->Arg(100)->Arg(10'000);
BENCHMARK_TEMPLATE(BM_MapGet, Tree)->ArgName("bytes")->Arg(100)->Arg(10'000);
BENCHMARK_TEMPLATE(BM_MapGet, Hash)->ArgName("bytes")->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace norn
