// Data blocks in memory, the least recently used one leaving first.
//
// Single-threaded, no shards, no clock: the same calls give the same contents. The hash
// map is only ever asked for a key; its order reaches nothing. A block that leaves the
// cache lives on while somebody holds it.

#ifndef NORN_STORAGE_BLOCK_CACHE_H_
#define NORN_STORAGE_BLOCK_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

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

  // Null if it is not there.
  std::shared_ptr<const Block> Find(const BlockId& id);
  // A block that is larger than the whole cache is not kept.
  void Insert(const BlockId& id, std::shared_ptr<const Block> block);

  size_t bytes() const { return bytes_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    BlockId id;
    std::shared_ptr<const Block> block;
  };
  struct IdHash {
    size_t operator()(const BlockId& id) const;
  };
  // What an entry costs beside its block.
  static constexpr size_t kOverheadBytes = 128;

  void EvictDownTo(size_t bytes);

  size_t bytes_max_;
  size_t bytes_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<BlockId, std::list<Entry>::iterator, IdHash> index_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_BLOCK_CACHE_H_
