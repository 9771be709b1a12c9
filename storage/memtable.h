// The writes that are not in a table yet: a B-tree over entries in an arena.
//
// Invariants:
//   * entries are ordered by key, and among equal keys by falling sequence: the first entry
//     of a key is its newest write;
//   * an entry never changes and never moves.
//
// Threads: written on the engine's thread. Once the engine has retired it, it is
// immutable, and a flush may read it on another thread beside the engine.
//
// Add and Find are O(log n), Add behind the last key O(1). A slot of the tree holds the first
// sixteen bytes of its key as two numbers, so most comparisons touch nothing but the tree's own
// nodes, which hold several slots a cache line; each step through a skip list is a line of its own.

#ifndef NORN_STORAGE_MEMTABLE_H_
#define NORN_STORAGE_MEMTABLE_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "storage/arena.h"
#include "storage/entry_kind.h"
#include "storage/iterator.h"

namespace norn::storage {

class Memtable {
 public:
  Memtable() = default;
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // `sequence` must be above all that were added before. A deletion has no value.
  void Add(uint64_t sequence, absl::string_view key, absl::string_view value,
           EntryKind kind = EntryKind::kValue);

  // The newest write of `key`, which may be a deletion.
  struct Write {
    absl::string_view value;  // lives as long as the memtable
    uint64_t sequence = 0;
    EntryKind kind = EntryKind::kValue;
  };
  // False if there is none.
  bool Find(absl::string_view key, Write* write) const;

  // The same everywhere: what entries take, and a constant for each one's slot.
  size_t bytes() const { return arena_.bytes() + kSlotBytes * entries(); }
  size_t entries() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  uint64_t last_sequence() const { return last_sequence_; }

 private:
  friend class MemtableIterator;
  static constexpr size_t kSlotBytes = 32;  // of a tree whose nodes are three quarters full

  // Followed in memory by the key and the value.
  struct Entry {
    uint64_t sequence;
    uint32_t key_bytes;
    uint32_t value_bytes;  // kDeletionSize: a deletion

    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
    absl::string_view key() const { return absl::string_view(bytes(), key_bytes); }
    EntryKind kind() const {
      return value_bytes == kDeletionSize ? EntryKind::kDeletion : EntryKind::kValue;
    }
    absl::string_view value() const {
      const bool deletion = value_bytes == kDeletionSize;
      return absl::string_view(bytes() + key_bytes, deletion ? 0 : value_bytes);
    }
  };
  // The first sixteen bytes of a key, big-endian, zeros behind a shorter one: where two
  // prefixes differ, the keys compare alike.
  struct Prefix {
    explicit Prefix(absl::string_view key);
    uint64_t high;
    uint64_t low;
  };
  struct Slot {
    Prefix prefix;
    const Entry* entry;
  };
  // Before every entry of `key` whose sequence is at most `sequence`.
  struct Target {
    Prefix prefix;
    absl::string_view key;
    uint64_t sequence;
  };
  struct Before {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (a.prefix.high != b.prefix.high) return a.prefix.high < b.prefix.high;
      if (a.prefix.low != b.prefix.low) return a.prefix.low < b.prefix.low;
      const int order = KeyOf(a).compare(KeyOf(b));
      return order != 0 ? order < 0 : SequenceOf(a) > SequenceOf(b);
    }
    static absl::string_view KeyOf(const Slot& slot) { return slot.entry->key(); }
    static absl::string_view KeyOf(const Target& target) { return target.key; }
    static uint64_t SequenceOf(const Slot& slot) { return slot.entry->sequence; }
    static uint64_t SequenceOf(const Target& target) { return target.sequence; }
  };
  using Slots = absl::btree_set<Slot, Before>;

  Slots::const_iterator FirstOf(absl::string_view key) const {
    return slots_.lower_bound(Target{Prefix(key), key, UINT64_MAX});
  }

  Arena arena_;
  Slots slots_;
  uint64_t last_sequence_ = 0;
};

// All writes of a memtable, older ones of a key included. The memtable must outlive it, and may
// be added to meanwhile: what is added behind the iterator's place is met, or is not when it was
// added after the last Next() came to its end.
class MemtableIterator : public Iterator {
 public:
  explicit MemtableIterator(const Memtable* memtable) : memtable_(memtable) {}

  void Seek(absl::string_view key) override;
  void Next() override;
  void Resume() override {}
  absl::string_view key() const override;
  absl::string_view value() const override;
  uint64_t sequence() const override;
  EntryKind kind() const override;

 private:
  void Settle();

  const Memtable* memtable_;
  Memtable::Slots::const_iterator at_;
  const Memtable::Entry* entry_ = nullptr;
  size_t seen_entries_ = 0;  // an addition since then has made `at_` invalid
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_MEMTABLE_H_
