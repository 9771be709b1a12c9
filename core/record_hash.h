// A 128-bit hash of a record under its key; {0, 0} stands for "no record".
//
// Made by causality/record_hasher.h, keyed by the cluster; equal on every machine.

#ifndef NORN_CORE_RECORD_HASH_H_
#define NORN_CORE_RECORD_HASH_H_

#include <cstdint>

namespace norn {

struct RecordHash {
  uint64_t high = 0;
  uint64_t low = 0;

  bool absent() const { return high == 0 && low == 0; }
  friend bool operator==(const RecordHash&, const RecordHash&) = default;
};

}  // namespace norn

#endif  // NORN_CORE_RECORD_HASH_H_
