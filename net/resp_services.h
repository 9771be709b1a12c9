// What the client sessions of a node need from it, and the limits they live under. Shared
// by all sessions, and not changed while there are any.

#ifndef NORN_NET_RESP_SERVICES_H_
#define NORN_NET_RESP_SERVICES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/client.h"
#include "core/types.h"

namespace norn::net {

struct RespBucket {
  BucketId id = 0;
  std::string name;
  bool siblings_are_errors = false;  // to GET and MGET; else the winner is answered
};

// By name, or by number written in decimals. Null: there is none.
inline const RespBucket* FindRespBucket(const std::vector<RespBucket>& buckets,
                                        absl::string_view name_or_number) {
  for (const RespBucket& bucket : buckets) {
    if (bucket.name == name_or_number || absl::StrCat(bucket.id) == name_or_number) return &bucket;
  }
  return nullptr;
}

struct RespSessionLimits {
  size_t commands_max = 512;   // outstanding in one session; a power of two, 8 to 32768
  size_t requests_max = 1024;  // outstanding in one session before it takes no more commands
  size_t keys_per_command_max = 4096;
};

struct RespServices {
  // Hands a request to the node. Its ticket comes back in the reply, exactly once: normally
  // later, though a reply from inside the call is taken too.
  std::function<void(ClientRequest&&)> submit;

  // Makes a checkpoint of this node's store under a name. Answered as `submit` is, the reply's
  // first value being what to tell the client. Absent: this server takes none.
  std::function<void(absl::string_view name, uint64_t ticket)> checkpoint;

  // The body of an INFO section ("server", "cluster", "buckets", "stats", "storage",
  // "clients"): lines
  // "name:value\n". Empty if there is none.
  std::function<std::string(absl::string_view section)> info;

  // CLIENT LIST: a line for each connection.
  std::function<std::string()> client_list;

  std::vector<RespBucket> buckets = {RespBucket{0, "default"}};
  std::vector<std::pair<std::string, std::string>> config;  // CONFIG GET, over the built-in ones
  std::string version = "0";
  RespSessionLimits limits;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_SERVICES_H_
