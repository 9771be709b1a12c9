// Lets a note through once in a while, however often it comes: a peer that is refused dials
// again every two seconds, and says the same each time.

#ifndef NORN_NET_NOTE_GATE_H_
#define NORN_NET_NOTE_GATE_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace norn::net {

class NoteGate {
 public:
  using Clock = std::chrono::steady_clock;

  // True if `text` was not let through during the last minute.
  bool Pass(const std::string& text, Clock::time_point now) {
    constexpr auto kSilence = std::chrono::minutes(1);
    // Strangers choose some of the texts: forgetting all is better than remembering without end.
    constexpr size_t kTextsMax = 256;
    if (last_.size() >= kTextsMax) last_.clear();
    const auto [at, is_new] = last_.try_emplace(text, now);
    if (is_new) return true;
    if (now - at->second < kSilence) return false;
    at->second = now;
    return true;
  }

 private:
  absl::flat_hash_map<std::string, Clock::time_point> last_;
};

}  // namespace norn::net

#endif  // NORN_NET_NOTE_GATE_H_
