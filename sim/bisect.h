// Finds the first event at which two runs part: two builds of norn-sim, two cases, two seeds.
//
// Both runs print the hash of their trace every so many events. As the hash rolls, the first
// difference among these tells where to look; that window is run once more, with its text.

#ifndef NORN_SIM_BISECT_H_
#define NORN_SIM_BISECT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/subject.h"

namespace norn::sim {

// One of the two: a program and what it is told, without what to show.
struct BisectSide {
  std::string program;
  std::vector<std::string> words;  // "run", "--seed", "7"
};

// What a run says when it is told `words`, from its first line to its last. Not ok: it could not
// be run, or does not know what it is told.
using Teller = std::function<absl::StatusOr<std::vector<std::string>>(
    const BisectSide& side, const std::vector<std::string>& words)>;
// In a process of its own. One that crashes has said what it has said.
absl::StatusOr<std::vector<std::string>> RunAndListen(const BisectSide& side,
                                                      const std::vector<std::string>& words);

struct Parting {
  bool part = false;
  uint64_t common_events = 0;       // that both have, from the start
  std::vector<std::string> common;  // the text of the last of these
  // Of the first event that differs; empty: the run has no more events.
  std::vector<std::string> left;
  std::vector<std::string> right;
};

// kInvalidArgument: one of the sides could not be run.
absl::StatusOr<Parting> FindParting(const BisectSide& left, const BisectSide& right,
                                    const Teller& tell);

// bisect --seed S [options of run] --with PROGRAM | --seed S --other-seed T | CASE OTHER_CASE |
// CASE --with PROGRAM. 0: the runs are equal, 1: they part.
int BisectCommand(const Subject& subject, const std::vector<std::string>& words);

}  // namespace norn::sim

#endif  // NORN_SIM_BISECT_H_
