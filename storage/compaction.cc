#include "storage/compaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/engine.h"
#include "storage/read_error.h"

namespace norn::storage {
namespace {

// The inputs as the compaction's own: the engine goes on to note damage in its copies.
std::vector<std::shared_ptr<LiveTable>> OwnCopies(
    const std::vector<std::shared_ptr<LiveTable>>& tables) {
  std::vector<std::shared_ptr<LiveTable>> copies;
  for (const std::shared_ptr<LiveTable>& table : tables) {
    CORE_CHECK(table->damage.ok() && table->table != nullptr);
    copies.push_back(std::make_shared<LiveTable>(*table));
  }
  return copies;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Block>> ReadAhead::Get(const Table& table,
                                                            const BlockHandle& handle) {
  const auto found = blocks_.find({.table = table.meta().number, .offset = handle.offset});
  if (found == blocks_.end()) return std::shared_ptr<const Block>();
  return std::move(blocks_.extract(found).mapped());
}

void ReadAhead::Take(const Table& table, const BlockHandle& handle, absl::string_view bytes,
                     uint64_t start) {
  const absl::string_view stored =
      bytes.substr(static_cast<size_t>(handle.offset - start),
                   static_cast<size_t>(handle.size) + kBlockTrailerBytes);
  blocks_.insert_or_assign({.table = table.meta().number, .offset = handle.offset},
                           table.ParseBlock(handle, std::string(stored)));
}

void ReadAhead::TakeError(const Table& table, const BlockHandle& handle, const absl::Status& read) {
  blocks_.insert_or_assign({.table = table.meta().number, .offset = handle.offset},
                           WithCause(absl::DataLossError(absl::StrCat(
                                         "table ", table.path(), " at offset ", handle.offset,
                                         ": cannot be read (", read.ToString(), ")")),
                                     read));
}

void ReadAhead::Fill(const TableIterator& stalled) {
  const Table& table = stalled.stalled_table();
  if (stalled.stalled_index() == nullptr) {
    FillPartition(table, stalled.stalled_partition());
  } else {
    FillStretch(table, *stalled.stalled_index(), stalled.stalled_block());
  }
}

void ReadAhead::FillPartition(const Table& table, size_t p) {
  const BlockHandle& handle = table.partition(p);
  const uint64_t begin = table.PartitionBegin(p);
  const bool alone = begin > handle.offset || handle.end() - begin > kPartitionBytes ||
                     IsBehindFailure(table, handle.offset);
  const uint64_t start = alone ? handle.offset : begin;
  std::string bytes(static_cast<size_t>(handle.end() - start), '\0');
  const absl::Status read = table.file().Read(start, bytes.size(), bytes.data());
  if (!read.ok() && !alone) return SetFailed(table, handle.end());
  if (!read.ok()) return TakeError(table, handle, read);
  Take(table, handle, bytes, start);
  const absl::StatusOr<std::shared_ptr<const Block>> block =
      blocks_.at({.table = table.meta().number, .offset = handle.offset});
  const IndexBlock* const index = alone || !block.ok() ? nullptr : (*block)->AsIndex();
  for (size_t i = 0; index != nullptr && i < index->size(); ++i) {
    const BlockHandle& data = index->handle(i);
    if (data.offset >= start && data.end() <= handle.offset) Take(table, data, bytes, start);
  }
}

void ReadAhead::FillStretch(const Table& table, const IndexBlock& index, size_t first) {
  std::vector<BlockHandle> handles = {index.handle(first)};
  const uint64_t start = handles.front().offset;
  const bool alone = IsBehindFailure(table, start);
  for (size_t i = first + 1; !alone && i < index.size(); ++i) {
    const BlockHandle& next = index.handle(i);
    // Blocks lie one behind the other; anything else is left for the iterator to judge.
    if (next.offset != handles.back().end() || next.end() - start > kStretchBytes) break;
    handles.push_back(next);
  }
  std::string stretch(static_cast<size_t>(handles.back().end() - start), '\0');
  const absl::Status read = table.file().Read(start, stretch.size(), stretch.data());
  // The iterator is still stalled, and will ask again.
  if (!read.ok() && handles.size() > 1) return SetFailed(table, handles.back().end());
  for (const BlockHandle& handle : handles) {
    if (read.ok()) {
      Take(table, handle, stretch, start);
    } else {
      TakeError(table, handle, read);
    }
  }
}

Compaction::Compaction(FileSystem* file_system, std::string dir, const TableOptions& options,
                       uint64_t table_bytes, size_t group_prefix_bytes,
                       std::shared_ptr<const RangeDrops> drops, const CompactionChoice& choice,
                       OlderData older, std::shared_ptr<const CompactionFilter> filter)
    : file_system_(file_system),
      dir_(std::move(dir)),
      options_(options),
      table_bytes_(table_bytes),
      group_prefix_bytes_(group_prefix_bytes),
      drops_(std::move(drops)),
      choice_{.level = choice.level,
              .upper = OwnCopies(choice.upper),
              .lower = OwnCopies(choice.lower)},
      older_(std::move(older)),
      filter_(std::move(filter)) {
  std::vector<std::unique_ptr<Iterator>> children;
  const auto add = [&](std::span<const std::shared_ptr<LiveTable>> tables) {
    auto child = std::make_unique<TableIterator>(tables, &source_);
    inputs_.push_back(child.get());
    children.push_back(std::move(child));
  };
  if (choice_.level == 0) {
    for (const std::shared_ptr<LiveTable>& table : choice_.upper) add({&table, 1});
  } else {
    add(choice_.upper);
  }
  if (!choice_.lower.empty()) add(choice_.lower);
  merged_ = std::make_unique<MergingIterator>(std::move(children));
}

void Compaction::OfferNumber(uint64_t number, uint64_t file_id) {
  CORE_CHECK(needs_number_);
  needs_number_ = false;
  offered_.emplace(number, file_id);
}

void Compaction::Release() {
  merged_.reset();
  inputs_.clear();
  for (auto* tables : {&choice_.upper, &choice_.lower}) {
    for (std::shared_ptr<LiveTable>& table : *tables) table->table.reset();
  }
}

void Compaction::Fail(const absl::Status& status) {
  status_ = status;
  done_ = true;
  writer_.reset();
}

void Compaction::StepWriter() {
  const uint64_t before = writer_->bytes_written();
  writer_->Step();
  bytes_written_ += writer_->bytes_written() - before;
  if (!writer_->status().ok()) return Fail(writer_->status());
  if (!writer_->Done()) return;
  outputs_.push_back(writer_->table());
  writer_.reset();
  ending_ = false;
  if (!settles_lower_.has_value()) return;
  settled_outputs_ = outputs_.size();
  settled_lower_ = *settles_lower_;
  settles_lower_.reset();
}

std::optional<size_t> Compaction::LowerTablesBefore(absl::string_view key) const {
  const std::span<const std::shared_ptr<LiveTable>> lower = choice_.lower;
  const auto next = FirstTableAtOrAfter(lower, key);
  if (next != lower.end() && (*next)->meta.smallest <= last_key_) return std::nullopt;
  return static_cast<size_t>(next - lower.begin());
}

Compaction::Piece Compaction::TakePiece() {
  if (done_ && status_.ok()) {
    settled_outputs_ = outputs_.size();
    settled_lower_ = choice_.lower.size();
  }
  Piece piece;
  for (; taken_outputs_ < settled_outputs_; ++taken_outputs_) {
    piece.outputs.push_back(outputs_[taken_outputs_]);
  }
  for (; taken_lower_ < settled_lower_; ++taken_lower_) {
    LiveTable& table = *choice_.lower[taken_lower_];
    piece.lower.push_back(table.meta.number);
    if (!done_) table.table.reset();  // its iterator has gone past
  }
  // All of them again: those of upper tables change with the last piece.
  piece.filtered = filtered_;
  return piece;
}

std::vector<uint64_t> Compaction::Leftovers() const {
  std::vector<uint64_t> numbers = numbers_;
  for (size_t i = 0; i < taken_outputs_; ++i) std::erase(numbers, outputs_[i]->meta().number);
  return numbers;
}

void Compaction::NoteFiltered(absl::string_view key) {
  ++filtered_entries_;
  filtered_bytes_ += key.size();
  if (filtered_bytes_ > kFilteredBytesMax) {
    filtered_ = {.keys = {}, .all = true};
  } else {
    filtered_.keys.emplace_back(key);
  }
}

Compaction::Fate Compaction::Judge() {
  const absl::string_view key = merged_->key();
  const bool deletion = merged_->kind() == EntryKind::kDeletion;
  if ((!deletion && filter_ == nullptr) || older_.MayHold(key)) return Fate::kWritten;
  if (deletion) return Fate::kDropped;
  replacement_.clear();
  switch (filter_->Decide(key, merged_->value(), &replacement_)) {
    case CompactionFilter::Decision::kKeep:
      return Fate::kWritten;
    case CompactionFilter::Decision::kReplace:
      CORE_CHECK(replacement_.size() <= kValueBytesMax);
      NoteFiltered(key);
      return Fate::kReplaced;
    case CompactionFilter::Decision::kDrop:
      NoteFiltered(key);
      return Fate::kDropped;
  }
  return Fate::kWritten;
}

void Compaction::Leave() {
  fate_ = Fate::kUndecided;
  last_key_.assign(merged_->key().data(), merged_->key().size());
  has_last_key_ = true;
  merged_->Next();
}

void Compaction::Step() {
  CORE_CHECK(!done_ && !needs_number_);
  if (!sought_) merged_->Seek("");
  sought_ = true;
  for (;;) {
    if (writer_ != nullptr && (ending_ || writer_->NeedsStep())) return StepWriter();
    switch (merged_->state()) {
      case Iterator::State::kStalled: {
        const auto stalled = std::find_if(
            inputs_.begin(), inputs_.end(),
            [](const TableIterator* input) { return input->state() == Iterator::State::kStalled; });
        source_.Fill(**stalled);
        merged_->Resume();
        return;
      }
      case Iterator::State::kError: {
        for (const TableIterator* input : inputs_) {
          if (input->state() != Iterator::State::kError) continue;
          damaged_table_ = input->table_number();
          damaged_place_ = input->damaged_place();
        }
        return Fail(merged_->status());
      }
      case Iterator::State::kEnd:
        if (writer_ == nullptr) {
          done_ = true;
          return;
        }
        writer_->Finish();
        ending_ = true;
        break;
      case Iterator::State::kEntry:
        if (has_last_key_ && merged_->key() == absl::string_view(last_key_)) {
          merged_->Next();  // an older entry of the key
          break;
        }
        if (drops_->Hides(merged_->key(), merged_->sequence())) {
          merged_->Next();
          break;
        }
        if (fate_ == Fate::kUndecided) fate_ = Judge();
        if (fate_ == Fate::kDropped) {
          Leave();
          break;
        }
        if (writer_ != nullptr && writer_has_entries_) {
          // A table on one side of a drop does not hold up its end.
          const bool apart = drops_->Separates(last_key_, merged_->key());
          if (apart || writer_->bytes() >= table_bytes_ / 2) {
            const bool full = writer_->bytes() >= table_bytes_;
            // The lower level's iterator has gone past the tables that end before this key.
            settles_lower_ = LowerTablesBefore(merged_->key());
            const bool aligned = settles_lower_.has_value() && *settles_lower_ > settled_lower_;
            const bool between_groups = merged_->key().substr(0, group_prefix_bytes_) !=
                                        absl::string_view(last_key_).substr(0, group_prefix_bytes_);
            if (full || aligned || between_groups || apart) {
              writer_->Finish();
              ending_ = true;
              break;
            }
            settles_lower_.reset();
          }
        }
        if (writer_ == nullptr) {
          if (!offered_.has_value()) {
            needs_number_ = true;
            return;
          }
          numbers_.push_back(offered_->first);
          writer_ = std::make_unique<TableWriter>(file_system_, dir_, options_, offered_->first,
                                                  offered_->second);
          writer_has_entries_ = false;
          offered_.reset();
          break;  // its file first
        }
        writer_->Add(merged_->key(), merged_->sequence(),
                     fate_ == Fate::kReplaced ? absl::string_view(replacement_) : merged_->value(),
                     merged_->kind());
        writer_has_entries_ = true;
        Leave();
        break;
    }
  }
}

CompactionJob::CompactionJob(std::shared_ptr<Compaction> compaction)
    : EngineJob(Kind::kCompaction, Lane::kBackground),
      compaction_(std::move(compaction)),
      name_(absl::StrCat("compact level ", compaction_->choice().level)) {}

bool CompactionJob::RunStep() {
  compaction_->Step();
  ++steps_;
  return compaction_->done() || compaction_->needs_number() || steps_ >= kStepsMax;
}

}  // namespace norn::storage
