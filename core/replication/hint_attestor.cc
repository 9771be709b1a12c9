#include "core/replication/hint_attestor.h"

#include <algorithm>

namespace norn {

void HintAttestor::Answer(StepContext& step, NodeId to, RequestId request, ReplicaStatus status,
                          uint64_t epoch) {
  HintAttestation attestation;
  attestation.request = request;
  attestation.status = status;
  attestation.epoch = epoch;
  if (status == ReplicaStatus::kOk) attestation.session = Session();
  step.Send(to, attestation);
}

ReplicaStatus HintAttestor::Promise(PartitionId partition, uint64_t epoch) {
  const bool replica = node_.layout.IsReplica(partition, node_.self());
  if (replica && (standing_.LevelOf(partition) != StandingLevel::kComplete ||
                  node_.epochs.IsSuspect(partition))) {
    return ReplicaStatus::kIncomplete;
  }
  StandInEpochs& promises = node_.stand_in_epochs;
  if (promises.Holds(partition)) {
    if (!promises.Serves(partition) || !hints_.KeepsNothingOf(partition)) {
      return ReplicaStatus::kOverloaded;
    }
    // A number that was promised before may be the label of something older.
    if (promises.Of(partition) >= epoch) return ReplicaStatus::kStale;
    promises.Promise(partition, epoch);
  }
  node_.epochs.Learn(partition, epoch);
  return ReplicaStatus::kOk;
}

void HintAttestor::OnAttest(StepContext& step, NodeId from, const HintAttest& attest) {
  const PartitionId partition = attest.partition;
  if (attest.layout != node_.layout.version() || partition >= node_.layout.partitions()) {
    Answer(step, from, attest.request, ReplicaStatus::kWrongLayout);
    return;
  }
  if (attest.session != 0) {
    // What this process promised holds, and was durable before it said so.
    const bool same = attest.session == Session();
    const bool promised = !node_.stand_in_epochs.Holds(partition) ||
                          (node_.stand_in_epochs.Serves(partition) &&
                           node_.stand_in_epochs.Of(partition) >= attest.epoch);
    const bool ok = same && promised;
    Answer(step, from, attest.request, ok ? ReplicaStatus::kOk : ReplicaStatus::kIncomplete);
    return;
  }
  RequestId& last = promised_[partition];
  if (last == attest.request) return;  // doubled: it is answered once
  const ReplicaStatus status = Promise(partition, attest.epoch);
  if (status != ReplicaStatus::kOk) {
    Answer(step, from, attest.request, status, node_.stand_in_epochs.Of(partition));
    return;
  }
  last = attest.request;
  owed_.push_back(Owed{from, attest.request, standing_.MakeDurable(step)});
}

void HintAttestor::Pump(StepContext& step) {
  for (const Standing::Told& told : standing_.TakeTold()) {
    node_.stand_in_epochs.LearnFloor(told.partition, told.floor);
    if (hints_.KeepsNothingOf(told.partition)) {
      node_.stand_in_epochs.LearnEpoch(told.partition, told.epoch);
    }
  }
  const auto due = [this](const Owed& owed) { return standing_.IsDurable(owed.after); };
  for (const Owed& owed : owed_) {
    if (due(owed)) Answer(step, owed.to, owed.request, ReplicaStatus::kOk);
  }
  owed_.erase(std::remove_if(owed_.begin(), owed_.end(), due), owed_.end());
}

}  // namespace norn
