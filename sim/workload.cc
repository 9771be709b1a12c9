#include "sim/workload.h"

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
  std::vector<std::string> keys;
  for (int i = 0; i < options_.keys; ++i) keys.push_back(KeyName(i));
  return keys;
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
  Send(index, client.node, std::move(request), nullptr);
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
  } else {
    return request;
  }
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

void Workload::Send(int client, NodeId node, ClientRequest&& request,
                    std::function<void(bool)> done) {
  const uint64_t id = ++next_id_;
  Operation operation;
  operation.id = id;
  operation.client = client + 1;
  operation.node = node;
  operation.kind = request.kind;
  operation.base = request.base;
  operation.key = request.key;
  operation.value = request.value;
  if (request.base == ClientRequest::Base::kToken) {
    auto replaces = sealer_.Open(MakeRecordKey(request.bucket, request.key), request.context);
    CORE_CHECK(replaces.ok());
    operation.replaces = *std::move(replaces);
  }
  operation.invoked_us = scheduler_.now_us();
  history_.operations.push_back(std::move(operation));
  open_[id] = Open{history_.operations.size() - 1, client, std::move(done)};
  request.client = id;
  trace_.Record(scheduler_.now_us(), kNoNode, "invoke",
                absl::StrCat(node, " ", request.key, " ", request.value, " ", request.context));
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
    if (open.done) open.done(false);
    if (open.client < 0) return;
    clients_[static_cast<size_t>(open.client)].node = kNoNode;
    Think(open.client);
  });
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
  if (operation.ok() && operation.kind == ClientRequest::Kind::kGet) {
    auto context =
        sealer_.Open(MakeRecordKey(BucketOfKey(operation.key), operation.key), reply.context);
    CORE_CHECK(context.ok());
    operation.context = *std::move(context);
    for (Sibling& sibling : reply.siblings) operation.read.push_back(std::move(sibling.value));
  }
  trace_.Record(scheduler_.now_us(), kNoNode, "complete",
                absl::StrCat(id, " ", OutcomeName(reply.outcome), " ", reply.context, " ",
                             absl::StrJoin(operation.read, ",")));
  trace_.Explain(scheduler_.now_us(), kNoNode, Describe(operation));
  if (!reply.message.empty()) trace_.Explain(scheduler_.now_us(), kNoNode, reply.message);
  if (open.done) open.done(operation.ok());
  if (open.client < 0) return;
  Client& client = clients_[static_cast<size_t>(open.client)];
  if (operation.ok() && !reply.context.empty()) client.tokens[operation.key] = reply.context;
  if (!operation.ok()) client.node = kNoNode;
  Think(open.client);
}

void Workload::ReadOnce(NodeId node, const std::string& key, std::function<void(bool ok)> done) {
  ClientRequest request;
  request.key = key;
  request.bucket = BucketOfKey(key);
  Send(-1, node, std::move(request), std::move(done));
}

}  // namespace norn::sim
