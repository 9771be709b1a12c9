// A block of a table's index: the places of other blocks, in the order of their keys.
//
// Its entry for a block is a key that is >= the block's last key and below the first key of the
// block behind it (the separator), and the block's handle. Every entry is a restart. Two levels of
// an index have the same form: the lower one's handles are of data blocks, the upper one's of
// blocks of the lower (table_format.h).
//
// Beside its bytes it holds its entries once more, for a binary search that touches little
// memory: eight bytes of each separator, from where those begin to differ, and the handles.

#ifndef NORN_STORAGE_INDEX_BLOCK_H_
#define NORN_STORAGE_INDEX_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/block.h"
#include "storage/table_format.h"

namespace norn::storage {

class IndexBlock final : public Block {
 public:
  // Null if it is malformed, is empty, or points at or behind `limit`. O(n).
  static std::shared_ptr<const IndexBlock> Parse(std::string bytes, uint64_t limit);

  const IndexBlock* AsIndex() const override { return this; }
  size_t bytes() const override {
    return Block::bytes() + size() * (sizeof(uint64_t) + sizeof(BlockHandle));
  }

  // At least one.
  size_t size() const { return handles_.size(); }
  const BlockHandle& handle(size_t i) const { return handles_[i]; }
  // Not below the last key of block `i`, and below the first of the next one.
  absl::string_view Separator(size_t i) const {
    return *RestartKey(static_cast<uint32_t>(i));  // Parse has seen it
  }
  // The first block that may hold `key` or what comes behind it; size(): none. O(log n).
  size_t FirstBlockFor(absl::string_view key) const;

 private:
  explicit IndexBlock(std::string bytes) : Block(std::move(bytes)) {}
  bool TakeEntries(uint64_t limit);

  std::string shared_;  // what all separators begin with
  std::vector<uint64_t> prefixes_;
  std::vector<BlockHandle> handles_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_INDEX_BLOCK_H_
