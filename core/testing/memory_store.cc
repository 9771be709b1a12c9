#include "core/testing/memory_store.h"

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
  if (IsSpoilt(update.key)) {
    out.reply.status = absl::DataLossError("a bad block");
    return out;
  }
  const std::string current = Get(update.partition, update.key);
  std::string next;
  out.reply.status = ApplyOp(update.op, current, &next);
  out.reply.forgotten = ForgottenBy(update.op);
  out.reply.partition = update.partition;
  if (!out.reply.status.ok()) return out;
  if (next != current) {
    if (poisoned_) out.reply.status = absl::UnavailableError("the log is poisoned");
    if (full_) out.reply.status = absl::ResourceExhaustedError("the disk is full");
    if (!out.reply.status.ok()) return out;
    Set(&applied_, place, next);
    out.written[place] = next;
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

MemoryStore::Waiting MemoryStore::Run(StoreScan&& scan) {
  Waiting out;
  out.reply.ticket = scan.ticket;
  size_t bytes = 0;
  for (auto it = applied_.lower_bound(Place(scan.partition, scan.from));
       it != applied_.end() && it->first.first == scan.partition; ++it) {
    const std::string& key = it->first.second;
    if (!scan.to.empty() && key >= scan.to) break;
    if (IsSpoilt(key)) {
      out.reply.status = absl::DataLossError("a bad block");
      out.reply.entries.clear();
      return out;
    }
    const bool full = out.reply.entries.size() >= scan.entries_max || bytes >= scan.bytes_max;
    if (full && !out.reply.entries.empty()) {
      out.reply.next = key;
      break;
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

void MemoryStore::Hold(bool held) {
  held_ = held;
  if (!held_) Sync();
}

void MemoryStore::Sync() {
  for (Waiting& waiting : waiting_) {
    for (const auto& [place, record] : waiting.written) Set(&durable_, place, record);
    for (auto& [name, bytes] : waiting.slots) slots_[name] = std::move(bytes);
    ready_.push_back(std::move(waiting.reply));
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
    ready_.push_back(std::move(doubt));
  }
  waiting_.clear();
}

void MemoryStore::MendAll() {
  spoilt_.clear();
  all_spoilt_ = false;
}

void MemoryStore::Crash() {
  applied_ = durable_;
  waiting_.clear();
  ready_.clear();
  poisoned_ = false;
}

void MemoryStore::Wipe() {
  Crash();
  applied_.clear();
  durable_.clear();
  slots_.clear();
}

StoreRecovery MemoryStore::Recover(bool doubtful) {
  StoreRecovery recovery;
  recovery.created = slots_.empty() && durable_.empty();
  recovery.doubtful = doubtful;
  recovery.lease = slots_["lease"];
  recovery.identity = slots_["identity"];
  recovery.standing = slots_["standing"];
  return recovery;
}

StoreReply MemoryStore::TakeReply(size_t index) {
  CORE_CHECK(index < ready_.size());
  StoreReply reply = std::move(ready_[index]);
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
