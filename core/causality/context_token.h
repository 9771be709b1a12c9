// Context tokens: a version vector that a client carries from a read to a write.
//
// Opaque to clients, and authenticated: a token vouches for "I have seen all this of
// this key", and a forged one would silently swallow writes made later. The MAC
// (SipHash-2-4, Aumasson and Bernstein, 2012; 64 bits) is over the cluster's secret, the
// bucket, the key and the vector, so a token of another key, bucket or cluster is refused.
//
//   token := 0x01 fixed64(mac) varint(#entries) (fixed64(incarnation) varint(counter))*

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

  std::string Seal(absl::string_view record_key, const VersionVector& context) const;

  // kInvalidArgument for what this cluster never gave out for this key.
  absl::StatusOr<VersionVector> Open(absl::string_view record_key, absl::string_view token) const;

 private:
  uint64_t Mac(absl::string_view record_key, absl::string_view body) const;

  uint64_t key0_;
  uint64_t key1_;
};

}  // namespace norn

#endif  // NORN_CORE_CAUSALITY_CONTEXT_TOKEN_H_
