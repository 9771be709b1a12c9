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
//   * a delete is a version as well (a tombstone): absence would be "never seen".
//
// Canonical encoding; equal records have equal bytes (integers as in core/coding.h):
//   record  := 0x01 varint(#context) entry* varint(#versions) version*
//   entry   := fixed64(incarnation) varint(counter)
//   version := varint(index of the incarnation in the context) varint(counter)
//              byte(flags: bit 0 tombstone) varint(wall_us) bytes(value)

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
                           // winner among siblings, never for deciding what is newer
  bool tombstone = false;  // a delete; `value` is empty
  std::string value;

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

  const VersionVector& context() const { return context_; }
  const std::vector<Version>& versions() const { return versions_; }
  bool empty() const { return context_.empty(); }
  // Nothing seen, or nothing alive but tombstones.
  bool HasValue() const;
  // Live values, not counting tombstones.
  size_t SiblingCount() const;

  friend bool operator==(const Record&, const Record&) = default;

 private:
  VersionVector context_;
  std::vector<Version> versions_;
};

// A version whose value still lies in the encoded record.
struct VersionView {
  Dot dot;
  int64_t wall_us = 0;
  bool tombstone = false;
  absl::string_view value;

  friend bool operator==(const VersionView&, const VersionView&) = default;
};

// A record that borrows its values: for those who look at, or write anew, what they do not
// keep. The bytes must outlive it.
struct RecordView {
  VersionVector context;
  std::vector<VersionView> versions;

  // As Record::Decode, into a fresh view.
  static bool Parse(absl::string_view bytes, RecordView* view);
  std::string Encode() const;
  // As Record::Put.
  void Put(const VersionView& version, const VersionVector& base);
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
