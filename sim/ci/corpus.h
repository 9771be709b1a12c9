// The regression corpus: runs that went wrong once, or that stage what must not. They are run
// before any new seed.

#ifndef NORN_SIM_CI_CORPUS_H_
#define NORN_SIM_CI_CORPUS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/case.pb.h"
#include "sim/universe_config.h"

namespace norn::sim {

struct CorpusFile {
  std::string path;
  std::optional<v1::Case> written;  // of a case; nothing: a scenario
  RunOptions run;                   // a scenario is run with seed 1
  bool violated = false;            // a scenario says that it is to be, until something is built

  // The command that shows it again.
  std::string Command() const;
};

// Every *.textproto of the folders, in their order, then by name. One with a line "format: ..." is
// a case (sim/case.proto), any other a scenario (sim/scenario.proto). Errors name the file, and its
// line; kNotFound: no such folder, or one without any.
absl::StatusOr<std::vector<CorpusFile>> LoadCorpus(const std::vector<std::string>& folders);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_CORPUS_H_
