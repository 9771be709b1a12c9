#include "sim/claims.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/universe_config.h"

namespace norn::sim {

namespace {

struct Described {
  Claim claim;
  const char* name;
  const char* text;
};

constexpr Described kClaims[] = {
    {Claim::kNothingInvented, "nothing-invented", "what is read had been written to that key"},
    {Claim::kUniqueDots, "unique-dots", "no dot is used twice, and one put makes one version"},
    {Claim::kDurability, "durability",
     "every acknowledged write is there, or replaced by one that covers it"},
    {Claim::kRefusalsHold, "refusals-hold", "what was refused for certain never was"},
    {Claim::kDeletesHold, "deletes-hold", "what an acknowledged delete covered does not come back"},
    {Claim::kConvergence, "convergence",
     "after healing all replicas are equal by value, and every key is read as they hold it"},
    {Claim::kTrees, "trees", "Merkle trees stand for the records there are"},
    {Claim::kExactSiblings, "exact-siblings",
     "the siblings are the maximal versions of the true causal history"},
    {Claim::kReplacedStaysGone, "replaced-stays-gone",
     "a read that has seen a version shows nothing that it replaced"},
    {Claim::kWritesFollowReads, "writes-follow-reads",
     "who reads a write has seen what its writer had seen"},
    {Claim::kLastWriterWins, "last-writer-wins",
     "the greatest timestamp stays, where the last writer wins"},
    {Claim::kExpiry, "expiry", "what has expired is not served"},
    {Claim::kReadsCoverWrites, "reads-cover-writes",
     "a read covers every write completed before it, if its R and the W are above N"},
    {Claim::kMonotonicReads, "monotonic-reads", "a read covers what was read before, whoever asks"},
    {Claim::kReadYourWrites, "read-your-writes",
     "clients read their own writes, and never less than before"},
    {Claim::kLocalQuorums, "local-quorums",
     "local_quorum reads cover the writes that completed in their data center"},
};

bool DataCenters(const UniverseConfig& config) {
  const std::vector<MemberConfig>& members = config.cluster.members;
  for (const MemberConfig& member : members) {
    if (member.data_center != members.front().data_center) return true;
  }
  return false;
}

}  // namespace

const char* ClaimName(Claim claim) { return kClaims[static_cast<size_t>(claim)].name; }
const char* ClaimText(Claim claim) { return kClaims[static_cast<size_t>(claim)].text; }

std::vector<Claim> AllClaims() {
  std::vector<Claim> all;
  for (const Described& described : kClaims) all.push_back(described.claim);
  return all;
}

std::optional<Claim> ClaimOfName(absl::string_view name) {
  for (const Described& described : kClaims) {
    if (name == described.name) return described.claim;
  }
  return std::nullopt;
}

std::string UnknownClaim(absl::string_view name) {
  return absl::StrCat("\"", name, "\" is no claim: write one of ",
                      absl::StrJoin(kClaims, ", ", [](std::string* out, const Described& one) {
                        out->append(one.name);
                      }));
}

std::string WhyNot(Claim claim, const UniverseConfig& config) {
  const BucketConfig& bucket = config.bucket();
  const std::string least =
      absl::StrCat("R + W may be ", bucket.RMin() + bucket.WMin(), " and N is ", bucket.n,
                   ": a read may meet none of the replicas that were written");
  switch (claim) {
    case Claim::kNothingInvented:
    case Claim::kUniqueDots:
    case Claim::kDurability:
    case Claim::kRefusalsHold:
    case Claim::kConvergence:
    case Claim::kTrees:
    case Claim::kLastWriterWins:
    case Claim::kExpiry:
      return "";
    case Claim::kDeletesHold:
    case Claim::kExactSiblings:
    case Claim::kReplacedStaysGone:
    case Claim::kWritesFollowReads:
      break;
    case Claim::kReadsCoverWrites:
      if (bucket.sloppy) return "the bucket is sloppy: a write may live on stand-ins alone";
      break;
    case Claim::kMonotonicReads:
    case Claim::kReadYourWrites:
      if (bucket.sloppy) return "the bucket is sloppy: a write may live on stand-ins alone";
      if (!config.overlapping()) return least;
      break;
    case Claim::kLocalQuorums:
      if (bucket.sloppy) return "the bucket is sloppy: a write may live on stand-ins alone";
      if (!DataCenters(config)) return "all nodes are in one data center";
      break;
  }
  if (!config.pruning()) return "";
  return "contexts are pruned: what they forget may come back as a false sibling";
}

bool IsJudged(Claim claim, const UniverseConfig& config) {
  if (!WhyNot(claim, config).empty()) return false;
  return config.claims.empty() || config.claims.count(claim) != 0;
}

}  // namespace norn::sim
