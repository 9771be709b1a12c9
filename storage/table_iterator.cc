#include "storage/table_iterator.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

void TableIterator::Error(absl::Status status, absl::string_view until) {
  state_ = State::kError;
  status_ = std::move(status);
  error_until_ = std::string(std::max(until, absl::string_view(target_)));
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
    if (live.table == nullptr) return Error(live.damage, live.meta.largest);
    index_ = live.table->IndexCursor();
    index_.Seek(target_);
    SeekFromBlock();
    if (state_ != State::kEnd) return;
  }
  state_ = State::kEnd;
}

void TableIterator::SeekFromBlock() {
  const LiveTable& live = *tables_[at_];
  for (; index_.Valid(); index_.Next()) {
    const std::optional<BlockHandle> handle = DecodeHandle(index_.value());
    if (!handle.has_value() || handle->end() > live.table->data_end()) {
      return Error(absl::DataLossError(absl::StrCat("table ", live.table->path(),
                                                    ": the index points outside the data")),
                   live.meta.largest);
    }
    handle_ = *handle;
    absl::StatusOr<std::shared_ptr<const Block>> block = source_->Get(*live.table, handle_);
    if (!block.ok()) return Error(block.status(), index_.key());
    if (*block == nullptr) {
      state_ = State::kStalled;
      return;
    }
    data_ = BlockCursor(*std::move(block));
    data_.Seek(target_);
    if (data_.damaged()) {
      return Error(absl::DataLossError(absl::StrCat("table ", live.table->path(), " at offset ",
                                                    handle_.offset, ": a block is malformed")),
                   index_.key());
    }
    if (data_.Valid()) {
      state_ = State::kEntry;
      return;
    }
  }
  if (index_.damaged()) {
    return Error(
        absl::DataLossError(absl::StrCat("table ", live.table->path(), ": the index is malformed")),
        live.meta.largest);
  }
  state_ = State::kEnd;
}

void TableIterator::Next() {
  data_.Next();
  if (data_.Valid()) return;
  // What comes next, be it an entry or an error, is right behind the entry just left, whose key
  // the cursor still has.
  target_.assign(data_.key().data(), data_.key().size());
  target_.push_back('\0');
  if (data_.damaged()) {
    return Error(
        absl::DataLossError(absl::StrCat("table ", tables_[at_]->table->path(), " at offset ",
                                         handle_.offset, ": a block is malformed")),
        index_.key());
  }
  index_.Next();
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
