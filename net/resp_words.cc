#include "net/resp_words.h"

#include <cstddef>

#include "absl/strings/ascii.h"

namespace norn::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsBlank(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)) || c == '\0'; }

// Reads one escape of a double-quoted word; `*at` is behind the backslash.
char ReadEscape(absl::string_view line, size_t* at) {
  const char c = line[(*at)++];
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    case 'x':
      if (*at + 1 < line.size()) {
        const int high = HexDigit(line[*at]);
        const int low = HexDigit(line[*at + 1]);
        if (high >= 0 && low >= 0) {
          *at += 2;
          return static_cast<char>(high * 16 + low);
        }
      }
      return c;
    default:
      return c;
  }
}

// `*at` is behind the opening quote, and ends up behind the closing one.
bool ReadQuoted(absl::string_view line, char quote, size_t* at, std::string* out) {
  while (*at < line.size()) {
    const char c = line[(*at)++];
    if (c == quote) return *at == line.size() || IsBlank(line[*at]);
    if (c == '\\' && *at < line.size() && quote == '"') {
      out->push_back(ReadEscape(line, at));
    } else if (c == '\\' && *at < line.size() && line[*at] == '\'') {
      out->push_back(line[(*at)++]);
    } else {
      out->push_back(c);
    }
  }
  return false;
}

}  // namespace

bool SplitRespWords(absl::string_view line, std::string* storage,
                    std::vector<absl::string_view>* words) {
  storage->clear();
  // Words never take more bytes than the line: the views below stay valid.
  storage->reserve(line.size());
  words->clear();
  size_t at = 0;
  while (true) {
    while (at < line.size() && IsBlank(line[at])) ++at;
    if (at == line.size()) return true;
    const size_t begin = storage->size();
    while (at < line.size() && !IsBlank(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        storage->push_back(c);
      } else if (!ReadQuoted(line, c, &at, storage)) {
        return false;
      }
    }
    words->emplace_back(storage->data() + begin, storage->size() - begin);
  }
}

}  // namespace norn::net
