// An engine in a process of its own, which runs workloads one by one when it is told to.
//
// So its processor time, its memory and its bytes written are its own, its threads end with it,
// and it waits while another engine has its turn.

#ifndef NORN_BENCHMARKS_ENGINES_CHILD_H_
#define NORN_BENCHMARKS_ENGINES_CHILD_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/workloads.h"

namespace norn::benchmarks {

class Child {
 public:
  // Opens the engine in the new process. Null: a process without an engine.
  using OpenEngine = std::function<std::unique_ptr<EngineAdapter>()>;

  // `name` is for error messages. The caller must have no other threads.
  static absl::StatusOr<std::unique_ptr<Child>> Fork(std::string name, const OpenEngine& open,
                                                     const Bench& bench, const std::string& dir);
  // Kills the process if it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Runs a slice of a workload and waits for it.
  absl::StatusOr<Measurement> Run(const Slice& slice);

  // Has it close its engine and waits for its end.
  absl::Status Close();

 private:
  Child(std::string name, pid_t pid, int commands, int results)
      : name_(std::move(name)), pid_(pid), commands_(commands), results_(results) {}

  absl::Status Wait();

  const std::string name_;
  pid_t pid_;     // 0: has ended
  int commands_;  // pipe to the process: a Slice each
  int results_;   // pipe from it: a Measurement each
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_CHILD_H_
