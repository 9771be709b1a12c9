// The newest applied records of keys that were used lately, so that a put need not search the
// tree for what it replaces, nor a hot get for what it answers.
//
// Invariants:
//   * an entry is the newest applied record of its key, with the sequence of the write that
//     made it: whoever writes to the engine tells the cache;
//   * bytes() counts keys, records and a constant for each, and does not exceed bytes_max, but
//     by one entry;
//   * what is dropped depends on the calls alone (second chance: F. Corbato, A Paging
//     Experiment with the Multics System, 1968).
//
// All calls are O(1), amortized. Threads: one.

#ifndef NORN_STORAGE_RECORD_CACHE_H_
#define NORN_STORAGE_RECORD_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

class RecordCache {
 public:
  struct Found {
    absl::string_view record;
    uint64_t sequence = 0;
  };

  // 0: keeps nothing.
  explicit RecordCache(size_t bytes_max) : bytes_max_(bytes_max) {}
  ~RecordCache();
  RecordCache(const RecordCache&) = delete;
  RecordCache& operator=(const RecordCache&) = delete;

  // False if the key is not here. The view lives until the next Put or Clear.
  bool Find(absl::string_view key, Found* found);
  void Put(absl::string_view key, absl::string_view record, uint64_t sequence);
  // Forgets the key, if it is here.
  void Erase(absl::string_view key);
  void Clear();

  size_t bytes() const { return bytes_; }
  size_t entries() const { return ring_.size(); }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  struct Entry;

  static Entry* NewEntry(absl::string_view key, absl::string_view record);
  static void Delete(Entry* entry);
  static size_t CostOf(const Entry& entry);
  void EvictOne();
  // Takes the entry at `place` out; the newest one goes to its place.
  void TakeOut(size_t place);

  const size_t bytes_max_;
  size_t bytes_ = 0;
  size_t hand_ = 0;  // in ring_: who is looked at next
  std::vector<Entry*> ring_;
  absl::flat_hash_map<absl::string_view, Entry*> index_;  // keys lie in the entries
  uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECORD_CACHE_H_
