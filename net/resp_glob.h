// Patterns as Redis users write them: "*" any bytes, "?" one byte, "\c" the byte c; all else
// stands for itself. Linear in pattern times text, whatever the pattern (no backtracking
// beyond the last star), since clients choose both.

#ifndef NORN_NET_RESP_GLOB_H_
#define NORN_NET_RESP_GLOB_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace norn::net {

inline bool MatchRespGlob(absl::string_view pattern, absl::string_view text) {
  size_t p = 0, t = 0;
  size_t star = absl::string_view::npos;  // behind the last star
  size_t retry = 0;                       // what that star covers ends here
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const size_t literal = escaped ? p + 1 : p;
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      retry = t;
    } else if (p < pattern.size() &&
               ((!escaped && pattern[p] == '?') || pattern[literal] == text[t])) {
      p = literal + 1;
      ++t;
    } else if (star != absl::string_view::npos) {
      p = star;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace norn::net

#endif  // NORN_NET_RESP_GLOB_H_
