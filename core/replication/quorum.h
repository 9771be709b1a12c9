// Quorum arithmetic as values: they count and judge, and know no I/O, time or ids.
//
// A replica counts once, whatever it says later; who is no replica does not count. In a sloppy
// bucket a stand-in fills the place of its replica, but not in a group: groups are about the
// replicas themselves. The
// verdict never changes once it is not kPending, be there groups or not, unless votes are taken
// back (Retract). (After riak_kv_put_core, and etcd's quorum package: small enough to be checked
// against a dumb version in full.)

#ifndef NORN_CORE_REPLICATION_QUORUM_H_
#define NORN_CORE_REPLICATION_QUORUM_H_

#include <algorithm>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "core/check.h"
#include "core/types.h"

namespace norn {

enum class QuorumState : uint8_t { kPending, kMet, kImpossible };

// "`needed` of these replicas say yes", and with Require() so many of each of some groups, too.
class Quorum {
 public:
  Quorum() = default;
  Quorum(absl::Span<const NodeId> replicas, int needed) : needed_(needed) {
    CORE_CHECK(needed >= 0);
    for (const NodeId node : replicas) votes_.push_back(Vote{node, Answer::kNone, kNoNode});
  }

  // `needed` of those replicas that are in `group` must say yes as well. Before any answer.
  void Require(absl::Span<const NodeId> group, int needed) {
    CORE_CHECK(needed >= 0 && votes_.size() <= 32);
    uint32_t members = 0;
    for (size_t i = 0; i < votes_.size(); ++i) {
      if (std::find(group.begin(), group.end(), votes_[i].replica) != group.end()) {
        members |= uint32_t{1} << i;
      }
    }
    groups_.push_back(Group{members, needed});
  }

  // Each returns whether the replica counts and had not answered before.
  bool Ack(NodeId replica) { return Set(replica, Answer::kYes); }
  bool Fail(NodeId replica) { return Set(replica, Answer::kNo); }
  // `stand_in` says yes in the place of `replica`. Whether it counts: the place was empty.
  bool AckInstead(NodeId replica, NodeId stand_in) {
    for (Vote& vote : votes_) {
      if (vote.replica != replica) continue;
      if (vote.answer != Answer::kNone || vote.stand_in != kNoNode) return false;
      vote.stand_in = stand_in;
      return true;
    }
    return false;
  }
  // As if the replica had not answered: its vote proved void (lives.h). It may vote again.
  void Retract(NodeId replica) {
    for (Vote& vote : votes_) {
      if (vote.replica == replica) vote.answer = Answer::kNone;
    }
  }

  void RetractInstead(NodeId replica) {
    for (Vote& vote : votes_) {
      if (vote.replica == replica) vote.stand_in = kNoNode;
    }
  }

  QuorumState state() const {
    QuorumState worst = Judge(acks(), pending(), needed_);
    for (const Group& group : groups_) {
      const QuorumState state = Judge(CountIn(group.members, Answer::kYes),
                                      CountIn(group.members, Answer::kNone), group.needed);
      if (state == QuorumState::kImpossible) return state;
      if (state == QuorumState::kPending && worst == QuorumState::kMet) worst = state;
    }
    return worst;
  }

  // Whether a yes of this replica, which has not answered, would bring kMet nearer.
  bool Wants(NodeId replica) const {
    for (size_t i = 0; i < votes_.size(); ++i) {
      if (votes_[i].replica != replica) continue;
      if (votes_[i].answer != Answer::kNone) return false;
      if (votes_[i].stand_in == kNoNode && acks() < needed_) return true;
      for (const Group& group : groups_) {
        const bool member = (group.members >> i & 1) != 0;
        if (member && CountIn(group.members, Answer::kYes) < group.needed) return true;
      }
    }
    return false;
  }

