#include "core/ring/layout.h"

#include <algorithm>

#include "core/check.h"
#include "core/coding.h"
#include "xxhash.h"

namespace norn {

namespace {

// Deals partitions out by smooth weighted round robin: each turn every member earns its
// weight, the richest takes the partition and pays the sum. Owners interleave, and each
// member's count is its exact share rounded up or down.
std::vector<NodeId> DealOwners(uint32_t partitions, const std::vector<MemberConfig>& members) {
  int64_t total = 0;
  for (const MemberConfig& member : members) total += member.weight;
  CORE_CHECK(total > 0);
  std::vector<int64_t> credit(members.size(), 0);
  std::vector<NodeId> owners;
  owners.reserve(partitions);
  for (uint32_t p = 0; p < partitions; ++p) {
    size_t richest = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      credit[i] += members[i].weight;
      if (credit[i] > credit[richest]) richest = i;
    }
    credit[richest] -= total;
    owners.push_back(members[richest].id);
  }
  return owners;
}

class Walk {
 public:
  Walk(const std::vector<MemberConfig>& members, const std::vector<NodeId>& owners)
      : members_(members), owners_(owners) {}

  // The first `count` distinct servers clockwise from `partition`; servers of a zone that
  // is already there are passed over until no new zone is left.
  std::vector<NodeId> Take(PartitionId partition, size_t count) const {
    std::vector<NodeId> taken;
    std::vector<absl::string_view> zones;
    for (const bool new_zones_only : {true, false}) {
      for (size_t step = 0; step < owners_.size() && taken.size() < count; ++step) {
        const NodeId node = owners_[(partition + step) % owners_.size()];
        if (std::find(taken.begin(), taken.end(), node) != taken.end()) continue;
        const absl::string_view zone = ZoneOf(node);
        const bool new_zone = std::find(zones.begin(), zones.end(), zone) == zones.end();
        if (new_zones_only && !new_zone) continue;
        taken.push_back(node);
        if (new_zone) zones.push_back(zone);
      }
    }
    // A server whose weight earned it no partition can still be needed to reach N.
    for (const MemberConfig& member : members_) {
      if (taken.size() == count) break;
      if (std::find(taken.begin(), taken.end(), member.id) == taken.end()) {
        taken.push_back(member.id);
      }
    }
    return taken;
  }

 private:
  absl::string_view ZoneOf(NodeId node) const {
    const auto it = std::lower_bound(
        members_.begin(), members_.end(), node,
        [](const MemberConfig& member, NodeId id) { return member.id < id; });
    return it->zone;
  }

  const std::vector<MemberConfig>& members_;  // sorted by id
  const std::vector<NodeId>& owners_;
};

}  // namespace

uint64_t RingHash(absl::string_view record_key) {
  return XXH3_64bits(record_key.data(), record_key.size());
}

Layout Layout::Build(uint64_t version, uint32_t partitions, int replicas,
                     const std::vector<MemberConfig>& members) {
  CORE_CHECK(!members.empty() && partitions > 0 && replicas > 0);
  std::vector<MemberConfig> sorted = members;
  std::sort(sorted.begin(), sorted.end(),
            [](const MemberConfig& a, const MemberConfig& b) { return a.id < b.id; });
  Layout layout;
  layout.version_ = version;
  layout.replica_count_ = std::min(static_cast<size_t>(replicas), sorted.size());
  layout.owners_ = DealOwners(partitions, sorted);
  const Walk walk(sorted, layout.owners_);
  layout.replicas_.reserve(partitions * layout.replica_count_);
  for (uint32_t p = 0; p < partitions; ++p) {
    const std::vector<NodeId> taken =
        walk.Take(static_cast<PartitionId>(p), layout.replica_count_);
    CORE_CHECK(taken.size() == layout.replica_count_);
    layout.replicas_.insert(layout.replicas_.end(), taken.begin(), taken.end());
  }
  return layout;
}

bool Layout::IsReplica(PartitionId partition, NodeId node) const {
  const absl::Span<const NodeId> replicas = Replicas(partition);
  return std::find(replicas.begin(), replicas.end(), node) != replicas.end();
}

std::vector<PartitionId> Layout::PartitionsOf(NodeId node) const {
  std::vector<PartitionId> held;
  for (uint32_t p = 0; p < partitions(); ++p) {
    if (IsReplica(static_cast<PartitionId>(p), node)) held.push_back(static_cast<PartitionId>(p));
  }
  return held;
}

uint64_t Layout::Fingerprint() const {
  std::string bytes;
  AppendVarint(&bytes, version_);
  AppendVarint(&bytes, replica_count_);
  for (const NodeId node : replicas_) AppendVarint(&bytes, node);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace norn
