// Who is there: heartbeats spread by gossip, suspicion, confirmation.
//
// Every interval a node raises its own heartbeat and exchanges the whole list with two
// random peers (van Renesse et al., A Gossip-Style Failure Detection Service, 1998).
// A heartbeat that has not risen for `suspect_after_us` makes us suspect its node; our
// suspicion travels with the gossip. Suspect becomes down when min(2, other live members)
// others suspect it at the same heartbeat (after SWIM, Das et al., 2002). A node that
// hears itself suspected raises its heartbeat and says so at once: any rise refutes.
//
// Invariants:
//   * (generation, heartbeat) of a member never goes back;
//   * routing goes by our own evidence at once: a suspect is not reachable;
//   * nothing here changes who owns what: that is the layout's alone;
//   * members come from the configuration: gossip cannot bring a ghost in.

#ifndef NORN_CORE_MEMBERSHIP_MEMBERSHIP_H_
#define NORN_CORE_MEMBERSHIP_MEMBERSHIP_H_

#include <cstdint>
#include <vector>

#include "core/node_context.h"

namespace norn {

class Membership {
 public:
  explicit Membership(NodeContext& node);

  // Our generation is durable: begin to speak.
  void Start(StepContext& step);

  void OnGossip(StepContext& step, NodeId from, const Gossip& gossip);
  void OnTimer(StepContext& step);
  int64_t NextDeadline() const { return next_tick_us_; }

  // Whether `id` is another member of the cluster.
  bool IsPeer(NodeId id) const { return id != node_.self() && Find(id) != nullptr; }
  bool IsReachable(NodeId id) const;
  // 0: never heard of.
  Generation GenerationOf(NodeId id) const;

  // Members that came back since the last call: what they missed must be mended first.
  std::vector<NodeId> TakeReturned();

  // Somebody remembers more of us than we do ourselves (our disk was wiped, or is an older
  // copy): the generation to rise above. 0: all is well.
  Generation generation_to_exceed() const { return generation_to_exceed_; }
  void GenerationRaised();

  std::vector<MemberStatus> Describe() const;

 private:
  struct Member {
    MemberConfig config;
    Generation generation = 0;
    uint64_t heartbeat = 0;
    int64_t risen_us = 0;  // when we last saw it rise
    Liveness liveness = Liveness::kAlive;
    std::vector<NodeId> suspected_by;  // at this heartbeat; ourselves not among them
  };

  Member* Find(NodeId id);
  const Member* Find(NodeId id) const;
  void Tick(StepContext& step);
  void HearHeartbeat(StepContext& step, const MemberHeartbeat& heard);
  void HearSuspicion(StepContext& step, const Suspicion& suspicion);
  // Whether others know more of us than we do: then we must begin a new generation.
  bool HearOfSelf(Generation generation, uint64_t heartbeat);
  void JudgeDown(StepContext& step, Member& member);
  Gossip Compose(bool answer_wanted) const;
  void SpeakToSome(StepContext& step, size_t count);

  NodeContext& node_;
  std::vector<Member> members_;  // by id; ourselves included
  std::vector<NodeId> returned_;
  Generation generation_to_exceed_ = 0;
  int64_t next_tick_us_ = kNever;
};

}  // namespace norn

#endif  // NORN_CORE_MEMBERSHIP_MEMBERSHIP_H_
