// Blocks of data and of indexes in memory; which leave is decided by second chance (CLOCK).
//
// A hit sets a bit and moves nothing, which makes it cheaper than a list in order of use, and
// the hit rate is about the same. (F. Corbato, A Paging Experiment with the Multics System,
// 1968.) A block that was never asked for again since it came leaves first, so that reads of
// many blocks once do not push out what is read often. A block of an index, once it was asked for
// again, has more chances: it stands for a hundred blocks of data.
//
// Single-threaded, no shards (one engine belongs to one host), no clock: the same calls give the
// same contents. The hash map is only ever asked for a key; its order reaches nothing. A block
// that leaves the cache lives on while somebody holds it.

#ifndef NORN_STORAGE_BLOCK_CACHE_H_
#define NORN_STORAGE_BLOCK_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "storage/block.h"

namespace norn::storage {

// Which block: numbers of files are never used twice.
struct BlockId {
  uint64_t table = 0;
  uint64_t offset = 0;

  auto operator<=>(const BlockId&) const = default;
};

class BlockCache {
 public:
  explicit BlockCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Null if it is not there. O(1).
  const std::shared_ptr<const Block>& Find(const BlockId& id);
  // The same, for who asks again if it is not: a miss does not count.
  const std::shared_ptr<const Block>& FindHeld(const BlockId& id);
  // The same, but counts for nothing.
  const std::shared_ptr<const Block>& Peek(const BlockId& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? none_ : found->second.block;
  }
  // Has the processor fetch what Find will look at.
  void Prefetch(const BlockId& id) const { entries_.prefetch(id); }
  // A block that is larger than the whole cache is not kept. O(1), amortized.
  void Insert(const BlockId& id, std::shared_ptr<const Block> block);

  size_t bytes() const { return bytes_; }
  // Of them, those of blocks of indexes.
  size_t index_bytes() const { return index_bytes_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    std::shared_ptr<const Block> block;
    uint8_t chances_max = 1;  // that a hit gives it
    uint8_t chances = 0;      // how often the hand will pass it by
  };
  struct IdHash {
    size_t operator()(const BlockId& id) const;
  };
  static constexpr uint8_t kChances = 1;
  static constexpr uint8_t kChancesOfIndex = 3;
  // What an entry costs beside its block.
  static constexpr size_t kOverheadBytes = 128;

  void EvictOne();

  const size_t bytes_max_;
  size_t bytes_ = 0;
  size_t index_bytes_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  const std::shared_ptr<const Block> none_;
  size_t hand_ = 0;            // in ring_: who is looked at next
  std::vector<BlockId> ring_;  // table 0: free
  std::vector<size_t> free_;
  absl::flat_hash_map<BlockId, Entry, IdHash> entries_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_BLOCK_CACHE_H_
