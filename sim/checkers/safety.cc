// What must hold of every run: nothing invented, no dot twice, nothing lost, all equal.

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/healed.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

std::optional<Violation> CheckNothingInvented(const History& history) {
  std::map<std::string, const Operation*> puts;  // by value
  for (const Operation& operation : history.operations) {
    if (operation.kind == ClientRequest::Kind::kPut) puts[operation.value] = &operation;
  }
  for (const Operation& read : history.operations) {
    if (read.kind != ClientRequest::Kind::kGet || !read.ok()) continue;
    for (const std::string& value : read.read) {
      const auto put = puts.find(value);
      if (put != puts.end() && put->second->key == read.key &&
          put->second->invoked_us <= read.completed_us) {
        continue;
      }
      return Violation{"nothing is read that was never written to that key",
                       absl::StrCat(Describe(read), "\nwritten: ",
                                    put == puts.end() ? "never" : Describe(*put->second))};
    }
  }
  return std::nullopt;
}

std::optional<Violation> CheckDotsUnique(const History& history) {
  std::map<Dot, const MintedVersion*> seen;
  for (const MintedVersion& version : history.minted) {
    const auto [it, first] = seen.emplace(version.dot, &version);
    if (first) continue;
    return Violation{
        "no dot is used twice",
        absl::StrCat("dot ", ToString(version.dot), " was minted by n", it->second->node, " for ",
                     it->second->key, " at ", it->second->minted_us / 1000, " ms, and by n",
                     version.node, " for ", version.key, " at ", version.minted_us / 1000, " ms")};
  }
  return std::nullopt;
}

std::optional<Violation> CheckMintedOnce(const History& history) {
  std::map<std::string, const MintedVersion*> minted;  // by value
  for (const MintedVersion& version : history.minted) {
    if (version.tombstone || !version.succeeded) continue;
    const auto [it, first] = minted.emplace(version.value, &version);
    if (first) continue;
    return Violation{
        "one put makes one version",
        absl::StrCat("a put of ", version.key, " was minted as ", ToString(it->second->dot),
                     " by n", it->second->node, " at ", it->second->minted_us / 1000, " ms and as ",
                     ToString(version.dot), " by n", version.node, " at ", version.minted_us / 1000,
                     " ms")};
  }
  return std::nullopt;
}

std::optional<Violation> CheckConverged(
    const FinalState& state, const std::map<std::string, std::vector<NodeId>>& replicas) {
  for (const auto& [key, copies] : state) {
    for (const NodeId replica : replicas.at(key)) {
      const auto copy = copies.find(replica);
      const std::string& first = copies.begin()->second;
      if (copy != copies.end() && copy->second == first) continue;
      Record left;
      Record right;
      Record::Decode(first, &left);
      if (copy != copies.end()) Record::Decode(copy->second, &right);
      return Violation{
          "after healing all replicas agree, by value",
          absl::StrCat("key ", ClientKeyOf(key), "\nn", copies.begin()->first, " holds ",
                       DebugString(left), "\nn", replica, " holds ",
                       copy == copies.end() ? std::string("nothing") : DebugString(right))};
    }
  }
  return std::nullopt;
}

namespace {

bool DeleteIsThere(const Operation& operation, const MintedIndex& index, const Healed& healed) {
  for (const MintedVersion* version : index.OfKey(operation.key)) {
    if (version->tombstone && version->minted_us >= operation.invoked_us &&
        version->minted_us <= operation.completed_us && healed.context.Covers(version->dot)) {
      return true;
    }
  }
  return false;
}

bool PutIsThere(const Operation& operation, const MintedIndex& index, const Healed& healed) {
  for (const MintedVersion* version : index.OfValue(operation.value)) {
    if (!healed.context.Covers(version->dot)) continue;
    if (healed.IsAlive(version->dot)) return true;
    if (BucketOfKey(operation.key) == kLwwBucket) return true;  // CheckLastWriterWon() judges
    if (index.Buried(*version) || index.Replaced(*version, healed.context)) return true;
  }
  return false;
}

// What has been seen by whoever has seen `seen`: also what was replaced by any of it.
VersionVector PastOf(VersionVector seen, const std::string& key, const MintedIndex& index) {
  VersionVector past;
  while (past != seen) {
    past = seen;
    for (const MintedVersion* version : index.OfKey(key)) {
      if (version->base_known && past.Covers(version->dot)) seen.Join(version->base);
    }
  }
  return past;
}

}  // namespace

std::optional<Violation> CheckNothingLost(const History& history, const FinalState& state,
                                          bool pruning) {
  const MintedIndex index(history);
  std::map<std::string, Healed> healed_by_key;
  for (const Operation& operation : history.operations) {
    if (operation.kind == ClientRequest::Kind::kGet || !operation.ok()) continue;
    auto it = healed_by_key.find(operation.key);
    if (it == healed_by_key.end()) {
      it = healed_by_key.emplace(operation.key, Healed(state, history, operation.key)).first;
      VersionVector& seen = it->second.context;
      if (pruning) seen = PastOf(std::move(seen), operation.key, index);
    }
    const bool there = operation.kind == ClientRequest::Kind::kPut
                           ? PutIsThere(operation, index, it->second)
                           : DeleteIsThere(operation, index, it->second);
    if (there) continue;
    return Violation{"every acknowledged write is present, or covered by a later one",
                     absl::StrCat(Describe(operation), "\nin the end the replicas of ",
                                  operation.key, " have seen ", it->second.context.size(),
                                  " incarnations and hold ", it->second.alive.size(),
                                  " versions, and this one is neither among them nor was it "
                                  "replaced by any of them")};
  }
  return std::nullopt;
}

}  // namespace norn::sim
