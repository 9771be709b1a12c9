// The epochs of a stand-in: what it has promised, so that tombstones of sloppy buckets can go.
//
// A hint has no replica's store behind it that could be read again under a newer label (epochs.h
// has the labels): refused by its owner as too old, it would be lost, though it counted toward a
// W. So the epoch that refuses hints, the *floor* of a partition, is another one than that which
// refuses what replicas send, and rises only when no hint can be below it. For a page with dead
// records of sloppy buckets (tombstone_collector.h), between the question whether all replicas
// hold them and their removal:
//
//   promise   every member of the cluster, the replicas among them, makes durable that it will
//             label nothing with an older epoch and take no older hint, and says that it keeps no
//             hint of the partition: none stored, none under way, none that could not be read.
//             Who keeps one, or is away, ends it: the records stay. Nothing is refused to hints
//             that others keep: the floor is where it was.
//   confirm   every member says that it is still the same process as the one that promised. Now
//             nobody can have forgotten its promise, and taken older hints since, before all had
//             promised; and who forgets it after that learns it anew.
//   floor     every replica makes it durable, in the life in which it held the records. Hints that
//             are labelled below it are older than the removal, and their owners refuse them.
//
// A hint is handed over, and shown to readers, with the label of what its stand-in had promised:
// it takes and mints nothing older, and promises more only while it keeps nothing.
//
// Who forgot. A stand-in whose promises are gone (a wiped disk, or a new one) takes, mints and
// shows nothing in a partition, and promises nothing, until a replica that may acknowledge writes
// has told it the partition's epoch, which is no less than any promise that was confirmed. One
// whose disk is an older copy of itself finds out by its generation, or when the floor is above
// what it knows to have promised. In the latter case it once promised to keep nothing, and what it
// keeps is older than that: it must not be handed over, and is thrown away. (A hint that it took
// between its restoration and that moment goes as well, as do the writes that a restored replica
// takes before it is found to be suspect.)
//
// Who told it has noted what it does not know: replicas that begin a new life. A replica enters a
// floor only while it knows of no other lives than those that the leader has asked: so one that
// was wiped meanwhile has either been told the new epoch, or stops the round.
//
// The other way, hints that carry their own labels and are resolved by the stand-in when the owner
// refuses them, is not sound: once the tombstone is gone nobody can tell a version that it covered
// from one that never arrived.
//
// What it costs: two more round trips to all members and a slot write on each, for each page with
// such records. While somebody keeps a hint, and the others have promised, stand-ins that do not
// keep one refuse copies from those that do; they ask the next.

#ifndef NORN_CORE_REPLICATION_STAND_IN_EPOCHS_H_
#define NORN_CORE_REPLICATION_STAND_IN_EPOCHS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "core/types.h"

namespace norn {

// Of the partitions that this node may stand in for a replica of. Kept durable by Standing.
// Every operation O(log partitions), but for those on all of them.
class StandInEpochs {
 public:
  enum class Trust : uint8_t {
    kKnown = 0,    // it never promised more than we know
    kUnknown = 1,  // it may have
    kVoid = 2,     // it has: what it keeps is older than that
  };

  void Hold(PartitionId partition) { unknown_ += states_.try_emplace(partition).second ? 1 : 0; }
  bool Holds(PartitionId partition) const { return states_.count(partition) != 0; }

  // The label of what it keeps and mints.
  uint64_t Of(PartitionId partition) const {
    const auto it = states_.find(partition);
    return it == states_.end() ? 0 : it->second.promised;
  }
  // Whether it may take, mint and show anything.
  bool Serves(PartitionId partition) const { return TrustIn(partition) == Trust::kKnown; }
  // Whether what it keeps is to be thrown away.
  bool IsVoid(PartitionId partition) const { return TrustIn(partition) == Trust::kVoid; }

  // It serves, keeps nothing, and never promised as much.
  void Promise(PartitionId partition, uint64_t epoch) {
    states_.at(partition).promised = epoch;
    changed_ = true;
  }

  // What the slot says.
  void Restore(PartitionId partition, uint64_t promised, Trust trust) {
    const auto it = states_.find(partition);
    if (it != states_.end()) Set(it->second, promised, trust);
  }
  // The disk is an older copy, or the slot is lost.
  void ForgetAll() {
    for (auto& [partition, state] : states_) {
      if (state.trust == Trust::kKnown) Set(state, state.promised, Trust::kUnknown);
    }
  }

  // A replica refuses hints below this.
  void LearnFloor(PartitionId partition, uint64_t floor) {
    const auto it = states_.find(partition);
    if (it == states_.end() || floor <= it->second.promised) return;
    if (it->second.trust != Trust::kVoid) Set(it->second, it->second.promised, Trust::kVoid);
  }
  // A replica told its epoch, in answer to a question of this process, and we keep nothing.
  void LearnEpoch(PartitionId partition, uint64_t epoch) {
    const auto it = states_.find(partition);
    if (it == states_.end() || it->second.trust == Trust::kKnown) return;
    Set(it->second, std::max(it->second.promised, epoch), Trust::kKnown);
  }

  size_t size() const { return states_.size(); }
  size_t unknown() const { return unknown_; }  // in which it does not serve
  // f(partition, promised, trust), by partition.
  template <typename F>
  void ForEach(F f) const {
    for (const auto& [partition, state] : states_) f(partition, state.promised, state.trust);
  }
  template <typename F>
  void ForEachUnknown(F f) const {
    if (unknown_ == 0) return;
    for (const auto& [partition, state] : states_) {
      if (state.trust != Trust::kKnown) f(partition);
    }
  }
  // Whether anything changed since the last call.
  bool TakeChanged() { return std::exchange(changed_, false); }

 private:
  struct State {
    uint64_t promised = 0;
    Trust trust = Trust::kUnknown;
  };

  Trust TrustIn(PartitionId partition) const {
    const auto it = states_.find(partition);
    return it == states_.end() ? Trust::kUnknown : it->second.trust;
  }
  void Set(State& state, uint64_t promised, Trust trust) {
    unknown_ -= state.trust == Trust::kKnown ? 0 : 1;
    unknown_ += trust == Trust::kKnown ? 0 : 1;
    state = State{promised, trust};
    changed_ = true;
  }

  std::map<PartitionId, State> states_;
  size_t unknown_ = 0;
  bool changed_ = false;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_STAND_IN_EPOCHS_H_
