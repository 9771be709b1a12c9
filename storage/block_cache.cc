#include "storage/block_cache.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "core/random.h"

namespace norn::storage {

size_t BlockCache::IdHash::operator()(const BlockId& id) const {
  return static_cast<size_t>(SplitMix64(SplitMix64(id.table) ^ id.offset));
}

const std::shared_ptr<const Block>& BlockCache::Find(const BlockId& id) {
  const auto found = index_.find(id);
  if (found == index_.end()) {
    ++misses_;
    return none_;
  }
  ++hits_;
  Entry& entry = entries_[found->second];
  entry.used = true;
  return entry.block;
}

void BlockCache::Insert(const BlockId& id, std::shared_ptr<const Block> block) {
  const size_t bytes = block->bytes() + kOverheadBytes;
  if (bytes > bytes_max_ || index_.contains(id)) return;
  while (bytes_ > bytes_max_ - bytes) EvictOne();
  size_t place = entries_.size();
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    // Mostly the one that the hand has just left: it comes there last.
    place = free_.back();
    free_.pop_back();
  }
  entries_[place] = {.id = id, .block = std::move(block)};
  index_.emplace(id, place);
  bytes_ += bytes;
}

void BlockCache::EvictOne() {
  for (;;) {
    if (hand_ >= entries_.size()) hand_ = 0;
    Entry& entry = entries_[hand_++];
    if (entry.block == nullptr) continue;
    if (!entry.used) {
      bytes_ -= entry.block->bytes() + kOverheadBytes;
      index_.erase(entry.id);
      entry.block = nullptr;
      free_.push_back(hand_ - 1);
      return;
    }
    entry.used = false;
  }
}

}  // namespace norn::storage
