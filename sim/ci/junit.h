// A report as JUnit's XML, which CI systems show: a test case for each file of the corpus and each
// class of seeds. What could not be run is "skipped", a crash an "error", all else that is not
// valid a "failure". There is no standard; this follows what Jenkins, GitLab and GitHub's actions
// read.

#ifndef NORN_SIM_CI_JUNIT_H_
#define NORN_SIM_CI_JUNIT_H_

#include <string>

#include "sim/ci/ci_report.h"

namespace norn::sim {

// Well-formed whatever bytes the texts have.
std::string ToJunit(const CiReport& report);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_JUNIT_H_
