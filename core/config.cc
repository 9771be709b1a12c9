#include "core/config.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace norn {

namespace {

// What a record holds beside its values: versions, and a context of some size.
constexpr size_t kRecordOverheadBytes = 4096;

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
  if (bucket.ttl_us < 0 || bucket.ttl_us > kTtlUsMax) {
    return refuse(
        absl::StrCat("ttl is ", bucket.ttl_us, " microseconds: it must be 0 (never) to 100 years"));
  }
  if (bucket.prune_entries_above != 0 && bucket.prune_entries_above < size_t{2} * 9) {
    return refuse(absl::StrCat("prune_entries_above is ", bucket.prune_entries_above,
                               ": it must be 0 (off) or at least 18, twice as many as a key can "
                               "have replicas, or every write would forget"));
  }
  return absl::OkStatus();
}

absl::Status CheckBucketName(const BucketConfig& bucket) {
  const auto plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string& name = bucket.name;
  if (name.empty() || name.size() > kBucketNameBytesMax ||
      !std::all_of(name.begin(), name.end(), plain) ||
      std::all_of(name.begin(), name.end(), digit)) {
    return absl::InvalidArgumentError(
        absl::StrCat("bucket ", bucket.id, " (", absl::CHexEscape(name.substr(0, 128)),
                     "): name is no name: it must be 1 to ", kBucketNameBytesMax,
                     " letters, digits, '-', '_' and '.', and not a number"));
  }
  return absl::OkStatus();
}

absl::Status CheckBuckets(const ClusterConfig& cluster) {
  if (cluster.buckets.empty()) {
    return absl::InvalidArgumentError("the cluster has no buckets: bucket 0 must exist");
  }
  if (cluster.buckets.size() > kBucketsMax) {
    return absl::InvalidArgumentError(absl::StrCat("the cluster has ", cluster.buckets.size(),
                                                   " buckets, the limit is ", kBucketsMax));
  }
  std::set<BucketId> ids;
  std::set<std::string> names;
  for (const BucketConfig& bucket : cluster.buckets) {
    if (!ids.insert(bucket.id).second) {
      return absl::InvalidArgumentError(absl::StrCat("two buckets have the id ", bucket.id));
    }
    if (absl::Status status = CheckBucketName(bucket); !status.ok()) return status;
    if (!names.insert(bucket.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("bucket ", bucket.id, " (", bucket.name, "): name is another bucket's too"));
    }
    if (absl::Status status = CheckBucket(bucket, cluster); !status.ok()) return status;
  }
  if (ids.count(0) == 0) {
    return absl::InvalidArgumentError("bucket 0 is missing: plain GET and SET use it");
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
      node.requests_in_flight_max == 0 || node.replica_work_max == 0 ||
      node.exchange_page_entries == 0 || node.exchange_page_bytes == 0 ||
      node.exchange_bytes_per_second == 0 || node.tree_scan_bytes_per_second == 0 ||
      node.tree_bucket_keys == 0 || node.lease_counters == 0 || node.record_bytes_max == 0 ||
      node.context_entries_max == 0 || node.tombstone_scan_bytes_per_second == 0 ||
      node.hint_bytes_max == 0 || node.hint_bytes_per_second == 0) {
    return absl::InvalidArgumentError("node: a limit is 0: leave it out for its default");
  }
  if (node.record_bytes_max < node.value_bytes_max + kRecordOverheadBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("node: record_bytes_max is ", node.record_bytes_max,
                     ", less than one value (value_bytes_max is ", node.value_bytes_max,
                     ") and what a record holds beside it (", kRecordOverheadBytes, ")"));
  }
  const auto replicas = static_cast<size_t>(GreatestN(cluster));
  if (node.record_bytes_max > kMergedRecordBytesMax / replicas) {
    return absl::InvalidArgumentError(
        absl::StrCat("node: record_bytes_max is ", node.record_bytes_max, ": the siblings of all ",
                     replicas, " replicas of a key together must fit into a message: lower it to ",
                     kMergedRecordBytesMax / replicas, ", or N"));
  }
  if (node.max_clock_skew_us < 0) {
    return absl::InvalidArgumentError("node: max_clock_skew is below 0");
  }
  if (node.request_timeout_us <= 0 || node.gossip_interval_us <= 0 ||
      node.exchange_interval_us <= 0 || node.speculate_after_us < 0 ||
      node.tree_scrub_interval_us < 0 || node.tree_save_after_us <= 0 ||
      node.hint_age_max_us <= 0 || node.tombstone_keep_us < 0 || node.tombstone_interval_us < 0 ||
      node.damage_check_interval_us < 0) {
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
  if (cluster.secret.empty()) {
    return absl::InvalidArgumentError(
        "the cluster has no secret: clients could forge context tokens, which silently swallow "
        "writes; set the same long random text on every node");
  }
  if (absl::Status status = CheckBuckets(cluster); !status.ok()) return status;
  return CheckNode(cluster, node);
}

int GreatestN(const ClusterConfig& cluster) {
  int greatest = 1;
  for (const BucketConfig& bucket : cluster.buckets) greatest = std::max(greatest, bucket.n);
  return greatest;
}

const BucketConfig* FindBucket(const ClusterConfig& cluster, absl::string_view name_or_number) {
  for (const BucketConfig& bucket : cluster.buckets) {
    if (bucket.name == name_or_number || absl::StrCat(bucket.id) == name_or_number) return &bucket;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> DescribeBucket(const BucketConfig& bucket) {
  // Names every field, so that a new one has to be decided on here.
  const auto& [id, name, n, r, w, r_min, w_min, sloppy, conflicts, plain_get, ttl_us, key_bytes_max,
               value_bytes_max, siblings_max, prune_entries_above] = bucket;
  static_cast<void>(r_min);  // 0 says the same as r
  static_cast<void>(w_min);
  return {{"id", absl::StrCat(id)},
          {"name", name},
          {"n", absl::StrCat(n)},
          {"r", absl::StrCat(r)},
          {"w", absl::StrCat(w)},
          {"r_min", absl::StrCat(bucket.RMin())},
          {"w_min", absl::StrCat(bucket.WMin())},
          {"quorum", sloppy ? "sloppy" : "strict"},
          {"conflicts", conflicts == ConflictPolicy::kLww ? "lww" : "siblings"},
          {"plain_get", plain_get == PlainGet::kError ? "error" : "winner"},
          {"ttl_ms", absl::StrCat(ttl_us / 1000)},
          {"key_bytes_max", absl::StrCat(key_bytes_max)},
          {"value_bytes_max", absl::StrCat(value_bytes_max)},
          {"siblings_max", absl::StrCat(siblings_max)},
          {"prune_entries_above", absl::StrCat(prune_entries_above)}};
}

}  // namespace norn
