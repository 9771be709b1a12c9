// Epochs: what makes it safe to forget a tombstone.
//
// Once a tombstone is gone, nothing covers the versions that it replaced: an old copy of one of
// them, late on its way or kept by someone who was away, would live again. So every partition has
// an epoch, a number that rises with every removal of tombstones (tombstone_collector.h), and:
//
//   * every message that carries a record is labelled with the epoch that its sender was in when it
//     asked its store for the record (the least one, where several were merged);
//   * a replica takes no record whose label is below its own epoch. Its sender learns the epoch
//     from the refusal, reads its store again, and sends what it holds now;
//   * a tombstone goes only after all replicas have said that they hold it, and have then, in the
//     same life (standing.h), made a greater epoch durable.
//
// Then whoever labels a record with the new epoch read it from a store that held the tombstone, or
// had seen it go. A node may enter an epoch that it hears of at any time: it only refuses more.
//
// A replica whose data is older than what it once vouched for could still have what the others
// removed. It is suspect: it gives and takes nothing until it knows of a complete replica, and if
// that is in a greater epoch than the data may be of, throws its own away and takes theirs. Suspect
// is a new life (standing.h) whose store
//   * was cut below the change that was its newest when the replica last vouched: what is missing
//     may be a tombstone that it had vouched for. (A torn tail, as after any power cut, is not:
//     nothing durable was in it.) Or
//   * has lost its lease, or dots of its own that others know: nobody can tell how old it is, but
//     that it has seen no later epoch than its own slot tells of.
//
// In sloppy buckets a record may also be a stand-in's: of their keys a replica refuses only what is
// labelled below the partition's floor, an epoch before which nobody keeps a hint
// (stand_in_epochs.h). What replicas send is labelled as always.
// (The idea is that of repair-based removal in ScyllaDB, and of epochs in Raft-like leases: here
// the proof is per message, so that no time-out has to be believed.)

#ifndef NORN_CORE_REPLICATION_EPOCHS_H_
#define NORN_CORE_REPLICATION_EPOCHS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "core/types.h"

namespace norn {

// Of the partitions that this node holds; of all others nothing is known. Kept durable by Standing.
class Epochs {
 public:
  void Hold(PartitionId partition) { states_[partition]; }

  // 0: nothing was ever removed.
  uint64_t Of(PartitionId partition) const {
    const auto it = states_.find(partition);
    return it == states_.end() ? 0 : it->second.epoch;
  }
  // There is an epoch as great as this: ours now, too.
  void Learn(PartitionId partition, uint64_t epoch) {
    const auto it = states_.find(partition);
    if (it == states_.end() || epoch <= it->second.epoch) return;
    it->second.epoch = epoch;
    changed_ = true;
  }

  // Of keys in sloppy buckets nothing older is taken.
  uint64_t FloorOf(PartitionId partition) const {
    const auto it = states_.find(partition);
    return it == states_.end() ? 0 : it->second.floor;
  }
  // It is as great as this elsewhere: then no hint can be older.
  void LearnFloor(PartitionId partition, uint64_t floor) {
    Learn(partition, floor);
    const auto it = states_.find(partition);
    if (it == states_.end() || floor <= it->second.floor) return;
    it->second.floor = floor;
    changed_ = true;
  }

  // The store's newest change when this node last vouched for what it holds.
  uint64_t VouchedAt(PartitionId partition) const { return states_.at(partition).vouched_at; }
  void Vouch(PartitionId partition, uint64_t sequence) {
    states_.at(partition).vouched_at = sequence;
    changed_ = true;
  }

  // The epoch that the data may be of, at the earliest; nothing: it is not suspect.
  std::optional<uint64_t> SuspectedOf(PartitionId partition) const {
    const auto it = states_.find(partition);
    return it == states_.end() ? std::nullopt : it->second.suspected_of;
  }
  bool IsSuspect(PartitionId partition) const { return SuspectedOf(partition).has_value(); }
  void Suspect(PartitionId partition, uint64_t epoch) {
    State& state = states_.at(partition);
    state.suspected_of = std::min(epoch, state.suspected_of.value_or(epoch));
    changed_ = true;
  }
  void Clear(PartitionId partition) {
    states_.at(partition).suspected_of.reset();
    changed_ = cleared_ = true;
  }

  // Whether a partition is suspect no more, or anything changed, since the last call.
  bool TakeCleared() { return std::exchange(cleared_, false); }
  bool TakeChanged() { return std::exchange(changed_, false); }

 private:
  struct State {
    uint64_t epoch = 0;
    uint64_t floor = 0;  // at most `epoch`
    uint64_t vouched_at = 0;
    std::optional<uint64_t> suspected_of;
  };

  std::map<PartitionId, State> states_;
  bool changed_ = false;
  bool cleared_ = false;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_EPOCHS_H_
