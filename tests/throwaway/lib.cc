#include "tests/throwaway/lib.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "xxhash.h"
namespace norn {
absl::StatusOr<uint64_t> HashOf(absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("empty ", 1));
  absl::flat_hash_map<std::string, int> m; m[std::string(text)] = 1;
  return XXH3_64bits(text.data(), text.size());
}
}
