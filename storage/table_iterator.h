// Walks the entries of disjoint tables that are in order: one table, or a level.
//
// The blocks come from a BlockSource, so the same walk serves scans (which read at once)
// and compactions (which read in steps of their own).

#ifndef NORN_STORAGE_TABLE_ITERATOR_H_
#define NORN_STORAGE_TABLE_ITERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/index_block.h"
#include "storage/iterator.h"
#include "storage/live_table.h"
#include "storage/table.h"
#include "storage/table_format.h"

namespace norn::storage {

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The block, null if it is not there yet (the iterator stalls), or why it cannot be read.
  virtual absl::StatusOr<std::shared_ptr<const Block>> Get(const Table& table,
                                                           const BlockHandle& handle) = 0;
  // The same, of a partition of the table's index.
  virtual absl::StatusOr<std::shared_ptr<const Block>> GetPartition(const Table& table, size_t p) {
    return Get(table, table.partition(p));
  }
  // What was not to be had, and whose keys therefore cannot be told.
  virtual void OnDamage(const Table& /*table*/, const TablePlace& /*place*/,
                        const absl::Status& /*status*/) {}
  // The partition if it is in memory, for a seek that is to come; or null.
  virtual std::shared_ptr<const Block> HeldPartition(const Table& /*table*/, size_t /*p*/) {
    return nullptr;
  }
  // As Iterator::PrepareSeek, stage 1, of the partition that will be asked for; and stages 2 and 3
  // of the block.
  virtual void PreparePartition(const Table& /*table*/, size_t /*p*/) {}
  virtual void Prepare(const Table& /*table*/, const BlockHandle& /*handle*/, int /*stage*/) {}
};

class TableIterator : public Iterator {
 public:
  // `tables`: disjoint, ascending. They and `source` must outlive the iterator.
  TableIterator(std::span<const std::shared_ptr<LiveTable>> tables, BlockSource* source)
      : tables_(tables), source_(source) {}

  void PrepareSeek(absl::string_view key, int stage) override;
  void Seek(absl::string_view key) override;
  void Next() override;
  void Resume() override;

  absl::string_view key() const override { return data_.key(); }
  absl::string_view value() const override { return data_.value(); }
  uint64_t sequence() const override { return data_.sequence(); }
  EntryKind kind() const override { return data_.kind(); }
  absl::Status status() const override { return status_; }
  absl::string_view error_from() const override { return target_; }
  absl::string_view error_until() const override { return error_until_; }

  // kError: the table that is damaged, and its block (nothing: all of the table).
  uint64_t table_number() const { return tables_[at_]->meta.number; }
  std::optional<TablePlace> damaged_place() const;

  // kStalled: what is needed: a partition of the index (null), or a block of data of `index`.
  const Table& stalled_table() const { return *tables_[at_]->table; }
  size_t stalled_partition() const { return partition_; }
  const IndexBlock* stalled_index() const { return HoldsIndex() ? index_ : nullptr; }
  // Its number there: those behind it will be needed after it.
  size_t stalled_block() const { return block_; }

 private:
  // Goes to the first entry at or behind target_, starting with table at_.
  void SeekFromTable();
  // The same in table at_, from partition_ on. False: there is none.
  bool SeekFromPartition();
  // The same, from block_ of the partition.
  bool SeekFromBlock();
  // From block_ of the partition that is held, or else from partition_, to the end of all tables.
  void GoOn();
  // Sees to it that index_ is partition_ of table at_. False: state_ says why not.
  bool HoldIndex();
  bool HoldsIndex() const {
    return index_ != nullptr && index_table_ == at_ && index_partition_ == partition_;
  }
  void SetIndex(std::shared_ptr<const Block> holder, const IndexBlock* index);
  // `until`: behind the last key that may be concerned.
  void Error(absl::Status status, std::string until);
  void BlockDamaged();

  std::span<const std::shared_ptr<LiveTable>> tables_;
  BlockSource* source_;
  size_t at_ = 0;
  size_t partition_ = 0;  // of table at_
  size_t block_ = 0;      // of that
  // The partition that was used last, and who holds it, unless its table does.
  const IndexBlock* index_ = nullptr;
  std::shared_ptr<const Block> index_holder_;
  size_t index_table_ = 0;
  size_t index_partition_ = 0;
  BlockCursor data_;
  std::string target_;  // no entry before it counts
  absl::Status status_;
  std::string error_until_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_ITERATOR_H_
