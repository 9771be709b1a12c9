// A history of operations on registers, from anywhere: what clients asked, what they were told,
// and in which order the questions and answers came. It knows nothing of Norn.
//
// Invariants: the operations of a key stand in order of their calls; no two events (calls and
// ends) of a history have the same position; an end comes after its call; an operation that was
// never answered, or answered "unknown", ends at kNever and may take effect at any moment after
// its call, or never; a process has at most one operation open.
//
// Keys are registers apart from each other. Linearizability is local (Herlihy & Wing 1990): a
// history is linearizable if and only if each of its keys is.

#ifndef NORN_SIM_CONSISTENCY_HISTORY_H_
#define NORN_SIM_CONSISTENCY_HISTORY_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace norn::consistency {

enum class Kind : uint8_t { kRead, kWrite, kCas };
enum class Outcome : uint8_t {
  kOk,       // took effect between call and end
  kFailed,   // certainly had no effect
  kUnknown,  // had, will have, or will never have
};

// A value of one key: an index into KeyHistory::values.
using ValueId = int32_t;
inline constexpr ValueId kInitialValue = 0;  // what the register holds before any write

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

struct Operation {
  Kind kind = Kind::kRead;
  Outcome outcome = Outcome::kUnknown;
  int32_t process = 0;   // an index into History::processes
  ValueId value = 0;     // what was read or written; of a read that is not kOk: nothing
  ValueId expected = 0;  // of a kCas
  int64_t call = 0;      // positions: the number of the event in its history, from 1
  int64_t end = kNever;  // kNever if and only if the outcome is kUnknown
  int64_t call_line = 0;
  int64_t end_line = 0;         // 0: there is none
  int64_t call_time = kNoTime;  // as the history tells it, in its own unit
  int64_t end_time = kNoTime;

  bool ok() const { return outcome == Outcome::kOk; }
  bool is_read() const { return kind == Kind::kRead; }
};

struct KeyHistory {
  std::string key;  // as it is shown; empty: the history names no keys
  std::vector<Operation> operations;
  std::vector<std::string> values;  // as they are shown; the first is the initial value
};

struct History {
  std::vector<KeyHistory> keys;  // in order of first appearance
  std::vector<std::string> processes;
  int64_t operations = 0;
  int64_t completed = 0;  // kOk among them
};

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_HISTORY_H_
