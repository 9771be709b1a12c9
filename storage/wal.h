// The write-ahead log: what it puts into the records of a record log (record_log.h).
//
//   body    := opening | group
//   opening := 1:byte first_sequence:varint previous:varint previous_bytes:varint [1:byte]
//   group   := 2:byte first_sequence:fixed64 count:fixed32 write{count}
//   write   := key:bytes value:bytes | key:bytes kDeletionSize:varint     (entry_kind.h)
//
// A group holds the writes that were committed together; its entries have the sequences
// first_sequence, first_sequence + 1, ... Groups are chained: each starts where the one
// before ended, the first one at the opening's first_sequence, and that is where the
// previous file ended. So a record that is missing is noticed even if it left no trace.
//
// The last byte is there in a lazy file only: one whose groups are not synced one by one.
// The opening names the file before this one (0: none) and how many of its bytes were
// durable: it vouches for them. What stands behind them does not count (a failed append
// may have left anything there, and was written again into this file).

#ifndef NORN_STORAGE_WAL_H_
#define NORN_STORAGE_WAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "storage/entry_kind.h"
#include "storage/record_log.h"

namespace norn::storage {

struct WalOpening {
  uint64_t first_sequence = 0;
  uint64_t previous_number = 0;
  uint64_t previous_bytes = 0;
  bool lazy = false;  // groups of this file are not synced one by one
};

std::string EncodeWalOpening(const WalOpening& opening);

// Writes on their way to the log, already in the log's encoding.
class WalGroup {
 public:
  explicit WalGroup(uint64_t first_sequence);

  // A deletion has no value.
  void Add(absl::string_view key, absl::string_view value, EntryKind kind = EntryKind::kValue);

  uint64_t first_sequence() const { return first_sequence_; }
  uint64_t last_sequence() const { return first_sequence_ + count_ - 1; }
  uint32_t count() const { return count_; }
  size_t bytes() const { return record_.size(); }
  bool empty() const { return count_ == 0; }

  // The record's bytes, to be written at the encoder's offset. A group can be sealed
  // again for another file.
  const std::string& Seal(LogEncoder* encoder);

 private:
  uint64_t first_sequence_;
  uint32_t count_ = 0;
  std::string record_;  // room for the head, then the body
};

// Takes the entries of a group one by one.
class WalGroupReader {
 public:
  // `body` must outlive the reader.
  explicit WalGroupReader(absl::string_view body);

  // False at the end, and when the group is malformed: see failed().
  bool Next();

  bool failed() const { return reader_.failed(); }
  uint64_t first_sequence() const { return first_sequence_; }
  uint32_t count() const { return count_; }
  uint64_t sequence() const { return first_sequence_ + taken_ - 1; }
  absl::string_view key() const { return key_; }
  absl::string_view value() const { return value_; }
  EntryKind kind() const { return kind_; }

 private:
  ByteReader reader_;
  uint64_t first_sequence_ = 0;
  uint32_t count_ = 0;
  uint32_t taken_ = 0;
  absl::string_view key_;
  absl::string_view value_;
  EntryKind kind_ = EntryKind::kValue;
};

// The opening in `body`, or nothing if it is not one or is malformed.
std::optional<WalOpening> DecodeWalOpening(absl::string_view body);

}  // namespace norn::storage

#endif  // NORN_STORAGE_WAL_H_
