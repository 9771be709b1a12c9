// Quorum arithmetic as values: they count and judge, and know no I/O, time or ids.
//
// A replica counts once, whatever it says later; who is no replica does not count. The
// verdict never changes once it is not kPending, unless votes are taken back: see Retract. (After
// riak_kv_put_core, and etcd's quorum package: small enough to be checked against a dumb version in
// full.)

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

// "`needed` of these replicas say yes."
class Quorum {
 public:
  Quorum() = default;
  Quorum(absl::Span<const NodeId> replicas, int needed) : needed_(needed) {
    CORE_CHECK(needed >= 0);
    for (const NodeId node : replicas) votes_.push_back(Vote{node, Answer::kNone});
  }

  // Each returns whether the replica counts and had not answered before.
  bool Ack(NodeId replica) { return Set(replica, Answer::kYes); }
  bool Fail(NodeId replica) { return Set(replica, Answer::kNo); }
  // As if the replica had not answered: its vote proved void (lives.h). It may vote again.
  void Retract(NodeId replica) {
    for (Vote& vote : votes_) {
      if (vote.replica == replica) vote.answer = Answer::kNone;
    }
  }

  QuorumState state() const {
    if (acks() >= needed_) return QuorumState::kMet;
    if (acks() + pending() < needed_) return QuorumState::kImpossible;
    return QuorumState::kPending;
  }

  int needed() const { return needed_; }
  int acks() const { return Count(Answer::kYes); }
  int failures() const { return Count(Answer::kNo); }
  int pending() const { return Count(Answer::kNone); }
  bool HasAnswered(NodeId replica) const {
    for (const Vote& vote : votes_) {
      if (vote.replica == replica) return vote.answer != Answer::kNone;
    }
    return false;
  }
  bool HasAcked(NodeId replica) const {
    for (const Vote& vote : votes_) {
      if (vote.replica == replica) return vote.answer == Answer::kYes;
    }
    return false;
  }

 private:
  enum class Answer : uint8_t { kNone, kYes, kNo };
  struct Vote {
    NodeId replica;
    Answer answer;
  };

  bool Set(NodeId replica, Answer answer) {
    for (Vote& vote : votes_) {
      if (vote.replica != replica) continue;
      if (vote.answer != Answer::kNone) return false;
      vote.answer = answer;
      return true;
    }
    return false;
  }

  int Count(Answer answer) const {
    return static_cast<int>(std::count_if(votes_.begin(), votes_.end(), [answer](const Vote& vote) {
      return vote.answer == answer;
    }));
  }

  int needed_ = 0;
  absl::InlinedVector<Vote, 5> votes_;
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
