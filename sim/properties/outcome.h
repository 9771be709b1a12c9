// What became of a case, for those who state properties of their own about it.

#ifndef NORN_SIM_PROPERTIES_OUTCOME_H_
#define NORN_SIM_PROPERTIES_OUTCOME_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/case.pb.h"
#include "sim/case_runner.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"
#include "sim/run_event.h"

namespace norn::sim {

struct Outcome {
  v1::Case tried;
  // The verdict of the simulator's own checkers (README, "What is checked"), the witness, the hash
  // of the trace, and the events, if they were asked for.
  CaseRun run;
  // What clients did and saw, by invocation, the reads after healing included (as client 0). A
  // value, put or read, is the case's with a space and the padding behind it. Of a run that did not
  // end: what was asked, without answers.
  History history;
  size_t last_reads = 0;  // the first of the reads after healing
  // The records that replicas hold after healing, by record key and node; none if the run did not
  // come so far.
  FinalState replicas;

  bool violated() const { return run.verdict == "VIOLATED" || run.verdict == "NO PROGRESS"; }
  // Crashed, failed an assertion, or did not end within its limit of real time.
  bool crashed() const { return run.verdict == "CRASHED" || run.verdict == "STOPPED"; }
  // A fault had no effect, or no write was acknowledged: nothing speaks against the history, but
  // it shows little.
  bool inconclusive() const { return run.verdict == "UNKNOWN"; }

  // The version that this put made. Null: none is known.
  const MintedVersion* VersionOf(const Operation& put) const;
  // Whether whoever got this answer has seen what the put wrote: it was read, or what was read, or
  // found deleted, came in its place.
  bool Covers(const Operation& answer, const Operation& put) const;
  // Whether this put or delete, by the context that it carried, replaced the version with this
  // value.
  bool Replaces(const Operation& write, const std::string& value) const;
  // The values of a key that each node holds after healing, expired or not.
  std::map<NodeId, std::vector<std::string>> Held(const std::string& key) const;
};

// The operations of each client in their order. The pointers are into the outcome's history.
std::vector<std::vector<const Operation*>> Sessions(const Outcome& outcome);

// "v3" of "v3 xxx": a value as the case writes it.
std::string ShortValue(const std::string& value);

struct PerformOptions {
  bool record_events = false;
  int64_t limit_ms = 30'000;  // of real time
};

// Runs the case in a child process. The same case has the same outcome. Throws
// std::invalid_argument, which RapidCheck reports, for a case that makes no sense; those that are
// drawn do.
Outcome Perform(const v1::Case& written, const PerformOptions& options = {});

// What `run`, of a runner that records histories, came to.
Outcome OutcomeOf(const v1::Case& written, CaseRun run);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_OUTCOME_H_
