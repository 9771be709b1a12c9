#include "storage/block_cache.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "core/check.h"
#include "core/random.h"

namespace norn::storage {

size_t BlockCache::IdHash::operator()(const BlockId& id) const {
  // Numbers of tables are small: this spreads them over what offsets leave free.
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  return static_cast<size_t>(SplitMix64(id.table * kGolden ^ id.offset));
}

const std::shared_ptr<const Block>& BlockCache::Find(const BlockId& id) {
  const std::shared_ptr<const Block>& held = FindHeld(id);
  misses_ += held == nullptr ? 1u : 0u;
  return held;
}

const std::shared_ptr<const Block>& BlockCache::FindHeld(const BlockId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return none_;
  ++hits_;
  found->second.chances = found->second.chances_max;
  return found->second.block;
}

void BlockCache::Insert(const BlockId& id, std::shared_ptr<const Block> block) {
  CORE_CHECK(id.table != 0);
  const size_t bytes = block->bytes() + kOverheadBytes;
  if (bytes > bytes_max_ || entries_.contains(id)) return;
  while (bytes_ > bytes_max_ - bytes) EvictOne();
  if (free_.empty()) {
    ring_.push_back(id);
  } else {
    // Mostly the place that the hand has just left: it comes there last.
    ring_[free_.back()] = id;
    free_.pop_back();
  }
  bytes_ += bytes;
  const bool is_index = block->AsIndex() != nullptr;
  if (is_index) index_bytes_ += bytes;
  entries_.emplace(
      id, Entry{.block = std::move(block), .chances_max = is_index ? kChancesOfIndex : kChances});
}

void BlockCache::EvictOne() {
  for (;;) {
    if (hand_ >= ring_.size()) hand_ = 0;
    BlockId& id = ring_[hand_++];
    if (id.table == 0) continue;
    const auto entry = entries_.find(id);
    if (entry->second.chances == 0) {
      const Block& block = *entry->second.block;
      const size_t bytes = block.bytes() + kOverheadBytes;
      bytes_ -= bytes;
      if (block.AsIndex() != nullptr) index_bytes_ -= bytes;
      entries_.erase(entry);
      id.table = 0;
      free_.push_back(hand_ - 1);
      return;
    }
    --entry->second.chances;
  }
}

}  // namespace norn::storage
