#include "core/antientropy/exchange.h"

#include <algorithm>
#include <utility>

#include "core/causality/record.h"
#include "core/check.h"

namespace norn {

namespace {

constexpr size_t kIncomingMax = 16;     // offers of others served at once
constexpr int64_t kUrgentSpeedup = 20;  // urgent exchanges pause so much less
constexpr uint64_t kNobody = 0;         // store id of merges that nobody waits for

}  // namespace

void Exchange::Start(StepContext& step) {
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    if (node_.layout.Replicas(partition).size() > 1) held_.push_back(partition);
  }
  if (held_.empty()) return;
  cursor_ = node_.random.Below(held_.size());
  const int64_t interval_us = node_.options.exchange_interval_us;
  next_us_ = step.now.monotonic_us + node_.random.Between(1, interval_us);
}

void Exchange::Hasten(NodeId peer) {
  for (const PartitionId partition : held_) {
    const Task task{partition, peer};
    if (!node_.layout.IsReplica(partition, peer)) continue;
    if (std::find(urgent_.begin(), urgent_.end(), task) == urgent_.end()) urgent_.push_back(task);
  }
}

void Exchange::Demand(StepContext& step, PartitionId partition, NodeId peer) {
  demanded_.push_back(Task{partition, peer, /*demanded=*/true});
  if (phase_ == Phase::kIdle) next_us_ = step.now.monotonic_us;
}

bool Exchange::PickTask() {
  while (!demanded_.empty()) {
    task_ = demanded_.front();
    demanded_.pop_front();
    if (membership_.IsReachable(task_.peer)) return true;
    finished_.push_back({task_.partition, task_.peer, /*ok=*/false, /*complete=*/false});
    task_ = {};
  }
  while (!urgent_.empty()) {
    task_ = urgent_.front();
    urgent_.pop_front();
    if (membership_.IsReachable(task_.peer)) return true;
  }
  task_.partition = held_[cursor_];
  cursor_ = (cursor_ + 1) % held_.size();
  std::vector<NodeId> peers;
  for (const NodeId replica : node_.layout.Replicas(task_.partition)) {
    if (replica != node_.self() && membership_.IsReachable(replica)) peers.push_back(replica);
  }
  if (peers.empty()) return false;
  task_.peer = peers[node_.random.Below(peers.size())];
  return true;
}

void Exchange::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_us_) return;
  if (phase_ != Phase::kIdle) {
    EndTask(step, /*ok=*/false);  // no answer in time: what was merged stays merged
    return;
  }
  from_.clear();
  failed_ = false;
  peer_complete_ = true;
  if (PickTask()) {
    ScanPage(step);
  } else {
    EndTask(step, /*ok=*/false);
  }
}

void Exchange::ScanPage(StepContext& step) {
  phase_ = Phase::kScanning;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  request_ = node_.NextRequestId();
  scan_id_ = ++next_id_;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kExchange, scan_id_);
  scan.partition = task_.partition;
  scan.from = from_;
  scan.entries_max = node_.options.exchange_page_entries;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

void Exchange::OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (id == scan_id_ && phase_ == Phase::kScanning) {
    OnScanned(step, std::move(reply));
    return;
  }
  const auto it = incoming_.find(id);
  if (it != incoming_.end()) {
    const Incoming incoming = std::move(it->second);
    incoming_.erase(it);
    AnswerOffer(step, incoming, reply);
    return;
  }
  OnMergedOrRead(step, id, std::move(reply));
}

void Exchange::OnScanned(StepContext& step, StoreReply&& reply) {
  if (!reply.status.ok()) {  // the damaged range is named elsewhere; the next task may fare better
    EndTask(step, /*ok=*/false);
    return;
  }
  ExchangeOffer offer;
  offer.request = request_;
  offer.layout = node_.layout.version();
  offer.partition = task_.partition;
  offer.from = from_;
  offer.to = std::move(reply.next);
  offer.entries.reserve(reply.entries.size());
  for (KeyRecord& entry : reply.entries) {
    // A bucket with fewer replicas may leave the peer out.
    if (!node_.IsReplicaOf(task_.peer, entry.key, task_.partition)) continue;
    const RecordHash hash = HashRecord(entry.key, entry.record);
    offer.entries.push_back({std::move(entry.key), hash.high, hash.low});
  }
  phase_ = Phase::kOffered;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  step.Send(task_.peer, std::move(offer));
}

