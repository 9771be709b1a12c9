// Who stands in for whom in one request of a sloppy bucket: a value that knows no I/O.
//
// Owners keep their places in the quorum; a stand-in's answer counts in the place of the owner
// that it stands for, and each server stands for one owner at most: W acknowledgements are W
// servers. A stand-in that failed is not asked again by this request.
//
// Who may be stood in for is the caller's to say, and it says so only of an owner that refused or
// failed, or whose heartbeat stopped rising (Membership::IsReachable). Silence alone is no reason,
// however long it lasts within one request: a node that is merely slow would be given its work
// twice, once as a hint, just when it has too much (scylladb #7976). Its write is on the way to it
// all the same, and its answer fills the quorum when it comes. So an owner that dies is stood in
// for once the failure detector has seen it, and requests of the moments before wait for that
// within their deadline.

#ifndef NORN_CORE_REPLICATION_STAND_IN_PLAN_H_
#define NORN_CORE_REPLICATION_STAND_IN_PLAN_H_

#include <algorithm>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "core/check.h"
#include "core/types.h"

namespace norn {

class StandInPlan {
 public:
  // The first of `walk` that was never asked and that `may_ask` allows now stands in for `owner`.
  // kNoNode: there is none. Nobody may stand for the owner at the moment.
  template <typename MayAsk>
  NodeId Assign(NodeId owner, absl::Span<const NodeId> walk, const MayAsk& may_ask) {
    for (const NodeId node : walk) {
      const auto asked = [node](const Place& place) { return place.stand_in == node; };
      if (std::any_of(places_.begin(), places_.end(), asked) || !may_ask(node)) continue;
      Assign(owner, node);
      return node;
    }
    return kNoNode;
  }
  void Assign(NodeId owner, NodeId stand_in) {
    CORE_CHECK(StandInOf(owner) == kNoNode);
    places_.push_back(Place{owner, stand_in, false});
  }

  // The stand-in failed, or went away.
  void GiveUp(NodeId stand_in) {
    for (Place& place : places_) {
      if (place.stand_in == stand_in) place.given_up = true;
    }
  }

  // In whose place `node` answers, even if it was given up: its copy is as good. kNoNode: it
  // stands for nobody.
  NodeId OwnerOf(NodeId node) const {
    for (const Place& place : places_) {
      if (place.stand_in == node) return place.owner;
    }
    return kNoNode;
  }

  // Who stands for `owner` now; kNoNode: nobody.
  NodeId StandInOf(NodeId owner) const {
    for (const Place& place : places_) {
      if (place.owner == owner && !place.given_up) return place.stand_in;
    }
    return kNoNode;
  }

 private:
  struct Place {
    NodeId owner;
    NodeId stand_in;
    bool given_up;
  };

  absl::InlinedVector<Place, 2> places_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_STAND_IN_PLAN_H_
