// What is wrong with a case that is well-formed text.

#ifndef NORN_SIM_CASE_CHECK_H_
#define NORN_SIM_CASE_CHECK_H_

#include <optional>
#include <string>

#include "sim/case.pb.h"

namespace norn::sim {

struct CaseProblem {
  std::string field;  // of v1::Case; empty: of none
  int index = -1;     // in it, if it is repeated
  std::string text;
};

// The first problem of how the parts of the case fit together, or nothing.
std::optional<CaseProblem> FindProblem(const v1::Case& written);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_CHECK_H_
