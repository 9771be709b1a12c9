#include "core/membership/membership.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace norn {
namespace {

constexpr int64_t kInterval = 500'000;
constexpr int64_t kSuspectAfter = 3'000'000;

// Several membership machines, a network that delivers at once unless told not to, and a
// clock that moves by tenths of a second.
class Group {
 public:
  explicit Group(int n) {
    cluster_.name = "cluster";
    cluster_.buckets[0].n = 1;
    cluster_.buckets[0].r = 1;
    cluster_.buckets[0].w = 1;
    for (int i = 1; i <= n; ++i) {
      MemberConfig member;
      member.id = static_cast<NodeId>(i);
      member.address = std::to_string(i);
      cluster_.members.push_back(member);
    }
    for (int i = 1; i <= n; ++i) Start(static_cast<NodeId>(i), 1);
  }

  void Start(NodeId id, Generation generation) {
    NodeOptions options;
    options.id = id;
    Peer& peer = peers_[id];
    peer.machine.reset();
    peer.context = std::make_unique<NodeContext>(cluster_, options);
    peer.context->random = Random(id * 1000 + generation);
    peer.context->generation = generation;
    peer.machine = std::make_unique<Membership>(*peer.context);
    peer.up = true;
    StepContext step{now_, out_};
    peer.machine->Start(step);
  }
  void Stop(NodeId id) { peers_[id].up = false; }

  void Run(int64_t us) {
    const int64_t end_us = now_.monotonic_us + us;
    for (; now_.monotonic_us < end_us; now_.monotonic_us += 100'000) {
      for (auto& [id, peer] : peers_) {
        if (!peer.up || peer.machine->NextDeadline() > now_.monotonic_us) continue;
        StepContext step{now_, out_};
        peer.machine->OnTimer(step);
        Post(id);
      }
      Settle();
    }
  }
  void Hear(NodeId to, NodeId from, const Gossip& gossip) {
    StepContext step{now_, out_};
    peers_[to].machine->OnGossip(step, from, gossip);
    Post(to);
  }
  void Settle() {
    int budget = 10'000;
    while (!wire_.empty()) {
      ASSERT_GT(--budget, 0) << "the members talk without end";
      const auto [from, to, gossip] = wire_.front();
      wire_.pop_front();
      ++messages_;
      const bool passes = !cut_ || !cut_(from, to);
      if (passes && peers_.count(to) != 0 && peers_[to].up) Hear(to, from, gossip);
    }
  }

  // Which messages (from, to) are lost.
  void Cut(std::function<bool(NodeId, NodeId)> cut) { cut_ = std::move(cut); }
  Liveness Sees(NodeId who, NodeId whom) { return StatusOf(who, whom).liveness; }
  MemberStatus StatusOf(NodeId who, NodeId whom) {
    for (const MemberStatus& status : peers_[who].machine->Describe()) {
      if (status.id == whom) return status;
    }
    return MemberStatus();
  }
  Membership& At(NodeId id) { return *peers_[id].machine; }
  NodeContext& ContextOf(NodeId id) { return *peers_[id].context; }
  int messages() const { return messages_; }
  std::vector<std::string> notes() const { return notes_; }

 private:
  struct Peer {
    std::unique_ptr<NodeContext> context;
    std::unique_ptr<Membership> machine;
    bool up = false;
  };
  struct Parcel {
    NodeId from;
    NodeId to;
    Gossip gossip;
  };

  void Post(NodeId from) {
    for (Send& send : out_.sends) {
      wire_.push_back({from, send.to, std::get<Gossip>(std::move(send.message))});
    }
    for (Note& note : out_.notes) notes_.push_back(std::to_string(from) + ": " + note.text);
    out_.Clear();
  }

