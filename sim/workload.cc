#include "sim/workload.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"

namespace norn::sim {

Workload::Workload(Scheduler& scheduler, Trace& trace, Random random,
                   const WorkloadOptions& options, int nodes, const TokenSealer& sealer, Door door)
    : scheduler_(scheduler),
      trace_(trace),
      random_(random),
      options_(options),
      nodes_(nodes),
      sealer_(sealer),
      door_(std::move(door)) {
  for (int i = 0; i < options.clients; ++i) {
    Client client;
    client.id = i + 1;
    clients_.push_back(std::move(client));
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

void Workload::Think(int client) {
  if (stopped_) return;
  const int64_t pause_us = random_.Between(options_.think_min_us, options_.think_max_us);
  scheduler_.After(pause_us, [this, client] { Next(client); });
}

void Workload::Next(int index) {
  if (stopped_) return;
  Client& client = clients_[static_cast<size_t>(index)];
  const bool move = client.node == kNoNode || random_.Chance(1, 20);
  if (move) client.node = static_cast<NodeId>(random_.Between(1, nodes_));
  ClientRequest request = Draw(client);
  Send(index, client.id, client.node, std::move(request), nullptr);
}

int Workload::DrawQuorum(ClientRequest::Kind kind) {
  if (!random_.Chance(1, 5)) return 0;
  const bool get = kind == ClientRequest::Kind::kGet;
  return static_cast<int>(random_.Between(get ? options_.r_min : options_.w_min, options_.n));
}

ClientRequest Workload::Draw(Client& client) {
  ClientRequest request;
  // Half of all operations meet on a quarter of the keys.
  const bool hot = random_.Chance(1, 2);
  const int keys = hot ? std::max(1, options_.keys / 4) : options_.keys;
  request.key = KeyName(static_cast<int>(random_.Below(static_cast<uint64_t>(keys))));
  request.bucket = BucketOfKey(request.key);
  const uint64_t die = random_.Below(1000);
  if (die < options_.put_per_mille) {
    request.kind = ClientRequest::Kind::kPut;
    const bool large = random_.Chance(1, 40);
    const size_t padding = random_.Below(large ? 4 * options_.value_bytes_max : 64);
    request.value = absl::StrCat("c", client.id, "-", ++client.serial, " ");
    request.value.append(padding, 'x');
    if (random_.Below(1000) < options_.ttl_per_mille) {
      request.ttl_us = random_.Between(options_.ttl_min_us, options_.ttl_max_us);
    }
  } else if (die < options_.put_per_mille + options_.delete_per_mille) {
    request.kind = ClientRequest::Kind::kDelete;
  }
  request.quorum = DrawQuorum(request.kind);
  if (request.kind == ClientRequest::Kind::kGet) return request;
  const uint64_t base = random_.Below(1000);
  const auto token = client.tokens.find(request.key);
  if (base < options_.token_per_mille) {
    if (token != client.tokens.end()) {
      request.base = ClientRequest::Base::kToken;
      request.context = token->second;
    }
  } else if (base < options_.token_per_mille + options_.nothing_per_mille) {
    request.base = ClientRequest::Base::kNothing;
  }
  return request;
}

size_t Workload::Send(int loop, int client, NodeId node, ClientRequest&& request,
                      Answered answered) {
  const uint64_t id = ++next_id_;
  request.bucket = BucketOfKey(request.key);
  Operation operation;
  operation.id = id;
  operation.client = client;
  operation.node = node;
  operation.kind = request.kind;
  operation.base = request.base;
  operation.key = request.key;
  operation.value = request.value;
  operation.quorum = request.quorum;
  if (operation.quorum == 0) {
    operation.quorum = request.kind == ClientRequest::Kind::kGet ? options_.r : options_.w;
  }
  if (request.base == ClientRequest::Base::kToken) {
    auto replaces = sealer_.Open(MakeRecordKey(request.bucket, request.key), request.context);
    CORE_CHECK(replaces.ok());
    operation.replaces = *std::move(replaces);
  }
  operation.invoked_us = scheduler_.now_us();
  history_.operations.push_back(std::move(operation));
  const size_t place = history_.operations.size() - 1;
  open_[id] = Open{place, loop, std::move(answered)};
  request.client = id;
  trace_.Record(scheduler_.now_us(), kNoNode, "invoke",
                absl::StrCat(node, " ", request.key, " ", request.value, " ", request.context, " ",
                             request.quorum));
  trace_.Explain(scheduler_.now_us(), kNoNode, DescribeInvocation(history_.operations.back()));
  const int64_t way_us = random_.Between(50, 500);
  scheduler_.After(way_us, [this, id, node, request = std::move(request)]() mutable {
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
  const int64_t way_us = random_.Between(50, 500);
  const uint64_t id = reply.client;
  scheduler_.After(
      way_us, [this, id, reply = std::move(reply)]() mutable { Complete(id, std::move(reply)); });
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
  if (!reply.message.empty()) trace_.Explain(scheduler_.now_us(), kNoNode, reply.message);
  if (open.answered) open.answered(&reply);
  if (open.loop < 0) return;
  Client& client = clients_[static_cast<size_t>(open.loop)];
  if (operation.ok() && !reply.context.empty()) client.tokens[operation.key] = reply.context;
  if (!operation.ok()) client.node = kNoNode;
  Think(open.loop);
}

size_t Workload::Ask(int client, NodeId node, ClientRequest&& request, Answered answered) {
  return Send(-1, client, node, std::move(request), std::move(answered));
}

}  // namespace norn::sim
