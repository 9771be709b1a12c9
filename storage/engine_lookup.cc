// The part of EngineImpl that looks a key up, and has read what memory lacks for it.
//
// A lookup goes from the newest to the oldest that may hold the key, and in a table from its
// filter to the partition of its index to a block of data. What is not in memory it tries to have
// without waiting; otherwise a job reads it, a partition together with the block that it leads to,
// and the lookup is made again from the start, with what was read at hand.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/bloom.h"
#include "storage/engine_impl.h"

namespace norn::storage {

Lookup EngineImpl::Found(absl::string_view key, absl::string_view value, uint64_t sequence,
                         EntryKind kind) const {
  Lookup lookup;
  if (drops_->Hides(key, sequence)) return lookup;
  lookup.status = InDoubt(sequence);
  if (!lookup.status.ok()) {
    lookup.state = Lookup::State::kError;
    return lookup;
  }
  lookup.sequence = sequence;
  if (kind == EntryKind::kDeletion) return lookup;
  lookup.state = Lookup::State::kFound;
  lookup.value = std::string(value);
  return lookup;
}

Lookup EngineImpl::Get(absl::string_view key, std::shared_ptr<PendingRead>* read) {
  ++stats_.gets;
  Memtable::Write write;
  if (memtable_->Find(key, &write)) return Found(key, write.value, write.sequence, write.kind);
  for (auto it = immutables_.rbegin(); it != immutables_.rend(); ++it) {
    if ((*it)->Find(key, &write)) return Found(key, write.value, write.sequence, write.kind);
  }
  return GetFromTables(key, read);
}

Lookup EngineImpl::GetFromTables(absl::string_view key, std::shared_ptr<PendingRead>* read) {
  const uint64_t hash = BloomHash(key);
  const Quarantine* const quarantine = quarantine_->Find(key);
  for (const std::shared_ptr<LiveTable>& table : levels_[0]) {
    if (table->table != nullptr) table->table->PrefetchFilter(hash);
  }
  for (size_t i = 0; i < levels_.size(); ++i) {
    const std::span<const std::shared_ptr<LiveTable>> level = levels_[i];
    auto table = i == 0 ? level.begin() : FirstTableAtOrAfter(level, key);
    const auto end = i == 0 || table == level.end() ? level.end() : table + 1;
    for (; table != end; ++table) {
      // At level 0 the filter tells sooner: it has been fetched.
      if (i == 0 && (*table)->table != nullptr && !(*table)->table->MayContain(hash)) continue;
      if (!(*table)->Covers(key)) continue;
      // None of what it has would count.
      if (quarantine != nullptr && (*table)->meta.largest_sequence <= quarantine->sequence) {
        continue;
      }
      if (drops_->Hides(key, (*table)->meta.largest_sequence)) continue;
      std::optional<Lookup> lookup = GetFromTable(*table, key, hash, read);
      if (!lookup.has_value()) continue;
      const bool decided =
          lookup->state == Lookup::State::kFound || lookup->state == Lookup::State::kAbsent;
      if (quarantine != nullptr && decided && lookup->sequence <= quarantine->sequence) {
        return InQuarantine(*quarantine);
      }
      return *std::move(lookup);
    }
  }
  return quarantine == nullptr ? Lookup() : InQuarantine(*quarantine);
}

std::optional<Lookup> EngineImpl::GetFromTable(const std::shared_ptr<LiveTable>& live,
                                               absl::string_view key, uint64_t hash,
                                               std::shared_ptr<PendingRead>* read) {
  Lookup lookup;
  const auto error = [&](const absl::Status& status) {
    ++stats_.damaged_reads;
    lookup.state = Lookup::State::kError;
    lookup.status = status;
    return lookup;
  };
  if (live->table == nullptr) {
    return error(WithKeys(*live, std::nullopt, live->damage.status()));
  }
  const Table& table = *live->table;
  if (!table.MayContain(hash)) return std::nullopt;
  const auto wanted = [&](WantedBlock block) {
    WantBlock(std::move(block), read);
    lookup.state = Lookup::State::kNeedsRead;
    return lookup;
  };
  const size_t p = table.PartitionFor(key);
  if (p == table.partitions()) return std::nullopt;
  const IndexBlock* index = table.pinned_index().get();
  BlockInReach partition;
  if (index == nullptr) {
    const BlockHandle& handle = table.partition(p);
    if (live->IsGivenUp(handle.offset)) return std::nullopt;
    partition = ReachBlock(table, handle, read->get());
    if (!partition.status.ok()) {
      return error(WithKeys(*live, table.PlaceOfPartition(p), partition.status));
    }
    if (partition.block == nullptr) {
      return wanted({.table = live->table,
                     .place = table.PlaceOfPartition(p),
                     .partition = p,
                     .key = std::string(key),
                     .given_up = live->given_up});
    }
    const absl::StatusOr<const IndexBlock*> parsed = table.AsPartition(handle, *partition.block);
    if (!parsed.ok()) return error(NoteDamage(live, table.PlaceOfPartition(p), parsed.status()));
    index = *parsed;
  }
  const size_t i = index->FirstBlockFor(key);
  if (i == index->size()) return std::nullopt;
  const BlockHandle& handle = index->handle(i);
  if (live->IsGivenUp(handle.offset)) return std::nullopt;
  const BlockInReach data = ReachBlock(table, handle, read->get());
  if (!data.status.ok()) {
    return error(WithKeys(*live, table.PlaceOfBlock(p, *index, i), data.status));
  }
  if (data.block == nullptr) {
    return wanted({.table = live->table, .place = table.PlaceOfBlock(p, *index, i)});
  }
  data.block->Prefetch();
  absl::string_view value;
  uint64_t sequence = 0;
  switch (data.block->Find(key, &value, &sequence)) {
    case Block::Outcome::kFound:
      return Found(key, value, sequence, EntryKind::kValue);
    case Block::Outcome::kDeleted:
      return Found(key, value, sequence, EntryKind::kDeletion);
    case Block::Outcome::kAbsent:
      return std::nullopt;
    case Block::Outcome::kDamaged:
      break;
  }
  return error(
      NoteDamage(live, table.PlaceOfBlock(p, *index, i),
                 absl::DataLossError(absl::StrCat("table ", table.path(), " at offset ",
                                                  handle.offset, ": a block is malformed"))));
}

EngineImpl::BlockInReach EngineImpl::ReachBlock(const Table& table, const BlockHandle& handle,
                                                const PendingRead* read) {
  BlockInReach reach;
  const BlockId id{.table = table.meta().number, .offset = handle.offset};
  if (read != nullptr) {
    const auto fetched = read->blocks_.find(id);
    if (fetched != read->blocks_.end()) {
      if (!fetched->second.ok()) {
        reach.status = fetched->second.status();
      } else {
        reach.block = fetched->second->get();
      }
      return reach;
    }
  }
  reach.block = cache_.Find(id).get();
  if (reach.block != nullptr && !Forced(options_.rare, RareBranch::kBlockCacheMiss)) return reach;
  reach.holder = table.TryReadBlock(handle);
  reach.block = reach.holder.get();
  if (reach.block != nullptr) cache_.Insert(id, reach.holder);
  return reach;
}

void EngineImpl::WantBlock(WantedBlock wanted, std::shared_ptr<PendingRead>* read) {
  if (*read == nullptr) *read = std::make_shared<PendingRead>();
  if ((*read)->waiting_) return;
  (*read)->waiting_ = true;
  // One job a block, however many wait for it.
  auto& waiting = waiting_reads_[wanted.id()];
  if (waiting.empty()) wanted_.push_back(std::move(wanted));
  waiting.push_back(*read);
}

std::unique_ptr<Job> EngineImpl::NextReadJob() {
  if (wanted_.empty()) return nullptr;
  WantedBlock wanted = std::move(wanted_.front());
  wanted_.pop_front();
  return std::make_unique<ReadBlockJob>(std::move(wanted));
}

void EngineImpl::FinishReadBlock(ReadBlockJob* job) {
  for (const ReadBlockJob::Fetched& fetched : job->fetched()) {
    if (fetched.block.ok()) {
      cache_.Insert(fetched.IdIn(job->table()), *fetched.block);
    } else {
      NoteDamage(job->id().table, fetched.place, fetched.block.status());
    }
  }
  const auto waiting = waiting_reads_.find(job->id());
  CORE_CHECK(waiting != waiting_reads_.end());
  for (std::shared_ptr<PendingRead>& read : waiting->second) {
    read->waiting_ = false;
    for (const ReadBlockJob::Fetched& fetched : job->fetched()) {
      read->blocks_.insert_or_assign(fetched.IdIn(job->table()), fetched.block);
    }
    finished_reads_.push_back(std::move(read));
  }
  waiting_reads_.erase(waiting);
}

}  // namespace norn::storage
