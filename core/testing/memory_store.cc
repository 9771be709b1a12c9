#include "core/testing/memory_store.h"

#include <algorithm>

#include "core/check.h"
#include "core/replication/record_ops.h"

namespace norn::testing {

void MemoryStore::Set(std::map<Place, std::string>* records, const Place& place,
                      const std::string& record) {
  if (record.empty()) {
    records->erase(place);
  } else {
    (*records)[place] = record;
  }
}

void MemoryStore::Submit(StoreRequest&& request) {
  waiting_.push_back(
      std::visit([this](auto&& asked) { return Run(std::move(asked)); }, std::move(request)));
  if (!held_) Sync();
}

MemoryStore::Waiting MemoryStore::Run(StoreUpdate&& update) {
  Waiting out;
  out.reply.ticket = update.ticket;
  const Place place(update.partition, update.key);
  const bool rewrites = IsSpoilt(update.key);
  if (rewrites && (!update.over_damage || all_spoilt_)) {
    out.reply.status = absl::DataLossError("a bad block");
    return out;
  }
  const std::string current = rewrites ? "" : Get(update.partition, update.key);
  std::string next;
  out.reply.status = ApplyOp(update.op, current, &next);
  out.reply.forgotten = ForgottenBy(update.op);
  out.reply.partition = update.partition;
  if (!out.reply.status.ok()) return out;
  if (next != current) {
    if (poisoned_) out.reply.status = absl::UnavailableError("the log is poisoned");
    if (full_) out.reply.status = absl::ResourceExhaustedError("the disk is full");
    if (!out.reply.status.ok()) return out;
    RecordChange change;
    change.sequence = ++sequence_;
    change.partition = update.partition;
    change.key = update.key;
    change.before = hasher_.Hash(update.key, current);
    change.after = hasher_.Hash(update.key, next);
    out.reply.change = std::move(change);
    Set(&applied_, place, next);
    out.written[place] = next;
    if (rewrites) spoilt_[update.key].rewritten = true;
  }
  out.reply.applied = true;
  if (update.record_wanted) out.reply.record = std::move(next);
  return out;
}

MemoryStore::Waiting MemoryStore::Run(StoreRead&& read) {
  Waiting out;
  out.reply.ticket = read.ticket;
  if (IsSpoilt(read.key)) {
    out.reply.status = absl::DataLossError("a bad block");
  } else {
    out.reply.record = Get(read.partition, read.key);
  }
  return out;
}

std::map<MemoryStore::Place, std::string>::const_iterator MemoryStore::FirstAt(
    PartitionId partition, const std::string& cursor) const {
  Place place(partition, cursor.size() < kPositionBytes ? "" : cursor.substr(kPositionBytes));
  place.position = 0;
  for (size_t i = 0; i < kPositionBytes && i < cursor.size(); ++i) {
    const int shift = 8 * static_cast<int>(kPositionBytes - 1 - i);
    place.position = static_cast<Position>(place.position | (uint8_t(cursor[i]) << shift));
  }
  return applied_.lower_bound(place);
}

MemoryStore::Waiting MemoryStore::Run(StoreScan&& scan) {
  Waiting out;
  out.is_scan = true;
  out.reply.ticket = scan.ticket;
  size_t bytes = 0;
  for (auto it = FirstAt(scan.partition, scan.from);
       it != applied_.end() && it->first.partition == scan.partition; ++it) {
    const std::string& key = it->first.key;
    const std::string cursor = CursorOf(key);
    if (!scan.to.empty() && cursor >= scan.to) break;
    const bool spoilt = all_spoilt_ || spoilt_.count(key) != 0;
    const bool full = out.reply.entries.size() >= scan.entries_max || bytes >= scan.bytes_max;
    // What was found before an error is a page of its own.
    if ((full || spoilt) && !out.reply.entries.empty()) {
      out.reply.next = cursor;
      break;
    }
    if (spoilt) {
      out.reply.status = absl::DataLossError("a bad block");
      out.reply.next = cursor + '\0';
      return out;
    }
    bytes += key.size() + it->second.size();
    out.reply.entries.push_back({key, it->second});
  }
  return out;
}

MemoryStore::Waiting MemoryStore::Run(StoreSlot&& slot) {
  Waiting out;
  out.reply.ticket = slot.ticket;
  if (slots_fail_) {
    out.reply.status = absl::UnavailableError("the slot cannot be written");
  } else {
    out.reply.applied = true;
    out.slots[slot.name] = std::move(slot.bytes);
  }
  return out;
}

MemoryStore::Waiting MemoryStore::Run(StoreDamage&& damage) {
  Waiting out;
  out.reply.ticket = damage.ticket;
  for (const auto& [place, record] : applied_) {
    const auto spoilt = spoilt_.find(place.key);
    if (spoilt == spoilt_.end()) continue;
    DamagedCursors damaged;
    damaged.partition = place.partition;
    damaged.from = CursorOf(place.key);
    damaged.to = damaged.from + '\0';
    damaged.sequence = spoilt->second.sequence;
    out.reply.damaged.push_back(std::move(damaged));
  }
  return out;
}

MemoryStore::Waiting MemoryStore::Run(StoreExcise&& excise) {
  Waiting out;
  out.reply.ticket = excise.ticket;
  const DamagedCursors& damaged = excise.damaged;
  for (auto it = FirstAt(damaged.partition, damaged.from);
       it != applied_.end() && it->first.partition == damaged.partition; ++it) {
    if (!damaged.to.empty() && CursorOf(it->first.key) >= damaged.to) break;
    if (spoilt_.count(it->first.key) != 0) out.excised.push_back(it->first);
  }
  return out;
}

void MemoryStore::Hold(bool held) {
  held_ = held;
  if (!held_) Sync();
}

void MemoryStore::Sync() {
  for (Waiting& waiting : waiting_) {
    for (const auto& [place, record] : waiting.written) {
      Set(&durable_, place, record);
      const auto spoilt = spoilt_.find(place.key);
      if (spoilt != spoilt_.end()) spoilt->second.rewritten_durably = spoilt->second.rewritten;
    }
    for (const Place& place : waiting.excised) {
      const auto spoilt = spoilt_.find(place.key);
      if (spoilt == spoilt_.end()) continue;
      if (!spoilt->second.rewritten) {
        Set(&applied_, place, "");
        Set(&durable_, place, "");
      }
      spoilt_.erase(spoilt);
    }
    if (waiting.reply.change.has_value()) durable_sequence_ = waiting.reply.change->sequence;
    for (auto& [name, bytes] : waiting.slots) slots_[name] = std::move(bytes);
    ready_.push_back({std::move(waiting.reply), waiting.is_scan});
  }
  waiting_.clear();
}

void MemoryStore::FailSync() {
  poisoned_ = true;
  for (Waiting& waiting : waiting_) {
    StoreReply doubt;
    doubt.ticket = waiting.reply.ticket;
    doubt.applied = waiting.reply.applied;
    doubt.status = absl::UnavailableError("the sync failed");
    ready_.push_back({std::move(doubt), waiting.is_scan});
  }
  waiting_.clear();
}

void MemoryStore::MendAll() {
  spoilt_.clear();
  all_spoilt_ = false;
}

void MemoryStore::Crash() {
  applied_ = durable_;
  for (auto& [key, spoilt] : spoilt_) spoilt.rewritten = spoilt.rewritten_durably;
  sequence_ = durable_sequence_;
  waiting_.clear();
  ready_.clear();
  poisoned_ = false;
}

void MemoryStore::Wipe() {
  Crash();
  applied_.clear();
  durable_.clear();
  slots_.clear();
  spoilt_.clear();
  sequence_ = durable_sequence_ = 0;
}

StoreRecovery MemoryStore::Recover(bool doubtful) {
  StoreRecovery recovery;
  recovery.created = slots_.empty() && durable_.empty();
  recovery.doubtful = doubtful;
  recovery.lease = slots_["lease"];
  recovery.identity = slots_["identity"];
  recovery.standing = slots_["standing"];
  recovery.merkle = slots_["merkle"];
  recovery.last_sequence = durable_sequence_;
  return recovery;
}

size_t MemoryStore::unordered() const {
  const auto scan =
      std::find_if(ready_.begin(), ready_.end(), [](const Ready& ready) { return ready.is_scan; });
  const auto before = static_cast<size_t>(scan - ready_.begin());
  return before == 0 && !ready_.empty() ? 1 : before;
}

StoreReply MemoryStore::TakeReply(size_t index) {
  CORE_CHECK(index < ready_.size());
  StoreReply reply = std::move(ready_[index].reply);
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(index));
  return reply;
}

std::string MemoryStore::Get(PartitionId partition, const std::string& record_key) const {
  const auto it = applied_.find(Place(partition, record_key));
  return it == applied_.end() ? std::string() : it->second;
}

void MemoryStore::Plant(PartitionId partition, const std::string& record_key,
                        const std::string& record) {
  const Place place(partition, record_key);
  Set(&durable_, place, record);
  Set(&applied_, place, record);
}

}  // namespace norn::testing
