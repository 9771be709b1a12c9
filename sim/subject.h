// What is simulated: Norn's store (sim/store_subject.h), or a protocol of your own
// (sim/protocol.h). Campaigns, cases, shrinking, bisecting and explaining know nothing else of it.

#ifndef NORN_SIM_SUBJECT_H_
#define NORN_SIM_SUBJECT_H_

#include <memory>
#include <optional>
#include <string>

#include "sim/case.pb.h"
#include "sim/case_check.h"
#include "sim/run_options.h"
#include "sim/run_result.h"
#include "sim/trace.h"

namespace norn::sim {

// Stateless: many runs may be under way, one after the other or in child processes.
class Subject {
 public:
  virtual ~Subject() = default;

  // The program that runs it, as its users call it: "norn-sim".
  virtual std::string program() const = 0;

  // A function of the options and nothing else; equal options, equal hashes of the trace.
  virtual RunResult Run(const RunOptions& options, TraceView view) const = 0;

  // Sets `*made` to the case as Run takes it (RunOptions::replay), or says what is wrong with it.
  // What is right for every subject has been checked (FindProblem).
  virtual std::optional<CaseProblem> Make(const v1::Case& written,
                                          std::shared_ptr<const Case>* made) const = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SUBJECT_H_
