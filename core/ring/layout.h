// The layout: which servers hold which part of the ring.
//
// The ring of 64-bit hashes is cut into Q equal partitions. A server owns partitions in
// proportion to its weight (its virtual nodes). A partition's replicas are found by
// walking clockwise from it and taking the first N distinct servers, in distinct zones
// as long as there are such (DeCandia et al., Dynamo, 2007, sections 4.2, 4.3, strategy
// 3 of section 6.2). The layout lists the outcome; nothing else decides ownership, and
// liveness never changes it.
//
// Invariants:
//   * a pure function of its input: every node that is given the same members computes
//     the same layout, whatever their order;
//   * each list has min(N, servers) distinct servers; owned partitions differ from the
//     exact share by less than one;
//   * the stand-ins of a partition are the servers that the same walk meets next, so that every
//     node asks the same ones, in the same order;
//   * owners recur in a fixed pattern, so there are few distinct replica sets: the more
//     sets, the more combinations of failures that lose a quorum (Cidon et al., Copysets).

#ifndef NORN_CORE_RING_LAYOUT_H_
#define NORN_CORE_RING_LAYOUT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/config.h"
#include "core/types.h"

namespace norn {

// XXH3 of the record key: where it lies on the ring.
uint64_t RingHash(absl::string_view record_key);

// The part of the ring that `hash` lies in, of `partitions` equal parts.
inline PartitionId PartitionOfHash(uint64_t hash, uint32_t partitions) {
  return static_cast<PartitionId>((static_cast<unsigned __int128>(hash) * partitions) >> 64);
}

class Layout {
 public:
  // `members` non-empty with distinct ids; 1 <= replicas. O(Q * members * walk).
  static Layout Build(uint64_t version, uint32_t partitions, int replicas,
                      const std::vector<MemberConfig>& members);

  uint64_t version() const { return version_; }
  uint32_t partitions() const { return static_cast<uint32_t>(owners_.size()); }
  PartitionId PartitionOf(absl::string_view record_key) const {
    return PartitionOfHash(RingHash(record_key), partitions());
  }

  // The preference list: who holds `partition`, in order of preference. A bucket with fewer
  // replicas than the layout uses the first of the list. Their zones are as distinct as those of
  // a walk of that length: a walk takes servers of new zones first, and stops earlier when it
  // needs fewer, so the shorter list is the beginning of the longer one.
  absl::Span<const NodeId> Replicas(PartitionId partition) const {
    return absl::MakeConstSpan(walks_).subspan(size_t{partition} * walk_count_, replica_count_);
  }
  absl::Span<const NodeId> Replicas(PartitionId partition, int n) const {
    return Replicas(partition).first(std::min(static_cast<size_t>(n), replica_count_));
  }
  // Who stands in for the first `n` of them in sloppy buckets, in order: the walk's next servers,
  // which may hold the partition for buckets with more replicas. At most kWalkMax servers are
  // walked to: the ring is long, and who finds so many of them gone need not look further.
  absl::Span<const NodeId> StandIns(PartitionId partition, int n) const {
    const size_t owners = std::min(static_cast<size_t>(n), replica_count_);
    return absl::MakeConstSpan(walks_).subspan(size_t{partition} * walk_count_ + owners,
                                               walk_count_ - owners);
  }
  static constexpr size_t kWalkMax = 32;

  bool IsReplica(PartitionId partition, NodeId node) const;
  NodeId Owner(PartitionId partition) const { return owners_[partition]; }

  // Partitions that `node` holds a replica of, ascending.
  std::vector<PartitionId> PartitionsOf(NodeId node) const;

  // Equal for equal assignments: two nodes whose layouts differ must not talk of keys.
  uint64_t Fingerprint() const;

 private:
  uint64_t version_ = 0;
  size_t replica_count_ = 0;
  size_t walk_count_ = 0;       // of which the first replica_count_ are the replicas
  std::vector<NodeId> owners_;  // by partition
  std::vector<NodeId> walks_;   // walk_count_ for each partition
};

}  // namespace norn

#endif  // NORN_CORE_RING_LAYOUT_H_