void Exchange::OnOffer(StepContext& step, NodeId from, ExchangeOffer&& offer, bool complete) {
  ExchangeAnswer refusal;
  refusal.request = offer.request;
  refusal.partition = offer.partition;
  if (offer.layout != node_.layout.version() || offer.partition >= node_.layout.partitions() ||
      !node_.layout.IsReplica(offer.partition, node_.self())) {
    refusal.status = ReplicaStatus::kWrongLayout;
    step.Send(from, std::move(refusal));
    return;
  }
  if (incoming_.size() >= kIncomingMax) {
    refusal.status = ReplicaStatus::kOverloaded;
    step.Send(from, std::move(refusal));
    return;
  }
  const uint64_t id = ++next_id_;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kExchange, id);
  scan.partition = offer.partition;
  scan.from = offer.from;
  scan.to = offer.to;
  scan.entries_max = 2 * node_.options.exchange_page_entries;
  scan.bytes_max = 2 * node_.options.exchange_page_bytes;
  incoming_[id] = Incoming{from, std::move(offer), complete};
  step.out.store.emplace_back(std::move(scan));
}

// Walks both sorted lists side by side, until the answer is full.
void Exchange::AnswerOffer(StepContext& step, const Incoming& incoming, const StoreReply& scan) {
  const ExchangeOffer& offer = incoming.offer;
  ExchangeAnswer answer;
  answer.request = offer.request;
  answer.partition = offer.partition;
  if (!scan.status.ok()) {
    answer.status = ReplicaStatus::kError;
    step.Send(incoming.from, std::move(answer));
    return;
  }
  answer.status = ReplicaStatus::kOk;
  answer.complete = incoming.complete;
  answer.covered_to = scan.next.empty() ? offer.to : scan.next;
  const auto beyond_scan = [&scan](const std::string& key) {
    return !scan.next.empty() && key >= scan.next;
  };
  size_t bytes = 0;
  auto theirs = offer.entries.begin();
  auto mine = scan.entries.begin();
  const auto is_theirs = [&](const std::string& key) {
    return node_.IsReplicaOf(incoming.from, key, offer.partition);
  };
  while (theirs != offer.entries.end() || mine != scan.entries.end()) {
    if (mine == scan.entries.end() || (theirs != offer.entries.end() && theirs->key < mine->key)) {
      if (beyond_scan(theirs->key)) break;
      answer.wanted.push_back(theirs->key);
      ++theirs;
      continue;
    }
    if (bytes >= node_.options.exchange_page_bytes) {
      answer.covered_to = mine->key;
      break;
    }
    bool send = is_theirs(mine->key);
    if (theirs != offer.entries.end() && theirs->key == mine->key) {
      const RecordHash hash = HashRecord(mine->key, mine->record);
      send = !(hash == RecordHash{theirs->high, theirs->low});
      if (send) answer.wanted.push_back(mine->key);  // they may know more: have it merged back
      ++theirs;
    }
    if (send) {
      bytes += mine->key.size() + mine->record.size();
      answer.records.push_back(*mine);
      ++node_.status.exchange_records;
    }
    ++mine;
  }
  step.Send(incoming.from, std::move(answer));
}

bool Exchange::Merge(StepContext& step, PartitionId partition, KeyRecord&& record, uint64_t id) {
  if (node_.layout.PartitionOf(record.key) != partition ||
      !node_.IsReplicaOf(node_.self(), record.key, partition)) {
    return false;
  }
  StoreUpdate update;
  update.ticket = MakeTicket(TicketKind::kExchange, id);
  update.partition = partition;
  update.key = std::move(record.key);
  update.op = MergeOp{std::move(record.record), minter_.NewestIn(partition)};
  step.out.store.emplace_back(std::move(update));
  ++node_.status.exchange_records;
  return true;
}

