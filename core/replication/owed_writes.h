// Which keys a replica missed that could not be reached, or refused, and for which nobody stands
// in: what this node, a replica itself, coordinated without it. HintHandoff sends them what they
// missed when they are back.
//
// These are the hints that count toward no W. So no copy is kept, only the key: the record is
// read when it is sent, and is then the newest. Nothing rests on it, since anti-entropy finds the
// same, only later: it lies in memory, is over at a restart, and is bounded in bytes and age. What
// is not remembered, or not any more, leaves its partition marked as dirty for the exchange.

#ifndef NORN_CORE_REPLICATION_OWED_WRITES_H_
#define NORN_CORE_REPLICATION_OWED_WRITES_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "core/node_context.h"
#include "core/replication/hint_index.h"

namespace norn {

class OwedWrites {
 public:
  // Of the limit for hints, in bytes, so much is for keys that are owed.
  static constexpr uint64_t kShareOfHints = 16;

  explicit OwedWrites(NodeContext& node)
      : node_(node), index_(node.options.hint_bytes_max / kShareOfHints) {}

  void Owe(const StepContext& step, NodeId owner, const std::string& key) {
    const HintIndex::Place place(owner, key);
    const bool known = index_.WritesOf(place) != 0;
    const uint64_t bytes = known ? 0 : HintIndex::kOverheadBytes + key.size();
    if (!index_.Admit(place, bytes)) {
      MarkDirty(place);
      return;
    }
    index_.Stored(place, bytes, 0, step.now.monotonic_us);
  }

  // Too old to be sent key by key: forgets it, then, and marks its partition.
  bool ForgetIfOld(const StepContext& step, const HintIndex::Place& place) {
    const int64_t age_us = step.now.monotonic_us - index_.WrittenAt(place);
    if (age_us <= node_.options.hint_age_max_us) return false;
    MarkDirty(place);
    index_.Removed(place, index_.WritesOf(place));
    return true;
  }

  // Partitions, and who misses something of them, since the last call.
  bool dirty() const { return !dirty_.empty(); }
  using Dirty = std::set<std::pair<PartitionId, NodeId>>;
  Dirty TakeDirty() { return std::exchange(dirty_, {}); }

  HintIndex& index() { return index_; }
  const HintIndex& index() const { return index_; }

 private:
  void MarkDirty(const HintIndex::Place& place) {
    dirty_.emplace(node_.layout.PartitionOf(place.second), place.first);
  }

  NodeContext& node_;
  HintIndex index_;
  Dirty dirty_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_OWED_WRITES_H_
