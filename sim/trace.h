// The trace: a rolling 128-bit hash over everything that happens, and, if wanted, lines
// to read. Equal hashes mean equal runs; the lines of two runs differ first where the
// runs do.

#ifndef NORN_SIM_TRACE_H_
#define NORN_SIM_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/types.h"
#include "sim/run_event.h"

namespace norn::sim {

// Which part of a trace is shown, and how.
struct TraceView {
  using Printer = std::function<void(const std::string& line)>;
  // Hears the number of events so far and their hash.
  using Checkpoint = std::function<void(uint64_t events, const std::string& hash)>;

  TraceView(std::nullptr_t) {}                         // nothing
  TraceView(Printer all) : printer(std::move(all)) {}  // every line

  Printer printer;  // null: nothing is formatted
  // Of events `first` to `last`, counted from 1.
  uint64_t first = 1;
  uint64_t last = std::numeric_limits<uint64_t>::max();
  bool numbered = false;  // "event NUMBER HASH", the hash behind it, before each event's line
  uint64_t checkpoint_every = 0;  // events; 0: never
  Checkpoint checkpoint;
  std::function<void(const RunEvent&)> listener;  // null: no events are made
};

class Trace {
 public:
  using Printer = TraceView::Printer;

  explicit Trace(TraceView view) : view_(std::move(view)) {}

  // Whether a line would be shown now.
  bool prints() const {
    return view_.printer != nullptr && events_ + 1 >= view_.first && events_ <= view_.last;
  }

  // `what` names the kind of event; `content` is its bytes, which only the hash sees.
  void Record(int64_t time_us, NodeId node, absl::string_view what, absl::string_view content);

  // For people only: never part of the hash.
  void Explain(int64_t time_us, NodeId node, absl::string_view text);

  // Whether somebody wants to hear of events; who makes one asks first.
  bool listened() const { return view_.listener != nullptr; }
  // For the listener, only if there is one.
  void Tell(const RunEvent& event) { view_.listener(event); }

  uint64_t events() const { return events_; }
  // 32 hexadecimal digits.
  std::string Hash() const;

 private:
  TraceView view_;
  uint64_t high_ = 0;
  uint64_t low_ = 0;
  uint64_t events_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_TRACE_H_
