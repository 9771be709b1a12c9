// What the process of a run leaves behind when the run does not end: what it wrote as errors, and
// what that makes of it. The same for a campaign's workers and for single runs, so that the same
// crash has the same name in both.

#ifndef NORN_SIM_RUN_PROCESS_H_
#define NORN_SIM_RUN_PROCESS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace norn::sim {

// Where a child process writes its errors: memory that outlives it.
class ErrorOutput {
 public:
  ErrorOutput();
  ErrorOutput(const ErrorOutput&) = delete;
  ErrorOutput& operator=(const ErrorOutput&) = delete;
  ~ErrorOutput();

  // In the child: from now on its standard error goes here.
  void TakeStandardError() const;
  // All that was written.
  std::string Text() const;

 private:
  int fd_ = -1;
};

// "check failed: ..." without file and line, or how the process ended; `wait_status` as waitpid
// gives it.
std::string PropertyOfCrash(int wait_status, const std::string& errors);

// Of a run that was killed at its limit of real time.
inline constexpr char kStoppedProperty[] = "the run did not end within its limit of real time";

// Equal for two failures that are the same but for names of nodes and keys, and numbers.
std::string FingerprintOf(absl::string_view verdict, absl::string_view property);

}  // namespace norn::sim

#endif  // NORN_SIM_RUN_PROCESS_H_
