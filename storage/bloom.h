// A bloom filter: answers "surely absent" or "perhaps present" for a key.
//
//   filter := line[64]{n} probes:byte
//
// Blocked: all probes of a key fall into one 64-byte line, so that a question costs one
// cache miss. (F. Putze, P. Sanders, J. Singler, Cache-, Hash- and Space-Efficient Bloom
// Filters, 2007.) At 10 bits a key about 1 % of absent keys pass. XXH3 with seed 0: the
// same bits on every machine. Checksummed with its block, as every block of a table is.

#ifndef NORN_STORAGE_BLOOM_H_
#define NORN_STORAGE_BLOOM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::storage {

class BloomBuilder {
 public:
  explicit BloomBuilder(int bits_per_key) : bits_per_key_(bits_per_key) {}

  void Add(absl::string_view key);
  std::string Finish() const;

 private:
  int bits_per_key_;
  std::vector<uint64_t> hashes_;
};

// What filters know of a key: made once, asked of many.
uint64_t BloomHash(absl::string_view key);

// False only if no key of that hash was added. A malformed filter passes everything.
bool BloomMayContain(absl::string_view filter, uint64_t hash);
// Has the processor fetch what that question will look at, so that the answers of several filters
// are waited for together.
void BloomPrefetch(absl::string_view filter, uint64_t hash);
inline bool BloomMayContain(absl::string_view filter, absl::string_view key) {
  return BloomMayContain(filter, BloomHash(key));
}

}  // namespace norn::storage

#endif  // NORN_STORAGE_BLOOM_H_
