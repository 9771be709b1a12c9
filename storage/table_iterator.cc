#include "storage/table_iterator.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

void TableIterator::Error(absl::Status status, std::string until) {
  state_ = State::kError;
  status_ = std::move(status);
  error_until_ = std::move(until);
  if (error_until_ > target_) return;
  error_until_ = target_;
  error_until_.push_back('\0');
}

std::optional<TablePlace> TableIterator::damaged_place() const {
  const LiveTable& live = *tables_[at_];
  if (live.table == nullptr) return std::nullopt;
  if (!HoldsIndex()) return live.table->PlaceOfPartition(partition_);
  return live.table->PlaceOfBlock(partition_, *index_, block_);
}

void TableIterator::PrepareSeek(absl::string_view key, int stage) {
  if (stage == 1) at_ = static_cast<size_t>(FirstTableAtOrAfter(tables_, key) - tables_.begin());
  if (at_ == tables_.size() || tables_[at_]->table == nullptr) return;
  const Table& table = *tables_[at_]->table;
  if (stage == 1) {
    partition_ = table.PartitionFor(key);
    const bool is_read = table.pinned_index() == nullptr && partition_ < table.partitions();
    if (is_read && !HoldsIndex()) source_->PreparePartition(table, partition_);
    return;
  }
  if (partition_ == table.partitions()) return;
  if (stage == 2) {
    if (table.pinned_index() != nullptr) {
      SetIndex(nullptr, table.pinned_index().get());
    } else if (!HoldsIndex()) {
      std::shared_ptr<const Block> block = source_->HeldPartition(table, partition_);
      if (block == nullptr) return;
      const IndexBlock* const index = block->AsIndex();
      SetIndex(std::move(block), index);
    }
    if (HoldsIndex()) block_ = index_->FirstBlockFor(key);
  }
  if (!HoldsIndex() || block_ == index_->size()) return;
  source_->Prepare(table, index_->handle(block_), stage);
}

void TableIterator::Seek(absl::string_view key) {
  target_ = std::string(key);
  at_ = static_cast<size_t>(FirstTableAtOrAfter(tables_, key) - tables_.begin());
  SeekFromTable();
}

void TableIterator::SeekFromTable() {
  for (; at_ < tables_.size(); ++at_) {
    const LiveTable& live = *tables_[at_];
    if (target_ < live.meta.smallest) target_ = live.meta.smallest;
    if (live.table == nullptr) {
      std::string until = live.meta.largest;
      until.push_back('\0');
      return Error(live.damage.status(), std::move(until));
    }
    partition_ = live.table->PartitionFor(target_);
    if (SeekFromPartition()) return;
  }
  state_ = State::kEnd;
}

void TableIterator::SetIndex(std::shared_ptr<const Block> holder, const IndexBlock* index) {
  index_holder_ = std::move(holder);
  index_ = index;
  index_table_ = at_;
  index_partition_ = partition_;
}

bool TableIterator::HoldIndex() {
  if (HoldsIndex()) return true;
  const Table& table = *tables_[at_]->table;
  if (table.pinned_index() != nullptr) {
    SetIndex(nullptr, table.pinned_index().get());
    return true;
  }
  SetIndex(nullptr, nullptr);
  absl::StatusOr<std::shared_ptr<const Block>> block = source_->GetPartition(table, partition_);
  if (block.ok() && *block == nullptr) {
    state_ = State::kStalled;
    return false;
  }
  const absl::StatusOr<const IndexBlock*> index =
      block.ok() ? table.AsPartition(table.partition(partition_), **block) : block.status();
  if (!index.ok()) {
    TablePlace place = table.PlaceOfPartition(partition_);
    source_->OnDamage(table, place, index.status());
    Error(index.status(), std::move(place.until));
    return false;
  }
  SetIndex(*std::move(block), *index);
  return true;
}

bool TableIterator::SeekFromPartition() {
  const LiveTable& live = *tables_[at_];
  const Table& table = *live.table;
  for (; partition_ < table.partitions(); ++partition_) {
    const bool is_read = table.pinned_index() == nullptr;
    if (is_read && live.IsGivenUp(table.partition(partition_).offset)) continue;
    if (!HoldIndex()) return true;
    block_ = index_->FirstBlockFor(target_);
    if (SeekFromBlock()) return true;
  }
  return false;
}

bool TableIterator::SeekFromBlock() {
  const Table& table = *tables_[at_]->table;
  for (; block_ < index_->size(); ++block_) {
    const BlockHandle& handle = index_->handle(block_);
    if (tables_[at_]->IsGivenUp(handle.offset)) continue;
    absl::StatusOr<std::shared_ptr<const Block>> block = source_->Get(table, handle);
    if (!block.ok()) {
      TablePlace place = table.PlaceOfBlock(partition_, *index_, block_);
      source_->OnDamage(table, place, block.status());
      Error(block.status(), std::move(place.until));
      return true;
    }
    if (*block == nullptr) {
      state_ = State::kStalled;
      return true;
    }
    data_ = BlockCursor(*std::move(block));
    data_.Seek(target_);
    if (data_.damaged()) {
      BlockDamaged();
      return true;
    }
    if (data_.Valid()) {
      state_ = State::kEntry;
      return true;
    }
  }
  return false;
}

void TableIterator::BlockDamaged() {
  const Table& table = *tables_[at_]->table;
  TablePlace place = table.PlaceOfBlock(partition_, *index_, block_);
  Error(absl::DataLossError(absl::StrCat("table ", table.path(), " at offset ", place.handle.offset,
                                         ": a block is malformed")),
        std::move(place.until));
}

void TableIterator::Next() {
  data_.Next();
  if (data_.Valid()) return;
  // What comes next, be it an entry or an error, is right behind the entry just left, whose key
  // the cursor still has.
  target_.assign(data_.key().data(), data_.key().size());
  target_.push_back('\0');
  if (data_.damaged()) return BlockDamaged();
  ++block_;
  GoOn();
}

void TableIterator::Resume() { GoOn(); }

void TableIterator::GoOn() {
  if (HoldsIndex()) {
    if (SeekFromBlock()) return;
    ++partition_;
  }
  if (SeekFromPartition()) return;
  ++at_;
  SeekFromTable();
}

}  // namespace norn::storage
