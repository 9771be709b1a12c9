// Throws away what a suspect replica holds of a partition (epochs.h): a page is scanned and its
// records are removed, one partition at a time, until nothing is left.
//
// What cannot be read might be readable again one day, so it is given up for good (StoreExcise) as
// soon as the store is certain that it cannot; a store that refuses, or is not certain, is asked
// again and again, and until then the partition stays suspect. After a crash it still is, and it
// all begins anew.

#ifndef NORN_CORE_REPLICATION_DISCARDER_H_
#define NORN_CORE_REPLICATION_DISCARDER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/antientropy/merkle_forest.h"
#include "core/node_context.h"

namespace norn {

class Discarder {
 public:
  Discarder(NodeContext& node, MerkleForest& forest) : node_(node), forest_(forest) {}

  void Begin(StepContext& step, PartitionId partition);
  // The partition that is done with, if this was its last reply.
  std::optional<PartitionId> OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnTimer(StepContext& step);
  int64_t NextDeadline() const { return retry_us_; }

 private:
  void ScanPage(StepContext& step);
  void BeginExcising(StepContext& step, std::vector<DamagedCursors>&& damaged);
  void Excise(StepContext& step);
  void Next(StepContext& step);

  NodeContext& node_;
  MerkleForest& forest_;
  std::deque<PartitionId> partitions_;  // the first is under way
  std::string from_;                    // cursor
  std::string next_;                    // ... behind the page; empty: it is the last
  bool refused_ = false;                // some of the page is still there
  bool damaged_ = false;                // some of the partition could not be read
  uint64_t damage_id_ = 0;              // of the question what is damaged
  uint64_t void_id_ = 0;                // of the slot that makes a saved tree void
  std::vector<DamagedCursors> excised_;
  size_t awaited_ = 0;  // replies
  uint64_t next_id_ = 0;
  uint64_t scan_id_ = 0;
  uint64_t removed_ = 0;
  int64_t retry_us_ = kNever;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_DISCARDER_H_
