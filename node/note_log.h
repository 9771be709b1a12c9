// What a node remarks about its work, as lines of the log: one line each, and no more than so
// many a second. A fault that repeats with every request must not fill the disk that it may
// have come from.
//
// Threads: the loop's only.

#ifndef NORN_NODE_NOTE_LOG_H_
#define NORN_NODE_NOTE_LOG_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/ports.h"

namespace norn::node {

class NoteLog : public norn::NoteSink {
 public:
  using WriteLine = std::function<void(Note::Level level, const std::string& line)>;

  // At most `per_second_max` notes a second go to `write`; errors have as many again of their
  // own, so that a flood of remarks hides none.
  NoteLog(norn::Clock& clock, uint32_t per_second_max, WriteLine write);

  void Write(const Note& note) override;

  // Notes that were left out so far.
  uint64_t suppressed() const { return suppressed_; }

 private:
  void OpenWindow(int64_t now_us);

  norn::Clock& clock_;
  const uint32_t per_second_max_;
  const WriteLine write_;
  int64_t window_started_us_ = 0;
  uint32_t written_ = 0;
  uint32_t errors_written_ = 0;
  uint64_t suppressed_in_window_ = 0;
  uint64_t suppressed_ = 0;
};

// `text` as one line: control characters become escapes, and what is past a few hundred bytes
// is cut. Notes may quote keys, and keys are any bytes.
std::string OneLine(absl::string_view text);

}  // namespace norn::node

#endif  // NORN_NODE_NOTE_LOG_H_
