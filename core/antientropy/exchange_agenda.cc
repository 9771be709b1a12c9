#include "core/antientropy/exchange_agenda.h"

#include <algorithm>

#include "core/check.h"

namespace norn {

namespace {

constexpr size_t kPartitionsMax = 64;  // of one task
constexpr size_t kDemandsMax = 16;     // of one task: their outcome is told at its end
constexpr uint64_t kRoutineEvery = 4;
constexpr int64_t kDirtyRetryUs = 1'000'000;  // after a comparison that was not completed

}  // namespace

bool ExchangeAgenda::Start() {
  std::map<NodeId, std::vector<PartitionId>> shared;
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    for (const NodeId replica : node_.layout.Replicas(partition)) {
      if (replica != node_.self()) shared[replica].push_back(partition);
    }
  }
  for (auto& [id, partitions] : shared) {
    Peer peer{id, std::move(partitions)};
    peer.routine_next = node_.random.Below(peer.shared.size());
    peers_.push_back(std::move(peer));
  }
  if (peers_.empty()) return false;
  routine_peer_ = node_.random.Below(peers_.size());
  return true;
}

const ExchangeAgenda::Peer* ExchangeAgenda::Find(NodeId peer) const {
  const auto at = std::lower_bound(peers_.begin(), peers_.end(), peer,
                                   [](const Peer& p, NodeId id) { return p.id < id; });
  return at == peers_.end() || at->id != peer ? nullptr : &*at;
}

bool ExchangeAgenda::Shares(PartitionId partition, NodeId peer) const {
  const Peer* const found = Find(peer);
  return found != nullptr &&
         std::binary_search(found->shared.begin(), found->shared.end(), partition);
}

void ExchangeAgenda::Hasten(NodeId peer) {
  const Peer* const found = Find(peer);
  if (found == nullptr) return;
  const auto index = static_cast<size_t>(found - peers_.data());
  // Once more from the start, if it is under way.
  const auto same = [index](const Hastened& hastened) { return hastened.peer == index; };
  const auto at = std::find_if(hastened_.begin(), hastened_.end(), same);
  if (at != hastened_.end()) {
    at->next = 0;
  } else {
    hastened_.push_back({index, 0});
  }
}

void ExchangeAgenda::MarkDirty(PartitionId partition, NodeId peer) {
  if (Shares(partition, peer)) dirty_[peer][partition] = 0;
}

uint64_t ExchangeAgenda::Demand(PartitionId partition, NodeId peer) {
  const Demanded demand{++next_demand_, partition, peer};
  if (Shares(partition, peer)) {
    demanded_.push_back(demand);
  } else {
    finished_.push_back({demand.id, partition, peer, /*ok=*/false, /*complete=*/false});
  }
  return demand.id;
}

bool ExchangeAgenda::Next(int64_t now_us, ExchangeTask* task) {
  *task = ExchangeTask();
  if (TakeDemanded(task)) return true;
  if (++turn_ % kRoutineEvery == 0 && TakeRoutine(task)) return true;
  return TakeDirty(now_us, task) || TakeHastened(task) || TakeRoutine(task);
}

bool ExchangeAgenda::TakeDemanded(ExchangeTask* task) {
  // Who cannot be reached will not answer: whoever waits may turn to another.
  while (!demanded_.empty() && !membership_.IsReachable(demanded_.front().peer)) {
    const Demanded& demand = demanded_.front();
    finished_.push_back(
        {demand.id, demand.partition, demand.peer, /*ok=*/false, /*complete=*/false});
    demanded_.pop_front();
  }
  if (demanded_.empty()) return false;
  task->peer = demanded_.front().peer;
  task->urgent = true;
  task->without_trees = true;
  std::set<PartitionId> partitions;
  for (auto it = demanded_.begin(); it != demanded_.end() && partitions.size() < kDemandsMax;) {
    if (it->peer != task->peer) {
      ++it;
      continue;
    }
    partitions.insert(it->partition);
    task->demands.push_back(it->id);
    under_way_[it->id] = *it;
    it = demanded_.erase(it);
  }
  task->partitions.assign(partitions.begin(), partitions.end());
  return true;
}

