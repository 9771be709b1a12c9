// Decimal numbers as RESP writes them: an optional minus, no plus, no leading zeros, no
// blanks, within int64. Anything else is refused, so that "1 " or "0x10" from a confused
// client is an error and not a length.

#ifndef NORN_NET_RESP_INTEGER_H_
#define NORN_NET_RESP_INTEGER_H_

#include <charconv>
#include <cstdint>
#include <system_error>

#include "absl/strings/string_view.h"

namespace norn::net {

inline bool ParseRespInteger(absl::string_view text, int64_t* value) {
  if (text.empty()) return false;
  const absl::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) return false;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, *value);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace norn::net

#endif  // NORN_NET_RESP_INTEGER_H_
