// A table that is open for reading: filter, properties and the upper level of the index in memory;
// data blocks, and the lower level, on disk.
//
// What stays in memory as long as the table is open is bounded by the data. Of the index it is
// a separator and a handle a partition of index_partition_bytes (some 0.1 MB a GB of data at blocks
// of 4 KiB, however large the values are); the partitions, a hundred times as much, come and go in
// the block cache. An index that is no larger than a partition stays as a whole, as do those of
// tables that older releases wrote. A filter takes bloom_bits_per_key bits an entry (9 MB a GB with
// values of 100 bytes, 1 MB with values of 1000). EngineStats tells.
//
// Immutable, hence safe to use from any thread. Every error is kDataLoss and names the
// file, the offset and what is wrong; an error is never "absent".

#ifndef NORN_STORAGE_TABLE_H_
#define NORN_STORAGE_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/bloom.h"
#include "storage/file_system.h"
#include "storage/index_block.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"

namespace norn::storage {

// A block of a table, and the keys that are lost with it: it alone can tell of them.
struct TablePlace {
  BlockHandle handle = {};
  std::string from = {};
  std::string until = {};  // behind the last
};

class Table {
 public:
  const TableMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }

  // `hash` is the key's BloomHash.
  bool MayContain(uint64_t hash) const;
  void PrefetchFilter(uint64_t hash) const { BloomPrefetch(filter_, hash); }
  bool MayContain(absl::string_view key) const { return MayContain(BloomHash(key)); }

  // The index: one partition at least, each with the handles of its data blocks. A key is in the
  // first partition that may hold it, or nowhere.
  size_t partitions() const { return partitioned_ ? index_->size() : 1; }
  // The first that may hold `key` or what comes behind it; partitions(): none. O(log n).
  size_t PartitionFor(absl::string_view key) const {
    return partitioned_ ? index_->FirstBlockFor(key) : 0;
  }
  // The only partition, if it is always in memory; otherwise null: all of them are to be read.
  const std::shared_ptr<const IndexBlock>& pinned_index() const {
    return partitioned_ ? none_ : index_;
  }
  // With no pinned_index(): where partition `p` is. ReadBlock() of it returns an IndexBlock.
  const BlockHandle& partition(size_t p) const { return index_->handle(p); }
  // Where the data of partition `p` begins, in the file: it ends where the partition does.
  uint64_t PartitionBegin(size_t p) const { return p == 0 ? 0 : partition(p - 1).end(); }

  TablePlace PlaceOfPartition(size_t p) const;
  // Of data block `i` of partition `p`, which is `index`.
  TablePlace PlaceOfBlock(size_t p, const IndexBlock& index, size_t i) const;

  // Reads, checks and expands a block of data or of the index: one file operation.
  absl::StatusOr<std::shared_ptr<const Block>> ReadBlock(const BlockHandle& handle) const;

  // The same without waiting for the device. Null: it would have to wait, or failed; then
  // ReadBlock will tell.
  std::shared_ptr<const Block> TryReadBlock(const BlockHandle& handle) const;

  // The same from stored bytes that were read elsewhere, as part of a larger read.
  absl::StatusOr<std::shared_ptr<const Block>> ParseBlock(const BlockHandle& handle,
                                                          std::string stored) const;
  // `block` as the partition that it is read as. An error if it is none: then the index lies.
  absl::StatusOr<const IndexBlock*> AsPartition(const BlockHandle& handle,
                                                const Block& block) const;
  const RandomAccessFile& file() const { return *file_; }

  // Memory that the open table takes, beside its entry in the engine's levels: as much as is used,
  // whatever is reserved.
  size_t index_bytes() const { return index_->bytes(); }
  size_t filter_bytes() const { return filter_.size(); }

  // Where the data blocks end.
  uint64_t data_end() const { return data_end_; }

 private:
  friend class TableOpener;
  Table() = default;
  bool IsPartition(const BlockHandle& handle) const;

  TableMeta meta_;
  std::string path_;
  std::unique_ptr<RandomAccessFile> file_;
  std::string filter_;
  bool partitioned_ = false;
  std::shared_ptr<const IndexBlock> index_;  // the upper level, or the only one
  const std::shared_ptr<const IndexBlock> none_;
  uint64_t data_end_ = 0;
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
  // Data and partitions end at `limit`. False if the index is bad.
  bool TakeIndex(std::optional<std::string> payload, uint64_t limit);
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
