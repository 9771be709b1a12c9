#include "core/replication/standing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn {

namespace {

constexpr int64_t kIntroduceEveryUs = 200'000;
// One message names no more partitions.
constexpr size_t kPartitionsPerMessage = 1024;

}  // namespace

void Standing::Start(StepContext& /*step*/, const StoreRecovery& recovery) {
  created_ = recovery.created;
  for (const PartitionId partition : node_.layout.PartitionsOf(node_.self())) {
    Replica replica;
    replica.partition = partition;
    replica.empty = created_;
    node_.epochs.Hold(partition);
    for (const NodeId other : node_.layout.Replicas(partition)) {
      if (other == node_.self()) continue;
      Peer peer;
      peer.id = other;
      replica.peers.push_back(peer);
    }
    index_.Add(partition);
    replicas_.push_back(std::move(replica));
  }
  for (PartitionId partition = 0; partition < node_.layout.partitions(); ++partition) {
    for (const BucketConfig& bucket : node_.cluster.buckets) {
      const absl::Span<const NodeId> owners = node_.layout.Replicas(partition, bucket.n);
      const bool owner = std::find(owners.begin(), owners.end(), node_.self()) != owners.end();
      if (bucket.sloppy && !owner) node_.stand_in_epochs.Hold(partition);
    }
  }
  tail_lost_ = recovery.doubtful && minter_.lease_found();
  // A damaged slot is a missing one: all lives end.
  if (!Decode(recovery.standing)) {
    for (Replica& replica : replicas_) BeginLife(replica, /*number=*/1);
    node_.stand_in_epochs.ForgetAll();
  }
  tail_lost_ = false;
  dirty_ = true;
}

void Standing::Speak(StepContext& step) {
  speaking_ = true;
  for (Replica& replica : replicas_) Advance(step, replica);
  next_us_ = introduce_us_ = step.now.monotonic_us;
}

StandingLevel Standing::LevelOf(PartitionId partition) const {
  const Replica* const replica = Find(partition);
  return replica == nullptr ? StandingLevel::kNew : replica->level;
}

size_t Standing::complete() const {
  return static_cast<size_t>(std::count_if(
      replicas_.begin(), replicas_.end(),
      [](const Replica& replica) { return replica.level == StandingLevel::kComplete; }));
}

std::vector<Fence> Standing::FencesIn(PartitionId partition) const {
  std::vector<Fence> fences;
  const Replica* const replica = Find(partition);
  if (replica == nullptr) return fences;
  fences.reserve(replica->peers.size());
  for (const Peer& peer : replica->peers) {
    if (peer.life.number > 0) fences.push_back({peer.life.incarnation});
  }
  return fences;
}

void Standing::BeginLife(Replica& replica, uint64_t number) {
  const bool nothing_held = replica.empty && replica.level == StandingLevel::kNew;
  if (!nothing_held) Doubt(replica);
  BeginUndoubtedLife(replica, number);
}

void Standing::BeginUndoubtedLife(Replica& replica, uint64_t number) {
  replica.mending.clear();
  replica.discarding = false;
  replica.number = number;
  replica.level = StandingLevel::kNew;
  for (Peer& peer : replica.peers) {
    peer.met = false;
    peer.asked = 0;
    peer.merged = false;
    peer.merged_doubtful = false;
  }
}

void Standing::Doubt(const Replica& replica) {
  const PartitionId partition = replica.partition;
  if (!tail_lost_) {
    node_.epochs.Suspect(partition, node_.epochs.Of(partition));
  } else if (node_.last_sequence < node_.epochs.VouchedAt(partition)) {
    node_.epochs.Suspect(partition, 0);
  }
}

void Standing::OnNewIncarnation(StepContext& step, PartitionId partition) {
  Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr);
  BeginLife(*replica, replica->number + 1);
  replica->empty = false;
  dirty_ = true;
  next_us_ = introduce_us_ = step.now.monotonic_us;
}

// ---- Who knows whom ---------------------------------------------------------------

