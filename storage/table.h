// A table that is open for reading: filter, index and properties in memory, data blocks
// on disk.
//
// Filter and index stay in memory as long as the table is open, so that a read of a key costs one
// block at most. Both are bounded by the data: an index takes some 50 bytes a block of block_bytes
// (11 to 12 MB a GB of data at 4 KiB, however large the values are), a filter bloom_bits_per_key
// bits an entry (9 MB a GB with values of 100 bytes, 1 MB with values of 1000). EngineStats tells.
//
// Immutable, hence safe to use from any thread. Every error is kDataLoss and names the
// file, the offset and what is wrong; an error is never "absent".

#ifndef NORN_STORAGE_TABLE_H_
#define NORN_STORAGE_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/bloom.h"
#include "storage/file_system.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"

namespace norn::storage {

class Table {
 public:
  const TableMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }

  // `hash` is the key's BloomHash.
  bool MayContain(uint64_t hash) const;
  void PrefetchFilter(uint64_t hash) const { BloomPrefetch(filter_, hash); }
  bool MayContain(absl::string_view key) const { return MayContain(BloomHash(key)); }

  // The block that holds `key` if the table does. Nothing if `key` is behind all
  // blocks. An error if the index is malformed. O(log n), touching little memory.
  absl::StatusOr<std::optional<BlockHandle>> FindBlock(absl::string_view key) const;

  // Reads, checks and expands a data block: one file operation.
  absl::StatusOr<std::shared_ptr<const Block>> ReadBlock(const BlockHandle& handle) const;

  // The same without waiting for the device. Null: it would have to wait, or failed; then
  // ReadBlock will tell.
  std::shared_ptr<const Block> TryReadBlock(const BlockHandle& handle) const;

  // The same from stored bytes that were read elsewhere, as part of a larger read.
  absl::StatusOr<std::shared_ptr<const Block>> ParseBlock(const BlockHandle& handle,
                                                          std::string stored) const;
  const RandomAccessFile& file() const { return *file_; }

  // Over the index: keys as table_format.h says, values are handles.
  BlockCursor IndexCursor() const { return BlockCursor(index_); }

  // The data blocks by their number in order; none if the index is malformed.
  size_t blocks() const { return handles_.size(); }
  const BlockHandle& block(size_t i) const { return handles_[i]; }
  // Not below the last key of block `i`, and below the first of the next one.
  absl::string_view Separator(size_t i) const;
  // The first block that may hold `key` or what comes behind it; blocks(): none.
  size_t FirstBlockFor(absl::string_view key) const;
  // Memory that the open table takes, beside its entry in the engine's levels: as much as is used,
  // whatever is reserved.
  size_t index_bytes() const {
    return index_->bytes() + prefixes_.size() * (sizeof(uint64_t) + sizeof(BlockHandle));
  }
  size_t filter_bytes() const { return filter_.size(); }

  // Where the data blocks end.
  uint64_t data_end() const { return data_end_; }

 private:
  friend class TableOpener;
  Table() = default;
  void IndexPrefixes();

  TableMeta meta_;
  std::string path_;
  std::unique_ptr<RandomAccessFile> file_;
  std::string filter_;
  std::shared_ptr<const Block> index_;
  uint64_t data_end_ = 0;
  // The index once more, for a binary search that touches little memory: eight bytes of each of
  // its keys, from where the table's keys begin to differ, and the handles. Empty if the index
  // is malformed.
  size_t shared_bytes_ = 0;
  std::vector<uint64_t> prefixes_;
  std::vector<BlockHandle> handles_;
};

// Opens a table in three steps of one file operation each.
class TableOpener {
 public:
  // With `expected` (what the manifest says) the file must be that very one; without,
  // what the file says of itself is taken.
  TableOpener(FileSystem* file_system, std::string path, std::optional<TableMeta> expected);

  // True when finished.
  bool Step();

  // Null, and status() not OK, if it failed.
  std::shared_ptr<const Table> table() const { return done_; }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status Open();
  absl::Status ReadFooter();
  absl::Status ReadTail();
  absl::Status TakeProperties(absl::string_view bytes);

  FileSystem* file_system_;
  std::optional<TableMeta> expected_;
  std::shared_ptr<Table> table_;
  std::shared_ptr<const Table> done_;
  absl::Status status_;
  Footer footer_;
  int step_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_H_
