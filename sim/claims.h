// What a run is judged by, claim by claim, and what each of them asks of the configuration.
//
// By default a run is judged by all that its configuration allows. Who names a claim that it
// cannot promise is told why.

#ifndef NORN_SIM_CLAIMS_H_
#define NORN_SIM_CLAIMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::sim {

struct UniverseConfig;

enum class Claim : uint8_t {
  kNothingInvented,    // what is read had been written to that key
  kUniqueDots,         // no dot is used twice, and one put makes one version
  kDurability,         // what was acknowledged is there, or replaced by what covers it
  kRefusalsHold,       // what was refused for certain never was
  kDeletesHold,        // what an acknowledged delete covered does not come back
  kConvergence,        // after healing all replicas are equal, and read as they are
  kTrees,              // Merkle trees stand for the records there are
  kExactSiblings,      // the siblings are the maximal versions of the true history
  kReplacedStaysGone,  // a read that has seen a version shows nothing that it replaced
  kWritesFollowReads,  // who reads a write has seen what its writer had seen
  kLastWriterWins,     // the greatest timestamp stays, where the last writer wins
  kExpiry,             // what has expired is not served
  kReadsCoverWrites,   // a read covers what was written before, if its R and the W are above N
  kMonotonicReads,     // a read covers what was read before, whoever asks
  kReadYourWrites,     // clients read their own writes, and never less than before
  kLocalQuorums,       // local_quorum: the reads of a data center cover its writes
};

// "durability", "reads-cover-writes", ...
const char* ClaimName(Claim claim);
const char* ClaimText(Claim claim);  // in one line
std::vector<Claim> AllClaims();
std::optional<Claim> ClaimOfName(absl::string_view name);
// For who wrote a name that none has: what to write.
std::string UnknownClaim(absl::string_view name);

// Why nobody can claim this of such a run; empty: it can be claimed.
std::string WhyNot(Claim claim, const UniverseConfig& config);

// Whether it is judged: it can be claimed, and was asked for unless nothing was.
bool IsJudged(Claim claim, const UniverseConfig& config);

}  // namespace norn::sim

#endif  // NORN_SIM_CLAIMS_H_
