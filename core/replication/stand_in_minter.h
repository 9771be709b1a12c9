// The dots of a stand-in: it mints in partitions that it holds no replica of.
//
// A stand-in's incarnation lives in memory alone. It ends with the process, so no counter need be
// leased: after a restart there is a new one. And it ends when a hint that holds one of its dots
// is handed over and deleted, before the deletion is submitted: the next record of that key would
// start from nothing, and its context would cover, by the counter, the version that went
// (regression 28, found by brute force on small models). An incarnation is per partition: what is
// deleted of one key ends it for all keys of the partition.

#ifndef NORN_CORE_REPLICATION_STAND_IN_MINTER_H_
#define NORN_CORE_REPLICATION_STAND_IN_MINTER_H_

#include <cstdint>
#include <map>

#include "core/causality/version_vector.h"
#include "core/node_context.h"

namespace norn {

class StandInMinter {
 public:
  explicit StandInMinter(NodeContext& node) : node_(node) {}

  // A dot that was never used before.
  Dot Mint(PartitionId partition) {
    const auto [it, first] = incarnations_.try_emplace(partition);
    if (first) {
      it->second.incarnation = MakeIncarnation(node_.self(), node_.random.Next64());
      ++node_.status.incarnations;
    }
    ++node_.status.dots_minted;
    return Dot{it->second.incarnation, ++it->second.used};
  }

  // A record with this context is about to be deleted here: what minted into it is over.
  void Forget(PartitionId partition, const VersionVector& context) {
    const auto it = incarnations_.find(partition);
    if (it == incarnations_.end() || context.Get(it->second.incarnation) == 0) return;
    incarnations_.erase(it);
  }

  // Hints are lost, nobody knows which.
  void RetireAll() { incarnations_.clear(); }

  // A dot of this incarnation was seen before.
  void Retire(PartitionId partition, Incarnation incarnation) {
    const auto it = incarnations_.find(partition);
    if (it != incarnations_.end() && it->second.incarnation == incarnation) incarnations_.erase(it);
  }

 private:
  struct Used {
    Incarnation incarnation = 0;
    uint64_t used = 0;  // the last counter handed out
  };

  NodeContext& node_;
  std::map<PartitionId, Used> incarnations_;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_STAND_IN_MINTER_H_
