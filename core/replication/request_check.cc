#include "core/replication/request_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/replication/level.h"

namespace norn {

namespace {

absl::Status CheckSize(const char* what, size_t bytes, const BucketConfig& bucket, size_t of_bucket,
                       size_t of_node) {
  const bool own = of_bucket != 0 && of_bucket < of_node;
  const size_t most = own ? of_bucket : of_node;
  if (bytes <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the ", what, " has ", bytes, " bytes, the limit is ", most, " (", what,
                   "_bytes_max", own ? absl::StrCat(" of bucket ", bucket.name) : "", ")"));
}

}  // namespace

absl::Status CheckRequest(const NodeContext& node, const ClientRequest& request) {
  const BucketConfig* const bucket = node.FindBucket(request.bucket);
  if (bucket == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("bucket ", request.bucket, " does not exist: the configuration lists them"));
  }
  if (request.key.empty()) return absl::InvalidArgumentError("the key is empty");
  const absl::Status key = CheckSize("key", request.key.size(), *bucket, bucket->key_bytes_max,
                                     node.options.key_bytes_max);
  if (!key.ok()) return key;
  const absl::Status value = CheckSize("value", request.value.size(), *bucket,
                                       bucket->value_bytes_max, node.options.value_bytes_max);
  if (!value.ok()) return value;
  if (request.expires_us < 0 || request.ttl_us < kTtlNever || request.ttl_us > kTtlUsMax) {
    return absl::InvalidArgumentError(
        "the time to live is out of range: it must be above 0 and at most 100 years");
  }
  return CheckLevel(node, *bucket, request);
}

void DecideExpiry(const NodeContext& node, int64_t wall_us, ClientRequest* request) {
  if (request->kind != ClientRequest::Kind::kPut || request->expires_us != 0) return;
  int64_t ttl_us = request->ttl_us;
  if (ttl_us == 0) ttl_us = node.FindBucket(request->bucket)->ttl_us;
  if (ttl_us > 0) request->expires_us = std::max(wall_us + ttl_us, int64_t{1});
}

}  // namespace norn