void Exchange::OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer) {
  if (phase_ != Phase::kOffered || answer.request != request_ || from != task_.peer) return;
  // An answer that gets nowhere would have us ask for the same page for ever.
  const bool stuck = !answer.covered_to.empty() && answer.covered_to <= from_;
  if (answer.status != ReplicaStatus::kOk || stuck) {
    EndTask(step, /*ok=*/false);
    return;
  }
  peer_complete_ &= answer.complete;
  phase_ = Phase::kMerging;
  next_us_ = step.now.monotonic_us + node_.options.request_timeout_us;
  covered_to_ = std::move(answer.covered_to);
  merging_.clear();
  wanted_.clear();
  for (KeyRecord& record : answer.records) {
    const uint64_t id = ++next_id_;
    if (Merge(step, task_.partition, std::move(record), id)) {
      merging_.insert(id);
    } else {
      failed_ = true;
    }
  }
  // The store keeps the order per key: these reads see the merges.
  for (std::string& key : answer.wanted) {
    const uint64_t id = ++next_id_;
    StoreRead read;
    read.ticket = MakeTicket(TicketKind::kExchange, id);
    read.partition = task_.partition;
    read.key = key;
    wanted_[id] = std::move(key);
    step.out.store.emplace_back(std::move(read));
  }
  if (merging_.empty() && wanted_.empty()) EndPage(step);
}

void Exchange::OnMergedOrRead(StepContext& step, uint64_t id, StoreReply&& reply) {
  if (phase_ != Phase::kMerging) return;  // the page was given up meanwhile
  const auto wanted = wanted_.find(id);
  if (wanted != wanted_.end()) {
    if (reply.status.ok() && !reply.record.empty()) {
      outgoing_bytes_ += wanted->second.size() + reply.record.size();
      outgoing_.records.push_back({wanted->second, std::move(reply.record)});
    }
    wanted_.erase(wanted);
    if (outgoing_bytes_ >= node_.options.exchange_page_bytes) SendWanted(step);
  } else if (merging_.erase(id) == 0) {
    return;
  } else {
    failed_ |= !reply.status.ok();
  }
  if (merging_.empty() && wanted_.empty()) EndPage(step);
}

void Exchange::SendWanted(StepContext& step) {
  if (outgoing_.records.empty()) return;
  node_.status.exchange_records += outgoing_.records.size();
  outgoing_.layout = node_.layout.version();
  outgoing_.partition = task_.partition;
  step.Send(task_.peer, std::exchange(outgoing_, {}));
  outgoing_bytes_ = 0;
}

void Exchange::EndPage(StepContext& step) {
  SendWanted(step);
  if (covered_to_.empty()) {
    ++node_.status.exchanges;
    EndTask(step, !failed_);
    return;
  }
  from_ = covered_to_;
  ScanPage(step);
}

void Exchange::EndTask(StepContext& step, bool ok) {
  if (task_.demanded) finished_.push_back({task_.partition, task_.peer, ok, ok && peer_complete_});
  task_ = {};
  phase_ = Phase::kIdle;
  merging_.clear();
  wanted_.clear();
  outgoing_ = {};
  outgoing_bytes_ = 0;
  const int64_t interval_us = node_.options.exchange_interval_us;
  next_us_ = step.now.monotonic_us;
  if (!demanded_.empty()) return;
  next_us_ += urgent_.empty() ? interval_us : std::max(interval_us / kUrgentSpeedup, int64_t{1});
}

void Exchange::OnRecords(StepContext& step, NodeId /*from*/, ExchangeRecords&& records) {
  if (records.layout != node_.layout.version() || records.partition >= node_.layout.partitions() ||
      !node_.layout.IsReplica(records.partition, node_.self())) {
    return;
  }
  for (KeyRecord& record : records.records) {
    Merge(step, records.partition, std::move(record), kNobody);
  }
}

}  // namespace norn
