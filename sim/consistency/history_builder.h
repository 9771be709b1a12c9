// Puts the events of a history together: calls with their answers, operations with their keys.

#ifndef NORN_SIM_CONSISTENCY_HISTORY_BUILDER_H_
#define NORN_SIM_CONSISTENCY_HISTORY_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/consistency/history.h"

namespace norn::consistency {

// A field's value in JSON or EDN. `text` is as it is written there, so that 1 and "1" differ.
struct Datum {
  enum class Kind : uint8_t {
    kMissing,
    kNull,
    kAtom,      // a boolean, string, keyword or symbol
    kInteger,   // of any length
    kSequence,  // items
    kOther,     // a fraction, a map, ...: not a value of a register
  };
  Kind kind = Kind::kMissing;
  std::string text;
  std::vector<Datum> items;

  bool missing() const { return kind == Kind::kMissing; }
  bool null() const { return kind == Kind::kNull; }
  bool scalar() const {
    return kind == Kind::kNull || kind == Kind::kAtom || kind == Kind::kInteger;
  }
};

// The fields of an event; see read_history.h for what they mean.
struct Event {
  Datum process, type, f, key, value, time, index;
};

struct BuilderOptions {
  bool cas = false;  // compare-and-set is allowed
  // What registers hold before any write, as Datum::text.
  std::string initial = "null";
  // [KEY VALUE] in the place of a value names the key, as Jepsen's independent tests write it.
  bool key_in_value = false;
};

class HistoryBuilder {
 public:
  explicit HistoryBuilder(BuilderOptions options) : options_(std::move(options)) {}

  // kInvalidArgument says what is wrong with the event, without its file and line. Events of the
  // process "nemesis" are skipped. O(1) expected.
  absl::Status Add(Event event, int64_t line);

  // Operations without an answer stay of unknown outcome.
  History Finish();

 private:
  struct Open {
    bool open = false;
    size_t key = 0;
    size_t operation = 0;
  };
  struct Key {
    absl::flat_hash_map<std::string, ValueId> values;
  };

  absl::Status SplitKey(Event* event);
  absl::Status CheckOrder(const Event& event, int64_t* time);
  absl::Status Invoke(const Event& event, size_t process, Operation operation);
  absl::Status Complete(const Event& event, Outcome outcome, int64_t time, int64_t line,
                        Open* open);
  absl::Status TakeAnswer(const Event& event, const KeyHistory& key, size_t key_index,
                          Operation* operation);
  size_t KeyIndex(const Datum& key);
  absl::StatusOr<ValueId> ValueOf(const Datum& value, size_t key);

  const BuilderOptions options_;
  History history_;
  int64_t position_ = 0;
  std::optional<int64_t> last_index_;
  int64_t last_time_ = kNoTime;
  std::optional<bool> keys_in_values_;  // whether the operations so far had them
  absl::flat_hash_map<std::string, size_t> processes_;
  absl::flat_hash_map<std::string, size_t> keys_;
  std::vector<Key> key_values_;  // as history_.keys
  std::vector<Open> open_;       // by process
};

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_HISTORY_BUILDER_H_
