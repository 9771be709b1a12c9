// Histories for tests: written by hand, or drawn.

#ifndef NORN_SIM_CONSISTENCY_TESTING_HISTORIES_H_
#define NORN_SIM_CONSISTENCY_TESTING_HISTORIES_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "sim/consistency/history.h"

namespace norn::consistency {

inline Operation Op(Kind kind, int process, ValueId value, int64_t call, int64_t end) {
  Operation operation;
  operation.kind = kind;
  operation.process = process;
  operation.value = value;
  operation.call = operation.call_line = call;
  operation.end = operation.end_line = end;
  operation.outcome = end == kNever ? Outcome::kUnknown : Outcome::kOk;
  return operation;
}
inline Operation Read(int process, ValueId value, int64_t call, int64_t end) {
  return Op(Kind::kRead, process, value, call, end);
}
inline Operation Write(int process, ValueId value, int64_t call, int64_t end) {
  return Op(Kind::kWrite, process, value, call, end);
}
inline Operation Cas(int process, ValueId expected, ValueId value, int64_t call, int64_t end) {
  Operation operation = Op(Kind::kCas, process, value, call, end);
  operation.expected = expected;
  return operation;
}
inline Operation Failed(Operation operation) {
  operation.outcome = Outcome::kFailed;
  return operation;
}

// Values are shown as their numbers; 0 is the initial one.
inline KeyHistory HistoryOf(std::vector<Operation> operations) {
  KeyHistory history;
  std::sort(operations.begin(), operations.end(),
            [](const Operation& a, const Operation& b) { return a.call < b.call; });
  ValueId values = 1;
  for (const Operation& o : operations) values = std::max({values, o.value + 1, o.expected + 1});
  for (ValueId v = 0; v < values; ++v) history.values.push_back(absl::StrCat(v));
  history.operations = std::move(operations);
  return history;
}

struct DrawOptions {
  int operations_max = 7;
  int processes = 3;
  ValueId values = 3;
  bool unique = true;  // each value is written at most once
  bool cas = false;
};

// Processes take turns at random to call and to end; what reads return is drawn, mostly from what
// the register held at some moment, so that valid histories and others are both common.
inline KeyHistory DrawHistory(const DrawOptions& options, Random* random) {
  std::vector<Operation> operations;
  std::vector<int> open(static_cast<size_t>(options.processes), -1);
  const int total =
      2 + static_cast<int>(random->Below(static_cast<uint64_t>(options.operations_max) - 1));
  const auto value = [&] {
    return static_cast<ValueId>(random->Below(static_cast<uint64_t>(options.values) + 1));
  };
  ValueId fresh = 1, held = 0;
  for (int64_t position = 1; position < 40; ++position) {
    const auto process = random->Below(static_cast<uint64_t>(options.processes));
    int& mine = open[process];
    if (mine >= 0) {
      Operation& o = operations[static_cast<size_t>(mine)];
      mine = -1;
      if (random->Chance(1, 8)) continue;  // never answered
      o.end = position;
      o.outcome = random->Chance(1, 12) ? Outcome::kFailed : Outcome::kOk;
      if (o.is_read() && random->Chance(1, 2)) o.value = held;
      if (o.kind == Kind::kWrite && o.ok() && random->Chance(2, 3)) held = o.value;
      continue;
    }
    if (static_cast<int>(operations.size()) == total) continue;
    Operation o =
        Read(static_cast<int>(process), random->Chance(1, 3) ? value() : held, position, kNever);
    const uint64_t choice = random->Below(options.cas ? 3 : 2);
    if (choice == 1 && (!options.unique || fresh <= options.values)) {
      o.kind = Kind::kWrite;
      o.value = options.unique ? fresh++ : value();
      if (random->Chance(1, 3)) held = o.value;
    } else if (choice == 2) {
      o.kind = Kind::kCas;
      o.expected = random->Chance(1, 2) ? held : value();
      o.value = value();
      if (random->Chance(1, 3)) held = o.value;
    }
    mine = static_cast<int>(operations.size());
    operations.push_back(o);
  }
  return HistoryOf(std::move(operations));
}

// For the messages of property tests.
inline std::string Show(const KeyHistory& history) {
  std::string text;
  for (const Operation& o : history.operations) {
    const char* kind = o.is_read() ? "read" : o.kind == Kind::kWrite ? "write" : "cas";
    absl::StrAppend(&text, "process ", o.process, ": ", kind, " ", o.value, " expected ",
                    o.expected, " outcome ", static_cast<int>(o.outcome), " from ", o.call, " to ",
                    o.end == kNever ? "never" : absl::StrCat(o.end), "\n");
  }
  return text;
}

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_TESTING_HISTORIES_H_
