// Removal of tombstones and of what has expired, by proof (epochs.h says why it takes one).
//
// The first replica of each partition leads, one partition and one page of it at a time:
//
//   kIdle ──► kScanning ──► kAsking ─────────► kRaising ────────────► removal ──► next page
//   pause     dead records  all others say     all others, and we,    here, and
//             of a page     which they hold    make a greater epoch   told to the
//                           exactly            durable, in the same   others
//                                              life
//
// For a page with dead records of sloppy buckets there are two more between kAsking and kRaising:
// kPromising and kConfirming, that no member of the cluster keeps an older hint
// (stand_in_epochs.h). If somebody does, or is away, those records stay, and the others of the
// page go on without them.
//
// Dead is a record of which nothing is alive: tombstones, and values whose time is over, for
// longer than tombstone_keep_us (which saves work, and hides no clock: the proof needs none, but
// a last-writer-wins record also waits until any clock within max_clock_skew is past it, so that
// what is written next is dated behind it).
//
// Whoever is away, incomplete or of another mind ends the page: nothing is removed, and the next
// look will find it again. A lost removal leaves a tombstone somewhere; exchanges bring it back
// to the others, harmlessly, and the next look removes it.
//
// Cost: one sequential read of each partition per look, at tombstone_scan_bytes_per_second; a
// round trip for each page with something to remove, and one slot write on each replica.
// (Sloppy: two more round trips to all members, and one more slot write on each.)

#ifndef NORN_CORE_REPLICATION_TOMBSTONE_COLLECTOR_H_
#define NORN_CORE_REPLICATION_TOMBSTONE_COLLECTOR_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/antientropy/byte_throttle.h"
#include "core/membership/membership.h"
#include "core/node_context.h"
#include "core/replication/hint_attestor.h"
#include "core/replication/standing.h"

namespace norn {

// Of the store requests that remove, whoever leads.
inline constexpr uint64_t kRemovalId = 0;

class TombstoneCollector {
 public:
  TombstoneCollector(NodeContext& node, const Membership& membership, Standing& standing,
                     HintAttestor& attestor)
      : node_(node),
        membership_(membership),
        standing_(standing),
        attestor_(attestor),
        throttle_(node.options.tombstone_scan_bytes_per_second) {}

  void Start(StepContext& step);
  void OnStoreReply(StepContext& step, uint64_t id, StoreReply&& reply);
  void OnAnswer(StepContext& step, NodeId from, TombstoneAnswer&& answer);
  void OnAttestation(StepContext& step, NodeId from, const HintAttestation& attestation);
  void OnRaised(StepContext& step, NodeId from, const EpochAnswer& answer);
  void OnTimer(StepContext& step);
  // Takes up that our own epoch became durable.
  void Pump(StepContext& step);

  int64_t NextDeadline() const { return next_us_; }

 private:
  enum class Phase : uint8_t { kIdle, kScanning, kAsking, kPromising, kConfirming, kRaising };

  bool CanLead(PartitionId partition) const;
  // The others of the partition.
  std::vector<NodeId> Others() const;
  // Whether everybody is there who could keep a hint.
  bool AllMembersReachable() const;
  bool IsDead(const StepContext& step, const KeyRecord& entry) const;
  void ScanPage(StepContext& step);
  void OnScanned(StepContext& step, StoreReply&& reply);
  void Ask(StepContext& step);
  // All others hold what is left of the page: on with it.
  void GoAhead(StepContext& step);
  void AskForPromises(StepContext& step);
  void AskForConfirmations(StepContext& step);
  // Somebody keeps a hint, or may.
  void LeaveSloppy(StepContext& step);
  uint64_t NewEpoch() const;
  void Raise(StepContext& step);
  void MaybeRemove(StepContext& step);
  void GoOn(StepContext& step);
  void GiveUp(StepContext& step);
  std::vector<KeyHash> Entries() const;

  NodeContext& node_;
  const Membership& membership_;
  Standing& standing_;
  HintAttestor& attestor_;
  ByteThrottle throttle_;

  std::vector<PartitionId> partitions_;  // that we lead in
  size_t at_ = 0;                        // ... the next, or the one under way
  Phase phase_ = Phase::kIdle;
  int64_t next_us_ = kNever;  // kIdle: the next page; kAsking to kRaising: when it is given up
  std::string from_;          // cursor
  std::string next_;          // ... behind the page; empty: it is the partition's last
  std::map<std::string, RecordHash> dead_;  // by record key, of the page
  Incarnation life_ = 0;                    // ours, when the page was scanned
  uint64_t epoch_ = 0;                      // kAsking: the greatest heard of; kRaising: the new one
  RequestId request_ = 0;
  std::map<NodeId, Incarnation> lives_;  // of those that have answered
  bool sloppy_too_ = true;               // until somebody keeps a hint of the partition
  bool floor_ = false;                   // kRaising: all have confirmed
  std::map<NodeId, uint64_t> sessions_;  // kPromising, kConfirming: of those that have promised
  std::set<NodeId> confirmed_;
  std::set<NodeId> raised_;
  uint64_t own_write_ = 0;  // kRaising: makes ours durable
  uint64_t scan_id_ = 0;
};

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_TOMBSTONE_COLLECTOR_H_
