// Oracles, apart from the workload: each looks at a finished run and says which property
// broke, with a witness of a few operations. None is satisfied by silence: what a run did
// is counted in its summary, and a run that did nothing is not valid.
//
// What may be claimed under which configuration: README, "What is checked".

#ifndef NORN_SIM_CHECKERS_CHECKERS_H_
#define NORN_SIM_CHECKERS_CHECKERS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/types.h"
#include "sim/history.h"

namespace norn::sim {

struct Violation {
  std::string property;  // "a read covers every write completed before it", ...
  std::string witness;   // lines; the operations that show it
};

// Every value that was read had been written to that key, by a put that had begun before
// the read ended. A put without an answer stays possible for ever.
std::optional<Violation> CheckNothingInvented(const History& history);

// No dot was minted twice, in whatever life of whatever node.
std::optional<Violation> CheckDotsUnique(const History& history);

// One put makes one version, however often its messages were repeated.
std::optional<Violation> CheckMintedOnce(const History& history);

// For R + W > N: a read covers every write whose acknowledgement came before it began: the
// version is among the siblings, or was replaced by one whose base covers it and which the
// read covers as well. A read that says "not found" covers by its token.
std::optional<Violation> CheckReadsCoverWrites(const History& history);

// For R + W > N: what a read covered, a read that begins after it ended covers too, whoever
// asks wherever.
std::optional<Violation> CheckMonotonicReads(const History& history);

// The healed state: record key -> replica -> canonical record.
using FinalState = std::map<std::string, std::map<NodeId, std::string>>;

// All replicas of every key hold the same bytes.
std::optional<Violation> CheckConverged(const FinalState& state,
                                        const std::map<std::string, std::vector<NodeId>>& replicas);

// Every acknowledged put is there in the end, alive or replaced by a version whose base
// covers it; every acknowledged delete left a tombstone that is covered.
std::optional<Violation> CheckNothingLost(const History& history, const FinalState& state);

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_CHECKERS_H_
