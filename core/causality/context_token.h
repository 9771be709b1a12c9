// Context tokens: a version vector that a client carries from a read to a write.
//
// Opaque to clients, and authenticated: a token vouches for "I have seen all this of
// this key", and a forged one would silently swallow writes made later. The MAC
// (SipHash-2-4, Aumasson and Bernstein, 2012; 64 bits) is over the cluster's secret, the
// bucket, the key and the vector, so a token of another key, bucket or cluster is refused.
//
// In a last-writer-wins bucket a token also tells the newest timestamp that its client has
// seen, so that what it writes next is dated later.
//
//   token  := 0x01 fixed64(mac) vector | 0x02 fixed64(mac) varint(timestamp) vector
//   vector := varint(#entries) (fixed64(incarnation) varint(counter))*
//
// Each of the two has MAC keys of its own: one is never taken for the other.

#ifndef NORN_CORE_CAUSALITY_CONTEXT_TOKEN_H_
#define NORN_CORE_CAUSALITY_CONTEXT_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/causality/version_vector.h"

namespace norn {

uint64_t SipHash24(uint64_t key0, uint64_t key1, absl::string_view data);

class TokenSealer {
 public:
  // `cluster` and `secret` together make the key: equal on all nodes of a cluster.
  TokenSealer(absl::string_view cluster, absl::string_view secret);

  // `wall_us`: the newest timestamp seen, for a last-writer-wins bucket; 0: none is told.
  std::string Seal(absl::string_view record_key, const VersionVector& context,
                   int64_t wall_us = 0) const;

  // kInvalidArgument for what this cluster never gave out for this key. `*wall_us`, if wanted:
  // the timestamp, 0 if the token tells none.
  absl::StatusOr<VersionVector> Open(absl::string_view record_key, absl::string_view token,
                                     int64_t* wall_us = nullptr) const;

 private:
  struct MacKey {
    uint64_t key0;
    uint64_t key1;
  };

  uint64_t Mac(char format, absl::string_view record_key, absl::string_view body) const;

  MacKey plain_;
  MacKey dated_;
};

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_CONTEXT_TOKEN_H_
