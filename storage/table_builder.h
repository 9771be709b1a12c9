// Turns sorted entries into the bytes of a table (table_format.h). Does no I/O: whoever
// uses it takes the bytes away as they come, in order.

#ifndef NORN_STORAGE_TABLE_BUILDER_H_
#define NORN_STORAGE_TABLE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/bloom.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"

namespace norn::storage {

struct TableOptions {
  size_t block_bytes = 4096;
  // A larger index is split into partitions of this size.
  size_t index_partition_bytes = 4096;
  int restart_interval = 16;
  int bloom_bits_per_key = 10;
  Compression compression = Compression::kNone;
};

class TableBuilder {
 public:
  TableBuilder(const TableOptions& options, uint64_t number, uint64_t file_id);

  // Keys must ascend strictly. A deletion has no value.
  void Add(absl::string_view key, uint64_t sequence, absl::string_view value,
           EntryKind kind = EntryKind::kValue);

  // Ends the table: adds filter, index, properties and footer. At least one entry.
  void Finish();

  // The bytes that are ready and were not taken yet.
  size_t ready_bytes() const { return ready_.size(); }
  std::string TakeReady() { return std::exchange(ready_, std::string()); }

  // Size of the file so far, as far as blocks are finished.
  uint64_t bytes() const { return meta_.bytes; }
  // Complete after Finish().
  const TableMeta& meta() const { return meta_; }

 private:
  void EndDataBlock();
  // Names the last finished block in the index, under `separator`.
  void IndexPending(absl::string_view separator);
  // Ends the partition behind the data blocks that it names.
  void EndPartition();
  BlockHandle Append(absl::string_view payload, Compression compression);
  std::string EncodeProperties() const;

  TableOptions options_;
  TableMeta meta_;
  BlockBuilder data_;
  BlockBuilder index_;       // of data blocks that no finished partition names
  BlockBuilder partitions_;  // the upper level
  BloomBuilder filter_;
  std::string ready_;
  // A finished block waits for the key behind it: its index key can be shorter then.
  bool pending_ = false;
  BlockHandle pending_handle_;
  uint64_t key_bytes_ = 0;
  uint64_t value_bytes_ = 0;
};

// A shortest key in [last, next).
std::string Separator(absl::string_view last, absl::string_view next);

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_BUILDER_H_
