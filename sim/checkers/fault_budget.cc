#include "sim/checkers/fault_budget.h"

#include <algorithm>
#include <iterator>

#include "core/causality/record.h"
#include "core/check.h"

namespace norn::sim {

namespace {

VersionVector ContextOf(const std::string& bytes) {
  Record record;
  CORE_CHECK(Record::Decode(bytes, &record));
  return record.context();
}

VersionVector SeenBy(NodeId node, const std::string& key, const FinalState& copies) {
  const auto of_key = copies.find(key);
  if (of_key == copies.end()) return VersionVector();
  const auto copy = of_key->second.find(node);
  return copy == of_key->second.end() ? VersionVector() : ContextOf(copy->second);
}

}  // namespace

bool FaultBudget::Allows(NodeId victim, const FinalState& copies) const {
  for (const auto& [key, by_node] : copies) {
    if (!sloppy_ && layout_.IsReplica(layout_.PartitionOf(key), victim)) continue;
    const VersionVector kept = SeenBy(victim, key, copies);
    const bool elsewhere =
        kept.empty() || std::any_of(by_node.begin(), by_node.end(), [&](const auto& copy) {
          return copy.first != victim && IsWhole(copy.first) &&
                 ContextOf(copy.second).CoversAll(kept);
        });
    if (!elsewhere) return false;
  }
  for (const PartitionId partition : layout_.PartitionsOf(victim)) {
    const auto replicas = layout_.Replicas(partition);
    const auto broken = std::count_if(replicas.begin(), replicas.end(), [&](NodeId replica) {
      return replica == victim || !IsWhole(replica);
    });
    if (broken > w_min_ - 1) return false;
  }
  return true;
}

void FaultBudget::Destroyed(NodeId victim, const FinalState& copies) {
  std::map<std::string, VersionVector>& wanted = missing_[victim];
  for (const auto& [key, by_node] : copies) {
    if (!layout_.IsReplica(layout_.PartitionOf(key), victim)) continue;
    for (const auto& [node, bytes] : by_node) {
      if (node != victim) wanted[key].Join(ContextOf(bytes));
    }
  }
}

void FaultBudget::Buried(const std::string& record_key, const VersionVector& context) {
  for (auto& [node, wanted] : missing_) {
    const auto want = wanted.find(record_key);
    if (want != wanted.end() && context.CoversAll(want->second)) wanted.erase(want);
  }
}

void FaultBudget::Reconsider(const FinalState& copies) {
  for (auto it = missing_.begin(); it != missing_.end();) {
    const auto& [node, wanted] = *it;
    const bool whole = std::all_of(wanted.begin(), wanted.end(), [&, id = node](const auto& want) {
      return SeenBy(id, want.first, copies).CoversAll(want.second);
    });
    it = whole ? missing_.erase(it) : std::next(it);
  }
}

}  // namespace norn::sim