bool ExchangeAgenda::TakeDirty(int64_t now_us, ExchangeTask* task) {
  for (const auto& [peer, partitions] : dirty_) {
    if (!membership_.IsReachable(peer)) continue;
    for (const auto& [partition, from_us] : partitions) {
      if (from_us > now_us || task->partitions.size() >= kPartitionsMax) continue;
      task->partitions.push_back(partition);
    }
    if (task->partitions.empty()) continue;
    task->peer = peer;
    task->urgent = true;
    task->without_trees = true;
    // A new mark, set meanwhile, is not taken away by this task's success.
    for (const PartitionId partition : task->partitions) {
      dirty_[peer][partition] = now_us + kDirtyRetryUs;
    }
    return true;
  }
  return false;
}

bool ExchangeAgenda::TakeHastened(ExchangeTask* task) {
  while (!hastened_.empty()) {
    Hastened& hastened = hastened_.front();
    const Peer& peer = peers_[hastened.peer];
    if (hastened.next >= peer.shared.size() || !membership_.IsReachable(peer.id)) {
      hastened_.pop_front();
      continue;
    }
    const size_t end = std::min(hastened.next + kPartitionsMax, peer.shared.size());
    task->peer = peer.id;
    task->urgent = true;
    for (; hastened.next < end; ++hastened.next) {
      task->partitions.push_back(peer.shared[hastened.next]);
    }
    if (end == peer.shared.size()) hastened_.pop_front();
    return true;
  }
  return false;
}

bool ExchangeAgenda::TakeRoutine(ExchangeTask* task) {
  for (size_t tries = 0; tries < peers_.size(); ++tries) {
    Peer& peer = peers_[routine_peer_];
    routine_peer_ = (routine_peer_ + 1) % peers_.size();
    if (!membership_.IsReachable(peer.id)) continue;
    task->peer = peer.id;
    const size_t count = std::min(kPartitionsMax, peer.shared.size());
    for (size_t i = 0; i < count; ++i) {
      task->partitions.push_back(peer.shared[(peer.routine_next + i) % peer.shared.size()]);
    }
    peer.routine_next = (peer.routine_next + count) % peer.shared.size();
    std::sort(task->partitions.begin(), task->partitions.end());
    return true;
  }
  return false;
}

void ExchangeAgenda::Finish(int64_t now_us, const ExchangeTask& task,
                            const std::set<PartitionId>& failed,
                            const std::set<PartitionId>& incomplete) {
  for (const uint64_t id : task.demands) {
    const auto demand = under_way_.find(id);
    CORE_CHECK(demand != under_way_.end());
    const PartitionId partition = demand->second.partition;
    const bool ok = failed.count(partition) == 0;
    finished_.push_back({id, partition, task.peer, ok, ok && incomplete.count(partition) == 0});
    under_way_.erase(demand);
  }
  const auto dirty = dirty_.find(task.peer);
  if (dirty == dirty_.end() || !task.without_trees) return;
  for (const PartitionId partition : task.partitions) {
    const auto mark = dirty->second.find(partition);
    if (mark == dirty->second.end() || mark->second == 0) continue;
    if (failed.count(partition) == 0) {
      dirty->second.erase(mark);
    } else {
      mark->second = now_us + kDirtyRetryUs;
    }
  }
  if (dirty->second.empty()) dirty_.erase(dirty);
}

int64_t ExchangeAgenda::UrgentFrom() const {
  if (!demanded_.empty() || !hastened_.empty()) return 0;
  int64_t from_us = kNever;
  for (const auto& [peer, partitions] : dirty_) {
    if (!membership_.IsReachable(peer)) continue;
    for (const auto& [partition, since_us] : partitions) from_us = std::min(from_us, since_us);
  }
  return from_us;
}

}  // namespace norn
