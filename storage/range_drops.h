// Ranges of keys whose older entries are gone: what DropRange() leaves behind until the tables
// have been rid of them.
//
// A drop {from, to, sequence} hides every entry whose key is in [from, to) ("" as `to`: no bound)
// and whose sequence is at most `sequence`. It costs nothing to make, however much it hides
// (LevelDB's successors call it a range tombstone). Since a key's entries are hidden from the
// oldest up to some sequence, a hidden newest entry means that all of the key's are.
//
// Immutable, so safe to use from any thread. Asking is O(log drops), and O(1) where there are none.

#ifndef NORN_STORAGE_RANGE_DROPS_H_
#define NORN_STORAGE_RANGE_DROPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::storage {

struct RangeDrop {
  std::string from;
  std::string to;  // "": no bound
  uint64_t sequence = 0;

  bool Covers(absl::string_view key) const {
    return key >= absl::string_view(from) && (to.empty() || key < absl::string_view(to));
  }
  // Whether some key of [smallest, largest] is in the range; whether all of them are.
  bool Overlaps(absl::string_view smallest, absl::string_view largest) const {
    return largest >= absl::string_view(from) && (to.empty() || smallest < absl::string_view(to));
  }
  bool Contains(absl::string_view smallest, absl::string_view largest) const {
    return Covers(smallest) && Covers(largest);
  }
  bool operator==(const RangeDrop&) const = default;
};

class RangeDrops {
 public:
  RangeDrops() = default;
  explicit RangeDrops(std::vector<RangeDrop> drops);

  bool empty() const { return drops_.empty(); }
  const std::vector<RangeDrop>& all() const { return drops_; }

  // Whether an entry of `key` with this sequence is gone.
  bool Hides(absl::string_view key, uint64_t sequence) const {
    return !drops_.empty() && sequence <= SequenceAt(key);
  }

  // Whether a range begins or ends behind `a` and not behind `b`, which must not be below `a`.
  bool Separates(absl::string_view a, absl::string_view b) const {
    return !drops_.empty() && PieceAt(a) != PieceAt(b);
  }

  // Whether all entries with keys in [smallest, largest] and sequences up to `sequence` are gone.
  bool HidesAll(absl::string_view smallest, absl::string_view largest, uint64_t sequence) const;

 private:
  // The ranges cut into pieces that do not overlap: from `begin` up to the next piece's, what
  // is at most `sequence` is hidden (0: nothing).
  struct Piece {
    std::string begin;
    uint64_t sequence = 0;
  };

  // How many pieces begin at or before the key.
  size_t PieceAt(absl::string_view key) const;
  uint64_t SequenceAt(absl::string_view key) const;

  std::vector<RangeDrop> drops_;
  std::vector<Piece> pieces_;  // ascending
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_RANGE_DROPS_H_
