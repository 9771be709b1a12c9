// What must hold in the end: refused writes never were, deleted values stay away, and
// clients read what the replicas hold.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/healed.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

using Kind = ClientRequest::Kind;
using Outcome = ClientReply::Outcome;

// Answered, and certainly without effect.
bool Refused(const Operation& operation) {
  if (operation.kind == Kind::kGet || operation.completed_us == kNever) return false;
  return operation.outcome == Outcome::kNotApplied || operation.outcome == Outcome::kInvalid ||
         operation.outcome == Outcome::kOverloaded;
}

std::string NameOf(const std::string& value) { return value.substr(0, value.find(' ')); }

std::string NamesOf(const std::vector<std::string>& values) {
  return absl::StrCat("{",
                      absl::StrJoin(values, ", ",
                                    [](std::string* out, const std::string& value) {
                                      absl::StrAppend(out, NameOf(value));
                                    }),
                      "}");
}

// Whether some delete can have made this tombstone.
bool Accounted(const MintedVersion& tombstone, const std::vector<const Operation*>& deletes) {
  return std::any_of(deletes.begin(), deletes.end(), [&](const Operation* operation) {
    if (operation->invoked_us > tombstone.minted_us || Refused(*operation)) return false;
    return !operation->ok() || tombstone.minted_us <= operation->completed_us;
  });
}

// The values that the replicas hold of `key` and that have not expired then, sorted.
std::vector<std::string> ValuesOf(const Healed& healed, int64_t time_us) {
  std::vector<std::string> values;
  for (const auto& [dot, version] : healed.alive) {
    if (!version.IsDeadAt(WallOf(time_us))) values.push_back(version.value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

// The values of the delete's key that are covered in all their versions.
std::set<std::string> Covered(const Operation& deletion, const MintedIndex& index) {
  std::set<std::string> covered;
  std::set<std::string> others;
  for (const MintedVersion* version : index.OfKey(deletion.key)) {
    if (version->tombstone || version->refused) continue;
    const bool is_covered = deletion.replaces.Covers(version->dot);
    (is_covered ? covered : others).insert(version->value);
  }
  for (const std::string& value : others) covered.erase(value);
  return covered;
}

constexpr char kRefusedProperty[] = "a write that was refused for certain never takes effect";
constexpr char kResurrectedProperty[] = "what an acknowledged delete replaced does not come back";
constexpr char kFinalProperty[] = "in the end clients read what the replicas hold";

}  // namespace

std::optional<Violation> CheckRefusalsHold(const History& history, const FinalState& state) {
  const MintedIndex index(history);
  std::map<std::string, const Operation*> refused;  // puts, by value
  std::map<std::string, std::vector<const Operation*>> deletes;
  for (const Operation& operation : history.operations) {
    if (operation.kind == Kind::kPut && Refused(operation)) refused[operation.value] = &operation;
    if (operation.kind == Kind::kDelete) deletes[operation.key].push_back(&operation);
  }
  for (const Operation& read : history.operations) {
    for (const std::string& value : read.read) {
      const auto put = refused.find(value);
      if (put == refused.end()) continue;
      return Violation{kRefusedProperty,
                       absl::StrCat(Describe(*put->second), "\n", Describe(read))};
    }
  }
  for (const auto& [value, put] : refused) {
    const Healed healed(state, history, put->key);
    for (const MintedVersion* version : index.OfValue(value)) {
      if (!version->succeeded && !healed.IsAlive(version->dot)) continue;
      return Violation{kRefusedProperty,
                       absl::StrCat(Describe(*put), "\nminted as ", ToString(version->dot), " by n",
                                    version->node, " at ", version->minted_us / 1000, " ms, and ",
                                    healed.IsAlive(version->dot) ? "alive in the end" : "stored")};
    }
  }
  for (const MintedVersion& version : history.minted) {
    if (!version.tombstone || !version.succeeded) continue;
    if (Accounted(version, deletes[version.key])) continue;
    return Violation{kRefusedProperty,
                     absl::StrCat("n", version.node, " made the tombstone ", ToString(version.dot),
                                  " of ", version.key, " at ", version.minted_us / 1000,
                                  " ms, when no delete was under way but refused ones")};
  }
  return std::nullopt;
}

std::optional<Violation> CheckNoResurrection(const History& history, const FinalState& state,
                                             size_t last_reads, bool overlapping) {
  const MintedIndex index(history);
  std::map<std::string, std::vector<const Operation*>> reads;
  for (size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& operation = history.operations[i];
    if (operation.kind != Kind::kGet || !operation.ok()) continue;
    if (overlapping || i >= last_reads) reads[operation.key].push_back(&operation);
  }
  for (const Operation& deletion : history.operations) {
    if (deletion.kind != Kind::kDelete || !deletion.ok()) continue;
    if (deletion.base != ClientRequest::Base::kToken) continue;
    for (const auto& [dot, version] : Healed(state, history, deletion.key).alive) {
      if (!deletion.replaces.Covers(dot)) continue;
      return Violation{kResurrectedProperty,
                       absl::StrCat(Describe(deletion), "\nin the end ", ToString(dot), " = ",
                                    NameOf(version.value), " is alive, which it had read")};
    }
    const std::set<std::string> covered = Covered(deletion, index);
    for (const Operation* read : reads[deletion.key]) {
      if (read->invoked_us <= deletion.completed_us) continue;
      for (const std::string& value : read->read) {
        if (covered.count(value) == 0) continue;
        return Violation{kResurrectedProperty,
                         absl::StrCat(Describe(deletion), ", of ", NameOf(value), " among others\n",
                                      Describe(*read))};
      }
    }
  }
  return std::nullopt;
}

std::optional<Violation> CheckHintsDrained(
    const std::map<NodeId, std::vector<std::string>>& hints) {
  for (const auto& [node, keys] : hints) {
    if (keys.empty()) continue;
    return Violation{"after healing every hint has been handed over",
                     absl::StrCat("n", node, " still keeps ", keys.size(), " hints, of ",
                                  ClientKeyOf(keys.front()), " for one")};
  }
  return std::nullopt;
}

std::optional<Violation> CheckFinalReads(const History& history, const FinalState& state,
                                         size_t last_reads) {
  std::set<std::string> read_keys;
  for (size_t i = last_reads; i < history.operations.size(); ++i) {
    const Operation& read = history.operations[i];
    if (read.kind != Kind::kGet || !read.ok()) continue;
    read_keys.insert(read.key);
    const Healed healed(state, history, read.key);
    std::vector<std::string> values = read.read;
    std::sort(values.begin(), values.end());
    // Times of entries, where there are any, are not in a token.
    const bool same_context =
        read.context.CoversAll(healed.context) && healed.context.CoversAll(read.context);
    // What expires meanwhile may be there or not.
    const std::vector<std::string> most = ValuesOf(healed, read.invoked_us);
    const std::vector<std::string> least = ValuesOf(healed, read.completed_us);
    const bool same_values =
        std::includes(most.begin(), most.end(), values.begin(), values.end()) &&
        std::includes(values.begin(), values.end(), least.begin(), least.end());
    if (same_values && same_context) continue;
    return Violation{kFinalProperty,
                     absl::StrCat(Describe(read), "\nthe replicas hold ", NamesOf(most),
                                  same_context ? "" : ", and have seen something else")};
  }
  for (const auto& [key, copies] : state) {
    if (read_keys.count(std::string(ClientKeyOf(key))) != 0) continue;
    return Violation{kFinalProperty, absl::StrCat("nobody read ", ClientKeyOf(key), " in the end")};
  }
  return std::nullopt;
}

}  // namespace norn::sim
