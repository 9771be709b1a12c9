// Which partitions are to be compared with whom next. In this order:
//
//   demanded   somebody waits for the outcome, of this one partition and peer
//   dirty      something is known to be missing there
//   hastened   all that is shared with a peer that came back
//   routine    peer after peer, for ever; one task in four, unless there are demands
//
// One task is several partitions shared with one peer. A dirty partition remains dirty until
// a comparison of it was completed. Nothing of this is durable: after a restart the routine
// finds what was forgotten.

#ifndef NORN_CORE_ANTIENTROPY_EXCHANGE_AGENDA_H_
#define NORN_CORE_ANTIENTROPY_EXCHANGE_AGENDA_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/membership/membership.h"
#include "core/node_context.h"

namespace norn {

struct ExchangeTask {
  NodeId peer = kNoNode;
  std::vector<PartitionId> partitions;  // ascending
  bool urgent = false;                  // differences are mended at once
  bool without_trees = false;           // where there is no tree, all keys are compared
  std::vector<uint64_t> demands;        // whose outcome this will be
};

// The outcome of a demand. `ok`: all that the peer held durably at the time of the demand is
// merged and durable here. `complete`: ok, and the peer was a complete replica whenever it
// answered (StandingLevel).
struct FinishedDemand {
  uint64_t id = 0;
  PartitionId partition = 0;
  NodeId peer = kNoNode;
  bool ok = false;
  bool complete = false;
};

class ExchangeAgenda {
 public:
  ExchangeAgenda(NodeContext& node, const Membership& membership)
      : node_(node), membership_(membership) {}

  // False: nothing is shared with anybody.
  bool Start();

  // O(peers), O(log dirty), O(1). A peer that does not share the partition is passed over;
  // such a demand fails.
  void Hasten(NodeId peer);
  void MarkDirty(PartitionId partition, NodeId peer);
  uint64_t Demand(PartitionId partition, NodeId peer);
  std::vector<FinishedDemand> TakeFinished() { return std::exchange(finished_, {}); }

  // False: there is nobody to exchange with.
  bool Next(int64_t now_us, ExchangeTask* task);
  // `failed`: the partitions whose comparison was not completed; `incomplete`: those of which
  // the peer was no complete replica.
  void Finish(int64_t now_us, const ExchangeTask& task, const std::set<PartitionId>& failed,
              const std::set<PartitionId>& incomplete);
  bool HasDemands() const { return !demanded_.empty(); }
  // From when on there is more than routine to be done; kNever: there is not.
  int64_t UrgentFrom() const;

 private:
  struct Peer {
    NodeId id = kNoNode;
    std::vector<PartitionId> shared;  // ascending
    size_t routine_next = 0;          // into shared
  };
  struct Hastened {
    size_t peer = 0;  // into peers_
    size_t next = 0;  // into its shared
  };
  struct Demanded {
    uint64_t id = 0;
    PartitionId partition = 0;
    NodeId peer = kNoNode;
  };

  const Peer* Find(NodeId peer) const;
  bool Shares(PartitionId partition, NodeId peer) const;
  bool TakeDemanded(ExchangeTask* task);
  bool TakeDirty(int64_t now_us, ExchangeTask* task);
  bool TakeHastened(ExchangeTask* task);
  bool TakeRoutine(ExchangeTask* task);

  NodeContext& node_;
  const Membership& membership_;
  std::vector<Peer> peers_;  // by id
  size_t routine_peer_ = 0;
  uint64_t turn_ = 0;
  std::deque<Demanded> demanded_;
  std::map<uint64_t, Demanded> under_way_;
  std::vector<FinishedDemand> finished_;
  uint64_t next_demand_ = 0;
  // Since when, or from when again, each may be taken.
  std::map<NodeId, std::map<PartitionId, int64_t>> dirty_;
  std::deque<Hastened> hastened_;
};

}  // namespace norn

#endif  // NORN_CORE_ANTIENTROPY_EXCHANGE_AGENDA_H_
