// Names and units that the whole of Norn shares.
//
// Time is an int64_t in microseconds: monotonic time since an arbitrary origin
// (`..._us`), or wall time since 1970 (`wall_us`). The core never asks for it: each
// step is told, once (Microsoft's Ironclad: one clock reading per step).

#ifndef NORN_CORE_TYPES_H_
#define NORN_CORE_TYPES_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace norn {

// A server of the cluster, 1 to 65535, fixed for its life. 0 is nobody.
using NodeId = uint16_t;
inline constexpr NodeId kNoNode = 0;

// One of the Q equal parts of the hash ring, 0 to Q-1.
using PartitionId = uint16_t;

// Where a store keeps hints, apart from all partitions: never one of them (Q is at most 16384).
inline constexpr PartitionId kHintSpace = 0xffff;

// A named configuration of keys. Bucket 0 always exists.
using BucketId = uint16_t;

// Rises by at least one with every start of a node; orders what it says of itself.
using Generation = uint64_t;

// Unique among all requests that one generation of one node ever makes.
using RequestId = uint64_t;

// The longest time to live that is taken: 100 years, so that sums never overflow.
inline constexpr int64_t kTtlUsMax = int64_t{100} * 365 * 24 * 3600 * 1'000'000;

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// One reading of both clocks, taken by the host once per step.
struct Now {
  int64_t monotonic_us = 0;  // never goes back while the process lives
  int64_t wall_us = 0;       // may jump either way: nothing that must be true may rest on it
};

// A record key is what a record is stored, hashed and exchanged under: the bucket's
// number, big-endian, then the client's key. Buckets are thereby contiguous ranges.
inline constexpr size_t kBucketPrefixBytes = 2;

inline std::string MakeRecordKey(BucketId bucket, absl::string_view key) {
  std::string out;
  out.reserve(kBucketPrefixBytes + key.size());
  out.push_back(static_cast<char>(bucket >> 8));
  out.push_back(static_cast<char>(bucket & 0xff));
  out.append(key.data(), key.size());
  return out;
}

inline BucketId BucketOf(absl::string_view record_key) {
  if (record_key.size() < kBucketPrefixBytes) return 0;
  return static_cast<BucketId>((static_cast<uint8_t>(record_key[0]) << 8) |
                               static_cast<uint8_t>(record_key[1]));
}

inline absl::string_view ClientKeyOf(absl::string_view record_key) {
  if (record_key.size() < kBucketPrefixBytes) return absl::string_view();
  return record_key.substr(kBucketPrefixBytes);
}

}  // namespace norn

#endif  // NORN_CORE_TYPES_H_
