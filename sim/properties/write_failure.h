// What is left behind of a counterexample: the case, and the page of `norn-sim explain`.

#ifndef NORN_SIM_PROPERTIES_WRITE_FAILURE_H_
#define NORN_SIM_PROPERTIES_WRITE_FAILURE_H_

#include <cstdint>
#include <string>

#include "sim/properties/outcome.h"

namespace norn::sim {

// Writes FOLDER/NAME.textproto and FOLDER/NAME.html. `what` was not so, as `why` says. Returns what
// was written where, and how to go on, or what could not be written: lines for people.
std::string WriteFailure(const Outcome& smallest, const std::string& what, const std::string& why,
                         const std::string& folder, const std::string& name, int64_t limit_ms);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_WRITE_FAILURE_H_
