// The fault budget: what may be destroyed when, so that loss stays avoidable.
//
// At most W_min - 1 replicas of any replica set may be destroyed (their disks wiped, or
// brought back older) until they are whole again: then every acknowledged write, durable on
// W >= W_min replicas, has a survivor, and no loss is excusable. Who is whole again is
// decided by those who see every copy of every dot, not by what the nodes believe.

#ifndef NORN_SIM_CHECKERS_FAULT_BUDGET_H_
#define NORN_SIM_CHECKERS_FAULT_BUDGET_H_

#include <map>
#include <string>
#include <utility>

#include "core/causality/version_vector.h"
#include "core/ring/layout.h"
#include "core/types.h"
#include "sim/checkers/checkers.h"

namespace norn::sim {

class FaultBudget {
 public:
  // `layout` outlives this. `sloppy`: copies of stand-ins count toward W.
  FaultBudget(const Layout& layout, int w_min, bool sloppy = false)
      : layout_(layout), w_min_(w_min), sloppy_(sloppy) {}

  // Whether `victim` may be destroyed now, while every node holds `copies`: what it keeps for
  // others, as a stand-in, somebody who is whole must hold as well. With sloppy quorums that goes
  // for all that it holds: the second copy may have been a stand-in's, which is lost already.
  bool Allows(NodeId victim, const FinalState& copies) const;
  // `victim` was destroyed; `copies` is what every node still holds durably. From now on it
  // must come to see what the others have seen.
  void Destroyed(NodeId victim, const FinalState& copies);
  // What was removed for good is asked of nobody.
  void Buried(const std::string& record_key, const VersionVector& context);
  // Whoever holds again what was asked of it is whole. O(keys * replicas).
  void Reconsider(const FinalState& copies);

  bool IsWhole(NodeId node) const { return missing_.count(node) == 0; }

 private:
  const Layout& layout_;
  const int w_min_;
  const bool sloppy_;
  // Of those that are not whole: what they must have seen, by record key.
  std::map<NodeId, std::map<std::string, VersionVector>> missing_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_FAULT_BUDGET_H_
