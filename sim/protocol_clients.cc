#include "sim/protocol_clients.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::sim {

namespace {

const char* NameOf(Answer answer) {
  switch (answer) {
    case Answer::kOk:
      return "ok";
    case Answer::kFailed:
      return "failed";
    case Answer::kUnknown:
      return "unknown";
  }
  return "?";
}

std::string DescribeCall(const ProtocolOperation& operation) {
  const ProtocolRequest& asked = operation.asked;
  std::string text = absl::StrCat("client ", operation.client, ": ", asked.kind);
  if (!asked.key.empty()) absl::StrAppend(&text, " ", asked.key);
  if (!asked.expected.empty()) absl::StrAppend(&text, " from ", asked.expected);
  if (!asked.value.empty()) absl::StrAppend(&text, " = ", asked.value);
  return absl::StrCat(text, " via n", operation.node, " at ", operation.at_us / 1000, " ms");
}

}  // namespace

std::string DescribeRecord(const ProtocolRecord& record) {
  const std::string text = DescribeCall(record.operation);
  if (record.end == 0) return absl::StrCat(text, ", never answered");
  const bool read = record.operation.asked.kind == "read" && record.ok();
  return absl::StrCat(text, ", ", NameOf(record.answer), " at ", record.end_us / 1000, " ms",
                      read                   ? ", read "
                      : record.value.empty() ? ""
                                             : ", answered ",
                      read && record.value.empty() ? "nothing" : record.value);
}

ProtocolClients::ProtocolClients(Scheduler& scheduler, Trace& trace, KeyedSeed seed,
                                 const Protocol& protocol, const ProtocolClientOptions& options,
                                 int nodes, Door door)
    : scheduler_(scheduler),
      trace_(trace),
      seed_(seed),
      protocol_(protocol),
      options_(options),
      nodes_(nodes),
      door_(std::move(door)) {
  for (int i = 1; i <= options.clients; ++i) {
    const auto id = static_cast<uint64_t>(i);
    clients_.push_back(
        Client{i, next_process_++, 0, kNoNode, seed_.With("client").With(id).Stream(), {}});
  }
}

void ProtocolClients::Follow(const std::vector<ProtocolOperation>& script) {
  scripted_ = true;
  for (const ProtocolOperation& operation : script) {
    CORE_CHECK(operation.client >= 1 && operation.client <= options_.clients);
    clients_[static_cast<size_t>(operation.client - 1)].script.push_back(operation);
    next_id_ = std::max(next_id_, operation.id);
  }
}

void ProtocolClients::Begin() {
  for (int i = 0; i < options_.clients; ++i) Think(i);
}

// Clients come first in their moment, in their order, so that it does not matter when it was
// decided that they would.
void ProtocolClients::Think(int loop) {
  if (stopped_) return;
  Client& client = clients_[static_cast<size_t>(loop)];
  int64_t at_us = scheduler_.now_us();
  if (!scripted_) {
    at_us += client.random.Between(options_.think_min_us, options_.think_max_us);
  } else if (client.script.empty()) {
    return;
  } else {
    at_us = std::max(at_us, client.script.front().at_us);
  }
  scheduler_.AtRank(at_us, static_cast<uint64_t>(loop), [this, loop] { Next(loop); });
}

void ProtocolClients::Next(int loop) {
  if (stopped_) return;
  Client& client = clients_[static_cast<size_t>(loop)];
  ProtocolOperation operation;
  if (scripted_) {
    operation = std::move(client.script.front());
    client.script.pop_front();
  } else {
    operation.client = client.id;
    const bool move = client.node == kNoNode || client.random.Chance(1, 20);
    operation.node = move ? static_cast<NodeId>(client.random.Between(1, nodes_)) : client.node;
    operation.asked =
        protocol_.Draw(client.random, absl::StrCat("c", client.id, "-", ++client.serial));
    operation.id = ++next_id_;
  }
  client.node = operation.node;
  operation.at_us = scheduler_.now_us();
  if (recorder_) recorder_(operation);
  Send(loop, client.process, std::move(operation));
}

size_t ProtocolClients::Ask(NodeId node, ProtocolRequest asked) {
  ProtocolOperation operation;
  operation.id = ++next_id_;
  operation.at_us = scheduler_.now_us();
  operation.node = node;
  operation.asked = std::move(asked);
  return Send(-1, 0, std::move(operation));
}

