// Reads replies, for clients: RESP2, as a server sends them.
//
//   reply = "+" line | "-" line | ":" integer | "$" length CRLF bytes CRLF | "$-1"
//         | "*" count CRLF count*reply | "*-1"

#ifndef NORN_NET_RESP_REPLY_H_
#define NORN_NET_RESP_REPLY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::net {

struct RespReply {
  enum class Kind : uint8_t { kSimple, kError, kInteger, kBulk, kNull, kArray };
  Kind kind = Kind::kNull;
  std::string text;  // kSimple, kError (with its prefix), kBulk
  int64_t integer = 0;
  std::vector<RespReply> elements;
};

enum class RespReplyResult : uint8_t { kReply, kNeedMore, kError };

// Reads the reply at the front of `data`. kReply: `*consumed` bytes were it. kError: this is
// no RESP. Replies nest at most 8 deep, and a bulk has at most 512 MiB.
RespReplyResult ParseRespReply(absl::string_view data, RespReply* reply, size_t* consumed);

}  // namespace norn::net

#endif  // NORN_NET_RESP_REPLY_H_
