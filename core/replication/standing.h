// Standing: what a replica may do in a partition, given what it may have forgotten.
//
// A replica that lost or doubts its data (an empty or restored disk, a cut tail, damage) begins
// a new life there: a new incarnation. Until it is complete again it must not be counted, or an
// acknowledged write that it has forgotten could be missed by a quorum. Per partition held:
//
//   kNew ────────────────► kTaking ──────────────────────────► kComplete
//   acknowledges nothing    acknowledges writes; answers        answers reads, too
//                           no reads, vouches for nothing
//
// To kTaking: it has introduced itself to W_min - 1 other replicas that are not kNew, or to all
// others, and knows which lives of the others they know.
// To kComplete: it has introduced itself to, and afterwards merged all that is held by,
// N - W_min + 1 other complete replicas: one of them has each acknowledged write, since W_min - 1
// others hold it. Or by all others, where there are not so many; loss is then possible, and noted.
// (Replicas of a new cluster tell each other that they are empty: nothing is to be merged.)
//
// Introductions are fences. A replica notes the other's new life durably before it answers, and
// every acknowledgement names the life it was given in, and the lives of the others as its sender
// knows them (lives.h). So a coordinator never counts an acknowledgement of a copy that was lost
// together with one of a copy that came too late to be merged: whoever made the late copy knows
// of the new life, if it is among those that were merged. And a replica that forgot whom it had
// noted learns it again from W_min - 1 others, one of which knows, before it acknowledges.
//
// Lives are compared by identity; their numbers only tell two nodes which one is newer.
//
// Mending: a complete replica that has lost some ranges of keys to its disk, and nothing else, and
// knows which (damage_repair.h), begins a new life, too. In kTaking it asks for no exchange: it
// goes to kComplete when those ranges were merged, after the introductions, from as many as above.
// Of all other keys it can still vouch for what it holds: so two replicas can mend each other. This
// is not durable: after a restart it is like any other that is not complete.
//
// Durable in the slot "standing", one entry per partition; void under another incarnation than
// the lease's, so both cannot disagree:
//   slot  := 0x03 varint(#entries) (varint(partition) fixed64(incarnation) varint(number)
//            byte(level) varint(epoch) varint(floor) varint(vouched at)
//            varint(suspected of + 1, or 0) varint(#known)
//            (fixed64(incarnation) varint(number))*)*
//            varint(#stand-ins) (varint(partition) varint(promised) byte(state))*
//
// The epochs of removal (epochs.h) are kept there, too, and go with every answer: to kTaking, a
// replica must have heard the epoch of one that is not kNew, and no suspect gets there. So are
// those of a stand-in (stand_in_epochs.h): introductions ask for what it does not know.

#ifndef NORN_CORE_REPLICATION_STANDING_H_
#define NORN_CORE_REPLICATION_STANDING_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/antientropy/exchange.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/minter.h"
#include "core/replication/partition_index.h"

namespace norn {

class Standing {
 public:
  Standing(NodeContext& node, const Membership& membership, Minter& minter, Exchange& exchange)
      : node_(node), membership_(membership), minter_(minter), exchange_(exchange) {}

  // After the minter's.
  void Start(StepContext& step, const StoreRecovery& recovery);
  // Our generation is durable: begin to speak.
  void Speak(StepContext& step);

  StandingLevel LevelOf(PartitionId partition) const;
  // What goes with each acknowledgement: our life, and what we know of the others'.
  Incarnation LifeIn(PartitionId partition) const { return minter_.IncarnationIn(partition); }
  std::vector<Fence> FencesIn(PartitionId partition) const;
  Dot NewestDotIn(PartitionId partition) const { return minter_.NewestIn(partition); }

  // The minter began a new incarnation: what we hold is in doubt.
  void OnNewIncarnation(StepContext& step, PartitionId partition);

  // Whether `complete`, other replicas of the partition that are so, are as many as must have each
  // acknowledged write among them; or `all` is all others there are, complete or not: nobody has
  // what they do not have.
  enum class Coverage : uint8_t { kTooFew, kAllThereAre, kEnough };
  Coverage CoverageOf(PartitionId partition, const std::set<NodeId>& complete,
                      const std::set<NodeId>& all) const;

  // `ranges` of the partition, of which we are not kNew, are lost: a new life.
  void BeginMending(StepContext& step, PartitionId partition, std::vector<DamagedCursors> ranges);
  // The same life, if that was its reason; false: it was not.
  bool GoOnMending(PartitionId partition, const std::vector<DamagedCursors>& ranges);
  // All of the ranges is merged and durable, from replicas that know our life.
  void OnMended(StepContext& step, PartitionId partition);
  // Whether `peer` has noted our present life.
  bool HasMet(PartitionId partition, NodeId peer) const;
  // Whether we hold, of the keys with cursors in [from, to) ("" as `to`: no bound), all that a
  // complete replica does.
  bool VouchesFor(PartitionId partition, const std::string& from, const std::string& to) const;

  void OnIntroduction(StepContext& step, NodeId from, const Introduction& introduction);
  void OnAnswer(StepContext& step, NodeId from, const IntroductionAnswer& answer);
  void OnRaise(StepContext& step, NodeId from, const EpochRaise& raise);
  // Raises our own epoch, or `floor` with it: durable once IsDurable() says so of what is returned.
  uint64_t RaiseHere(StepContext& step, PartitionId partition, uint64_t epoch, bool floor);
  // The same of all epochs as they are now.
  uint64_t MakeDurable(StepContext& step) { return NextDurable(step); }
  bool IsDurable(uint64_t write) const { return write <= writes_durable_; }
  // Whether we know of no other lives of these replicas than these.
  bool KnowsNoOtherThan(PartitionId partition, const std::vector<Fence>& lives) const;

