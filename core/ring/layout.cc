#include "core/ring/layout.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/coding.h"
#include "xxhash.h"

namespace norn {

namespace {

// Deals partitions out in turns. Member i's share of the first p partitions is p * w_i / W
// (its weight over all weights). Its n-th partition may come once that share exceeds n-1,
// and must come before it reaches n: of those who may, the one who must soonest takes the
// turn (the quota method of apportionment; also "proportionate progress", Baruah et al.,
// 1996). Owners interleave, and no member is ever a whole partition off its share; smooth
// weighted round robin would be, where many small members meet a few big ones.
std::vector<NodeId> DealOwners(uint32_t partitions, const std::vector<MemberConfig>& members) {
  int64_t total = 0;
  for (const MemberConfig& member : members) total += member.weight;
  CORE_CHECK(total > 0);
  std::vector<int64_t> taken(members.size(), 0);
  std::vector<NodeId> owners;
  owners.reserve(partitions);
  for (int64_t turn = 1; turn <= static_cast<int64_t>(partitions); ++turn) {
    size_t chosen = members.size();
    int64_t soonest = kNever;
    for (size_t i = 0; i < members.size(); ++i) {
      const int64_t weight = members[i].weight;
      if (taken[i] * total >= turn * weight) continue;  // would be ahead of its share
      const int64_t due = ((taken[i] + 1) * total + weight - 1) / weight;
      if (due < soonest) {
        soonest = due;
        chosen = i;
      }
    }
    CORE_CHECK(chosen < members.size());  // shares add up to `turn`, what was taken to less
    ++taken[chosen];
    owners.push_back(members[chosen].id);
  }
  return owners;
}

class Walk {
 public:
  Walk(const std::vector<MemberConfig>& members, const std::vector<NodeId>& owners)
      : members_(members), owners_(owners) {
    std::set<NodeId> servers(owners.begin(), owners.end());
    std::set<absl::string_view> zones;
    for (const NodeId server : servers) zones.insert(ZoneOf(server));
    servers_ = servers.size();
    zones_ = zones.size();
  }

  // The first `count` distinct servers clockwise from `partition`; servers of a zone that
  // is already there are passed over until no new zone is left.
  std::vector<NodeId> Take(PartitionId partition, size_t count) const {
    std::vector<NodeId> taken;
    std::vector<absl::string_view> zones;
    for (const bool new_zones_only : {true, false}) {
      // No step further than there is something to find: the ring is long.
      const size_t enough = std::min(count, new_zones_only ? zones_ : servers_);
      for (size_t step = 0; step < owners_.size() && taken.size() < enough; ++step) {
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
    const auto it =
        std::lower_bound(members_.begin(), members_.end(), node,
                         [](const MemberConfig& member, NodeId id) { return member.id < id; });
    return it->zone;
  }

  const std::vector<MemberConfig>& members_;  // sorted by id
  const std::vector<NodeId>& owners_;
  size_t servers_ = 0;  // distinct, among the owners
  size_t zones_ = 0;    // of the owners
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
  layout.walk_count_ = std::max(layout.replica_count_, std::min(sorted.size(), kWalkMax));
  layout.walks_.reserve(partitions * layout.walk_count_);
  for (uint32_t p = 0; p < partitions; ++p) {
    const std::vector<NodeId> taken = walk.Take(static_cast<PartitionId>(p), layout.walk_count_);
    CORE_CHECK(taken.size() == layout.walk_count_);
    layout.walks_.insert(layout.walks_.end(), taken.begin(), taken.end());
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
  for (uint32_t p = 0; p < partitions(); ++p) {
    for (const NodeId node : Replicas(static_cast<PartitionId>(p))) AppendVarint(&bytes, node);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace norn
