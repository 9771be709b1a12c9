// A block of a table: sorted entries with shared prefixes.
//
//   block   := entry* restart:fixed32{n} n:fixed32
//   entry   := shared:varint unshared:varint value_size:varint sequence:varint
//              key_tail[unshared] value[value_size]
//            | shared:varint unshared:varint kDeletionSize:varint sequence:varint
//              key_tail[unshared]                                    (entry_kind.h)
//   restart := offset of an entry whose key is whole (shared = 0)
//
// An entry's key is the first `shared` bytes of the key before it, then its own tail.
// Every restart_interval-th entry is whole, and binary search goes over those; the first
// entry is one of them. Keys are unique and ascending within a block. The blocks of a table's
// index have the same form: there the value is the handle of a block (index_block.h).
//
// Reading is safe on hostile bytes: a cursor over a malformed block says damaged().

#ifndef NORN_STORAGE_BLOCK_H_
#define NORN_STORAGE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/entry_kind.h"

namespace norn::storage {

class BlockBuilder {
 public:
  explicit BlockBuilder(int restart_interval) : restart_interval_(restart_interval) {}

  // `key` must be above the last one. A deletion has no value.
  void Add(absl::string_view key, uint64_t sequence, absl::string_view value,
           EntryKind kind = EntryKind::kValue);

  // The finished block, valid until Reset().
  absl::string_view Finish();
  void Reset();

  bool empty() const { return entries_ == 0; }
  size_t bytes() const { return buffer_.size() + 4 * restarts_.size() + 4; }
  const std::string& last_key() const { return last_key_; }

 private:
  int restart_interval_;
  std::string buffer_;
  std::vector<uint32_t> restarts_;
  std::string last_key_;
  int since_restart_ = 0;
  size_t entries_ = 0;
};

class IndexBlock;

// The bytes of a block, checked and immutable. Shared by cache, readers and iterators.
class Block {
 public:
  // Null if the restarts do not fit the block.
  static std::shared_ptr<const Block> Parse(std::string bytes);
  virtual ~Block() = default;

  // This very block, if it was parsed as one of an index; null otherwise.
  virtual const IndexBlock* AsIndex() const { return nullptr; }

  // Memory that its contents take.
  virtual size_t bytes() const { return bytes_.size(); }
  uint32_t restarts() const { return restarts_; }
  // The whole key at a restart; nothing if it is malformed. O(1).
  std::optional<absl::string_view> RestartKey(uint32_t i) const;

  struct WholeEntry {
    absl::string_view key;
    absl::string_view value;
  };
  // The entry at a restart; nothing if it is malformed, or others follow it before the next
  // restart. O(1).
  std::optional<WholeEntry> LoneEntry(uint32_t i) const;

  // Has the processor fetch where a search begins: the restarts, and the middle.
  void Prefetch() const {
    __builtin_prefetch(bytes_.data() + bytes_.size() - 4);
    __builtin_prefetch(bytes_.data() + bytes_.size() / 2);
    __builtin_prefetch(bytes_.data());
  }

  // Looks `key` up without building any other key. The view lives as long as the block. kFound
  // and kDeleted: `*sequence` is the entry's.
  enum class Outcome { kFound, kDeleted, kAbsent, kDamaged };
  Outcome Find(absl::string_view key, absl::string_view* value, uint64_t* sequence) const;

 protected:
  explicit Block(std::string bytes) : bytes_(std::move(bytes)) {}
  // Takes the restarts; false if they do not fit the block, which is then of no use.
  bool TakeRestarts();

 private:
  friend class BlockCursor;

  // The entries, without the restarts.
  absl::string_view entries() const {
    return absl::string_view(bytes_).substr(0, bytes_.size() - 4 - size_t{4} * restarts_);
  }
  uint32_t restart(uint32_t i) const;
  // The offset of the last restart whose key is below `key`, or of the first: what is sought is
  // there or behind. Nothing if an entry on the way is malformed.
  std::optional<size_t> SeekRestart(absl::string_view key) const;

  std::string bytes_;
  uint32_t restarts_ = 0;
};

class BlockCursor {
 public:
  BlockCursor() = default;
  explicit BlockCursor(std::shared_ptr<const Block> block) : block_(std::move(block)) {}

  void SeekToFirst();
  // To the first entry whose key is >= `key`.
  void Seek(absl::string_view key);
  void Next();

  // At an entry. False behind the last one and when the block is damaged.
  bool Valid() const { return valid_; }
  bool damaged() const { return damaged_; }

  // The key stays when Next() finds no further entry.
  absl::string_view key() const { return key_; }
  absl::string_view value() const { return value_; }
  uint64_t sequence() const { return sequence_; }
  EntryKind kind() const { return kind_; }

 private:
  // Decodes the entry at next_; false if there is none, or it is malformed.
  bool Decode();
  void Damaged();

  std::shared_ptr<const Block> block_;
  size_t next_ = 0;  // offset of the entry behind the current one
  bool valid_ = false;
  bool damaged_ = false;
  std::string key_;
  absl::string_view value_;
  uint64_t sequence_ = 0;
  EntryKind kind_ = EntryKind::kValue;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_BLOCK_H_
