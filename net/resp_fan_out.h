// A command on many keys: one request to the node for each, gathered into one reply.
//
//   MGET    reads each                          values and nulls, in the order of the keys
//   EXISTS  reads each                          how many have a value; one named twice counts twice
//   DEL     reads each, deletes those that have a value     how many deletes were acknowledged
//   MSET    writes each                         OK
//
// Nothing here is atomic. If any key fails the reply is an error that names the first such
// key in the command's order. Its prefix says what is certain of the whole command: that of
// the failure if nothing was written, UNKNOWN if other keys were written or may have been.
//
// DEL counts what its own quorum read saw. Two clients that delete one key at once may both
// count it; a read in a bucket with R + W <= N may miss the value, and nothing is deleted.

#ifndef NORN_NET_RESP_FAN_OUT_H_
#define NORN_NET_RESP_FAN_OUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/client.h"
#include "core/types.h"
#include "net/resp_writer.h"

namespace norn::net {

class RespFanOut {
 public:
  enum class Kind : uint8_t { kMget, kExists, kDel, kMset };
  enum class Next : uint8_t {
    kIgnore,  // that part had been answered before
    kWait,    // other parts are outstanding
    kDelete,  // submit a delete of the part's key
    kDone,    // Write() the reply
  };

  // `siblings_are_errors`: MGET fails on a key with several values.
  RespFanOut(Kind kind, BucketId bucket, bool siblings_are_errors, size_t parts_max)
      : kind_(kind), bucket_(bucket), siblings_are_errors_(siblings_are_errors) {
    parts_.reserve(parts_max);
  }

  // All parts are added before the first request is submitted.
  void Add(absl::string_view key) {
    parts_.push_back(Part{std::string(key), std::string(), Phase::kFirst, false});
    ++waiting_;
  }

  BucketId bucket() const { return bucket_; }
  const std::string& key(size_t part) const { return parts_[part].key; }

  Next Take(size_t part, ClientReply&& reply);
  void Write(RespWriter& writer) const;

 private:
  // A delete is the second request of a part; every other command has one.
  enum class Phase : uint8_t { kFirst, kDelete, kAnswered };
  struct Part {
    std::string key;
    std::string value;
    Phase phase;
    bool found;
  };

  void WriteFailure(RespWriter& writer) const;

  const Kind kind_;
  const BucketId bucket_;
  const bool siblings_are_errors_;
  std::vector<Part> parts_;
  size_t waiting_ = 0;
  size_t found_ = 0;    // parts that count
  bool wrote_ = false;  // some write was acknowledged, or may take effect
  size_t failures_ = 0;
  size_t failed_part_ = 0;  // the first one
  ClientReply::Outcome failure_ = ClientReply::Outcome::kOk;
  std::string failure_message_;
};

// Why a plain read answers with an error where its bucket wants that.
std::string SeveralValues(size_t values);

// "UNAVAILABLE no quorum ...": how a failed request reads in RESP. `message` may be empty.
std::string RespErrorText(ClientReply::Outcome outcome, absl::string_view message);

}  // namespace norn::net

#endif  // NORN_NET_RESP_FAN_OUT_H_
