// The record: everything a replica knows of one key. A dotted version vector set.
//
// A record is a causal context (a version vector: all dots ever seen for the key) and
// the versions that are alive, each under its own dot. Concurrent versions live side by
// side as siblings; a version dies when a context that covers its dot arrives without it.
// (N. Preguica et al., Dotted Version Vectors, 2012; P. Almeida et al., Scalable and
// Accurate Causality Tracking for Eventually Consistent Stores, 2014. Whole records
// travel, never a lone new value.)
//
// Invariants (held by every operation, checked by Decode):
//   * every version's dot is covered by the context;
//   * versions are sorted by dot, and dots are unique;
//   * Merge is commutative, associative and idempotent: replicas that have merged the
//     same records hold the same bytes, in whatever order they came;
//   * a delete is a version as well (a tombstone): absence would be "never seen"; so is a
//     version whose time to live is over, to whoever reads it then.
//
// A record of a last-writer-wins bucket is marked as such when it is minted, so that whoever
// merges it need not know its bucket. Of it exactly one version is kept: the greatest by
// (timestamp, dot). Contexts are joined, and decide nothing: merging is the maximum of a
// total order beside the join of a lattice, hence commutative, associative and idempotent
// for any records whatsoever. (Deciding by contexts first, as siblings do, is not: of
// v1 at 100, v2 at 50, and v3 at 10 that replaced v1, the order of merging would pick v2 or
// v3.) So a version must be minted above all that it replaces: record_ops.h. Merged with a
// record that is not marked the result is: the mark stays for ever.
//
// Canonical encoding; equal records have equal bytes (integers as in core/coding.h):
//   record  := byte(format) varint(#context) entry* varint(#versions) version*
//   format  := 0x01, plus 0x02 if last-writer-wins, plus 0x04 if entries have times
//   entry   := fixed64(incarnation) varint(counter) [varint(minted_us), if entries have times]
//   version := varint(index of the incarnation in the context) varint(counter)
//              byte(flags: bit 0 tombstone, bit 1 expires) varint(wall_us)
//              [varint(expires_us), if it expires] bytes(value)
// Rules of change: a format bit or flag is never used again, and a record that does not need
// it has the same bytes as before it came. Who does not know one takes the record for
// damaged, so nodes must know it before a bucket is configured to use it.

#ifndef NORN_CORE_CAUSALITY_RECORD_H_
#define NORN_CORE_CAUSALITY_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/causality/version_vector.h"

namespace norn {

struct Version {
  Dot dot;
  int64_t wall_us = 0;     // wall clock of the minting replica: for people and for picking a
                           // winner among siblings, never for deciding what is newer; in a
                           // last-writer-wins record the hybrid timestamp that decides
  bool tombstone = false;  // a delete; `value` is empty
  std::string value;
  int64_t expires_us = 0;  // wall time from which on it counts as a tombstone; 0: never

  // Is this a tombstone to somebody whose wall clock shows `wall_now_us`?
  bool IsDeadAt(int64_t wall_now_us) const {
    return tombstone || (expires_us != 0 && expires_us <= wall_now_us);
  }

  friend bool operator==(const Version&, const Version&) = default;
};

class Record {
 public:
  Record() = default;

  // False on bytes that are not a canonical record. Empty bytes are the empty record.
  static bool Decode(absl::string_view bytes, Record* record);
  // What Decode accepts. O(context + versions): values are not copied.
  static bool IsCanonical(absl::string_view bytes);
  // The empty record encodes to empty bytes.
  std::string Encode() const;

  // Takes over all that `other` has seen: keeps what both have, and what the other side
  // has not seen yet. O(context + versions).
  void Merge(const Record& other);

  // Puts a version under a fresh dot in place of all versions that `context` covers; the
  // others stay as siblings.
  void Put(Version version, const VersionVector& context);

  // Whether it is of a last-writer-wins bucket.
  bool last_writer_wins() const { return last_writer_wins_; }
  // Marks it, and keeps the winner.
  void MarkLastWriterWins();

  const VersionVector& context() const { return context_; }
  const std::vector<Version>& versions() const { return versions_; }
  bool empty() const { return context_.empty(); }
  // Nothing seen, or nothing alive but tombstones.
  bool HasValue() const;
  // Live values, not counting tombstones; values that expire are counted.
  size_t SiblingCount() const;

  friend bool operator==(const Record&, const Record&) = default;

 private:
  bool last_writer_wins_ = false;
  VersionVector context_;
  std::vector<Version> versions_;
};

// A version whose value still lies in the encoded record.
struct VersionView {
  Dot dot;
  int64_t wall_us = 0;
  bool tombstone = false;
  absl::string_view value;
  int64_t expires_us = 0;

  bool IsDeadAt(int64_t wall_now_us) const {
    return tombstone || (expires_us != 0 && expires_us <= wall_now_us);
  }

  friend bool operator==(const VersionView&, const VersionView&) = default;
};

// The winner of two concurrent versions: the newer timestamp's, then the greater dot's. Total,
// and the same everywhere.
bool WinsOver(const VersionView& a, const VersionView& b);

// A record that borrows its values: for those who look at, or write anew, what they do not
// keep. The bytes must outlive it.
struct RecordView {
  bool last_writer_wins = false;
  VersionVector context;
  std::vector<VersionView> versions;

  // As Record::Decode, into a fresh view.
  static bool Parse(absl::string_view bytes, RecordView* view);
  std::string Encode() const;
  // As Record::Put. `minted_us`: the time of the context's entry; 0: none is kept.
  void Put(const VersionView& version, const VersionVector& base, int64_t minted_us = 0);
  // The greatest timestamp of its versions; INT64_MIN if there are none.
  int64_t NewestWallUs() const;
};

// Merges encoded records without a copy of any value but the result's. The common cases
// (equal, one empty) cost a comparison; what they pass on is not looked into. False: one
// of them is corrupt.
bool MergeEncoded(absl::string_view a, absl::string_view b, std::string* merged);

// "what `a` holds, `b` holds too": merging `a` into `b` would change nothing.
// False as well if either is seen to be corrupt (equal and empty bytes are not looked into).
bool IsCoveredBy(absl::string_view a, absl::string_view b);

// Whether the record has seen dots of `newest`'s incarnation with greater counters. Looks at the
// context only; false for bytes that are no record. O(context).
bool HasSeenBeyond(absl::string_view record, const Dot& newest);

// "{3.9f2c01:17=5 bytes, 2.1a2b3c:4=deleted} seen {...}": for traces.
std::string DebugString(const Record& record);

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_RECORD_H_
