#include "storage/record_storage.h"

#include <algorithm>
#include <cstdint>
#include <limits>
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
constexpr char kMerkleSlot[] = "merkle";

// Readable while in doubt? Never: what a crash may take back is not told to anyone.
absl::Status InDoubt(const absl::Status& health) {
  return absl::UnavailableError(std::string("the record is in doubt: ") +
                                std::string(health.message()));
}

// The place of a cursor in the engine. 65536 has none: it is behind all partitions.
std::string EngineKeyAt(uint32_t partition, absl::string_view cursor) {
  std::string key;
  if (partition > std::numeric_limits<PartitionId>::max()) return key;
  key.reserve(sizeof(PartitionId) + cursor.size());
  key.push_back(static_cast<char>(partition >> 8));
  key.push_back(static_cast<char>(partition & 0xff));
  key.append(cursor.data(), cursor.size());
  return key;
}

// The first partition with keys at or behind the place `key` in the engine, which need not be
// the key of a record.
uint32_t PartitionAtOrBehind(absl::string_view key) {
  uint32_t partition = 0;
  for (size_t i = 0; i < sizeof(PartitionId); ++i) {
    partition = partition << 8 | (i < key.size() ? uint8_t(key[i]) : 0u);
  }
  return partition;
}

// The place of such a key in its partition, as a cursor.
std::string CursorIn(absl::string_view key) {
  return std::string(key.substr(std::min(sizeof(PartitionId), key.size())));
}

}  // namespace

std::string MakeEngineKey(PartitionId partition, absl::string_view record_key) {
  const Position position = PositionOf(record_key);
  std::string key;
  key.reserve(kEngineKeyPrefixBytes + record_key.size());
  for (const uint16_t part : {partition, position}) {
    key.push_back(static_cast<char>(part >> 8));
    key.push_back(static_cast<char>(part & 0xff));
  }
  key.append(record_key.data(), record_key.size());
  return key;
}

PartitionId PartitionIn(absl::string_view engine_key) {
  CORE_CHECK(engine_key.size() >= kPartitionPrefixBytes);
  return static_cast<PartitionId>(uint8_t(engine_key[0]) << 8 | uint8_t(engine_key[1]));
}

RecordStorage::RecordStorage(Engine& engine, const RecordHasher& hasher, size_t cache_bytes,
                             RareBranches* rare)
    : engine_(engine), rare_(rare), hasher_(hasher), cache_(cache_bytes) {}
RecordStorage::~RecordStorage() = default;

