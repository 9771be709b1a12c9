// The trace: a rolling 128-bit hash over everything that happens, and, if wanted, lines
// to read. Equal hashes mean equal runs; the lines of two runs differ first where the
// runs do.

#ifndef NORN_SIM_TRACE_H_
#define NORN_SIM_TRACE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/types.h"

namespace norn::sim {

class Trace {
 public:
  using Printer = std::function<void(const std::string& line)>;

  // `printer` may be null: then nothing is formatted.
  explicit Trace(Printer printer) : printer_(std::move(printer)) {}

  bool prints() const { return printer_ != nullptr; }

  // `what` names the kind of event; `content` is its bytes, which only the hash sees.
  void Record(int64_t time_us, NodeId node, absl::string_view what, absl::string_view content);

  // For people only: never part of the hash.
  void Explain(int64_t time_us, NodeId node, absl::string_view text);

  uint64_t events() const { return events_; }
  // 32 hexadecimal digits.
  std::string Hash() const;

 private:
  Printer printer_;
  uint64_t high_ = 0;
  uint64_t low_ = 0;
  uint64_t events_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_TRACE_H_
