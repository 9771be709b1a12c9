// Exchange: replicas of a partition compare what they hold, and mend what differs. Always on,
// throttled; it heals what requests and their repairs missed.
//
// The initiator, one peer and some of the partitions shared with it at a time:
//
//   kIdle ─► kComparing ◄──► (next level) ─► kScanning ─► kOffered ─► kMerging ─► next page,
//   pause    sums of tree     of what        a page of     digests of  the peer's   or range,
//            nodes sent       differs        a differing   keys and    records are  or kIdle
//                                            range         records     merged, what
//                                                          sent        it lacks, sent
//
// It begins with the roots of all partitions in one message: where nothing differs, that and
// the answer is all. Where a root differs, it goes down the trees, four levels (16 children)
// a round trip, to the deepest level that both trees have, and compares the keys of those
// buckets one by one: side by side they make one range. kPaused stands between any two of
// these steps when more was sent than the rate allows.
//
// A routine exchange looks at buckets that differ a second time, a moment later: what differed
// because a write was still on its way is equal by then. (Demanded and dirty ones do not.)
//
// Where a tree is still being built, a routine exchange leaves the partition out: the build
// costs nothing but reading one's own disk, once. A demanded or dirty one compares all keys.
//
// Both sides only ever merge, so a lost, doubled or stale message costs time, never data. A
// request that is not answered in time is made again, a few times, with fresh sums.
//
// Complete: if an exchange of a partition ends without failure, all that the peer held
// durably when it began is durable here. For where sums were equal, ours stood for all that
// we had sent them for, and its for all it had acknowledged by then; where they differed, its
// scan showed all of it, and what we lacked was merged before the page ended.

#ifndef NORN_CORE_ANTIENTROPY_EXCHANGE_H_
#define NORN_CORE_ANTIENTROPY_EXCHANGE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/antientropy/byte_throttle.h"
#include "core/antientropy/exchange_agenda.h"
#include "core/antientropy/merkle_forest.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/minter.h"

namespace norn {

class Exchange {
 public:
  Exchange(NodeContext& node, const Membership& membership, const Minter& minter,
           const MerkleForest& forest, ByteThrottle& throttle)
      : node_(node),
        minter_(minter),
        forest_(forest),
        throttle_(throttle),
        agenda_(node, membership) {}

  void Start(StepContext& step);

  // Exchange everything shared with `peer` before the routine goes on.
  void Hasten(NodeId peer) { agenda_.Hasten(peer); }
  // `peer` is known to lack something of `partition`, or to have something that we lack.
  void MarkDirty(PartitionId partition, NodeId peer) { agenda_.MarkDirty(partition, peer); }
  // Exchange `partition` with `peer` now, without a pause, and tell the outcome under the number
  // returned (never 0): in TakeFinished(), after this or a later step.
  uint64_t Demand(StepContext& step, PartitionId partition, NodeId peer);
  std::vector<FinishedDemand> TakeFinished() { return agenda_.TakeFinished(); }

  void OnTreeAnswer(StepContext& step, NodeId from, const TreeAnswer& answer);
  void OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer);
  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnTimer(StepContext& step);

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kIdle, kPaused, kComparing, kScanning, kOffered, kMerging };

  // A node of a partition's tree.
  struct Place {
    PartitionId partition = 0;
    TreeNode node = 0;
  };
  // Positions [first, end) of a partition.
  struct Range {
    PartitionId partition = 0;
    uint32_t first = 0;
    uint32_t end = 0;
  };

  // What the peer has not as we have it.
  struct Wanted {
    std::string key;
    RecordHash theirs;  // of the record that it has sent; absent: it has sent none
  };

  void Begin(StepContext& step);
  void Advance(StepContext& step);
  void Pause(int64_t until_us);
  bool SendSums(StepContext& step);
  void TakeFinding(const Place& place, const TreeFinding& finding);
  void AddRange(const Place& place);
  void OpenRange();
  void ScanPage(StepContext& step);
  void OnScanned(StepContext& step, StoreReply&& reply);
  void NoteWanted(const ExchangeAnswer& answer);
  void OnMergedOrRead(StepContext& step, uint64_t id, StoreReply&& reply);
  void SendWanted(StepContext& step);
  void EndPage(StepContext& step);
  void FailRange(StepContext& step);
  void Abandon(StepContext& step);
  void End(StepContext& step);
  void Charge(StepContext& step, size_t bytes);

  NodeContext& node_;
  const Minter& minter_;
  const MerkleForest& forest_;
  ByteThrottle& throttle_;
  ExchangeAgenda agenda_;

  Phase phase_ = Phase::kIdle;
  int64_t next_us_ = kNever;  // kIdle, kPaused: when to go on; otherwise: when to ask again
  ExchangeTask task_;
  std::set<PartitionId> failed_;      // of the task
  std::set<PartitionId> incomplete_;  // of the task: the peer was no complete replica
  RequestId request_ = 0;             // of the message that awaits its answer
  int attempts_ = 0;                  // of the same message, or page

  std::vector<Place> frontier_;  // still to be compared; taken from the back: depth first
  std::vector<Place> asked_;     // kComparing: what the message compares
  std::vector<Place> doubtful_;  // buckets that differed, to be looked at again
  bool settled_ = false;         // they were, or need not be
  std::deque<Range> ranges_;     // whose keys are to be compared

  bool range_open_ = false;
  PartitionId partition_ = 0;          // of the open range
  std::string from_;                   // cursor: where its next page begins
  std::string to_;                     // cursor: its end
  std::string covered_to_;             // cursor: where the peer's answer ended
  bool page_refused_ = false;          // the store had no room for some of it
  std::set<uint64_t> merging_;         // store ids of the page's merges
  std::vector<std::string> offered_;   // keys, as in the offer
  std::map<uint64_t, Wanted> wanted_;  // by store id
  uint64_t page_epoch_ = 0;            // in which they are read
  ExchangeRecords outgoing_;
  size_t outgoing_bytes_ = 0;

  uint64_t next_id_ = 0;  // of store requests: one is never mistaken for another
  uint64_t scan_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_EXCHANGE_H_
