#include "sim/workload.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"

namespace norn::sim {

Workload::Workload(Scheduler& scheduler, Trace& trace, KeyedSeed seed,
                   const WorkloadOptions& options, int nodes, const TokenSealer& sealer, Door door)
    : scheduler_(scheduler),
      trace_(trace),
      seed_(seed),
      options_(options),
      nodes_(nodes),
      sealer_(sealer),
      door_(std::move(door)) {
  for (int i = 0; i < options.clients; ++i) {
    const auto id = static_cast<uint64_t>(i + 1);
    clients_.push_back(
        Client{i + 1, 0, kNoNode, 0, seed_.With("client").With(id).Stream(), {}, {}});
  }
}

void Workload::Follow(const std::vector<ScriptedOperation>& script) {
  scripted_ = true;
  for (const ScriptedOperation& operation : script) {
    CORE_CHECK(operation.client >= 1 && operation.client <= options_.clients);
    clients_[static_cast<size_t>(operation.client - 1)].script.push_back(operation);
    next_id_ = std::max(next_id_, operation.id);
  }
}

namespace {

// Every fourth is of the bucket where the last writer wins.
std::string KeyName(int index) { return absl::StrCat(index % 4 == 3 ? "l" : "k", index); }

}  // namespace

std::vector<std::string> Workload::Keys() const {
  std::set<std::string> keys;
  for (const Operation& operation : history_.operations) keys.insert(operation.key);
  return std::vector<std::string>(keys.begin(), keys.end());
}

void Workload::Begin() {
  for (int i = 0; i < options_.clients; ++i) Think(i);
}

// Clients come first in their moment, in their order, so that it does not matter when it was
// decided that they would.
void Workload::Think(int index) {
  if (stopped_) return;
  Client& client = clients_[static_cast<size_t>(index)];
  int64_t at_us = scheduler_.now_us();
  const int64_t period_us = options_.mix == nullptr ? 0 : options_.mix->period_us;
  if (!scripted_ && period_us > 0) {
    client.due_us += client.random.Between(0, 2 * period_us);
    at_us = std::max(at_us, client.due_us);
  } else if (!scripted_) {
    at_us += client.random.Between(options_.think_min_us, options_.think_max_us);
    client.due_us = at_us;
  } else if (client.script.empty()) {
    return;
  } else {
    at_us = std::max(at_us, client.script.front().at_us);
  }
  scheduler_.AtRank(at_us, static_cast<uint64_t>(index), [this, index] { Next(index); });
}

void Workload::Next(int index) {
  if (stopped_) return;
  Client& client = clients_[static_cast<size_t>(index)];
  ScriptedOperation operation;
  if (scripted_) {
    operation = std::move(client.script.front());
    client.script.pop_front();
  } else {
    operation = options_.mix == nullptr ? Draw(client) : DrawMixed(client);
    operation.id = ++next_id_;
  }
  client.node = operation.node;
  operation.at_us = scheduler_.now_us();
  if (recorder_) recorder_(operation);
  ClientRequest request;
  request.kind = operation.kind;
  request.base = operation.base;
  request.key = std::move(operation.key);
  request.value = std::move(operation.value);
  request.quorum = operation.quorum;
  request.level = operation.level;
  request.ttl_us = operation.ttl_us;
  if (request.base == ClientRequest::Base::kToken) {
    const auto token = client.tokens.find(request.key);
    if (token == client.tokens.end()) {
      request.base = ClientRequest::Base::kCurrent;
    } else {
      request.context = token->second;
    }
  }
  const size_t place =
      Send(operation.id, index, client.id, client.node, std::move(request), nullptr);
  if (!scripted_) history_.operations[place].due_us = client.due_us;
}

int Workload::DrawQuorum(Random& random, ClientRequest::Kind kind) {
  if (!random.Chance(1, 5)) return 0;
  const bool get = kind == ClientRequest::Kind::kGet;
  return static_cast<int>(random.Between(get ? options_.r_min : options_.w_min, options_.n));
}

ScriptedOperation Workload::Draw(Client& client) {
  Random& random = client.random;
  ScriptedOperation operation;
  operation.client = client.id;
  operation.node = client.node;
  const bool move = client.node == kNoNode || random.Chance(1, 20);
  if (move) operation.node = static_cast<NodeId>(random.Between(1, nodes_));
  // Half of all operations meet on a quarter of the keys.
  const bool hot = random.Chance(1, 2);
  const int keys = hot ? std::max(1, options_.keys / 4) : options_.keys;
  operation.key = KeyName(static_cast<int>(random.Below(static_cast<uint64_t>(keys))));
  const uint64_t die = random.Below(1000);
  if (die < options_.put_per_mille) {
    operation.kind = ClientRequest::Kind::kPut;
    const bool large = random.Chance(1, 40);
    const size_t padding = random.Below(large ? 4 * options_.value_bytes_max : 64);
    operation.value = absl::StrCat("c", client.id, "-", ++client.serial, " ");
    operation.value.append(padding, 'x');
    if (random.Below(1000) < options_.ttl_per_mille) {
      operation.ttl_us = random.Between(options_.ttl_min_us, options_.ttl_max_us);
    }
  } else if (die < options_.put_per_mille + options_.delete_per_mille) {
    operation.kind = ClientRequest::Kind::kDelete;
  }
  operation.quorum = DrawQuorum(random, operation.kind);
  if (operation.kind == ClientRequest::Kind::kGet) return operation;
  const uint64_t base = random.Below(1000);
  if (base < options_.token_per_mille) {
    const bool has_token = client.tokens.find(operation.key) != client.tokens.end();
    if (has_token) operation.base = ClientRequest::Base::kToken;
  } else if (base < options_.token_per_mille + options_.nothing_per_mille) {
    operation.base = ClientRequest::Base::kNothing;
  }
  return operation;
}

ScriptedOperation Workload::DrawMixed(Client& client) {
  const OperationMix& mix = *options_.mix;
  Random& random = client.random;
  MixedOperation mixed = DrawOperation(random, mix);
  ScriptedOperation operation;
  operation.client = client.id;
  operation.node = client.node;
  if (client.node == kNoNode || random.Chance(1, 20)) {
    const std::vector<NodeId>& home = mix.homes[static_cast<size_t>(client.id - 1)];
    operation.node = home[random.Below(home.size())];
  }
  operation.kind = mixed.kind;
  operation.key = std::move(mixed.key);
  operation.quorum = mixed.quorum;
  operation.level = mixed.level;
  operation.ttl_us = mixed.ttl_us;
  const bool has_token = client.tokens.find(operation.key) != client.tokens.end();
  const bool token = mixed.base == ClientRequest::Base::kToken;
  operation.base = token && !has_token ? ClientRequest::Base::kCurrent : mixed.base;
  if (mixed.kind == ClientRequest::Kind::kPut) {
    operation.value = absl::StrCat("c", client.id, "-", ++client.serial, " ");
    const size_t name = operation.value.size();
    operation.value.append(std::max<size_t>(mixed.value_bytes, name) - name, 'x');
  }
  return operation;
}

int64_t Workload::WayUs(uint64_t id, const char* direction) const {
  return seed_.With(direction).With(id).Stream().Between(options_.way_min_us, options_.way_max_us);
}

size_t Workload::Send(uint64_t id, int loop, int client, NodeId node, ClientRequest&& request,
                      Answered answered) {
  request.bucket = BucketOfKey(request.key);
  Operation operation;
  operation.id = id;
  operation.client = client;
  operation.node = node;
  operation.kind = request.kind;
  operation.base = request.base;
  operation.key = request.key;
  operation.value = request.value;
  operation.level = request.level;
  operation.quorum =
      request.level == Level::kNumber ? request.quorum : LeastCount(request.level, options_.n);
  if (operation.quorum == 0) {
    operation.quorum = request.kind == ClientRequest::Kind::kGet ? options_.r : options_.w;
  }
  if (request.base == ClientRequest::Base::kToken) {
    auto replaces = sealer_.Open(MakeRecordKey(request.bucket, request.key), request.context);
    CORE_CHECK(replaces.ok());
    operation.replaces = *std::move(replaces);
  }
  operation.invoked_us = operation.due_us = scheduler_.now_us();
  history_.operations.push_back(std::move(operation));
  const size_t place = history_.operations.size() - 1;
  open_[id] = Open{place, loop, std::move(answered)};
  request.client = id;
  trace_.Record(scheduler_.now_us(), kNoNode, "invoke",
                absl::StrCat(node, " ", request.key, " ", request.value, " ", request.context, " ",
                             request.level == Level::kNumber ? absl::StrCat(request.quorum)
                                                             : LevelName(request.level)));
  trace_.Explain(scheduler_.now_us(), kNoNode, DescribeInvocation(history_.operations.back()));
  Tell(RunEvent::Kind::kInvoke, history_.operations.back());
  scheduler_.After(WayUs(id, "request"), [this, id, node, request = std::move(request)]() mutable {
    if (const auto it = open_.find(id); it != open_.end()) {
      Tell(RunEvent::Kind::kArrive, history_.operations[it->second.operation]);
    }
    if (door_(node, std::move(request))) return;
    ClientReply refused;
    refused.client = id;
    const bool get = history_.operations[open_.at(id).operation].kind == ClientRequest::Kind::kGet;
    refused.outcome = get ? ClientReply::Outcome::kUnavailable : ClientReply::Outcome::kNotApplied;
    Complete(id, std::move(refused));
  });
  scheduler_.After(options_.patience_us, [this, id] {
    const auto it = open_.find(id);
    if (it == open_.end()) return;
    const Open open = std::move(it->second);
    open_.erase(it);
    Tell(RunEvent::Kind::kGiveUp, history_.operations[open.operation]);
    if (open.answered) open.answered(nullptr);
    if (open.loop < 0) return;
    clients_[static_cast<size_t>(open.loop)].node = kNoNode;
    Think(open.loop);
  });
  return place;
}

bool Workload::IsWrite(uint64_t id) const {
  const auto it = open_.find(id);
  if (it == open_.end()) return false;
  return history_.operations[it->second.operation].kind != ClientRequest::Kind::kGet;
}

void Workload::OnReply(ClientReply&& reply) {
  const uint64_t id = reply.client;
  if (const auto it = open_.find(id); it != open_.end()) {
    Tell(RunEvent::Kind::kAnswer, history_.operations[it->second.operation]);
  }
  scheduler_.After(WayUs(id, "answer"), [this, id, reply = std::move(reply)]() mutable {
    Complete(id, std::move(reply));
  });
}

void Workload::Complete(uint64_t id, ClientReply&& reply) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;  // patience ended
  const Open open = std::move(it->second);
  open_.erase(it);
  Operation& operation = history_.operations[open.operation];
  operation.completed_us = scheduler_.now_us();
  operation.outcome = reply.outcome;
  if (operation.ok() && !reply.context.empty()) {
    auto context =
        sealer_.Open(MakeRecordKey(BucketOfKey(operation.key), operation.key), reply.context);
    CORE_CHECK(context.ok());
    operation.context = *std::move(context);
  }
  if (operation.ok()) {
    for (Sibling& sibling : reply.siblings) operation.read.push_back(std::move(sibling.value));
  }
  trace_.Record(scheduler_.now_us(), kNoNode, "complete",
                absl::StrCat(id, " ", OutcomeName(reply.outcome), " ", reply.context, " ",
                             absl::StrJoin(operation.read, ",")));
  trace_.Explain(scheduler_.now_us(), kNoNode, Describe(operation));
  Tell(RunEvent::Kind::kReturn, operation);
  if (!reply.message.empty()) trace_.Explain(scheduler_.now_us(), kNoNode, reply.message);
  if (open.answered) open.answered(&reply);
  if (open.loop < 0) return;
  Client& client = clients_[static_cast<size_t>(open.loop)];
  if (operation.ok() && !reply.context.empty()) client.tokens[operation.key] = reply.context;
  if (!operation.ok()) client.node = kNoNode;
  Think(open.loop);
}

void Workload::Tell(RunEvent::Kind kind, const Operation& operation) {
  if (!trace_.listened()) return;
  static constexpr const char* kKinds[] = {"get", "put", "delete"};
  RunEvent event;
  event.kind = kind;
  event.time_us = scheduler_.now_us();
  event.id = operation.id;
  event.node = operation.node;
  event.client = operation.client;
  event.key = operation.key;
  if (kind == RunEvent::Kind::kInvoke) {
    event.name = kKinds[static_cast<int>(operation.kind)];
    event.text = DescribeInvocation(operation);
  } else if (kind == RunEvent::Kind::kReturn) {
    event.name = OutcomeName(operation.outcome);
    event.text = Describe(operation);
  }
  trace_.Tell(event);
}

size_t Workload::Ask(int client, NodeId node, ClientRequest&& request, Answered answered) {
  return Send(++next_id_, -1, client, node, std::move(request), std::move(answered));
}

}  // namespace norn::sim
