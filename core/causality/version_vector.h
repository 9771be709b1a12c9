// Dots and version vectors: who minted what, and what has been seen.
//
// A dot names one write for ever: the `counter`-th version minted by one incarnation of
// one replica. A version vector maps incarnations to the greatest counter seen, and says
// that everything up to it, for this key, has been seen (Preguica et al., Dotted Version
// Vectors, 2012; Almeida et al., Scalable and Accurate Causality Tracking, 2014).
//
// An incarnation ends when its replica may have forgotten a record that held its dots;
// a restarted replica that forgot nothing goes on under the old one.

#ifndef NORN_CORE_CAUSALITY_VERSION_VECTOR_H_
#define NORN_CORE_CAUSALITY_VERSION_VECTOR_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"

namespace norn {

// The upper 16 bits are the node's id, the rest was drawn when the incarnation began.
using Incarnation = uint64_t;

inline Incarnation MakeIncarnation(NodeId node, uint64_t drawn) {
  return (static_cast<uint64_t>(node) << 48) | (drawn & 0xffffffffffffull);
}
inline NodeId NodeOf(Incarnation incarnation) { return static_cast<NodeId>(incarnation >> 48); }

struct Dot {
  Incarnation incarnation = 0;
  uint64_t counter = 0;  // from 1

  friend bool operator==(const Dot&, const Dot&) = default;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

// "3.9f2c01:17" (node, start of the incarnation, counter): for people.
std::string ToString(const Dot& dot);

// Entries are sorted by incarnation and unique, so that equal vectors are equal bytes.
// A handful of entries: linear merges beat any map.
class VersionVector {
 public:
  struct Entry {
    Incarnation incarnation = 0;
    uint64_t counter = 0;
    // The wall clock of the last mint under it that is known, for pruning; 0: none is.
    int64_t minted_us = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // The greatest counter seen of `incarnation`; 0: none.
  uint64_t Get(Incarnation incarnation) const;
  bool Covers(const Dot& dot) const { return Get(dot.incarnation) >= dot.counter; }
  // Whether everything that `other` has seen has been seen here.
  bool CoversAll(const VersionVector& other) const;

  // Raises the entry to at least the dot's counter, and its time to at least `minted_us`.
  void Add(const Dot& dot, int64_t minted_us = 0);
  void Join(const VersionVector& other);  // entry-wise maximum of both. O(n + m)
  // Forgets an entry: only for pruning (core/causality/pruning.h).
  void Drop(Incarnation incarnation);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const std::vector<Entry>& entries() const { return entries_; }

  // For decoders: appends an entry; false unless incarnations rise strictly, the counter is > 0
  // and the time is not negative.
  bool AppendSorted(Incarnation incarnation, uint64_t counter, int64_t minted_us = 0);

  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_VERSION_VECTOR_H_
