// The writes that are not in a table yet: a skip list in an arena.
//
// Invariants:
//   * nodes are ordered by key, and among equal keys by falling sequence: the first node
//     of a key is its newest write;
//   * a node never changes after it was linked, but for its links;
//   * heights are drawn from a generator of the memtable's own, so that equal seeds and
//     writes make equal lists.
//
// Threads: written on the engine's thread. Once the engine has retired it, it is
// immutable, and a flush may read it on another thread beside the engine.
//
// Add and Find are O(log n) on average. (W. Pugh, Skip Lists: A Probabilistic
// Alternative to Balanced Trees, 1990.) A node caches the first eight bytes of its key as
// a number, so most comparisons touch neither the key nor a function call.

#ifndef NORN_STORAGE_MEMTABLE_H_
#define NORN_STORAGE_MEMTABLE_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/random.h"
#include "storage/arena.h"
#include "storage/iterator.h"

namespace norn::storage {

class Memtable {
 public:
  explicit Memtable(uint64_t seed);
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // `sequence` must be above all that were added before.
  void Add(uint64_t sequence, absl::string_view key, absl::string_view value);

  // The newest write of `key`; false if there is none. The view lives as long as the
  // memtable.
  bool Find(absl::string_view key, absl::string_view* value, uint64_t* sequence) const;

  size_t bytes() const { return arena_.bytes(); }
  size_t entries() const { return entries_; }
  bool empty() const { return entries_ == 0; }
  uint64_t last_sequence() const { return last_sequence_; }

 private:
  friend class MemtableIterator;
  struct Node;
  static constexpr int kHeightMax = 12;

  // The first node whose key is >= `key`; fills `before` (if given) with the last node
  // before it on every level.
  Node* SeekNode(absl::string_view key, Node** before) const;
  int DrawHeight();

  Arena arena_;
  Random random_;
  Node* head_;
  int height_ = 1;
  size_t entries_ = 0;
  uint64_t last_sequence_ = 0;
};

// All writes of a memtable, older ones of a key included. The memtable must outlive it.
class MemtableIterator : public Iterator {
 public:
  explicit MemtableIterator(const Memtable* memtable) : memtable_(memtable) {}

  void Seek(absl::string_view key) override;
  void Next() override;
  void Resume() override {}
  absl::string_view key() const override;
  absl::string_view value() const override;
  uint64_t sequence() const override;

 private:
  const Memtable* memtable_;
  const Memtable::Node* node_ = nullptr;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_MEMTABLE_H_
