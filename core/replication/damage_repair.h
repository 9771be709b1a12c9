// Damage repair: what the disk of this replica has lost is taken from the other replicas.
//
// The store tells which ranges of keys it cannot read any more (StoreDamage); until they are mended
// every read of them here is an error. Partition after partition:
//
//   kIdle ─► kLooking ─► kAsking ─► kFencing ─► kAsking ◄──► kMerging ─► kExcising ─► kIdle
//   pause    what is     probe:     a new life  fetch: the   over what   the damage
//            damaged     can they   in the      others' re-  cannot be   is given up
//            here?       tell all?  partition   cords        read
//
// The ranges are merged from N - W_min + 1 other complete replicas, so that each acknowledged write
// is among them (Standing::CoverageOf); or from all others, where not so many are complete: one
// that is not may wait for us, and nobody has what they do not have. Loss is then possible, and
// noted. While there are fewer, nothing is begun, and the errors remain.
//
// Why a new life (standing.h):
//   * of the records that are lost some may hold dots of ours that nobody else knows: minted under
//     the same incarnation, later versions would cover them;
//   * an acknowledgement of a copy that was lost must not be counted with one of a copy that came
//     too late to be fetched. So the others note the new life before they are asked, and by that
//     coordinators tell the two apart;
//   * while only some of them were merged, what can be read here may be older than what was
//     acknowledged: no read is answered until all were.
// It lasts for as long as it takes to fetch the ranges: of other keys nothing has to be merged
// again. The probe fetches everything once before, and lets it go: a life that could not be
// finished would keep the whole partition from being read here.
//
// Excised last, when all of it is durable: a key that nobody had is absent from then on. What the
// Merkle tree knew of the partition is no longer true: it is forgotten, also where it is saved,
// before anything is given up, and rebuilt.
//
// Nothing of this is durable but its effects. After a crash it begins anew; where the life had
// begun, the replica is not complete, and exchanges everything besides.
//
// Where we are no replica there is nothing to be mended, and the range is excised at once.
// Hints that cannot be read have no other copy: they are excised at once, and that is noted.

#ifndef NORN_CORE_REPLICATION_DAMAGE_REPAIR_H_
#define NORN_CORE_REPLICATION_DAMAGE_REPAIR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/antientropy/byte_throttle.h"
#include "core/antientropy/merkle_forest.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/minter.h"
#include "core/replication/stand_in_minter.h"
#include "core/replication/standing.h"

namespace norn {

class DamageRepair {
 public:
  // `throttle` is that of the exchanges.
  DamageRepair(NodeContext& node, const Membership& membership, Minter& minter,
               StandInMinter& stand_in_minter, Standing& standing, MerkleForest& forest,
               ByteThrottle& throttle)
      : node_(node),
        membership_(membership),
        minter_(minter),
        stand_in_minter_(stand_in_minter),
        standing_(standing),
        forest_(forest),
        throttle_(throttle) {}

  void Start(StepContext& step);
  // Whether this answer is to one of our offers.
  bool Knows(RequestId request) const { return phase_ == Phase::kAsking && request == request_; }
  void OnAnswer(StepContext& step, NodeId from, ExchangeAnswer&& answer);
  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnTimer(StepContext& step);
  // Takes up what others have come to: the new life is durable.
  void Pump(StepContext& step);

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kIdle, kLooking, kAsking, kPaused, kMerging, kFencing, kExcising };

  void Look(StepContext& step);
  void OnLooked(StepContext& step, StoreReply&& reply);
  // Takes the next partition that is to be mended, or rests.
  void Next(StepContext& step);
  // Whether we are a replica of the partition. (A damaged range may reach into others, where there
  // is nothing.)
  bool IsHeld() const;
  // A round of probes, or of fetches.
  void BeginRound(StepContext& step, bool probe);
  void AskNext(StepContext& step);
  void AskPage(StepContext& step);
  void OnPageEnd(StepContext& step);
  void EndRound(StepContext& step, Standing::Coverage coverage);
  void Fence(StepContext& step);
  void ForgetSave(StepContext& step);
  void Excise(StepContext& step);
  void OnExcised(StepContext& step);
  void Idle(StepContext& step);

  NodeContext& node_;
  const Membership& membership_;
  Minter& minter_;
  StandInMinter& stand_in_minter_;
  Standing& standing_;
  MerkleForest& forest_;
  ByteThrottle& throttle_;

  Phase phase_ = Phase::kIdle;
  int64_t next_us_ = kNever;
  std::map<PartitionId, std::vector<DamagedCursors>> damaged_;  // still to be tried
  std::set<PartitionId> waiting_;                               // of which it was said

  PartitionId partition_ = 0;  // that is being mended
  std::vector<DamagedCursors> ranges_;
  bool probe_ = false;
  Incarnation life_ = 0;       // that the fetches are of
  std::deque<NodeId> peers_;   // still to be asked in this round
  std::set<NodeId> told_;      // those that have told everything in it; of them
  std::set<NodeId> complete_;  // complete replicas
  bool all_complete_ = false;  // every answer of peer_ was one's
  NodeId peer_ = kNoNode;
  size_t range_ = 0;        // into ranges_
  std::string from_;        // cursor
  std::string covered_to_;  // cursor: where the page ends
  RequestId request_ = 0;
  bool page_failed_ = false;
  int rounds_ = 0;              // of fetches
  uint64_t records_ = 0;        // merged in this partition
  std::set<uint64_t> awaited_;  // store ids
  uint64_t next_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_DAMAGE_REPAIR_H_