void RecordStorage::Submit(StoreRequest&& request) {
  if (StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
    Pending pending;
    pending.partition = update->partition;
    pending.key = MakeEngineKey(update->partition, update->key);
    pending.ticket = update->ticket;
    pending.over_damage = update->over_damage && std::holds_alternative<MergeOp>(update->op);
    pending.op = std::move(update->op);
    pending.record_wanted = update->record_wanted;
    Enter(std::move(pending));
  } else if (const StoreRead* const read = std::get_if<StoreRead>(&request)) {
    Pending pending;
    pending.partition = read->partition;
    pending.key = MakeEngineKey(read->partition, read->key);
    pending.ticket = read->ticket;
    Enter(std::move(pending));
  } else if (const StoreScan* const scan = std::get_if<StoreScan>(&request)) {
    RunScan(*scan);
  } else if (const StoreDamage* const damage = std::get_if<StoreDamage>(&request)) {
    TellDamage(*damage);
  } else if (const StoreExcise* const excise = std::get_if<StoreExcise>(&request)) {
    RunExcise(*excise);
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
  const bool at_hand = engine_.health().ok() && cache_.Find(pending.key, &cached) &&
                       (pending.over_damage || !Forced(rare_, RareBranch::kRecordCacheMiss));
  // What is cached may be what the disk has lost.
  if (at_hand && !pending.over_damage) return Decide(pending, cached.record, cached.sequence);
  Lookup found = engine_.Get(pending.key, &pending.read);
  if (found.state == Lookup::State::kNeedsRead) return Progress::kNeedsRead;
  if (found.state == Lookup::State::kError) {
    // What is in doubt is another matter: that error is kUnavailable.
    if (pending.over_damage && absl::IsDataLoss(found.status)) {
      const absl::string_view record = at_hand ? cached.record : absl::string_view();
      return Decide(pending, record, /*sequence=*/0, /*rewrites=*/true);
    }
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

RecordStorage::Progress RecordStorage::Decide(Pending& pending, absl::string_view record,
                                              uint64_t sequence, bool rewrites) {
  if (pending.op.has_value()) {
    RunUpdate(pending, record, sequence, rewrites);
    return Progress::kDone;
  }
  StoreReply reply;
  reply.ticket = pending.ticket;
  reply.record = std::string(record);
  Release(std::move(reply), sequence);
  return Progress::kDone;
}

void RecordStorage::RunUpdate(Pending& pending, absl::string_view record, uint64_t sequence,
                              bool rewrites) {
  StoreReply reply;
  reply.ticket = pending.ticket;
  reply.status = ApplyOp(*pending.op, record, &scratch_);
  reply.forgotten = ForgottenBy(*pending.op);
  if (reply.forgotten != 0) reply.partition = pending.partition;
  if (reply.status.ok()) {
    if (scratch_ != record || (rewrites && !scratch_.empty())) {
      RecordChange change;
      // Before the cache lets go of what `record` looks at.
      const absl::string_view key = absl::string_view(pending.key).substr(kEngineKeyPrefixBytes);
      change.before = hasher_.Hash(key, record);
      // An empty record says what no record says.
      reply.status = scratch_.empty() ? engine_.Delete(pending.key, &sequence)
                                      : engine_.Put(pending.key, scratch_, &sequence);
      if (reply.status.ok()) {
        cache_.Put(pending.key, scratch_, sequence);
        change.sequence = sequence;
        change.partition = pending.partition;
        change.after = hasher_.Hash(key, scratch_);
        change.key = std::move(pending.key.erase(0, kEngineKeyPrefixBytes));
        reply.change = std::move(change);
      }
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
  reply.scan = true;
  const std::string from = EngineKeyAt(scan.partition, scan.from);
  const std::string to = scan.to.empty() ? EngineKeyAt(uint32_t{scan.partition} + 1, "")
                                         : EngineKeyAt(scan.partition, scan.to);
  std::vector<Engine::Entry> entries;
  std::string next;
  reply.status = engine_.Scan(from, to, scan.entries_max, scan.bytes_max, &entries, &next);
  // Records that are missing because they were deleted are told of, too.
  uint64_t newest = engine_.last_deletion();
  if (reply.status.ok()) {
    reply.entries.reserve(entries.size());
    for (Engine::Entry& entry : entries) {
      newest = std::max(newest, entry.sequence);
      entry.key.erase(0, kEngineKeyPrefixBytes);
      reply.entries.push_back({std::move(entry.key), std::move(entry.value)});
    }
  }
  // Behind damage it may be in another partition: then this one is done with.
  if (!next.empty() && (to.empty() || next < to)) reply.next = next.substr(sizeof(PartitionId));
  Release(std::move(reply), newest);
}

void RecordStorage::TellDamage(const StoreDamage& asked) {
  StoreReply reply;
  reply.ticket = asked.ticket;
  for (const DamagedRange& range : engine_.damaged_ranges()) {
    if (!range.settled) continue;  // it may pass
    const uint32_t first = PartitionAtOrBehind(range.from);
    for (uint32_t partition = first; partition <= std::numeric_limits<PartitionId>::max() &&
                                     EngineKeyAt(partition, "") < range.until;
         ++partition) {
      if (partition >= asked.partitions && partition < kHintSpace) {
        const absl::Status excised = engine_.ExciseDamage(
            EngineKeyAt(partition, ""), EngineKeyAt(kHintSpace, ""), range.sequence);
        if (!excised.ok()) break;  // the engine is ill: there will be another time
        partition = kHintSpace;
      }
      if (EngineKeyAt(partition, "") >= range.until) break;
      DamagedCursors damaged;
      damaged.partition = static_cast<PartitionId>(partition);
      if (partition == first) damaged.from = CursorIn(range.from);
      const std::string end = EngineKeyAt(partition + 1, "");
      if (end.empty() || range.until < end) damaged.to = CursorIn(range.until);
      damaged.sequence = range.sequence;
      reply.damaged.push_back(std::move(damaged));
    }
  }
  ready_.push_back(std::move(reply));
}

void RecordStorage::RunExcise(const StoreExcise& excise) {
  const DamagedCursors& damaged = excise.damaged;
  Excision excision;
  excision.ticket = excise.ticket;
  excision.from = EngineKeyAt(damaged.partition, damaged.from);
  excision.to = damaged.to.empty() ? EngineKeyAt(uint32_t{damaged.partition} + 1, "")
                                   : EngineKeyAt(damaged.partition, damaged.to);
  excision.sequence = damaged.sequence;
  const absl::Status asked = engine_.ExciseDamage(excision.from, excision.to, excision.sequence);
  if (asked.ok()) {
    excising_.push_back(std::move(excision));
    return;
  }
  StoreReply reply;
  reply.ticket = excision.ticket;
  reply.status = InDoubt(asked);
  ready_.push_back(std::move(reply));
}

// There are few excisions at any time, and mostly none.
void RecordStorage::FinishExcisions() {
  if (excising_.empty()) return;
  const std::vector<DamagedRange> ranges = engine_.damaged_ranges();
  const auto is_done = [&](const Excision& excision) {
    const bool lasts = std::any_of(ranges.begin(), ranges.end(), [&](const DamagedRange& range) {
      return range.settled && range.sequence <= excision.sequence && range.until > excision.from &&
             (excision.to.empty() || range.from < excision.to);
    });
    if (lasts && engine_.health().ok()) return false;
    StoreReply reply;
    reply.ticket = excision.ticket;
    if (lasts) reply.status = InDoubt(engine_.health());
    // What the disk had lost before may still be at hand.
    if (!lasts) cache_.Clear();
    ready_.push_back(std::move(reply));
    return true;
  };
  excising_.erase(std::remove_if(excising_.begin(), excising_.end(), is_done), excising_.end());
}

void RecordStorage::Release(StoreReply&& reply, uint64_t sequence) {
  if (reply.scan && !waiting_.empty()) {
    // What it shows can be durable, and told by nobody yet: since a job finished, until Pump().
    waiting_.Add(sequence, std::move(reply));
  } else if (sequence <= engine_.durable_sequence() && reply.scan && delayed_.size() > 0) {
    delayed_.Add(/*due_us=*/0, std::move(reply));  // behind the changes that it shows
  } else if (sequence <= engine_.durable_sequence()) {
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
  FinishExcisions();
  StoreReply waiting;
  const int64_t delay_us = PutDelayUs(engine_.write_debt());
  while (waiting_.Pop(engine_.durable_sequence(), &waiting)) {
    const bool follows = (waiting.applied || waiting.scan) && delayed_.size() > 0;
    if (follows || (waiting.applied && delay_us > 0)) {
      ++delayed_total_;
      delayed_.Add(now_us + (waiting.applied ? delay_us : 0), std::move(waiting));
    } else {
      ready_.push_back(std::move(waiting));
    }
  }
  while (delayed_.Pop(now_us, &waiting)) ready_.push_back(std::move(waiting));
  const absl::Status health = engine_.health();
  while (!health.ok() && waiting_.Pop(engine_.last_sequence(), &waiting)) {
    StoreReply doubt;
    doubt.ticket = waiting.ticket;
    doubt.applied = waiting.applied;  // its change is not told: it may not survive
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
  if (ready_.empty() || Forced(rare_, RareBranch::kReplyWaits)) return false;
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
  recovery.merkle = engine.ReadSlot(kMerkleSlot).value_or(std::string());
  recovery.last_sequence = report.last_sequence;
  return recovery;
}

}  // namespace norn::storage
