// The Merkle trees of this node: one for each partition that it shares with other replicas.
//
//   built     by one sequential scan of the partition, page by page, in the background and
//             throttled; one partition at a time
//   updated   with every change that the store reports as durable, in O(1)
//   rebuilt   when it is too full, with more buckets
//   scrubbed  partition after partition is scanned again and compared with its tree: a
//             difference is bit rot or a bug; it is noted, counted, and the tree is rebuilt
//   saved     in the slot "merkle", when the node drains and when writes have paused
//
// Building, rebuilding and scrubbing are one thing: a pass, which makes a second tree from a
// scan while changes go on. A change whose place was scanned already is applied to the pass's
// leaves as well; one whose place is still to be scanned is not, for the scan will find it.
// The contract of core/store.h, that a scan's reply stands between the replies of what it
// shows and of what it does not, makes that exact: a place counts as scanned from the step in
// which the reply came.
//
// Only what is durable counts. A change in doubt (its reply is an error) is left out: the
// store takes no more writes then, and tells nothing of what is in doubt, neither in a scan,
// so the tree goes on standing for what can be read. The next start recovers the change or
// not; the tree that it may use says for which sequence it stands, and cannot be one saved
// after the failure, since slots are refused then.
//
// A saved tree is used only if it is certain to stand for what was recovered: nothing was in
// doubt; it was saved by the life before this one (its generation: otherwise sequences might
// have been lost and used again since); the last recovered sequence is the one it names; and
// it was made with the same secret. Otherwise it is rebuilt.
//
// Memory: that of the trees (merkle_tree.h), and of what a pass has found (leaf_sums.h).

#ifndef NORN_CORE_ANTIENTROPY_MERKLE_FOREST_H_
#define NORN_CORE_ANTIENTROPY_MERKLE_FOREST_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/antientropy/byte_throttle.h"
#include "core/antientropy/leaf_sums.h"
#include "core/antientropy/merkle_tree.h"
#include "core/node_context.h"

namespace norn {

class MerkleForest {
 public:
  explicit MerkleForest(NodeContext& node);

  // `generation`: of this node's last life, as its identity slot tells. Begins to build.
  void Start(StepContext& step, const StoreRecovery& recovery, Generation generation);

  // What the store holds of the partition is not what we were told: there is no tree of it until
  // Rebuild(), nor is any that was saved of use once NoSave() is written.
  void Forget(PartitionId partition);
  void Rebuild(StepContext& step, PartitionId partition);
  // The slot that says that nothing is saved.
  StoreSlot NoSave(StoreTicket ticket) const;

  // Of every reply that has one and is OK.
  void OnChange(StepContext& step, const RecordChange& change);
  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  // `store_idle`: all that was asked of the store is answered.
  void OnTimer(StepContext& step, bool store_idle);
  int64_t NextDeadline() const;

  // Null: not built yet, or not a partition that we share.
  const MerkleTree* Find(PartitionId partition) const;
  // Records that its tree should know could not be read when it was built.
  bool IsDamaged(PartitionId partition) const;

  // Saves the trees, once, for the next start. The store must be idle, and no write may be
  // begun while closing().
  void SaveForGood(StepContext& step);
  bool closing() const { return save_ == SaveState::kLast; }
  bool saved_for_good() const { return save_ == SaveState::kDone; }

 private:
  struct Tree {
    std::optional<MerkleTree> tree;  // nothing: not built yet
    bool forgotten = false;          // not to be built until Rebuild()
    bool damaged = false;
    bool queued = false;  // in to_build_
  };

  // A scan that makes a tree.
  struct Pass {
    PartitionId partition = 0;
    LeafSums leaves;
    std::string scanned_to;  // cursor
    bool is_scrub = false;
    bool damaged = false;
    uint64_t keys_scanned = 0;
  };

  enum class SaveState : uint8_t { kNone, kSaving, kLast, kDone };

  void Queue(PartitionId partition, Tree& tree);
  bool Load(absl::string_view bytes, const StoreRecovery& recovery, Generation generation);
  void CountMissing();
  void BeginPass(StepContext& step);
  void ScanPage(StepContext& step);
  void OnPage(StepContext& step, StoreReply&& reply);
  void EndPass(StepContext& step);
  void Save(StepContext& step, SaveState state);
  void OnSaved(const StoreReply& reply);
  bool CanSave() const;

  NodeContext& node_;
  std::map<PartitionId, Tree> trees_;
  std::deque<PartitionId> to_build_;
  std::optional<Pass> pass_;
  uint64_t page_id_ = 0;  // of the page that is awaited; 0: none
  uint64_t next_id_ = 0;
  ByteThrottle build_throttle_;
  ByteThrottle scrub_throttle_;
  int64_t next_us_ = kNever;  // the next page, or pass
  PartitionId scrub_next_ = 0;

  uint64_t sequence_ = 0;  // of the newest change that the trees know
  bool changed_since_save_ = true;
  int64_t last_change_us_ = 0;
  int64_t save_from_us_ = 0;  // not so soon after the last one
  int64_t save_us_ = kNever;
  uint64_t save_id_ = 0;
  SaveState save_ = SaveState::kNone;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_MERKLE_FOREST_H_
