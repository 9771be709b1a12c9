#include "tools/dump/bytes_text.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace norn::dump {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

// The code point at the front of `text`, which is not empty.
CodePoint TakeCodePoint(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {.value = lead, .bytes = 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  uint32_t value = lead & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[bytes] || value > 0x10ffff || surrogate) return {};
  return {.value = value, .bytes = bytes};
}

// Neither seen nor harmless on a terminal.
bool IsUnprintable(uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad) return true;
  if (c >= 0x200b && c <= 0x200f) return true;  // no width, direction marks
  if (c >= 0x2028 && c <= 0x202e) return true;  // line ends, directions
  if (c >= 0x2060 && c <= 0x206f) return true;  // more of both
  if (c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb)) return true;
  if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe) return true;  // no characters
  return c >= 0xe0000 && c <= 0xe0fff;                                      // tags
}

}  // namespace

bool IsPrintable(absl::string_view bytes) {
  while (!bytes.empty()) {
    const CodePoint c = TakeCodePoint(bytes);
    if (c.bytes == 0 || IsUnprintable(c.value)) return false;
    bytes.remove_prefix(c.bytes);
  }
  return true;
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

std::string HexId(uint64_t id) { return absl::StrCat(absl::Hex(id, absl::kZeroPad16)); }

std::string Quoted(absl::string_view bytes, bool hex) {
  if (hex || !IsPrintable(bytes)) return absl::StrCat("0x", Hex(bytes));
  std::string out = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string Sanitized(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = TakeCodePoint(text);
    if (c.bytes == 0 || IsUnprintable(c.value)) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint8_t>(text[0]));
      text.remove_prefix(1);
    } else {
      out.append(text.data(), c.bytes);
      text.remove_prefix(c.bytes);
    }
  }
  return out;
}

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const CodePoint c = TakeCodePoint(text);
    if (c.bytes == 0) {
      out.append("\\ufffd");
    } else if (c.value == '"' || c.value == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c.value));
    } else if (c.value < 0x10000 && IsUnprintable(c.value)) {
      absl::StrAppendFormat(&out, "\\u%04x", c.value);
    } else {
      out.append(text.data(), c.bytes);
    }
    text.remove_prefix(c.bytes == 0 ? 1 : c.bytes);
  }
  return out + "\"";
}

std::string WallTime(int64_t wall_us) {
  constexpr int64_t kYear1Us = -62'135'596'800'000'000;
  constexpr int64_t kYear10000Us = 253'402'300'800'000'000;
  if (wall_us < kYear1Us || wall_us >= kYear10000Us) return absl::StrCat(wall_us, " us");
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(wall_us)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return absl::StrFormat("%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                         static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                         clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                         clock.subseconds().count());
}

}  // namespace norn::dump
