// Which life of each replica its vote came from.
//
// A vote counts only as long as nobody whose vote counts, too, knows the voter under another
// life: the copy that it was given for may be gone (standing.h). Small: a handful of votes.

#ifndef NORN_CORE_REPLICATION_LIVES_H_
#define NORN_CORE_REPLICATION_LIVES_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "core/causality/version_vector.h"
#include "core/messages.h"
#include "core/types.h"

namespace norn {

class Lives {
 public:
  // Adds the vote of `replica`, given in `life`. kNoNode: it agrees with all the others;
  // otherwise one of those that it contradicts: neither is to count, ask both again.
  NodeId Add(NodeId replica, Incarnation life, std::vector<Fence> fences) {
    for (const Vote& vote : votes_) {
      if (vote.replica == replica) continue;
      if (Contradicts(fences, vote) || Contradicts(vote.fences, Vote{replica, life, {}})) {
        return vote.replica;
      }
    }
    votes_.push_back(Vote{replica, life, std::move(fences)});
    return kNoNode;
  }

  void Remove(NodeId replica) {
    votes_.erase(std::remove_if(votes_.begin(), votes_.end(),
                                [replica](const Vote& vote) { return vote.replica == replica; }),
                 votes_.end());
  }

 private:
  struct Vote {
    NodeId replica = kNoNode;
    Incarnation life = 0;
    std::vector<Fence> fences;
  };

  static bool Contradicts(const std::vector<Fence>& fences, const Vote& vote) {
    return std::any_of(fences.begin(), fences.end(), [&vote](const Fence& fence) {
      return NodeOf(fence.incarnation) == vote.replica && fence.incarnation != vote.life;
    });
  }

  absl::InlinedVector<Vote, 3> votes_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_LIVES_H_
