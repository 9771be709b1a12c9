#include "core/replication/tombstone_voter.h"

#include <utility>

#include "core/check.h"
#include "core/replication/record_ops.h"
#include "core/replication/tombstone_collector.h"

namespace norn {

namespace {

constexpr size_t kVotesMax = 8;  // under way at once; nobody leads more than one round

}  // namespace

bool TombstoneVoter::IsWhole(PartitionId partition, Incarnation life) const {
  return standing_.LevelOf(partition) == StandingLevel::kComplete &&
         standing_.LifeIn(partition) == life && !node_.epochs.IsSuspect(partition);
}

void TombstoneVoter::OnOffer(StepContext& step, NodeId from, TombstoneOffer&& offer) {
  Vote vote;
  vote.from = from;
  vote.partition = offer.partition;
  TombstoneAnswer& answer = vote.answer;
  answer.request = offer.request;
  answer.status = ReplicaStatus::kOk;
  if (offer.layout != node_.layout.version() || offer.partition >= node_.layout.partitions() ||
      !node_.layout.IsReplica(offer.partition, node_.self())) {
    answer.status = ReplicaStatus::kWrongLayout;
  } else if (votes_.size() >= kVotesMax ||
             offer.entries.size() > 2 * node_.options.exchange_page_entries) {
    answer.status = ReplicaStatus::kOverloaded;
  } else {
    answer.life = standing_.LifeIn(offer.partition);
    answer.epoch = node_.epochs.Of(offer.partition);
    if (!IsWhole(offer.partition, answer.life)) answer.status = ReplicaStatus::kIncomplete;
  }
  if (answer.status == ReplicaStatus::kOk) {
    const uint64_t number = ++next_id_;
    for (KeyHash& entry : offer.entries) {
      // A bucket with fewer replicas may leave us out: then we never had it.
      if (!node_.IsReplicaOf(node_.self(), entry.key, offer.partition)) continue;
      const uint64_t id = ++next_id_;
      StoreRead read;
      read.ticket = MakeTicket(TicketKind::kTombstoneVote, id);
      read.partition = offer.partition;
      read.key = entry.key;
      vote_of_[id] = number;
      vote.awaited[id] = std::move(entry);
      step.out.store.emplace_back(std::move(read));
    }
    if (!vote.awaited.empty()) {
      votes_[number] = std::move(vote);
      return;
    }
  }
  Answer(step, std::move(vote));
}

void TombstoneVoter::OnStoreReply(StepContext& step, uint64_t id, const StoreReply& reply) {
  const auto of = vote_of_.find(id);
  CORE_CHECK(of != vote_of_.end());
  const auto it = votes_.find(of->second);
  CORE_CHECK(it != votes_.end());
  vote_of_.erase(of);
  Vote& vote = it->second;
  const auto entry = vote.awaited.find(id);
  const RecordHash wanted{entry->second.high, entry->second.low};
  if (!reply.status.ok() || !(HashOf(reply.record) == wanted)) {
    vote.answer.others.push_back(std::move(entry->second.key));
  }
  vote.awaited.erase(entry);
  if (!vote.awaited.empty()) return;
  Vote done = std::move(vote);
  votes_.erase(it);
  Answer(step, std::move(done));
}

void TombstoneVoter::Answer(StepContext& step, Vote&& vote) {
  TombstoneAnswer& answer = vote.answer;
  if (answer.status == ReplicaStatus::kOk && !IsWhole(vote.partition, answer.life)) {
    answer.status = ReplicaStatus::kIncomplete;
  }
  step.Send(vote.from, std::move(answer));
}

void TombstoneVoter::OnRemoval(StepContext& step, TombstoneRemoval&& removal) {
  if (removal.layout != node_.layout.version() || removal.partition >= node_.layout.partitions()) {
    return;
  }
  for (KeyHash& entry : removal.entries) {
    if (node_.layout.PartitionOf(entry.key) != removal.partition ||
        !node_.IsReplicaOf(node_.self(), entry.key, removal.partition)) {
      continue;
    }
    StoreUpdate update;
    update.ticket = MakeTicket(TicketKind::kTombstones, kRemovalId);
    update.partition = removal.partition;
    update.key = std::move(entry.key);
    update.op = RemoveOp{RecordHash{entry.high, entry.low}};
    step.out.store.emplace_back(std::move(update));
  }
}

}  // namespace norn
