// One thing that the inspector has to tell, in the order to tell it: a line of text or a
// JSON object, from the same fields.

#ifndef NORN_TOOLS_DUMP_FACT_H_
#define NORN_TOOLS_DUMP_FACT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::dump {

class Fact {
 public:
  // `type` and names of fields: lower case, words joined by '_'.
  explicit Fact(absl::string_view type) : type_(type) {}

  Fact& Number(absl::string_view name, uint64_t value);
  Fact& Signed(absl::string_view name, int64_t value);
  Fact& Flag(absl::string_view name, bool value);
  Fact& Text(absl::string_view name, absl::string_view value);
  // A random id: 16 hexadecimal digits.
  Fact& Id(absl::string_view name, uint64_t value);
  // Stored bytes. In JSON `name` for text, `name`_hex otherwise (bytes_text.h).
  Fact& Bytes(absl::string_view name, absl::string_view value, bool hex = false);
  // A fact of its own, below this one; in JSON an element of the array `list`.
  Fact& Part(absl::string_view list, Fact part);

  // What to say in text instead of the fields.
  Fact& Say(std::string sentence);

  std::string Json() const;
  // Lines, each with '\n'; this one and, two spaces deeper, its parts.
  std::string Lines(int indent = 0) const;

 private:
  struct Field {
    std::string name;
    std::string json;
    std::string text;
  };

  Fact& Add(absl::string_view name, std::string json, std::string text);

  std::string type_;
  std::string sentence_;
  std::vector<Field> fields_;
  std::vector<std::pair<std::string, Fact>> parts_;  // list, part
};

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_FACT_H_
