// Where a benchmark's --json FILE goes.

#ifndef NORN_BENCHMARKS_JSON_FILE_H_
#define NORN_BENCHMARKS_JSON_FILE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace norn {

// Writes `json` to `path`; under "bazel run" a relative path means where the user stands. False:
// it could not be written, which is said on standard error in the name of `program`.
bool WriteJsonFile(const char* program, std::string path, absl::string_view json);

}  // namespace norn

#endif  // NORN_BENCHMARKS_JSON_FILE_H_
