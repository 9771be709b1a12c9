// What is left behind of a counterexample: the case, and the page of `norn-sim explain`.

#ifndef NORN_SIM_PROPERTIES_WRITE_FAILURE_H_
#define NORN_SIM_PROPERTIES_WRITE_FAILURE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "sim/properties/outcome.h"

namespace norn::sim {

struct FailureToWrite {
  std::string what;  // was not so
  std::string why;
  // Whether another run, of a part of the case, fails in the same way.
  std::function<bool(const Outcome& outcome)> same;
  std::string folder;
  std::string name;
  int64_t limit_ms = 30'000;  // of real time for one run
};

// Writes FOLDER/NAME.textproto and FOLDER/NAME.html. Returns what was written where, and how to go
// on, or what could not be written: lines for people. Runs the case about twice for each fault.
std::string WriteFailure(const Outcome& smallest, const FailureToWrite& failure);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_WRITE_FAILURE_H_
