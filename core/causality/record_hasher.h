// The hash by which replicas tell whether they hold the same record: 128 bits over the
// record key and the canonical record (never over protobuf bytes), keyed by the cluster.
//
// Keyed, because sums of these hashes stand for whole ranges of keys (merkle_tree.h): who
// chooses keys and values must not be able to make two sets of records sum alike. XXH3 with
// a secret compresses key and record at the speed of memory; SipHash-2-4, a pseudorandom
// function, makes the 128 bits of what it leaves, so that sums show no structure of the
// input (Bellare, Micciancio: A New Paradigm for Collision-Free Hashing, 1997: incremental
// hashes should add, not XOR).
//
// All nodes of a cluster need the same name and secret. Threads: immutable.

#ifndef NORN_CORE_CAUSALITY_RECORD_HASHER_H_
#define NORN_CORE_CAUSALITY_RECORD_HASHER_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/record_hash.h"

namespace norn {

class RecordHasher {
 public:
  RecordHasher(absl::string_view cluster, absl::string_view secret);

  // `record` in its canonical encoding; empty: {0, 0}. O(bytes), some 0.1 microseconds for a
  // small record.
  RecordHash Hash(absl::string_view record_key, absl::string_view record) const;

  // Equal for hashers of equal hashes: a saved tree is of no use under another secret.
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  std::array<char, 192> secret_{};  // of XXH3
  std::array<uint64_t, 4> keys_{};  // of SipHash, for the upper and the lower half
  uint64_t fingerprint_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_RECORD_HASHER_H_