  ClusterConfig cluster_;
  Now now_;
  Effects out_;
  std::map<NodeId, Peer> peers_;
  std::deque<Parcel> wire_;
  std::function<bool(NodeId, NodeId)> cut_;
  std::vector<std::string> notes_;
  int messages_ = 0;
};

TEST(MembershipTest, AllMeetAndNobodyIsSuspectedInPeace) {
  Group group(5);
  group.Run(60'000'000);
  for (NodeId a = 1; a <= 5; ++a) {
    for (NodeId b = 1; b <= 5; ++b) {
      EXPECT_EQ(group.Sees(a, b), Liveness::kAlive);
      EXPECT_EQ(group.At(a).GenerationOf(b), 1u);
    }
  }
  EXPECT_TRUE(group.notes().empty());
  // Two exchanges per member and interval, of two messages each.
  EXPECT_LE(group.messages(), 5 * 121 * 4);
}

TEST(MembershipTest, SilenceMakesASuspectAndConfirmationsTakeItDown) {
  Group group(4);
  group.Run(2'000'000);
  group.Stop(4);
  group.Run(kSuspectAfter - kInterval);
  EXPECT_EQ(group.Sees(1, 4), Liveness::kAlive);
  group.Run(4 * kInterval + kSuspectAfter);
  for (NodeId who = 1; who <= 3; ++who) {
    EXPECT_EQ(group.Sees(who, 4), Liveness::kDown) << who;
    EXPECT_FALSE(group.At(who).IsReachable(4));
  }
  group.Start(4, 2);
  group.Run(4 * kInterval);
  for (NodeId who = 1; who <= 3; ++who) {
    EXPECT_EQ(group.Sees(who, 4), Liveness::kAlive) << who;
    EXPECT_EQ(group.At(who).TakeReturned(), (std::vector<NodeId>{4}));
    EXPECT_TRUE(group.At(who).TakeReturned().empty()) << "told once";
  }
}

Gossip Suspect(NodeId whom, NodeId by, Generation generation, uint64_t heartbeat) {
  Gossip gossip;
  gossip.suspicions.push_back({whom, by, generation, heartbeat});
  return gossip;
}

// Member 1 alone hears nothing of member 5. What must confirm it: min(2, other live members).
TEST(MembershipTest, ItTakesTwoOthersToConfirm) {
  Group group(5);
  group.Run(2'000'000);
  group.Cut([](NodeId, NodeId) { return true; });
  // Keep 2, 3 and 4 alive in the eyes of 1.
  uint64_t heartbeat = 1000;
  const auto pulse = [&] {
    Gossip gossip;
    for (NodeId id = 2; id <= 4; ++id) gossip.members.push_back({id, 1, ++heartbeat});
    group.Hear(1, 2, gossip);
  };
  for (int i = 0; i < 8; ++i) {
    pulse();
    group.Run(kInterval);
  }
  const uint64_t at = group.StatusOf(1, 5).heartbeat;
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "our word alone is not enough";
  EXPECT_FALSE(group.At(1).IsReachable(5)) << "but we route by it at once";
  group.Hear(1, 2, Suspect(5, 2, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "one other";
  group.Hear(1, 2, Suspect(5, 2, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "the same one again";
  group.Hear(1, 2, Suspect(5, 1, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "ourselves, come round";
  group.Hear(1, 2, Suspect(5, 5, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "itself";
  group.Hear(1, 2, Suspect(5, 99, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "a stranger";
  group.Hear(1, 3, Suspect(5, 3, 1, at - 1));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kSuspect) << "of an older heartbeat";
  group.Hear(1, 3, Suspect(5, 3, 1, at));
  EXPECT_EQ(group.Sees(1, 5), Liveness::kDown) << "two others";
}

TEST(MembershipTest, OfTwoNobodyElseCanConfirm) {
  Group group(2);
  group.Run(1'000'000);
  group.Stop(2);
  group.Run(kSuspectAfter + 2 * kInterval);
  EXPECT_EQ(group.Sees(1, 2), Liveness::kDown);
}

TEST(MembershipTest, ALiveMemberRefutesAtOnce) {
  Group group(4);
  group.Run(2'000'000);
  const uint64_t at = group.StatusOf(4, 4).heartbeat;
  group.Hear(4, 1, Suspect(4, 1, 1, at));
  EXPECT_EQ(group.StatusOf(4, 4).heartbeat, at + 1);
  group.Settle();
  int know = 0;
  for (NodeId who = 1; who <= 3; ++who) know += group.StatusOf(who, 4).heartbeat > at ? 1 : 0;
  EXPECT_GE(know, 2) << "it spoke up without waiting for its next round";
  group.Hear(4, 1, Suspect(4, 1, 1, at));
  EXPECT_EQ(group.StatusOf(4, 4).heartbeat, at + 1) << "refuted already";
}

// One cannot hear the other, but third members carry its heartbeat: no suspicion.
TEST(MembershipTest, ALostLinkIsBridgedByOthers) {
  Group group(4);
  group.Cut([](NodeId from, NodeId to) { return from + to == 1 + 4; });
  group.Run(60'000'000);
  EXPECT_EQ(group.Sees(1, 4), Liveness::kAlive);
  EXPECT_EQ(group.Sees(4, 1), Liveness::kAlive);
  EXPECT_TRUE(group.notes().empty());
}

TEST(MembershipTest, BothSidesOfAPartitionSeeTheOtherDownAndMeetAgain) {
  Group group(5);
  group.Run(2'000'000);
  group.Cut([](NodeId from, NodeId to) { return (from <= 2) != (to <= 2); });
  group.Run(3 * kSuspectAfter);
  EXPECT_EQ(group.Sees(3, 1), Liveness::kDown);
  EXPECT_EQ(group.Sees(3, 4), Liveness::kAlive);
  EXPECT_EQ(group.Sees(1, 5), Liveness::kDown);
  EXPECT_EQ(group.Sees(1, 2), Liveness::kAlive);
  group.Cut(nullptr);
  group.Run(10 * kInterval);
  for (NodeId a = 1; a <= 5; ++a) {
    for (NodeId b = 1; b <= 5; ++b) EXPECT_EQ(group.Sees(a, b), Liveness::kAlive) << a << b;
  }
}

TEST(MembershipTest, ARestartShowsInTheGeneration) {
  Group group(3);
  group.Run(5'000'000);
  group.Start(3, 2);  // quick enough that nobody suspected it
  group.Run(2 * kInterval);
  EXPECT_EQ(group.At(1).GenerationOf(3), 2u);
  EXPECT_EQ(group.At(1).TakeReturned(), (std::vector<NodeId>{3})) << "it may have missed writes";
  Gossip stale;
  stale.members.push_back({3, 1, 99'999});
  group.Hear(1, 2, stale);
  EXPECT_EQ(group.At(1).GenerationOf(3), 2u) << "the old one does not come back";
}

TEST(MembershipTest, GhostsAreIgnored) {
  Group group(3);
  group.Run(1'000'000);
  Gossip gossip;
  gossip.members.push_back({99, 5, 5});
  gossip.suspicions.push_back({99, 2, 5, 5});
  group.Hear(1, 2, gossip);
  EXPECT_EQ(group.At(1).Describe().size(), 3u);
  EXPECT_FALSE(group.At(1).IsReachable(99));
  EXPECT_EQ(group.At(1).GenerationOf(99), 0u);
  EXPECT_FALSE(group.At(1).IsPeer(99));
  EXPECT_FALSE(group.At(1).IsPeer(1));
  EXPECT_TRUE(group.At(1).IsPeer(2));
}

TEST(MembershipTest, AWipedMemberLearnsThatItIsNotNew) {
  Group group(3);
  group.Run(10'000'000);
  EXPECT_EQ(group.At(3).generation_to_exceed(), 0u);
  group.Start(3, 1);  // the same generation again, its heartbeat far behind
  group.Run(2 * kInterval);
  EXPECT_EQ(group.At(3).generation_to_exceed(), 1u);
  group.ContextOf(3).generation = 2;
  group.At(3).GenerationRaised();
  group.Run(2 * kInterval);
  EXPECT_EQ(group.At(3).generation_to_exceed(), 0u);
  EXPECT_EQ(group.At(1).GenerationOf(3), 2u);
}

// Others suspect a later generation of a wiped member than it knows of. It cannot refute
// that by a rise, and must not try: each try would bring two more answers.
TEST(MembershipTest, AWipedMemberUnderSuspicionCausesNoStorm) {
  Group group(5);
  group.Run(2'000'000);
  group.Start(5, 9);
  group.Run(2'000'000);
  group.Stop(5);
  group.Run(3 * kSuspectAfter);
  EXPECT_EQ(group.Sees(1, 5), Liveness::kDown);
  group.Start(5, 1);
  const int before = group.messages();
  group.Run(10 * kInterval);
  EXPECT_EQ(group.At(5).generation_to_exceed(), 9u);
  EXPECT_LE(group.messages() - before, 5 * 11 * 4);
}

}  // namespace
}  // namespace norn
