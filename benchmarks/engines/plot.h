// The ratios of a report as a bar chart in SVG.

#ifndef NORN_BENCHMARKS_ENGINES_PLOT_H_
#define NORN_BENCHMARKS_ENGINES_PLOT_H_

#include <string>

#include "benchmarks/engines/report.h"

namespace norn::benchmarks {

// One panel for each of throughput, p99, processor time and write amplification; in it, one
// line for each workload and one bar for each peer: how many times better the first column of
// the report is. Bars to the right of 1 are good news for it.
std::string RatioPlot(const Report& report, const std::string& title);

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_PLOT_H_
