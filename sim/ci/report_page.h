// A report as one HTML page without scripts; it links the files of its failures.

#ifndef NORN_SIM_CI_REPORT_PAGE_H_
#define NORN_SIM_CI_REPORT_PAGE_H_

#include <string>

#include "sim/ci/ci_report.h"

namespace norn::sim {

std::string ReportPage(const CiReport& report);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_REPORT_PAGE_H_
