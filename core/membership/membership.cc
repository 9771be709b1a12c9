#include "core/membership/membership.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn {

namespace {

constexpr size_t kPeersPerRound = 2;

}  // namespace

Membership::Membership(NodeContext& node) : node_(node) {
  for (const MemberConfig& config : node.cluster.members) {
    Member member;
    member.config = config;
    members_.push_back(std::move(member));
  }
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.config.id < b.config.id; });
}

void Membership::Start(StepContext& step) {
  for (Member& member : members_) member.risen_us = step.now.monotonic_us;  // a fair start
  Member* const self = Find(node_.self());
  self->generation = node_.generation;
  self->heartbeat = 0;
  next_tick_us_ = step.now.monotonic_us;
}

void Membership::GenerationRaised() {
  Member* const self = Find(node_.self());
  self->generation = node_.generation;
  self->heartbeat = 0;
  generation_to_exceed_ = 0;
}

void Membership::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < next_tick_us_) return;
  next_tick_us_ = step.now.monotonic_us + node_.options.gossip_interval_us;
  Tick(step);
}

void Membership::Tick(StepContext& step) {
  ++Find(node_.self())->heartbeat;
  for (Member& member : members_) {
    if (member.config.id == node_.self() || member.liveness != Liveness::kAlive) continue;
    if (step.now.monotonic_us - member.risen_us < node_.options.suspect_after_us) continue;
    member.liveness = Liveness::kSuspect;
    step.Note(Note::Level::kWarning, absl::StrCat("member ", member.config.id, " is suspect"));
  }
  for (Member& member : members_) JudgeDown(step, member);
  SpeakToSome(step, kPeersPerRound);
}

void Membership::SpeakToSome(StepContext& step, size_t count) {
  std::vector<NodeId> peers;
  for (const Member& member : members_) {
    if (member.config.id != node_.self()) peers.push_back(member.config.id);
  }
  for (size_t i = 0; i < count && i < peers.size(); ++i) {
    const size_t pick = i + node_.random.Below(peers.size() - i);
    std::swap(peers[i], peers[pick]);
    step.Send(peers[i], Compose(/*answer_wanted=*/true));
  }
}

Gossip Membership::Compose(bool answer_wanted) const {
  Gossip gossip;
  gossip.answer_wanted = answer_wanted;
  for (const Member& member : members_) {
    if (member.generation == 0) continue;  // we know nothing of it
    gossip.members.push_back({member.config.id, member.generation, member.heartbeat});
    if (member.liveness == Liveness::kAlive) continue;
    Suspicion ours{member.config.id, node_.self(), member.generation, member.heartbeat};
    gossip.suspicions.push_back(ours);
    for (const NodeId by : member.suspected_by) {
      Suspicion theirs = ours;
      theirs.by = by;
      gossip.suspicions.push_back(theirs);
    }
  }
  return gossip;
}

void Membership::OnGossip(StepContext& step, NodeId from, const Gossip& gossip) {
  for (const MemberHeartbeat& heard : gossip.members) HearHeartbeat(step, heard);
  for (const Suspicion& suspicion : gossip.suspicions) HearSuspicion(step, suspicion);
  if (gossip.answer_wanted) step.Send(from, Compose(/*answer_wanted=*/false));
}

void Membership::HearHeartbeat(StepContext& step, const MemberHeartbeat& heard) {
  Member* const member = Find(heard.id);
  if (member == nullptr) return;
  if (heard.id == node_.self()) {
    HearOfSelf(heard.generation, heard.heartbeat);
    return;
  }
  if (std::tie(heard.generation, heard.heartbeat) <=
      std::tie(member->generation, member->heartbeat)) {
    return;
  }
  const bool restarted = member->generation != 0 && heard.generation > member->generation;
  member->generation = heard.generation;
  member->heartbeat = heard.heartbeat;
  member->risen_us = step.now.monotonic_us;
  member->suspected_by.clear();
  if (member->liveness != Liveness::kAlive) {
    member->liveness = Liveness::kAlive;
    step.Note(Note::Level::kInfo, absl::StrCat("member ", heard.id, " is back"));
    returned_.push_back(heard.id);
  } else if (restarted) {
    returned_.push_back(heard.id);
  }
}

bool Membership::HearOfSelf(Generation generation, uint64_t heartbeat) {
  const Member* const self = Find(node_.self());
  if (std::tie(generation, heartbeat) <= std::tie(self->generation, self->heartbeat)) return false;
  generation_to_exceed_ = std::max(generation_to_exceed_, generation);
  return true;
}

void Membership::HearSuspicion(StepContext& step, const Suspicion& suspicion) {
  Member* const member = Find(suspicion.suspect);
  if (member == nullptr || Find(suspicion.by) == nullptr) return;
  if (suspicion.by == node_.self()) return;  // our own, come round
  if (std::tie(suspicion.generation, suspicion.heartbeat) <
      std::tie(member->generation, member->heartbeat)) {
    return;  // refuted since
  }
  if (suspicion.suspect == node_.self()) {
    // A heartbeat we never reached cannot be refuted by a rise, only by a new generation.
    // Speaking up at once, again and again, would make a storm of it.
    if (HearOfSelf(suspicion.generation, suspicion.heartbeat)) return;
    ++member->heartbeat;
    SpeakToSome(step, kPeersPerRound);
    return;
  }
  std::vector<NodeId>& by = member->suspected_by;
  if (suspicion.by == suspicion.suspect) return;
  if (std::find(by.begin(), by.end(), suspicion.by) == by.end()) by.push_back(suspicion.by);
  JudgeDown(step, *member);
}

void Membership::JudgeDown(StepContext& step, Member& member) {
  if (member.liveness != Liveness::kSuspect) return;
  size_t live_others = 0;
  for (const Member& other : members_) {
    const bool counts = other.config.id != node_.self() && other.config.id != member.config.id;
    if (counts && other.liveness == Liveness::kAlive) ++live_others;
  }
  if (member.suspected_by.size() < std::min(size_t{2}, live_others)) return;
  member.liveness = Liveness::kDown;
  step.Note(Note::Level::kWarning, absl::StrCat("member ", member.config.id, " is down"));
}

bool Membership::IsReachable(NodeId id) const {
  const Member* const member = Find(id);
  return member != nullptr && member->liveness == Liveness::kAlive;
}

Generation Membership::GenerationOf(NodeId id) const {
  const Member* const member = Find(id);
  return member == nullptr ? 0 : member->generation;
}

std::vector<NodeId> Membership::TakeReturned() { return std::exchange(returned_, {}); }

std::vector<MemberStatus> Membership::Describe() const {
  std::vector<MemberStatus> all;
  for (const Member& member : members_) {
    MemberStatus status;
    status.id = member.config.id;
    status.address = member.config.address;
    status.zone = member.config.zone;
    status.liveness = member.liveness;
    status.generation = member.generation;
    status.heartbeat = member.heartbeat;
    for (uint32_t p = 0; p < node_.layout.partitions(); ++p) {
      if (node_.layout.Owner(static_cast<PartitionId>(p)) == status.id) ++status.partitions_owned;
    }
    all.push_back(std::move(status));
  }
  return all;
}

Membership::Member* Membership::Find(NodeId id) {
  return const_cast<Member*>(std::as_const(*this).Find(id));
}

const Membership::Member* Membership::Find(NodeId id) const {
  const auto it = std::lower_bound(
      members_.begin(), members_.end(), id,
      [](const Member& member, NodeId wanted) { return member.config.id < wanted; });
  return it != members_.end() && it->config.id == id ? &*it : nullptr;
}

}  // namespace norn
