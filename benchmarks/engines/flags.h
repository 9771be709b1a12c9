// The command line of compare_engines.

#ifndef NORN_BENCHMARKS_ENGINES_FLAGS_H_
#define NORN_BENCHMARKS_ENGINES_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/engines/plan.h"

namespace norn::benchmarks {

struct Flags {
  PlanOptions plan;  // without `progress`; entries and value_bytes are set run by run
  bool quick = false;
  bool help = false;
  uint64_t entries = 0;  // 0: as suits the size of the values
  std::vector<size_t> value_bytes = {100, 1000};
  std::string dir;  // empty: a temporary one
  std::string json;
  std::string plot;
};

extern const char kUsage[];

// Errors name the option and what it takes.
absl::StatusOr<Flags> ParseFlags(int argc, char** argv);

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_FLAGS_H_
