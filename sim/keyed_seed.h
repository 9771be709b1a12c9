// Chance by name: every choice of a run has a key, and the key says what the choice is about
// ("the delay of the 3rd ReplicaWrite of k7 from n1 to n4").
//
//   KeyedSeed(seed).With("network").With(1).With(4).With("ReplicaWrite").Stream()
//
// One stream from which everybody draws in turn would give every choice another value as soon as
// one of them is left out, or the code sends a message more. Keyed, the others stay what they
// were: that is what cutting a run down, and replaying it with changed code, live on.

#ifndef NORN_SIM_KEYED_SEED_H_
#define NORN_SIM_KEYED_SEED_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/random.h"
#include "xxhash.h"

namespace norn::sim {

class KeyedSeed {
 public:
  explicit KeyedSeed(uint64_t seed) : value_(SplitMix64(seed)) {}

  // Order counts: With(1).With(2) is not With(2).With(1).
  KeyedSeed With(uint64_t part) const {
    KeyedSeed next = *this;
    next.value_ = SplitMix64(SplitMix64(value_) ^ part);
    return next;
  }
  KeyedSeed With(absl::string_view name) const {
    return With(XXH3_64bits(name.data(), name.size()));
  }
  KeyedSeed With(const char* name) const { return With(absl::string_view(name)); }

  // A stream of its own for what the key names; the same one whenever it is asked for.
  Random Stream() const { return Random(value_); }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_KEYED_SEED_H_
