// Exact siblings: what the replicas hold in the end is what the true causal history says.
//
// The history is the graph of minted versions: each replaced what its base covers. Of those
// that the replicas have seen (a downward-closed part of the graph: who has seen a version
// has seen its past), the maximal ones are alive, and no others:
//
//   * none dropped: a version whose mint succeeded is alive unless a version that was seen,
//     and not refused, was put in its place;
//   * none false: what is alive was minted, and no version that was seen, and whose mint
//     succeeded, was put in its place.
//
// A mint whose end nobody saw (its node died) may or may not have happened: it excuses both.

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/healed.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

constexpr char kProperty[] = "in the end the siblings are those of the true causal history";

std::string Name(const MintedVersion& version) {
  const std::string value = version.value.substr(0, version.value.find(' '));
  return absl::StrCat(version.tombstone ? "a delete" : value, " of ", version.key, " (",
                      ToString(version.dot), ", by n", version.node, " at ",
                      version.minted_us / 1000, " ms)");
}

// The version that certainly replaced `version`, for those who have seen `seen`; or null.
const MintedVersion* SureSuccessor(const MintedVersion& version, const MintedIndex& index,
                                   const VersionVector& seen) {
  for (const MintedVersion* other : index.OfKey(version.key)) {
    if (other->dot == version.dot || !other->succeeded || !other->base_known) continue;
    if (other->minted_us < version.minted_us) continue;
    if (seen.Covers(other->dot) && other->base.Covers(version.dot)) return other;
  }
  return nullptr;
}

}  // namespace

std::optional<Violation> CheckExactSiblings(const History& history, const FinalState& state) {
  const MintedIndex index(history);
  std::map<Dot, const MintedVersion*> by_dot;
  for (const MintedVersion& version : history.minted) by_dot[version.dot] = &version;
  std::map<std::string, Healed> healed_by_key;
  for (const auto& [record_key, copies] : state) {
    if (BucketOf(record_key) == kLwwBucket) continue;  // CheckLastWriterWon() judges
    const std::string key(ClientKeyOf(record_key));
    const Healed& healed = healed_by_key.emplace(key, Healed(state, history, key)).first->second;
    for (const auto& [dot, alive] : healed.alive) {
      const auto minted = by_dot.find(dot);
      if (minted == by_dot.end() || minted->second->refused || minted->second->key != key) {
        return Violation{kProperty,
                         absl::StrCat("alive and never minted: ", ToString(dot), " of ", key)};
      }
      if (const auto* const successor = SureSuccessor(*minted->second, index, healed.context)) {
        return Violation{kProperty, absl::StrCat("alive: ", Name(*minted->second),
                                                 "\nthough replaced by ", Name(*successor))};
      }
    }
  }
  for (const MintedVersion& version : history.minted) {
    const auto healed = healed_by_key.find(version.key);
    if (healed == healed_by_key.end() || !version.succeeded) continue;
    if (!healed->second.context.Covers(version.dot) || healed->second.IsAlive(version.dot))
      continue;
    if (index.Buried(version) || index.Replaced(version, healed->second.context)) continue;
    return Violation{kProperty, absl::StrCat("dropped: ", Name(version),
                                             "\nwhich was seen, and replaced by nothing")};
  }
  return std::nullopt;
}

}  // namespace norn::sim
