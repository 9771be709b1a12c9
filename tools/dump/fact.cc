#include "tools/dump/fact.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "tools/dump/bytes_text.h"

namespace norn::dump {
namespace {

std::string Words(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", " "}}); }

}  // namespace

Fact& Fact::Add(absl::string_view name, std::string json, std::string text) {
  fields_.push_back({.name = std::string(name), .json = std::move(json), .text = std::move(text)});
  return *this;
}

Fact& Fact::Number(absl::string_view name, uint64_t value) {
  return Add(name, absl::StrCat(value), absl::StrCat(Words(name), " ", value));
}

Fact& Fact::Signed(absl::string_view name, int64_t value) {
  return Add(name, absl::StrCat(value), absl::StrCat(Words(name), " ", value));
}

Fact& Fact::Flag(absl::string_view name, bool value) {
  return Add(name, value ? "true" : "false", absl::StrCat(Words(name), value ? " yes" : " no"));
}

Fact& Fact::Text(absl::string_view name, absl::string_view value) {
  return Add(name, JsonString(value), absl::StrCat(Words(name), " ", Sanitized(value)));
}

Fact& Fact::Id(absl::string_view name, uint64_t value) {
  return Add(name, JsonString(HexId(value)), absl::StrCat(Words(name), " ", HexId(value)));
}

Fact& Fact::Bytes(absl::string_view name, absl::string_view value, bool hex) {
  const std::string text = absl::StrCat(Words(name), " ", Quoted(value, hex));
  if (!hex && IsPrintable(value)) return Add(name, JsonString(value), text);
  return Add(absl::StrCat(name, "_hex"), JsonString(Hex(value)), text);
}

Fact& Fact::Part(absl::string_view list, Fact part) {
  parts_.emplace_back(std::string(list), std::move(part));
  return *this;
}

Fact& Fact::Say(std::string sentence) {
  sentence_ = std::move(sentence);
  return *this;
}

std::string Fact::Json() const {
  std::string out = absl::StrCat("{\"type\":", JsonString(type_));
  for (const Field& field : fields_) {
    absl::StrAppend(&out, ",", JsonString(field.name), ":", field.json);
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    const auto& [list, part] = parts_[i];
    const bool first = i == 0 || parts_[i - 1].first != list;
    const bool last = i + 1 == parts_.size() || parts_[i + 1].first != list;
    absl::StrAppend(&out, ",", first ? absl::StrCat(JsonString(list), ":[") : "", part.Json(),
                    last ? "]" : "");
  }
  return out + "}";
}

std::string Fact::Lines(int indent) const {
  std::string out(static_cast<size_t>(indent) * 2, ' ');
  if (sentence_.empty()) {
    absl::StrAppend(&out, Words(type_), ":");
    for (size_t i = 0; i < fields_.size(); ++i) {
      absl::StrAppend(&out, i == 0 ? " " : ", ", fields_[i].text);
    }
  } else {
    absl::StrAppend(&out, Sanitized(sentence_));
  }
  out.push_back('\n');
  for (const auto& [list, part] : parts_) out += part.Lines(indent + 1);
  return out;
}

}  // namespace norn::dump
