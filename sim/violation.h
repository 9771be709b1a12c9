// What checkers find.

#ifndef NORN_SIM_VIOLATION_H_
#define NORN_SIM_VIOLATION_H_

#include <string>

namespace norn::sim {

struct Violation {
  std::string property;  // "a read covers every write completed before it", ...
  std::string witness;   // lines; the operations that show it
};

}  // namespace norn::sim

#endif  // NORN_SIM_VIOLATION_H_
