#include <cctype>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sim/consistency/read_history.h"

namespace norn::consistency {
namespace {

// Beyond this, brackets within brackets are refused rather than followed.
constexpr int kDepthMax = 64;

bool IsSpace(int c) { return std::isspace(c) != 0 || c == ','; }
bool EndsToken(int c) {
  return c == EOF || IsSpace(c) || c == '(' || c == ')' || c == '[' || c == ']' || c == '{' ||
         c == '}' || c == '"' || c == ';';
}

// What Jepsen writes of the Extensible Data Notation (github.com/edn-format/edn): nil, booleans,
// numbers, strings, characters, keywords, symbols, lists, vectors, sets, maps, tags, comments and
// discarded elements (#_).
class EdnReader {
 public:
  EdnReader(std::istream& in, BuilderOptions options) : in_(in), builder_(std::move(options)) {}

  int64_t line() const { return line_; }
  History Finish() { return builder_.Finish(); }

  // All events of the stream.
  absl::Status Read() {
    bool in_vector = false, vector_seen = false, map_seen = false;
    while (true) {
      if (absl::Status skipped = SkipToElement(0); !skipped.ok()) return skipped;
      const int c = in_.peek();
      if (c == EOF) {
        return in_vector ? Wrong("the file ends within its vector: \"]\" is missing")
                         : absl::OkStatus();
      }
      if (c == '[' && !vector_seen && !map_seen) {
        Get();
        in_vector = vector_seen = true;
      } else if (c == ']' && in_vector) {
        Get();
        in_vector = false;
      } else if (c == '{' && (in_vector || !vector_seen)) {
        map_seen = true;
        if (absl::Status added = ReadEvent(); !added.ok()) return added;
      } else {
        return Wrong("a map is expected here: {:process ...}");
      }
    }
  }

 private:
  static absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

  int Get() {
    const int c = in_.get();
    if (c == '\n') ++line_;
    return c;
  }

  // Past spaces, comments, discarded elements and tags.
  absl::Status SkipToElement(int depth) {
    while (true) {
      const int c = in_.peek();
      if (IsSpace(c)) {
        Get();
      } else if (c == ';') {
        while (in_.peek() != EOF && in_.peek() != '\n') Get();
      } else if (c == '#') {
        Get();
        const int after = in_.peek();
        if (after == '_') {
          Get();
          if (auto discarded = ReadDatum(depth + 1); !discarded.ok()) return discarded.status();
        } else if (after == '{') {
          return absl::OkStatus();  // a set: read as a map is, and no value either
        } else if (ReadToken().empty()) {
          return Wrong("\"#\" without a tag");
        }
      } else {
        return absl::OkStatus();
      }
    }
  }

  std::string ReadToken() {
    std::string token;
    while (!EndsToken(in_.peek())) token.push_back(static_cast<char>(Get()));
    return token;
  }

  absl::Status ReadEvent() {
    Get();
    const int64_t line = line_;
    Event event;
    while (true) {
      if (absl::Status skipped = SkipToElement(1); !skipped.ok()) return skipped;
      if (in_.peek() == '}') break;
      auto name = ReadDatum(1);
      if (!name.ok()) return name.status();
      if (absl::Status skipped = SkipToElement(1); !skipped.ok()) return skipped;
      if (in_.peek() == '}') return Wrong(absl::StrCat(name->text, " has no value"));
      auto value = ReadDatum(1);
      if (!value.ok()) return value.status();
      Datum* field = Field(&event, name->text);
      if (field == nullptr) continue;
      if (!field->missing()) return Wrong(absl::StrCat(name->text, " is there twice"));
      *field = *std::move(value);
    }
    Get();
    // A read's call says :value nil; so do the answers of other operations.
    return builder_.Add(std::move(event), line);
  }

  static Datum* Field(Event* event, absl::string_view name) {
    if (name == ":process") return &event->process;
    if (name == ":type") return &event->type;
    if (name == ":f") return &event->f;
    if (name == ":key") return &event->key;
    if (name == ":value") return &event->value;
    if (name == ":time") return &event->time;
    if (name == ":index") return &event->index;
    return nullptr;
  }

