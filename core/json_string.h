// JSON strings, for reports that programs read.

#ifndef NORN_CORE_JSON_STRING_H_
#define NORN_CORE_JSON_STRING_H_

#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace norn {

// `text` as a JSON string, with its quotes; ASCII whatever the text. Bytes from 0x80 on are
// taken for Latin-1, so that any bytes give valid JSON, and different bytes different JSON.
inline std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte >= 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(byte));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

}  // namespace norn

#endif  // NORN_CORE_JSON_STRING_H_
