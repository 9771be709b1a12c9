// Oracles, apart from the workload: each looks at a finished run and says which property
// broke, with a witness of a few operations. None is satisfied by silence: what a run did
// is counted in its summary, and a run that did nothing is not valid.
//
// What may be claimed under which configuration: README, "What is checked".

#ifndef NORN_SIM_CHECKERS_CHECKERS_H_
#define NORN_SIM_CHECKERS_CHECKERS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/types.h"
#include "sim/history.h"
#include "sim/violation.h"

namespace norn::sim {

// Every value that was read had been written to that key, by a put that had begun before
// the read ended. A put without an answer stays possible for ever.
std::optional<Violation> CheckNothingInvented(const History& history);

// No dot was minted twice, in whatever life of whatever node.
std::optional<Violation> CheckDotsUnique(const History& history);

// One put makes one version, however often its messages were repeated.
std::optional<Violation> CheckMintedOnce(const History& history);

// A read covers every write whose acknowledgement came before it began, if the R of the one
// and the W of the other are above N together: the version is among the siblings, or was
// replaced by one whose base covers it and which the read covers as well. A read that says
// "not found" covers by its token.
std::optional<Violation> CheckReadsCoverWrites(const History& history, int n);

// The same of requests whose level is local_quorum, by the data center of their coordinators, or
// each_quorum: majorities of one data center's replicas overlap, whatever R and W come to.
std::optional<Violation> CheckLocalQuorums(const History& history,
                                           const std::map<NodeId, std::string>& data_centers);

// For R + W > N: what a read covered, a read that begins after it ended covers too, whoever
// asks wherever.
std::optional<Violation> CheckMonotonicReads(const History& history);

// The healed state: record key -> replica -> canonical record.
using FinalState = std::map<std::string, std::map<NodeId, std::string>>;

// All replicas of every key hold the same bytes.
std::optional<Violation> CheckConverged(const FinalState& state,
                                        const std::map<std::string, std::vector<NodeId>>& replicas);

// Nobody keeps a hint any more once all owners can be reached: `hints` lists what is left, by node.
std::optional<Violation> CheckHintsDrained(const std::map<NodeId, std::vector<std::string>>& hints);

// Every acknowledged put is there in the end, alive or replaced by a version whose base
// covers it; every acknowledged delete left a tombstone that is covered. With `pruning` contexts
// forget what they covered, so the true causal history tells what was replaced.
std::optional<Violation> CheckNothingLost(const History& history, const FinalState& state,
                                          bool pruning = false);

// A write that was refused for certain (not applied, invalid, overloaded) never was: no read
// returns its value, no replica holds it, no store took it. Deletes have no value; but every
// tombstone that a store took is of some delete that was not refused.
std::optional<Violation> CheckRefusalsHold(const History& history, const FinalState& state);

// What an acknowledged delete replaced by its token stays away: no replica holds it in the
// end, and none of the last reads (operations from `last_reads` on) returns it. With R + W > N
// (`overlapping`) no read that began after the acknowledgement does.
std::optional<Violation> CheckNoResurrection(const History& history, const FinalState& state,
                                             size_t last_reads, bool overlapping);

// The versions alive in the end are exactly the maximal ones of the true causal history, as
// far as the replicas have seen it. See siblings.cc. O(versions of a key squared).
std::optional<Violation> CheckExactSiblings(const History& history, const FinalState& state);

// What a client ties together by handing contexts back stays together for whoever reads it;
// where all quorums overlap (`overlapping`), clients read their own writes and never less than
// before. See sessions.cc. O(operations of a client on a key squared).
std::optional<Violation> CheckSessions(const History& history, int n, bool overlapping);
// The final version of a last-writer-wins key is at least as great, by (timestamp, dot), as that
// of every acknowledged put.
std::optional<Violation> CheckLastWriterWon(const History& history, const FinalState& state);

// No read returns a value that had expired, by its coordinator's clock, when it began.
std::optional<Violation> CheckExpiry(const History& history);

// A read that has seen a version returns nothing that this version replaced: not beside it, and
// not when it has expired. (Of last-writer-wins keys CheckLastWriterWon() speaks.)
std::optional<Violation> CheckReplacedStaysReplaced(const History& history);

// The last reads show, key by key, what the replicas hold: the same values and the same
// context. A key that replicas hold and nobody read is a violation, too.
std::optional<Violation> CheckFinalReads(const History& history, const FinalState& state,
                                         size_t last_reads);

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_CHECKERS_H_
