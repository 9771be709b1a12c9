// A replica that has lost some ranges of keys, and mends them: the part of Standing that knows.

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/replication/standing.h"

namespace norn {

Standing::Coverage Standing::CoverageOf(PartitionId partition, const std::set<NodeId>& complete,
                                        const std::set<NodeId>& all) const {
  const Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr);
  const absl::Span<const NodeId> order = node_.layout.Replicas(partition);
  for (const BucketConfig& bucket : node_.cluster.buckets) {
    // What nobody else has nobody can mend: it is to stay an error.
    const absl::Span<const NodeId> holders =
        order.first(std::min(static_cast<size_t>(bucket.n), order.size()));
    if (holders.size() == 1 && holders.front() == node_.self()) return Coverage::kTooFew;
  }
  const auto good = [&complete](const Peer& peer) { return complete.count(peer.id) != 0; };
  const auto some = [&all](const Peer& peer) { return all.count(peer.id) != 0; };
  const auto nobody = [](const Peer&) { return false; };
  const auto others = [](const BucketConfig& bucket) { return bucket.n - bucket.WMin() + 1; };
  if (Enough(*replica, good, nobody, others)) return Coverage::kEnough;
  return Enough(*replica, good, some, others) ? Coverage::kAllThereAre : Coverage::kTooFew;
}

void Standing::BeginMending(StepContext& step, PartitionId partition,
                            std::vector<DamagedCursors> ranges) {
  Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr && replica->level != StandingLevel::kNew);
  const bool all_else_is_whole =
      replica->level == StandingLevel::kComplete || !replica->mending.empty();
  minter_.Renew(step, partition);
  // What is lost is gone with all that was older: nothing shows again that was replaced.
  BeginUndoubtedLife(*replica, replica->number + 1);
  replica->empty = false;
  if (all_else_is_whole) replica->mending = std::move(ranges);
  dirty_ = true;
  next_us_ = introduce_us_ = step.now.monotonic_us;
}

bool Standing::GoOnMending(PartitionId partition, const std::vector<DamagedCursors>& ranges) {
  Replica* const replica = Find(partition);
  if (replica == nullptr || replica->mending.empty()) return false;
  // What is new among them was there until now: all that came before this life is in doubt.
  return replica->mending == ranges;
}

void Standing::OnMended(StepContext& step, PartitionId partition) {
  Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr);
  if (replica->mending.empty()) return;  // all the rest is to be merged, too
  CORE_CHECK(replica->level == StandingLevel::kTaking);
  replica->mending.clear();
  replica->level = StandingLevel::kComplete;
  dirty_ = true;
  NextDurable(step);
}

bool Standing::HasMet(PartitionId partition, NodeId peer) const {
  const Replica* const replica = Find(partition);
  CORE_CHECK(replica != nullptr);
  return std::any_of(replica->peers.begin(), replica->peers.end(),
                     [peer](const Peer& other) { return other.id == peer && other.met; });
}

bool Standing::VouchesFor(PartitionId partition, const std::string& from,
                          const std::string& to) const {
  const Replica* const replica = Find(partition);
  if (replica == nullptr) return false;
  if (replica->level == StandingLevel::kComplete) return true;
  if (replica->level != StandingLevel::kTaking || replica->mending.empty()) return false;
  return std::none_of(
      replica->mending.begin(), replica->mending.end(), [&](const DamagedCursors& lost) {
        return (lost.to.empty() || from < lost.to) && (to.empty() || lost.from < to);
      });
}

}  // namespace norn
