#include "core/replication/request_check.h"

#include "absl/strings/str_cat.h"

namespace norn {

absl::Status CheckRequest(const NodeContext& node, const ClientRequest& request) {
  const BucketConfig* const bucket = node.FindBucket(request.bucket);
  if (bucket == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("bucket ", request.bucket, " does not exist: the configuration lists them"));
  }
  if (request.key.empty()) return absl::InvalidArgumentError("the key is empty");
  if (request.key.size() > node.options.key_bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("the key has ", request.key.size(),
                                                   " bytes, the limit is ",
                                                   node.options.key_bytes_max, " (key_bytes_max)"));
  }
  if (request.value.size() > node.options.value_bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("the value has ", request.value.size(), " bytes, the limit is ",
                     node.options.value_bytes_max, " (value_bytes_max)"));
  }
  if (request.quorum == 0) return absl::OkStatus();
  const bool get = request.kind == ClientRequest::Kind::kGet;
  const int least = get ? bucket->RMin() : bucket->WMin();
  if (request.quorum < least || request.quorum > bucket->n) {
    return absl::InvalidArgumentError(
        absl::StrCat(get ? "R" : "W", " is ", request.quorum, ": bucket ", bucket->name,
                     " permits ", least, " to ", bucket->n, get ? " (r_min, n)" : " (w_min, n)"));
  }
  return absl::OkStatus();
}

}  // namespace norn
