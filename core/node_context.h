// What all machines of one node share: who we are, what the cluster is, and the few
// things that must be the same for all of them.

#ifndef NORN_CORE_NODE_CONTEXT_H_
#define NORN_CORE_NODE_CONTEXT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/causality/context_token.h"
#include "core/causality/record_hasher.h"
#include "core/check.h"
#include "core/config.h"
#include "core/events.h"
#include "core/node.h"
#include "core/random.h"
#include "core/replication/epochs.h"
#include "core/replication/stand_in_epochs.h"
#include "core/ring/layout.h"
#include "core/types.h"

namespace norn {

// Which machine a store reply belongs to: the top byte of its ticket.
enum class TicketKind : uint8_t {
  kNone = 0,  // nobody waits
  kIdentity,
  kLease,
  kPut,
  kGetRead,
  kGetRepair,
  kReplicaWrite,
  kReplicaRead,
  kExchange,
  kStanding,
  kHint,  // as a stand-in
  kHandoff,
  kExchangeServe,
  kTombstones,     // of the round that we lead
  kTombstoneVote,  // of rounds that others lead
  kDiscard,
  kTree,
  kDamage,
};

inline constexpr uint64_t kTicketIdMask = (uint64_t{1} << 56) - 1;

inline StoreTicket MakeTicket(TicketKind kind, uint64_t id) {
  return (static_cast<uint64_t>(kind) << 56) | (id & kTicketIdMask);
}
inline TicketKind TicketKindOf(StoreTicket ticket) { return static_cast<TicketKind>(ticket >> 56); }
inline uint64_t TicketIdOf(StoreTicket ticket) { return ticket & kTicketIdMask; }

// The moment and the way out, for the length of one step.
struct StepContext {
  const Now& now;
  Effects& out;

  void Send(NodeId to, Message&& message) { out.sends.push_back({to, std::move(message)}); }
  void Note(Note::Level level, std::string text) { out.notes.push_back({level, std::move(text)}); }
};

// Deadlines travel as what is left of them: clocks differ. Never 0, which would be "none".
inline int64_t RemainingUs(const Now& now, int64_t deadline_us) {
  return std::max(deadline_us - now.monotonic_us, int64_t{1});
}

struct NodeContext {
  NodeContext(const ClusterConfig& cluster_in, const NodeOptions& options_in)
      : cluster(cluster_in),
        options(options_in),
        layout(
            Layout::Build(/*version=*/1, cluster.partitions, GreatestN(cluster), cluster.members)),
        sealer(cluster.name, cluster.secret),
        hasher(cluster.name, cluster.secret),
        random(0) {
    status.id = options.id;
    status.layout = layout.version();
  }

  NodeId self() const { return options.id; }

  // Null: no such bucket.
  const BucketConfig* FindBucket(BucketId id) const {
    for (const BucketConfig& bucket : cluster.buckets) {
      if (bucket.id == id) return &bucket;
    }
    return nullptr;
  }

  // The replicas of a record that lies in `partition`; none if its bucket does not exist.
  absl::Span<const NodeId> ReplicasOf(absl::string_view record_key, PartitionId partition) const {
    const BucketConfig* const bucket = FindBucket(BucketOf(record_key));
    if (bucket == nullptr) return {};
    return layout.Replicas(partition, bucket->n);
  }
  bool IsReplicaOf(NodeId node, absl::string_view record_key, PartitionId partition) const {
    const absl::Span<const NodeId> replicas = ReplicasOf(record_key, partition);
    return std::find(replicas.begin(), replicas.end(), node) != replicas.end();
  }

  // Whether a record with this label may still be merged into our partition (epochs.h).
  bool Takes(absl::string_view record_key, PartitionId partition, uint64_t epoch) const {
    if (epochs.IsSuspect(partition)) return false;
    return epoch >= LeastEpoch(record_key, partition);
  }
  // The least label that a replica takes for this key, and that its replies have.
  uint64_t LeastEpoch(absl::string_view record_key, PartitionId partition) const {
    return IsSloppy(record_key) ? epochs.FloorOf(partition) : epochs.Of(partition);
  }
  // Another replica takes nothing below this.
  void LearnLeastEpoch(absl::string_view record_key, PartitionId partition, uint64_t epoch) {
    if (IsSloppy(record_key)) {
      epochs.LearnFloor(partition, epoch);
    } else {
      epochs.Learn(partition, epoch);
    }
  }
  bool IsSloppy(absl::string_view record_key) const {
    const BucketConfig* const bucket = FindBucket(BucketOf(record_key));
    return bucket != nullptr && bucket->sloppy;
  }

  // Who stands in for them in a sloppy bucket, in order.
  absl::Span<const NodeId> StandInsOf(absl::string_view record_key, PartitionId partition) const {
    const BucketConfig* const bucket = FindBucket(BucketOf(record_key));
    if (bucket == nullptr || !bucket->sloppy) return {};
    return layout.StandIns(partition, bucket->n);
  }

  const MemberConfig* FindMember(NodeId id) const {
    for (const MemberConfig& member : cluster.members) {
      if (member.id == id) return &member;
    }
    return nullptr;
  }
  // How many zones these members are in; zones of different data centers are different.
  int CountZones(absl::Span<const NodeId> members) const;

  // Counts up from a place that every start draws anew, shifted by the generation: no
  // answer to a request of an earlier life is taken for one of ours, even if a wiped disk
  // let the generation repeat. Fits a ticket.
  RequestId NextRequestId() {
    return (request_base + (generation << 40) + ++request_count) & kTicketIdMask;
  }

  const ClusterConfig cluster;
  const NodeOptions options;
  const Layout layout;
  const TokenSealer sealer;
  const RecordHasher hasher;
  Random random;  // reseeded by Start
  Generation generation = 0;
  uint64_t request_base = 0;  // drawn by Start
  uint64_t request_count = 0;
  Epochs epochs;
  StandInEpochs stand_in_epochs;
  uint64_t last_sequence = 0;  // of the store's newest change that is known to be durable
  NodeStatus status;           // its counters are kept here by the machines
};

inline int NodeContext::CountZones(absl::Span<const NodeId> members) const {
  std::vector<std::pair<absl::string_view, absl::string_view>> zones;
  for (const NodeId id : members) {
    const MemberConfig* const member = FindMember(id);
    if (member == nullptr) continue;
    const std::pair<absl::string_view, absl::string_view> zone(member->data_center, member->zone);
    if (std::find(zones.begin(), zones.end(), zone) == zones.end()) zones.push_back(zone);
  }
  return static_cast<int>(zones.size());
}

}  // namespace norn

#endif  // NORN_CORE_NODE_CONTEXT_H_