int64_t ProtocolClients::WayUs(uint64_t id, const char* direction) const {
  return seed_.With(direction).With(id).Stream().Between(options_.way_min_us, options_.way_max_us);
}

size_t ProtocolClients::Send(int loop, int process, ProtocolOperation operation) {
  const uint64_t id = operation.id;
  const size_t place = history_.size();
  ProtocolRecord record;
  record.operation = std::move(operation);
  record.process = process;
  record.call = ++position_;
  history_.push_back(std::move(record));
  open_[id] = Open{place, loop};
  const ProtocolOperation& sent = history_[place].operation;
  trace_.Record(scheduler_.now_us(), kNoNode, "invoke",
                absl::StrCat(sent.node, " ", sent.asked.kind, " ", sent.asked.key, " ",
                             sent.asked.value, " ", sent.asked.expected));
  if (trace_.prints()) trace_.Explain(scheduler_.now_us(), kNoNode, DescribeCall(sent));
  Tell(RunEvent::Kind::kInvoke, history_[place]);
  scheduler_.After(WayUs(id, "request"), [this, id, place] {
    if (open_.count(id) != 0) Tell(RunEvent::Kind::kArrive, history_[place]);
    const ProtocolRequest asked = history_[place].operation.asked;
    if (!door_(history_[place].operation.node, id, asked)) Complete(id, Answer::kFailed, "");
  });
  scheduler_.After(options_.patience_us, [this, id] {
    const auto it = open_.find(id);
    if (it == open_.end()) return;
    const Open open = it->second;
    open_.erase(it);
    trace_.Record(scheduler_.now_us(), kNoNode, "give up", absl::StrCat(id));
    Tell(RunEvent::Kind::kGiveUp, history_[open.place]);
    if (open.loop < 0) return;
    Client& client = clients_[static_cast<size_t>(open.loop)];
    client.node = kNoNode;
    client.process = next_process_++;
    Think(open.loop);
  });
  return place;
}

bool ProtocolClients::IsWrite(uint64_t id) const {
  const auto it = open_.find(id);
  return it != open_.end() && !history_[it->second.place].operation.asked.value.empty();
}

void ProtocolClients::OnReply(uint64_t id, Answer answer, const std::string& value) {
  if (const auto it = open_.find(id); it != open_.end()) {
    Tell(RunEvent::Kind::kAnswer, history_[it->second.place]);
  }
  scheduler_.After(WayUs(id, "answer"), [this, id, answer, value] { Complete(id, answer, value); });
}

void ProtocolClients::Complete(uint64_t id, Answer answer, const std::string& value) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;  // patience ended, or it was answered before
  const Open open = it->second;
  open_.erase(it);
  ProtocolRecord& record = history_[open.place];
  record.end = ++position_;
  record.end_us = scheduler_.now_us();
  record.answer = answer;
  record.value = value;
  trace_.Record(scheduler_.now_us(), kNoNode, "complete",
                absl::StrCat(id, " ", NameOf(answer), " ", value));
  if (trace_.prints()) trace_.Explain(scheduler_.now_us(), kNoNode, DescribeRecord(record));
  Tell(RunEvent::Kind::kReturn, record);
  if (open.loop < 0) return;
  Client& client = clients_[static_cast<size_t>(open.loop)];
  if (answer != Answer::kOk) client.node = kNoNode;
  if (answer == Answer::kUnknown) client.process = next_process_++;
  Think(open.loop);
}

void ProtocolClients::Tell(RunEvent::Kind kind, const ProtocolRecord& record) {
  if (!trace_.listened()) return;
  RunEvent event;
  event.kind = kind;
  event.time_us = scheduler_.now_us();
  event.id = record.operation.id;
  event.node = record.operation.node;
  event.client = record.operation.client;
  event.key = record.operation.asked.key;
  if (kind == RunEvent::Kind::kInvoke) {
    event.name = record.operation.asked.kind;
    event.text = DescribeCall(record.operation);
  } else if (kind == RunEvent::Kind::kReturn) {
    event.name = NameOf(record.answer);
    event.text = DescribeRecord(record);
  }
  trace_.Tell(event);
}

}  // namespace norn::sim
