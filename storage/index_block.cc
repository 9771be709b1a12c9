#include "storage/index_block.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "storage/key_prefix.h"

namespace norn::storage {

std::shared_ptr<const IndexBlock> IndexBlock::Parse(std::string bytes, uint64_t limit) {
  std::shared_ptr<IndexBlock> block(new IndexBlock(std::move(bytes)));
  return block->TakeRestarts() && block->TakeEntries(limit) ? block : nullptr;
}

bool IndexBlock::TakeEntries(uint64_t limit) {
  if (restarts() == 0) return false;
  const std::optional<absl::string_view> first = RestartKey(0);
  const std::optional<absl::string_view> last = RestartKey(restarts() - 1);
  if (!first.has_value() || !last.has_value()) return false;
  const auto differ = std::mismatch(first->begin(), first->end(), last->begin(), last->end());
  // A separator that stands alone would leave nothing to compare.
  const auto shared =
      restarts() == 1 ? size_t{0} : static_cast<size_t>(differ.first - first->begin());
  shared_ = std::string(first->substr(0, shared));
  prefixes_.reserve(restarts());
  handles_.reserve(restarts());
  for (uint32_t i = 0; i < restarts(); ++i) {
    const std::optional<WholeEntry> entry = LoneEntry(i);
    if (!entry.has_value()) return false;
    const std::optional<BlockHandle> handle = DecodeHandle(entry->value);
    if (!handle.has_value() || handle->end() > limit) return false;
    if (entry->key.substr(0, shared) != absl::string_view(shared_)) return false;
    if (i > 0 && entry->key <= Separator(i - 1)) return false;
    prefixes_.push_back(KeyPrefix(entry->key.substr(shared)));
    handles_.push_back(*handle);
  }
  return true;
}

size_t IndexBlock::FirstBlockFor(absl::string_view key) const {
  const int order = key.substr(0, shared_.size()).compare(shared_);
  if (order != 0) return order > 0 ? size() : 0;
  const uint64_t prefix = KeyPrefix(key.substr(shared_.size()));
  // The last one that is below, or the first. Branch-free: which way it goes cannot be predicted.
  size_t at = 0;
  for (size_t left = prefixes_.size(); left > 1;) {
    const size_t half = left / 2;
    at += prefixes_[at + half - 1] < prefix ? half : 0;
    left -= half;
  }
  // Where eight bytes do not tell, whole keys must.
  while (at < prefixes_.size() && prefixes_[at] <= prefix &&
         (prefixes_[at] < prefix || Separator(at) < key)) {
    ++at;
  }
  return at;
}

}  // namespace norn::storage
