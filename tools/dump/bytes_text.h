// Bytes as text: for a terminal, and for JSON.
//
// Keys and values are any bytes. They are shown as text when they are printable UTF-8, and
// in hexadecimal otherwise; which of the two is always told apart (quotes and 0x in text,
// a name that ends in _hex in JSON). Nothing that was stored can move the cursor, turn the
// direction of writing or end a line.

#ifndef NORN_TOOLS_DUMP_BYTES_TEXT_H_
#define NORN_TOOLS_DUMP_BYTES_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::dump {

// Valid UTF-8 (RFC 3629) without control, formatting and unassignable characters.
bool IsPrintable(absl::string_view bytes);

// "00ff": two digits a byte.
std::string Hex(absl::string_view bytes);
// 16 digits: random ids and incarnations.
std::string HexId(uint64_t id);

// `"..."`, with \" and \\ inside, if printable; 0x... otherwise, or if `hex`.
std::string Quoted(absl::string_view bytes, bool hex = false);

// `text` with \xNN in place of what is not printable.
std::string Sanitized(absl::string_view text);

// A JSON string (RFC 8259), quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text);

// "2026-11-21T08:30:00.000000Z"; the bare number, with its unit, outside years 1 to 9999.
std::string WallTime(int64_t wall_us);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_BYTES_TEXT_H_
