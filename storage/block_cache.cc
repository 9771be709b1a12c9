#include "storage/block_cache.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "core/random.h"

namespace norn::storage {

size_t BlockCache::IdHash::operator()(const BlockId& id) const {
  return static_cast<size_t>(SplitMix64(SplitMix64(id.table) ^ id.offset));
}

std::shared_ptr<const Block> BlockCache::Find(const BlockId& id) {
  const auto found = index_.find(id);
  if (found == index_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->block;
}

void BlockCache::Insert(const BlockId& id, std::shared_ptr<const Block> block) {
  const size_t bytes = block->bytes() + kOverheadBytes;
  if (bytes > bytes_max_ || index_.contains(id)) return;
  EvictDownTo(bytes_max_ - bytes);
  entries_.push_front({.id = id, .block = std::move(block)});
  index_.emplace(id, entries_.begin());
  bytes_ += bytes;
}

void BlockCache::EvictDownTo(size_t bytes) {
  while (bytes_ > bytes) {
    const Entry& last = entries_.back();
    bytes_ -= last.block->bytes() + kOverheadBytes;
    index_.erase(last.id);
    entries_.pop_back();
  }
}

}  // namespace norn::storage
