// Cuts a failing case down: leaves out what is not needed for it to fail in the same way.
//
// Delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002),
// over what a case consists of, the large parts first: time, faults, clients, keys, operations,
// nodes, harms to messages, settings; and what is left is moved to the start. Then what remains is
// made simpler: an operation without its own quorum, a fault of fewer nodes, a network whose delays
// are constant. Faults that harm messages by chance become a list of the messages that they harmed,
// which can be cut down too. Again from the start, until nothing more can go.
//
// A candidate counts only if it fails in the same way: the same verdict and the same property
// (CaseRun::Fingerprint), unless the caller knows better. Runs that crash or hang are outcomes like
// others.

#ifndef NORN_SIM_SHRINKER_H_
#define NORN_SIM_SHRINKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "sim/case.pb.h"
#include "sim/case_runner.h"

namespace norn::sim {

struct ShrinkProgress {
  std::string pass;  // what is tried now
  uint64_t runs = 0;
  size_t faults = 0;
  size_t operations = 0;
};

struct ShrinkOptions {
  // Whether a run fails in the same way as the first. Null: if its fingerprint is the same.
  std::function<bool(const CaseRun& run)> same;
  // Says when it has been long enough: the result is then the smallest so far. Where it never
  // says so, the result does not depend on time, nor on how many run at once.
  std::function<bool()> enough;
  std::function<void(const ShrinkProgress& progress)> progress;
};

struct ShrinkResult {
  v1::Case smallest;      // with its own outcome
  CaseRun run;            // of it
  bool finished = false;  // nothing more can go; else it was enough
};

// `first` is what became of `written`: a failure.
ShrinkResult Shrink(const v1::Case& written, const CaseRun& first, const ShrinkOptions& options,
                    CaseRunner* runner);

}  // namespace norn::sim

#endif  // NORN_SIM_SHRINKER_H_