  // What replicas said of their epochs, for us as a stand-in, since the last call.
  struct Told {
    PartitionId partition = 0;
    uint64_t epoch = 0;
    uint64_t floor = 0;
  };
  std::vector<Told> TakeTold() { return std::exchange(told_, {}); }
  // The next suspect partition whose data is to be thrown away, and that it is.
  bool TakeDiscard(PartitionId* partition);
  void OnDiscarded(StepContext& step, PartitionId partition);
  void OnStoreReply(StepContext& step, const StoreReply& reply);
  void OnTimer(StepContext& step);
  // Takes up what the exchanges that it asked for came to.
  void Pump(StepContext& step);

  int64_t NextDeadline() const { return next_us_; }
  size_t held() const { return replicas_.size(); }
  size_t complete() const;  // O(held)

 private:
  struct Peer {
    NodeId id = kNoNode;
    KnownLife life;                             // the newest that we know; durable before we say so
    bool met = false;                           // it has noted our present life
    StandingLevel level = StandingLevel::kNew;  // ... and said this of itself
    // The exchange that is under way, as demanded; 0: none is.
    uint64_t asked = 0;
    bool merged = false;           // all that it held when it was complete, or ...
    bool merged_doubtful = false;  // ... when it was not
  };
  struct Replica {
    PartitionId partition = 0;
    uint64_t number = 1;  // of our life
    StandingLevel level = StandingLevel::kNew;
    bool empty = false;  // nothing was ever here: with level kNew nothing is, as yet
    bool discarding = false;
    std::vector<DamagedCursors> mending;  // all that it has to merge; empty: everything
    std::vector<Peer> peers;              // in order of preference
  };
  // An introduction whose noting is on its way to the disk, or with `raised` an epoch.
  struct Owed {
    NodeId to = kNoNode;
    RequestId request = 0;
    std::vector<PartitionId> partitions;
    uint64_t after = 0;  // the slot write that makes it durable
    bool raised = false;
    Incarnation life = 0;  // that it was raised in
  };

  Replica* Find(PartitionId partition);
  const Replica* Find(PartitionId partition) const;
  static Peer* FindPeer(Replica& replica, NodeId id);
  // A new life, or one under another number: whoever knew us has to be told.
  void BeginLife(Replica& replica, uint64_t number);
  // The same, of one that holds nothing that is older than what it vouched for.
  void BeginUndoubtedLife(Replica& replica, uint64_t number);
  // What it holds may be older than what it vouched for.
  void Doubt(const Replica& replica);
  bool NoteLife(Peer& peer, const KnownLife& life);
  // Whether, for each bucket that has us among its replicas, `counts` holds for `needed(bucket)`
  // of the others, or `anyhow` holds for all of them.
  template <typename Counts, typename Anyhow, typename Needed>
  bool Enough(const Replica& replica, Counts counts, Anyhow anyhow, Needed needed) const;
  bool IsFresh(const Replica& replica) const;
  bool MayTake(Replica& replica);
  void Advance(StepContext& step, Replica& replica);
  void Introduce(StepContext& step, NodeId to);
  void Answer(StepContext& step, const Owed& owed);
  // The slot write that will have made durable what we know now.
  uint64_t NextDurable(StepContext& step);
  void WriteSlot(StepContext& step);
  bool Decode(absl::string_view bytes);
  bool Settled() const;

  NodeContext& node_;
  const Membership& membership_;
  Minter& minter_;
  Exchange& exchange_;
  std::vector<Replica> replicas_;  // by partition, ascending
  PartitionIndex index_;           // of replicas_
  std::vector<Owed> owed_;
  bool created_ = false;    // the store was empty at the start
  bool tail_lost_ = false;  // during Start(): all that may be missing is behind last_sequence
  bool whole_ = false;      // that was said
  std::map<NodeId, int64_t> introduced_us_;  // when we did so the last time
  bool speaking_ = false;
  bool dirty_ = false;   // the slot on disk is older than what we know
  uint64_t writes_ = 0;  // slot writes begun
  uint64_t writes_durable_ = 0;
  std::vector<PartitionId> to_discard_;
  std::map<NodeId, RequestId> asked_;  // the last question for epochs
  std::vector<Told> told_;
  bool writing_ = false;
  int64_t retry_us_ = kNever;
  int64_t introduce_us_ = kNever;
  int64_t next_us_ = kNever;
  int losses_ = 0;  // partitions that are complete after merging with doubtful replicas only
};

template <typename Counts, typename Anyhow, typename Needed>
bool Standing::Enough(const Replica& replica, Counts counts, Anyhow anyhow, Needed needed) const {
  const absl::Span<const NodeId> order = node_.layout.Replicas(replica.partition);
  const auto own = static_cast<int>(
      std::distance(order.begin(), std::find(order.begin(), order.end(), node_.self())));
  for (const BucketConfig& bucket : node_.cluster.buckets) {
    const int n = std::min(bucket.n, static_cast<int>(order.size()));
    if (own >= n) continue;  // none of its keys are ours
    int good = 0;
    int some = 0;
    for (int i = 0; i < n - 1; ++i) {  // the peers are the others, in the same order
      const Peer& peer = replica.peers[static_cast<size_t>(i)];
      good += counts(peer) ? 1 : 0;
      some += anyhow(peer) ? 1 : 0;
    }
    if (good < needed(bucket) && some < n - 1) return false;
  }
  return true;
}

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_STANDING_H_