void Standing::Introduce(StepContext& step, NodeId to) {
  introduced_us_[to] = step.now.monotonic_us;
  Introduction introduction;
  const auto send = [&] {
    if (introduction.lives.empty() && introduction.asked.empty()) return;
    introduction.request = node_.NextRequestId();
    if (!introduction.asked.empty()) asked_[to] = introduction.request;
    introduction.layout = node_.layout.version();
    step.Send(to, std::exchange(introduction, {}));
  };
  for (Replica& replica : replicas_) {
    const Peer* const peer = FindPeer(replica, to);
    if (peer == nullptr || peer->met) continue;
    introduction.lives.push_back({replica.partition, {replica.number, LifeIn(replica.partition)}});
    if (introduction.lives.size() == kPartitionsPerMessage) send();
  }
  node_.stand_in_epochs.ForEachUnknown([&](PartitionId partition) {
    const bool knows = node_.layout.IsReplica(partition, to);
    if (knows && introduction.asked.size() < kPartitionsPerMessage) {
      introduction.asked.push_back(partition);
    }
  });
  send();
}

bool Standing::NoteLife(Peer& peer, const KnownLife& life) {
  if (life.number <= peer.life.number) return false;
  peer.life = life;
  dirty_ = true;
  return true;
}

void Standing::OnIntroduction(StepContext& step, NodeId from, const Introduction& introduction) {
  if (introduction.layout != node_.layout.version()) return;
  Owed owed;
  owed.to = from;
  owed.request = introduction.request;
  bool strangers = false;
  for (const ReplicaLife& claim : introduction.lives) {
    if (NodeOf(claim.life.incarnation) != from) continue;
    Replica* const replica = Find(claim.partition);
    Peer* const peer = replica == nullptr ? nullptr : FindPeer(*replica, from);
    if (peer == nullptr) continue;
    NoteLife(*peer, claim.life);  // an older one is answered with the newer one that we know
    strangers |= !peer->met;
    owed.partitions.push_back(claim.partition);
  }
  for (const uint32_t partition : introduction.asked) {
    if (partition >= node_.layout.partitions()) continue;
    const auto asked = static_cast<PartitionId>(partition);
    if (Find(asked) != nullptr) owed.partitions.push_back(asked);
  }
  if (owed.partitions.empty()) return;
  owed.after = NextDurable(step);
  if (IsDurable(owed.after)) {
    Answer(step, owed);
  } else {
    owed_.push_back(std::move(owed));
  }
  // It is there: no need to wait for our own turn, unless that was just now.
  const auto last = introduced_us_.find(from);
  const bool due =
      last == introduced_us_.end() || step.now.monotonic_us - last->second >= kIntroduceEveryUs / 4;
  if (strangers && due) Introduce(step, from);
}

void Standing::Answer(StepContext& step, const Owed& owed) {
  if (owed.raised) {
    EpochAnswer answer;
    answer.request = owed.request;
    const bool same = LifeIn(owed.partitions.front()) == owed.life;
    answer.status = same ? ReplicaStatus::kOk : ReplicaStatus::kIncomplete;
    step.Send(owed.to, answer);
    return;
  }
  IntroductionAnswer answer;
  answer.request = owed.request;
  for (const PartitionId partition : owed.partitions) {
    const Replica* const replica = Find(partition);
    CORE_CHECK(replica != nullptr);
    ReplicaStanding standing;
    standing.partition = partition;
    standing.level = replica->level;
    standing.empty = replica->empty && replica->level == StandingLevel::kNew;
    standing.epoch = node_.epochs.Of(partition);
    standing.floor = node_.epochs.FloorOf(partition);
    standing.lives.push_back({replica->number, LifeIn(partition)});
    for (const Peer& peer : replica->peers) {
      if (peer.life.number > 0) standing.lives.push_back(peer.life);
    }
    answer.standings.push_back(std::move(standing));
  }
  step.Send(owed.to, std::move(answer));
}

