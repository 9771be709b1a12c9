#include "storage/record_storage.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"
#include "core/replication/record_ops.h"
#include "storage/write_debt.h"

namespace norn::storage {

namespace {

constexpr char kIdentitySlot[] = "identity";
constexpr char kStandingSlot[] = "standing";

// Readable while in doubt? Never: what a crash may take back is not told to anyone.
absl::Status InDoubt(const absl::Status& health) {
  return absl::UnavailableError(std::string("the record is in doubt: ") +
                                std::string(health.message()));
}

}  // namespace

std::string MakeEngineKey(PartitionId partition, absl::string_view record_key) {
  std::string key;
  key.reserve(kPartitionPrefixBytes + record_key.size());
  key.push_back(static_cast<char>(partition >> 8));
  key.push_back(static_cast<char>(partition & 0xff));
  key.append(record_key.data(), record_key.size());
  return key;
}

namespace {

PartitionId PartitionOfEngineKey(absl::string_view key) {
  return static_cast<PartitionId>((static_cast<uint8_t>(key[0]) << 8) |
                                  static_cast<uint8_t>(key[1]));
}

}  // namespace

RecordStorage::RecordStorage(Engine& engine, size_t cache_bytes)
    : engine_(engine), cache_(cache_bytes) {}
RecordStorage::~RecordStorage() = default;

void RecordStorage::Submit(StoreRequest&& request) {
  if (StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
    Pending pending;
    pending.key = MakeEngineKey(update->partition, update->key);
    pending.ticket = update->ticket;
    pending.over_damage = update->over_damage && std::holds_alternative<MergeOp>(update->op);
    pending.op = std::move(update->op);
    pending.record_wanted = update->record_wanted;
    Enter(std::move(pending));
  } else if (const StoreRead* const read = std::get_if<StoreRead>(&request)) {
    Pending pending;
    pending.key = MakeEngineKey(read->partition, read->key);
    pending.ticket = read->ticket;
    Enter(std::move(pending));
  } else if (const StoreScan* const scan = std::get_if<StoreScan>(&request)) {
    RunScan(*scan);
  } else {
    StoreSlot& slot = std::get<StoreSlot>(request);
    if (slot.name == kLeaseSlot) lease_ticket_ = slot.ticket;
    engine_.WriteSlot(slot.name, std::move(slot.bytes), slot.ticket);
  }
}

void RecordStorage::Enter(Pending&& pending) {
  if (!latched_.empty()) {
    const auto latch = latched_.find(pending.key);
    if (latch != latched_.end()) {
      latch->second.push_back(std::move(pending));
      return;
    }
  }
  if (TryRun(pending) == Progress::kNeedsRead) {
    std::string key = pending.key;
    latched_[std::move(key)].push_back(std::move(pending));
  }
}

RecordStorage::Progress RecordStorage::TryRun(Pending& pending) {
  RecordCache::Found cached;
  // What is not durable and never will be is for the engine to refuse.
  if (engine_.health().ok() && cache_.Find(pending.key, &cached)) {
    return Decide(pending, cached.record, cached.sequence);
  }
  Lookup found = engine_.Get(pending.key, &pending.read);
  if (found.state == Lookup::State::kNeedsRead) return Progress::kNeedsRead;
  if (found.state == Lookup::State::kError) {
    // What is in doubt is another matter: that error is kUnavailable.
    if (pending.over_damage && absl::IsDataLoss(found.status)) return Decide(pending, "", 0);
    // Any other update over an unreadable record fails, too: it would hide what cannot be read.
    StoreReply reply;
    reply.ticket = pending.ticket;
    reply.status = std::move(found.status);
    Release(std::move(reply), 0);
    return Progress::kDone;
  }
  if (found.state == Lookup::State::kFound && !pending.op.has_value()) {
    cache_.Put(pending.key, found.value, found.sequence);
  }
  return Decide(pending, found.value, found.sequence);
}

RecordStorage::Progress RecordStorage::Decide(const Pending& pending, absl::string_view record,
                                              uint64_t sequence) {
  if (pending.op.has_value()) {
    RunUpdate(pending, record, sequence);
    return Progress::kDone;
  }
  StoreReply reply;
  reply.ticket = pending.ticket;
  reply.record = std::string(record);
  Release(std::move(reply), sequence);
  return Progress::kDone;
}

void RecordStorage::RunUpdate(const Pending& pending, absl::string_view record, uint64_t sequence) {
  StoreReply reply;
  reply.ticket = pending.ticket;
  reply.status = ApplyOp(*pending.op, record, &scratch_);
  reply.forgotten = ForgottenBy(*pending.op);
  if (reply.forgotten != 0) reply.partition = PartitionOfEngineKey(pending.key);
  if (reply.status.ok()) {
    if (scratch_ != record) {
      // An empty record says what no record says.
      reply.status = scratch_.empty() ? engine_.Delete(pending.key, &sequence)
                                      : engine_.Put(pending.key, scratch_, &sequence);
      if (reply.status.ok()) cache_.Put(pending.key, scratch_, sequence);
    }
    reply.applied = reply.status.ok();
    if (reply.applied && pending.record_wanted) reply.record = scratch_;
  }
  // A refusal tells nothing of the record, so it need not wait.
  Release(std::move(reply), reply.applied ? sequence : 0);
}

void RecordStorage::RunScan(const StoreScan& scan) {
  StoreReply reply;
  reply.ticket = scan.ticket;
  const std::string from = MakeEngineKey(scan.partition, scan.from);
  const std::string to = scan.to.empty()
                             ? MakeEngineKey(static_cast<PartitionId>(scan.partition + 1), "")
                             : MakeEngineKey(scan.partition, scan.to);
  std::vector<Engine::Entry> entries;
  std::string next;
  reply.status = engine_.Scan(from, to, scan.entries_max, scan.bytes_max, &entries, &next);
  // Records that are missing because they were deleted are told of, too.
  uint64_t newest = engine_.last_deletion();
  if (reply.status.ok()) {
    reply.entries.reserve(entries.size());
    for (Engine::Entry& entry : entries) {
      newest = std::max(newest, entry.sequence);
      entry.key.erase(0, kPartitionPrefixBytes);
      reply.entries.push_back({std::move(entry.key), std::move(entry.value)});
    }
    if (!next.empty()) reply.next = next.substr(kPartitionPrefixBytes);
  }
  Release(std::move(reply), newest);
}

void RecordStorage::Release(StoreReply&& reply, uint64_t sequence) {
  if (sequence <= engine_.durable_sequence()) {
    ready_.push_back(std::move(reply));
  } else {
    waiting_.Add(sequence, std::move(reply));
  }
}

// Goes on with the key whose block came. Few keys are latched at any time: a walk will do.
void RecordStorage::Resume(const PendingRead* read) {
  const auto waits_for_it = [read](const auto& latch) {
    return latch.second.front().read.get() == read;
  };
  const auto latch = std::find_if(latched_.begin(), latched_.end(), waits_for_it);
  if (latch == latched_.end()) return;
  std::deque<Pending>& queue = latch->second;
  while (!queue.empty() && TryRun(queue.front()) == Progress::kDone) queue.pop_front();
  if (queue.empty()) latched_.erase(latch);
}

void RecordStorage::Pump(int64_t now_us) {
  engine_.SetTime(now_us);
  const FilteredKeys filtered = engine_.TakeFiltered();
  if (filtered.all) cache_.Clear();
  for (const std::string& key : filtered.keys) cache_.Erase(key);
  for (const std::shared_ptr<PendingRead>& read : engine_.TakeFinishedReads()) {
    Resume(read.get());
  }
  StoreReply waiting;
  const int64_t delay_us = PutDelayUs(engine_.write_debt());
  while (waiting_.Pop(engine_.durable_sequence(), &waiting)) {
    const bool held = waiting.applied && (delay_us > 0 || delayed_.size() > 0);
    if (held) {
      ++delayed_total_;
      delayed_.Add(now_us + delay_us, std::move(waiting));
    } else {
      ready_.push_back(std::move(waiting));
    }
  }
  while (delayed_.Pop(now_us, &waiting)) ready_.push_back(std::move(waiting));
  const absl::Status health = engine_.health();
  while (!health.ok() && waiting_.Pop(engine_.last_sequence(), &waiting)) {
    StoreReply doubt;
    doubt.ticket = waiting.ticket;
    doubt.applied = waiting.applied;
    doubt.status = InDoubt(health);
    ready_.push_back(std::move(doubt));
  }
  for (const Engine::FinishedSlot& slot : engine_.TakeFinishedSlots()) {
    StoreReply reply;
    reply.ticket = slot.ticket;
    reply.status = slot.status;
    reply.applied = slot.status.ok();
    // The first lease of this life is durable, and with it what the node concluded from
    // the recovery's doubts: new incarnations.
    if (slot.status.ok() && lease_ticket_ == slot.ticket && !recovery_acknowledged_) {
      recovery_acknowledged_ = true;
      engine_.AcknowledgeRecovery();
    }
    ready_.push_back(std::move(reply));
  }
}

bool RecordStorage::PopReply(StoreReply* reply) {
  if (ready_.empty()) return false;
  *reply = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

norn::StoreRecovery MakeStoreRecovery(const Engine& engine, const RecoveryReport& report) {
  norn::StoreRecovery recovery;
  recovery.created = report.created;
  recovery.doubtful = report.possibly_lost_from.has_value() || report.suspect;
  recovery.lease = engine.ReadSlot(kLeaseSlot).value_or(std::string());
  recovery.identity = engine.ReadSlot(kIdentitySlot).value_or(std::string());
  recovery.standing = engine.ReadSlot(kStandingSlot).value_or(std::string());
  return recovery;
}

}  // namespace norn::storage
