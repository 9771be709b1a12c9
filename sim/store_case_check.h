// What is wrong with a case of Norn's store, besides what is wrong with any.

#ifndef NORN_SIM_STORE_CASE_CHECK_H_
#define NORN_SIM_STORE_CASE_CHECK_H_

#include <optional>

#include "sim/case.pb.h"
#include "sim/case_check.h"

namespace norn::sim {

// Of messages and operations. The case has passed FindProblem.
std::optional<CaseProblem> FindStoreProblem(const v1::Case& written);

}  // namespace norn::sim

#endif  // NORN_SIM_STORE_CASE_CHECK_H_