void Standing::OnAnswer(StepContext& step, NodeId from, const IntroductionAnswer& answer) {
  const auto asked = asked_.find(from);
  const bool told = asked != asked_.end() && asked->second == answer.request;
  for (const ReplicaStanding& standing : answer.standings) {
    if (told && standing.level != StandingLevel::kNew) {
      told_.push_back(Told{standing.partition, standing.epoch, standing.floor});
    }
    Replica* const replica = Find(standing.partition);
    Peer* const peer = replica == nullptr ? nullptr : FindPeer(*replica, from);
    if (peer == nullptr) continue;
    node_.epochs.Learn(standing.partition, standing.epoch);
    node_.epochs.LearnFloor(standing.partition, standing.floor);
    const Incarnation ours = LifeIn(standing.partition);
    bool knows_us = false;
    for (const KnownLife& life : standing.lives) {
      const NodeId whose = NodeOf(life.incarnation);
      if (whose != node_.self()) {
        Peer* const other = FindPeer(*replica, whose);
        if (other != nullptr) NoteLife(*other, life);
      } else if (life.incarnation == ours && life.number <= replica->number) {
        knows_us = life.number == replica->number;
      } else if (life.number >= replica->number) {
        // Somebody knows a life of ours that we do not: what we have is an older copy. If it is
        // this incarnation under a number that a crash has made us forget, it may have minted.
        const uint64_t number = life.number + 1;
        if (replica->level != StandingLevel::kNew || life.incarnation == ours) {
          minter_.Retire(step, standing.partition, ours);
        }
        BeginLife(*replica, number);
        dirty_ = true;
        next_us_ = introduce_us_ = step.now.monotonic_us;
      }
    }
    if (!knows_us) continue;
    peer->met = true;
    peer->level = standing.level;
    if (standing.empty && !peer->merged) peer->merged = peer->merged_doubtful = true;
    if (peer->merged_doubtful && standing.level == StandingLevel::kComplete) {
      peer->merged = peer->merged_doubtful = false;  // by now it can vouch for what it has
    }
    Advance(step, *replica);
  }
  if (dirty_ && !writing_ && retry_us_ == kNever) WriteSlot(step);
}

// ---- From one level to the next ---------------------------------------------------

void Standing::Advance(StepContext& step, Replica& replica) {
  const auto met = [](const Peer& peer) { return peer.met; };
  const auto merged = [](const Peer& peer) { return peer.merged; };
  if (replica.level == StandingLevel::kNew) {
    const auto knows = [](const Peer& peer) {
      return peer.met && peer.level != StandingLevel::kNew;
    };
    const auto others = [](const BucketConfig& bucket) { return bucket.WMin() - 1; };
    if (!Enough(replica, knows, met, others) || !MayTake(replica)) return;
    replica.level = StandingLevel::kTaking;
    dirty_ = true;
  }
  if (replica.level != StandingLevel::kTaking || !replica.mending.empty()) return;
  for (Peer& peer : replica.peers) {
    if (!peer.met || peer.merged || peer.asked != 0) continue;
    peer.asked = exchange_.Demand(step, replica.partition, peer.id);
  }
  const auto complete = [](const Peer& peer) { return peer.merged && !peer.merged_doubtful; };
  const auto others = [](const BucketConfig& bucket) { return bucket.n - bucket.WMin() + 1; };
  if (!Enough(replica, complete, merged, others)) return;
  replica.level = StandingLevel::kComplete;
  dirty_ = true;
  const auto nobody = [](const Peer&) { return false; };
  if (!Enough(replica, complete, nobody, others) && !IsFresh(replica)) ++losses_;
}

// Whether the epoch of the partition is known here, and what we hold is not older.
bool Standing::MayTake(Replica& replica) {
  const auto any = [&replica](StandingLevel level) {
    return std::any_of(replica.peers.begin(), replica.peers.end(),
                       [level](const Peer& peer) { return peer.met && peer.level >= level; });
  };
  const bool all_met = std::all_of(replica.peers.begin(), replica.peers.end(),
                                   [](const Peer& peer) { return peer.met; });
  if (!all_met && !any(StandingLevel::kTaking)) return false;
  if (!node_.epochs.IsSuspect(replica.partition)) return true;
  const bool vouched = any(StandingLevel::kComplete);
  const uint64_t suspected_of = *node_.epochs.SuspectedOf(replica.partition);
  if (vouched && node_.epochs.Of(replica.partition) > suspected_of) {
    if (!std::exchange(replica.discarding, true)) to_discard_.push_back(replica.partition);
    return false;
  }
  // Where nobody is complete, what we have may be all that there is.
  if (!vouched && !all_met) return false;
  node_.epochs.Clear(replica.partition);
  return true;
}

