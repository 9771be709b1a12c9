#include "storage/engine_iterator.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/check.h"

namespace norn::storage {

absl::StatusOr<std::shared_ptr<const Block>> BlocksOfScan::Get(const Table& table,
                                                               const BlockHandle& handle) {
  const uint64_t number = table.meta().number;
  absl::StatusOr<std::shared_ptr<const Block>> block =
      cache_->Find({.table = number, .offset = handle.offset});
  if (*block == nullptr) {
    block = Read(table, handle, &stretches_[number]);
  } else if (const auto walked = stretches_.find(number); walked != stretches_.end()) {
    walked->second.next = handle.end();
  }
  // The walk leaves the table.
  if (handle.end() >= table.data_end()) stretches_.erase(number);
  return block;
}

absl::StatusOr<std::shared_ptr<const Block>> BlocksOfScan::GetPartition(const Table& table,
                                                                        size_t p) {
  const BlockHandle& handle = table.partition(p);
  const BlockId id{.table = table.meta().number, .offset = handle.offset};
  const auto walked = stretches_.find(id.table);
  // A walk passes the partition that it comes from, which lies between its data and this one's.
  if (walked != stretches_.end() && p > 0 && walked->second.next == table.partition(p - 1).offset) {
    walked->second.next = table.PartitionBegin(p);
  }
  if (const std::shared_ptr<const Block>& cached = cache_->Find(id); cached != nullptr) {
    return cached;
  }
  absl::StatusOr<std::shared_ptr<const Block>> block = table.ReadBlock(handle);
  if (block.ok() && walked == stretches_.end()) cache_->Insert(id, *block);
  return block;
}

std::shared_ptr<const Block> BlocksOfScan::HeldPartition(const Table& table, size_t p) {
  return cache_->FindHeld({.table = table.meta().number, .offset = table.partition(p).offset});
}

void BlocksOfScan::PreparePartition(const Table& table, size_t p) {
  cache_->Prefetch({.table = table.meta().number, .offset = table.partition(p).offset});
}

absl::StatusOr<std::shared_ptr<const Block>> BlocksOfScan::Read(const Table& table,
                                                                const BlockHandle& handle,
                                                                Stretch* stretch) {
  const bool follows = stretch->next == handle.offset && handle.offset > 0;
  stretch->next = handle.end();
  const bool is_there =
      stretch->start <= handle.offset && handle.end() <= stretch->start + stretch->bytes.size();
  if (!is_there) {
    stretch->window =
        follows ? std::clamp(2 * stretch->window, kWindowBytesMin, kWindowBytesMax) : 0;
    // A stretch that cannot be read may hold blocks that can.
    if (!follows || !ReadStretch(table, handle, stretch)) return table.ReadBlock(handle);
  }
  return table.ParseBlock(
      handle, stretch->bytes.substr(static_cast<size_t>(handle.offset - stretch->start),
                                    static_cast<size_t>(handle.size) + kBlockTrailerBytes));
}

bool BlocksOfScan::ReadStretch(const Table& table, const BlockHandle& handle, Stretch* stretch) {
  const uint64_t end =
      std::max(handle.end(), std::min(handle.offset + stretch->window, table.data_end()));
  stretch->start = handle.offset;
  stretch->bytes.resize(static_cast<size_t>(end - handle.offset));
  const absl::Status read =
      table.file().Read(handle.offset, stretch->bytes.size(), stretch->bytes.data());
  if (!read.ok()) stretch->bytes.clear();
  return read.ok();
}

void BlocksOfScan::Prepare(const Table& table, const BlockHandle& handle, int stage) {
  const BlockId id{.table = table.meta().number, .offset = handle.offset};
  if (stage == 2) {
    cache_->Prefetch(id);
  } else if (const std::shared_ptr<const Block>& block = cache_->Peek(id); block != nullptr) {
    block->Prefetch();
  }
}

EngineIterator::EngineIterator(std::vector<std::shared_ptr<const Memtable>> memtables,
                               std::shared_ptr<const Levels> levels,
                               std::shared_ptr<const QuarantineSet> quarantine,
                               std::shared_ptr<const RangeDrops> drops, BlocksOfScan source,
                               uint64_t last_sequence,
                               std::function<absl::Status(uint64_t sequence)> in_doubt)
    : memtables_(std::move(memtables)),
      levels_(std::move(levels)),
      quarantine_(std::move(quarantine)),
      drops_(std::move(drops)),
      source_(std::move(source)),
      merged_(Children()),
      last_sequence_(last_sequence),
      in_doubt_(std::move(in_doubt)) {}

std::vector<std::unique_ptr<Iterator>> EngineIterator::Children() {
  std::vector<std::unique_ptr<Iterator>> children;
  for (const std::shared_ptr<const Memtable>& memtable : memtables_) {
    if (memtable->empty()) continue;
    children.push_back(std::make_unique<MemtableIterator>(memtable.get()));
  }
  if (!quarantine_->empty()) {
    children.push_back(std::make_unique<QuarantineIterator>(quarantine_.get()));
  }
  const Levels& levels = *levels_;
  for (const std::shared_ptr<LiveTable>& table : levels[0]) {
    const std::span<const std::shared_ptr<LiveTable>> alone(&table, 1);
    children.push_back(std::make_unique<TableIterator>(alone, &source_));
  }
  for (size_t i = 1; i < levels.size(); ++i) {
    if (levels[i].empty()) continue;
    children.push_back(std::make_unique<TableIterator>(levels[i], &source_));
  }
  return children;
}

void EngineIterator::Seek(absl::string_view key) {
  has_last_key_ = false;
  source_.Forget();
  merged_.Seek(key);
  Settle();
}

void EngineIterator::Leave() {
  const absl::string_view key = merged_.key();
  last_key_.assign(key.data(), key.size());
  has_last_key_ = true;
  merged_.Next();
}

void EngineIterator::Next() {
  Leave();
  Settle();
}

void EngineIterator::Settle() {
  for (;;) {
    state_ = merged_.state();
    CORE_CHECK(state_ != State::kStalled);
    if (state_ == State::kEnd) return;
    if (state_ == State::kError) {
      status_ = merged_.status();
      error_until_ = std::string(merged_.error_until());
      return;
    }
    // Of equal keys the newest comes first; what was written later is not of this moment.
    const bool counts = merged_.sequence() <= last_sequence_ &&
                        !(has_last_key_ && merged_.key() == absl::string_view(last_key_)) &&
                        !drops_->Hides(merged_.key(), merged_.sequence());
    if (!counts) {
      merged_.Next();
      continue;
    }
    status_ = in_doubt_(merged_.sequence());
    if (!status_.ok()) {
      state_ = State::kError;
      error_until_ = std::string(merged_.key());
      error_until_.push_back('\0');
      return;
    }
    if (merged_.kind() == EntryKind::kValue) return;
    Leave();
  }
}

absl::string_view EngineIterator::error_from() const {
  return merged_.state() == State::kError ? merged_.error_from() : merged_.key();
}

}  // namespace norn::storage
