#include "storage/range_drops.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace norn::storage {

RangeDrops::RangeDrops(std::vector<RangeDrop> drops) : drops_(std::move(drops)) {
  struct Bound {
    std::vector<uint64_t> begin;  // sequences of the ranges that begin here
    std::vector<uint64_t> end;
  };
  std::map<std::string, Bound> bounds;
  for (const RangeDrop& drop : drops_) {
    bounds[drop.from].begin.push_back(drop.sequence);
    if (!drop.to.empty()) bounds[drop.to].end.push_back(drop.sequence);
  }
  std::multiset<uint64_t> open;
  for (const auto& [key, bound] : bounds) {
    open.insert(bound.begin.begin(), bound.begin.end());
    for (const uint64_t sequence : bound.end) open.erase(open.find(sequence));
    const uint64_t sequence = open.empty() ? 0 : *open.rbegin();
    if (!pieces_.empty() && pieces_.back().sequence == sequence) continue;
    pieces_.push_back({.begin = key, .sequence = sequence});
  }
}

size_t RangeDrops::PieceAt(absl::string_view key) const {
  const auto behind =
      std::upper_bound(pieces_.begin(), pieces_.end(), key,
                       [](absl::string_view k, const Piece& piece) { return k < piece.begin; });
  return static_cast<size_t>(behind - pieces_.begin());
}

uint64_t RangeDrops::SequenceAt(absl::string_view key) const {
  const size_t piece = PieceAt(key);
  return piece == 0 ? 0 : pieces_[piece - 1].sequence;
}

bool RangeDrops::HidesAll(absl::string_view smallest, absl::string_view largest,
                          uint64_t sequence) const {
  if (!Hides(smallest, sequence)) return false;
  for (const Piece& piece : pieces_) {
    const absl::string_view begin = piece.begin;
    if (begin > smallest && begin <= largest && piece.sequence < sequence) return false;
  }
  return true;
}

}  // namespace norn::storage
