// What a log could do at best with one writer: appends to a file that has its blocks and its
// size already, each followed by fdatasync.

#ifndef NORN_BENCHMARKS_ENGINES_BARE_LOG_H_
#define NORN_BENCHMARKS_ENGINES_BARE_LOG_H_

#include <cstddef>
#include <string>

#include "benchmarks/engines/histogram.h"

namespace norn::benchmarks {

// Appends records for `seconds`, and returns how long it took in fact.
double RunBareLog(const std::string& dir, size_t record_bytes, double seconds, Histogram* latency);

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_BARE_LOG_H_