  absl::StatusOr<Datum> ReadDatum(int depth) {
    if (depth > kDepthMax) return Wrong("brackets are nested too deeply");
    if (absl::Status skipped = SkipToElement(depth); !skipped.ok()) return skipped;
    const int c = in_.peek();
    if (c == EOF) return Wrong("the file ends within a map");
    if (c == '"') return ReadString();
    if (c == '[') return ReadSequence(']', Datum::Kind::kSequence, depth);
    if (c == '(') return ReadSequence(')', Datum::Kind::kOther, depth);
    if (c == '{') return ReadSequence('}', Datum::Kind::kOther, depth);
    if (c == '\\') return ReadCharacter();
    const std::string token = ReadToken();
    if (token.empty())
      return Wrong(absl::StrCat("\"", std::string(1, static_cast<char>(c)), "\" has no beginning"));
    return OfToken(token);
  }

  absl::StatusOr<Datum> ReadSequence(char closing, Datum::Kind kind, int depth) {
    Datum datum{kind, "", {}};
    Get();
    while (true) {
      if (absl::Status skipped = SkipToElement(depth); !skipped.ok()) return skipped;
      if (in_.peek() == closing) break;
      auto item = ReadDatum(depth + 1);
      if (!item.ok()) return item.status();
      if (kind == Datum::Kind::kSequence) datum.items.push_back(*std::move(item));
    }
    Get();
    return datum;
  }

  // A character's own name may be a bracket.
  absl::StatusOr<Datum> ReadCharacter() {
    std::string text(1, static_cast<char>(Get()));
    if (in_.peek() == EOF) return Wrong("the file ends within a map");
    text.push_back(static_cast<char>(Get()));
    return Datum{Datum::Kind::kAtom, absl::StrCat(text, ReadToken()), {}};
  }

  absl::StatusOr<Datum> ReadString() {
    std::string text(1, static_cast<char>(Get()));
    while (true) {
      const int c = Get();
      if (c == EOF) return Wrong("the file ends within a string");
      if (c == '"') break;
      if (c != '\\') {
        text.push_back(static_cast<char>(c));
        continue;
      }
      const int escaped = Get();
      if (escaped == 'n') {
        text.push_back('\n');
      } else if (escaped == 't') {
        text.push_back('\t');
      } else if (escaped == 'r') {
        text.push_back('\r');
      } else if (escaped == '"' || escaped == '\\') {
        text.push_back(static_cast<char>(escaped));
      } else if (escaped == 'u') {
        text.append("\\u");  // kept as it is written: strings are compared, not shown to the world
      } else {
        return Wrong("a string has an unknown escape");
      }
    }
    return Datum{Datum::Kind::kAtom, text + "\"", {}};
  }

  static Datum OfToken(const std::string& token) {
    if (token == "nil") return {Datum::Kind::kNull, "null", {}};
    const bool sign = token[0] == '-' || token[0] == '+';
    if (token.size() <= (sign ? 1u : 0u) || std::isdigit(token[sign ? 1 : 0]) == 0) {
      return {Datum::Kind::kAtom, token, {}};
    }
    // 7, -7, +7 and 7N; other numbers are no values of registers.
    std::string digits = token[0] == '+' ? token.substr(1) : token;
    if (digits.back() == 'N') digits.pop_back();
    if (digits.find_first_not_of("0123456789", sign && token[0] == '-' ? 1 : 0) !=
        std::string::npos) {
      return {Datum::Kind::kOther, token, {}};
    }
    return {Datum::Kind::kInteger, digits == "-0" ? "0" : digits, {}};
  }

  std::istream& in_;
  HistoryBuilder builder_;
  int64_t line_ = 1;
};

}  // namespace

absl::StatusOr<History> ReadEdn(std::istream& in, const std::string& path, BuilderOptions options) {
  options.key_in_value = true;
  EdnReader reader(in, std::move(options));
  if (absl::Status read = reader.Read(); !read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":", reader.line(), ": ", read.message()));
  }
  if (in.bad()) return absl::DataLossError(absl::StrCat(path, ": cannot be read to its end"));
  return reader.Finish();
}

}  // namespace norn::consistency
