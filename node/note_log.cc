#include "node/note_log.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace norn::node {

namespace {

constexpr int64_t kWindowUs = 1'000'000;
constexpr size_t kLineBytesMax = 600;

}  // namespace

NoteLog::NoteLog(norn::Clock& clock, uint32_t per_second_max, WriteLine write)
    : clock_(clock), per_second_max_(per_second_max), write_(std::move(write)) {}

void NoteLog::Write(const Note& note) {
  const int64_t now_us = clock_.Read().monotonic_us;
  if (now_us - window_started_us_ >= kWindowUs) OpenWindow(now_us);
  const bool error = note.level == Note::Level::kError;
  uint32_t& written = error ? errors_written_ : written_;
  if (written >= per_second_max_) {
    ++suppressed_in_window_;
    ++suppressed_;
    return;
  }
  ++written;
  write_(note.level, OneLine(note.text));
}

void NoteLog::OpenWindow(int64_t now_us) {
  if (suppressed_in_window_ > 0) {
    write_(Note::Level::kWarning,
           absl::StrCat(suppressed_in_window_, " notes were left out (log.notes_per_second_max is ",
                        per_second_max_, ")"));
  }
  window_started_us_ = now_us;
  written_ = 0;
  errors_written_ = 0;
  suppressed_in_window_ = 0;
}

std::string OneLine(absl::string_view text) {
  const bool cut = text.size() > kLineBytesMax;
  std::string line = absl::Utf8SafeCHexEscape(cut ? text.substr(0, kLineBytesMax) : text);
  if (cut) absl::StrAppend(&line, "... (", text.size(), " bytes)");
  return line;
}

}  // namespace norn::node
