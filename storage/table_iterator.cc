#include "storage/table_iterator.h"

#include <algorithm>
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

void TableIterator::Error(absl::Status status, absl::string_view last) {
  state_ = State::kError;
  status_ = std::move(status);
  error_until_ = std::string(std::max(last, absl::string_view(target_)));
  error_until_.push_back('\0');
}

std::optional<uint64_t> TableIterator::damaged_offset() const {
  const LiveTable& live = *tables_[at_];
  if (live.table == nullptr || block_ >= live.table->blocks()) return std::nullopt;
  return live.table->block(block_).offset;
}

void TableIterator::PrepareSeek(absl::string_view key, int stage) {
  if (stage == 1) {
    at_ = static_cast<size_t>(FirstTableAtOrAfter(tables_, key) - tables_.begin());
    if (at_ == tables_.size() || tables_[at_]->table == nullptr) return;
    block_ = tables_[at_]->table->FirstBlockFor(key);
  }
  if (at_ == tables_.size() || tables_[at_]->table == nullptr) return;
  const Table& table = *tables_[at_]->table;
  if (block_ < table.blocks()) source_->Prepare(table, table.block(block_), stage);
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
    if (live.table == nullptr) return Error(live.damage.status(), live.meta.largest);
    if (live.table->blocks() == 0) {
      return Error(absl::DataLossError(
                       absl::StrCat("table ", live.table->path(), ": the index is malformed")),
                   live.meta.largest);
    }
    block_ = live.table->FirstBlockFor(target_);
    SeekFromBlock();
    if (state_ != State::kEnd) return;
  }
  state_ = State::kEnd;
}

void TableIterator::SeekFromBlock() {
  const Table& table = *tables_[at_]->table;
  for (; block_ < table.blocks(); ++block_) {
    if (tables_[at_]->IsGivenUp(table.block(block_).offset)) continue;
    absl::StatusOr<std::shared_ptr<const Block>> block = source_->Get(table, table.block(block_));
    if (!block.ok()) return Error(block.status(), table.Separator(block_));
    if (*block == nullptr) {
      state_ = State::kStalled;
      return;
    }
    data_ = BlockCursor(*std::move(block));
    data_.Seek(target_);
    if (data_.damaged()) return BlockDamaged();
    if (data_.Valid()) {
      state_ = State::kEntry;
      return;
    }
  }
  state_ = State::kEnd;
}

void TableIterator::BlockDamaged() {
  const Table& table = *tables_[at_]->table;
  Error(absl::DataLossError(absl::StrCat("table ", table.path(), " at offset ",
                                         table.block(block_).offset, ": a block is malformed")),
        table.Separator(block_));
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
  SeekFromBlock();
  if (state_ != State::kEnd) return;
  ++at_;
  SeekFromTable();
}

void TableIterator::Resume() {
  SeekFromBlock();
  if (state_ != State::kEnd) return;
  ++at_;
  SeekFromTable();
}

}  // namespace norn::storage