bool Standing::TakeDiscard(PartitionId* partition) {
  if (to_discard_.empty()) return false;
  *partition = to_discard_.back();
  to_discard_.pop_back();
  return true;
}

void Standing::OnDiscarded(StepContext& step, PartitionId partition) {
  Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr);
  if (!std::exchange(replica->discarding, false)) return;  // in doubt again meanwhile
  node_.epochs.Clear(partition);
  Advance(step, *replica);
}

// Whether nobody ever held anything: nothing can be lost.
bool Standing::IsFresh(const Replica& replica) const {
  return created_ && replica.number == 1 &&
         std::all_of(replica.peers.begin(), replica.peers.end(), [](const Peer& peer) {
           return peer.life.number <= 1 && (!peer.merged || peer.merged_doubtful);
         });
}

void Standing::Pump(StepContext& step) {
  for (const FinishedDemand& finished : exchange_.TakeFinished()) {
    Replica* const replica = Find(finished.partition);
    Peer* const peer = replica == nullptr ? nullptr : FindPeer(*replica, finished.peer);
    if (peer == nullptr || peer->asked != finished.id) continue;  // of a life that ended
    peer->asked = 0;
    if (!finished.ok) continue;  // asked again at the next round
    peer->merged = true;
    peer->merged_doubtful = !finished.complete;
    Advance(step, *replica);
  }
  if (losses_ > 0 && Settled()) {
    step.Note(Note::Level::kWarning,
              absl::StrCat(losses_,
                           " partitions were mended from all replicas there are, which is fewer "
                           "than hold every acknowledged write: some may be lost"));
    losses_ = 0;
  }
  if (!speaking_) return;
  if (introduce_us_ == kNever && node_.stand_in_epochs.unknown() > 0) {
    introduce_us_ = step.now.monotonic_us + kIntroduceEveryUs;
    next_us_ = std::min(next_us_, introduce_us_);
  }
  NextDurable(step);
}

bool Standing::Settled() const {
  return std::all_of(replicas_.begin(), replicas_.end(), [](const Replica& replica) {
    return replica.level == StandingLevel::kComplete &&
           std::all_of(replica.peers.begin(), replica.peers.end(),
                       [](const Peer& peer) { return peer.met; });
  });
}

void Standing::OnTimer(StepContext& step) {
  if (step.now.monotonic_us >= retry_us_) {
    retry_us_ = kNever;
    if (!writing_) WriteSlot(step);
  }
  if (speaking_ && step.now.monotonic_us >= introduce_us_) {
    // Who could not vouch for what it has may be able to by now.
    for (Replica& replica : replicas_) {
      if (replica.level == StandingLevel::kComplete) continue;
      for (Peer& peer : replica.peers) peer.met &= peer.level == StandingLevel::kComplete;
      Advance(step, replica);  // exchanges that failed are asked for again
    }
    for (const MemberConfig& member : node_.cluster.members) {
      if (member.id != node_.self() && membership_.IsReachable(member.id)) {
        Introduce(step, member.id);
      }
    }
    if (!whole_ && complete() == held()) {
      whole_ = true;
      step.Note(Note::Level::kInfo, absl::StrCat("complete in all ", held(), " partitions"));
    }
    const bool done = Settled() && node_.stand_in_epochs.unknown() == 0;
    introduce_us_ = done ? kNever : step.now.monotonic_us + kIntroduceEveryUs;
  }
  next_us_ = std::min(introduce_us_, retry_us_);
}

const Standing::Replica* Standing::Find(PartitionId partition) const {
  const uint32_t place = index_.Find(partition);
  return place == PartitionIndex::kNone ? nullptr : &replicas_[place];
}

Standing::Replica* Standing::Find(PartitionId partition) {
  return const_cast<Replica*>(std::as_const(*this).Find(partition));
}

Standing::Peer* Standing::FindPeer(Replica& replica, NodeId id) {
  const auto it = std::find_if(replica.peers.begin(), replica.peers.end(),
                               [id](const Peer& peer) { return peer.id == id; });
  return it == replica.peers.end() ? nullptr : &*it;
}

}  // namespace norn
