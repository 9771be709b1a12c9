#include "sim/ci/markup.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace norn::sim {

std::string Visible(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || (byte >= 0x20 && byte < 0x7f)) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned>(byte));
    }
  }
  return out;
}

std::string EscapeMarkup(absl::string_view text) {
  // A newline in an attribute would be read as a space.
  return absl::StrReplaceAll(Visible(text), {{"&", "&amp;"},
                                             {"<", "&lt;"},
                                             {">", "&gt;"},
                                             {"\"", "&quot;"},
                                             {"'", "&#39;"},
                                             {"\n", "&#10;"}});
}

}  // namespace norn::sim
