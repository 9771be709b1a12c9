// What went wrong in a run, as facts: which operations show it, what each replica held, which
// faults it needs; and these facts in words, and as JSON.

#ifndef NORN_SIM_EXPLAIN_EXPLANATION_H_
#define NORN_SIM_EXPLAIN_EXPLANATION_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/explain/needed.h"
#include "sim/explain/timeline.h"

namespace norn::sim {

// What one node held of a key of the anomaly, at the end of one of its operations, or when the
// checkers looked.
struct HeldThen {
  int64_t time_us = 0;
  std::string key;
  NodeId node = kNoNode;
  bool replica = false;  // of the key; else it holds a hint
  bool down = false;     // then this is what its disk had kept
  std::string text;      // empty: nothing
};

// A fault, or a harm to a single message, that the case lists.
struct CausePart {
  uint64_t fault = 0;  // its id; 0: a message's
  std::string text;
  PartNeed need;
};

struct Explanation {
  std::string verdict;
  std::string property;
  std::string witness;
  std::string config;
  std::string hash;
  bool fails = false;
  std::string held_when_down;  // what is told of nodes that are down: "on its disk"
  std::vector<std::string> keys;
  std::vector<Bar> operations;  // the anomaly's
  std::vector<HeldThen> held;   // by time
  std::vector<CausePart> causes;
  // Of the causes: these alone are enough, and none of them can go. Nothing: not known.
  std::optional<std::vector<size_t>> enough;
};

// All but the causes.
Explanation Explain(const CaseRun& run, const Case& written, const Timeline& timeline);

// Lines for people; the last ends with a newline.
std::string ToText(const Explanation& explanation);
// One object: {"verdict":…,"property":…,"witness":…,"config":…,"hash":…,"keys":[…],
// "operations":[{"id","client","node","kind","key","invoked_us","returned_us","outcome","text"}],
// "held":[{"time_us","key","node","replica","down","text"}],
// "causes":[{"fault","text","need","instead"}],"enough":[places of causes] or null}.
// ASCII; bytes that are not are taken for Latin-1 (core/json_string.h).
std::string ToJson(const Explanation& explanation);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_EXPLANATION_H_
