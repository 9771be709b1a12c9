#include "core/config.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace norn {

namespace {

absl::Status CheckBucket(const BucketConfig& bucket, const ClusterConfig& cluster) {
  const std::string what = absl::StrCat("bucket ", bucket.id, " (", bucket.name, "): ");
  const auto refuse = [&what](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(what, why));
  };
  if (bucket.n < 1 || bucket.n > 9) {
    return refuse(absl::StrCat("n is ", bucket.n, ": it must be 1 to 9"));
  }
  if (bucket.n > static_cast<int>(cluster.members.size())) {
    return refuse(absl::StrCat("n is ", bucket.n, " but the cluster has ", cluster.members.size(),
                               " members: add members or lower n"));
  }
  if (bucket.n != cluster.buckets.front().n) {
    return refuse(absl::StrCat("n is ", bucket.n, " but bucket ", cluster.buckets.front().id,
                               " has ", cluster.buckets.front().n,
                               ": all buckets of a cluster share n"));
  }
  if (bucket.r < 1 || bucket.r > bucket.n) {
    return refuse(absl::StrCat("r is ", bucket.r, ": it must be 1 to n, which is ", bucket.n));
  }
  if (bucket.w < 1 || bucket.w > bucket.n) {
    return refuse(absl::StrCat("w is ", bucket.w, ": it must be 1 to n, which is ", bucket.n));
  }
  if (bucket.RMin() < 1 || bucket.RMin() > bucket.r) {
    return refuse(absl::StrCat("r_min is ", bucket.r_min, ": it must be 1 to r, ", bucket.r));
  }
  if (bucket.WMin() < 1 || bucket.WMin() > bucket.w) {
    return refuse(absl::StrCat("w_min is ", bucket.w_min, ": it must be 1 to w, ", bucket.w));
  }
  return absl::OkStatus();
}

absl::Status CheckMembers(const ClusterConfig& cluster) {
  if (cluster.members.empty()) {
    return absl::InvalidArgumentError("the cluster has no members: list at least this node");
  }
  std::set<NodeId> ids;
  std::set<std::string> addresses;
  for (const MemberConfig& member : cluster.members) {
    if (member.id == kNoNode) {
      return absl::InvalidArgumentError("a member has no id: ids are 1 to 65535");
    }
    if (!ids.insert(member.id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two members have the id ", member.id, ": ids are unique for ever"));
    }
    if (!addresses.insert(member.address).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two members have the address ", member.address));
    }
    if (member.weight == 0 || member.weight > 1000) {
      return absl::InvalidArgumentError(absl::StrCat("member ", member.id, ": weight is ",
                                                     member.weight, ": it must be 1 to 1000"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNode(const ClusterConfig& cluster, const NodeOptions& node) {
  const auto is_self = [&node](const MemberConfig& member) { return member.id == node.id; };
  if (std::none_of(cluster.members.begin(), cluster.members.end(), is_self)) {
    return absl::InvalidArgumentError(
        absl::StrCat("this node's id is ", node.id, ", which is not among the cluster's members"));
  }
  if (node.key_bytes_max == 0 || node.value_bytes_max == 0 || node.siblings_max == 0 ||
      node.requests_in_flight_max == 0 || node.exchange_page_entries == 0 ||
      node.exchange_page_bytes == 0 || node.exchange_bytes_per_second == 0 ||
      node.tree_scan_bytes_per_second == 0 || node.tree_bucket_keys == 0 ||
      node.lease_counters == 0) {
    return absl::InvalidArgumentError("node: a limit is 0: leave it out for its default");
  }
  if (node.request_timeout_us <= 0 || node.gossip_interval_us <= 0 ||
      node.exchange_interval_us <= 0 || node.speculate_after_us < 0 ||
      node.tree_scrub_interval_us < 0 || node.tree_save_after_us <= 0) {
    return absl::InvalidArgumentError("node: a timeout or interval is not above 0");
  }
  if (node.suspect_after_us < 2 * node.gossip_interval_us) {
    return absl::InvalidArgumentError(
        "node: suspect_after is less than two gossip intervals: every node would look dead");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const ClusterConfig& cluster, const NodeOptions& node) {
  if (cluster.name.empty()) {
    return absl::InvalidArgumentError("the cluster has no name: nodes use it to know their own");
  }
  const uint32_t q = cluster.partitions;
  if (q == 0 || q > 16384 || (q & (q - 1)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("partitions is ", q, ": it must be a power of two, 1 to 16384"));
  }
  if (absl::Status status = CheckMembers(cluster); !status.ok()) return status;
  if (cluster.buckets.empty()) {
    return absl::InvalidArgumentError("the cluster has no buckets: bucket 0 must exist");
  }
  std::set<BucketId> ids;
  for (const BucketConfig& bucket : cluster.buckets) {
    if (!ids.insert(bucket.id).second) {
      return absl::InvalidArgumentError(absl::StrCat("two buckets have the id ", bucket.id));
    }
    if (absl::Status status = CheckBucket(bucket, cluster); !status.ok()) return status;
  }
  if (ids.count(0) == 0) {
    return absl::InvalidArgumentError("bucket 0 is missing: plain GET and SET use it");
  }
  return CheckNode(cluster, node);
}

}  // namespace norn