  // The same of a yes in the place of this replica.
  bool WantsInstead(NodeId replica) const { return acks() < needed_ && !HasAcked(replica); }
  // Whether some replicas themselves must say yes, whoever stands in for them.
  bool HasGroups() const { return !groups_.empty(); }

  // For people: the least number of replicas that must say yes, if the groups do not overlap.
  int needed() const {
    int sum = 0;
    for (const Group& group : groups_) sum += group.needed;
    return std::max(needed_, sum);
  }
  // Who said yes, stand-ins in the places that they alone fill.
  absl::InlinedVector<NodeId, 5> Acked() const {
    absl::InlinedVector<NodeId, 5> acked;
    for (const Vote& vote : votes_) {
      if (vote.SaysYes()) {
        acked.push_back(vote.answer == Answer::kYes ? vote.replica : vote.stand_in);
      }
    }
    return acked;
  }
  int acks() const {
    return CountIf([](const Vote& vote) { return vote.SaysYes(); });
  }
  // Of the acks: how many stand-ins gave.
  int stood_in() const {
    return CountIf([](const Vote& vote) { return vote.SaysYes() && vote.answer != Answer::kYes; });
  }
  int failures() const {
    return CountIf([](const Vote& vote) { return !vote.SaysYes() && vote.answer == Answer::kNo; });
  }
  int pending() const {
    return CountIf([](const Vote& vote) { return !vote.SaysYes() && vote.answer != Answer::kNo; });
  }
  // Nothing more is to come of the place: a stand-in's answer ends that, but for the groups.
  bool HasAnswered(NodeId replica) const {
    for (const Vote& vote : votes_) {
      if (vote.replica != replica) continue;
      return vote.answer != Answer::kNone || (vote.stand_in != kNoNode && groups_.empty());
    }
    return false;
  }
  bool HasAcked(NodeId replica) const {
    for (const Vote& vote : votes_) {
      if (vote.replica == replica) return vote.SaysYes();
    }
    return false;
  }

 private:
  enum class Answer : uint8_t { kNone, kYes, kNo };
  struct Vote {
    NodeId replica;
    Answer answer;    // its own
    NodeId stand_in;  // that says yes in its place; kNoNode: none

    bool SaysYes() const { return answer == Answer::kYes || stand_in != kNoNode; }
  };
  struct Group {
    uint32_t members;  // bit i: votes_[i]
    int needed;
  };

  static QuorumState Judge(int acks, int pending, int needed) {
    if (acks >= needed) return QuorumState::kMet;
    if (acks + pending < needed) return QuorumState::kImpossible;
    return QuorumState::kPending;
  }

  bool Set(NodeId replica, Answer answer) {
    for (Vote& vote : votes_) {
      if (vote.replica != replica) continue;
      if (vote.answer != Answer::kNone) return false;
      vote.answer = answer;
      return true;
    }
    return false;
  }

  template <typename Counts>
  int CountIf(Counts counts) const {
    return static_cast<int>(std::count_if(votes_.begin(), votes_.end(), counts));
  }

  int CountIn(uint32_t members, Answer answer) const {
    int count = 0;
    for (size_t i = 0; i < votes_.size(); ++i) {
      count += (members >> i & 1) != 0 && votes_[i].answer == answer ? 1 : 0;
    }
    return count;
  }

  int needed_ = 0;
  absl::InlinedVector<Vote, 5> votes_;
  absl::InlinedVector<Group, 2> groups_;
};

// A read of a strict bucket with R + W > N may answer with a record only when it is known
// durable on this many replicas: then every later read of at least r_min replicas meets
// one of them, and never sees less. Agreement among R replies alone is not enough: with
// N=5, R=2, W=4 two replicas may hold a partial write that the next two do not. And never on
// fewer than w_min: what was read survives the loss of as many replicas as an acknowledged
// write does, and a replica that mends itself from the others (standing.h) finds it there.
inline int HoldersForAnswer(int n, int r_min, int w_min) { return std::max(n - r_min + 1, w_min); }

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_QUORUM_H_
