// Writes replies, in RESP2 or RESP3, at the end of a string.
//
//   simple   "+" text CRLF              error    "-" text CRLF
//   integer  ":" n CRLF                 bulk     "$" bytes CRLF data CRLF
//   array    "*" n CRLF, then n replies
//   map      "%" n CRLF, then n pairs   (RESP2: an array of 2n)
//   null     "_" CRLF                   (RESP2: "$-1" CRLF)
//   verbatim "=" bytes CRLF "txt:" data CRLF   (RESP2: bulk)
//
// A line break inside a simple string or an error would end it early, and let a key or a
// value forge replies: line breaks become blanks there.

#ifndef NORN_NET_RESP_WRITER_H_
#define NORN_NET_RESP_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::net {

class RespWriter {
 public:
  // `protocol` is 2 or 3. `*out` is not owned.
  RespWriter(int protocol, std::string* out) : protocol_(protocol), out_(out) {}

  int protocol() const { return protocol_; }

  void Simple(absl::string_view text);
  void Error(absl::string_view text);  // with its prefix: "ERR ...", "TRYAGAIN ..."
  void Integer(int64_t value);
  void Bulk(absl::string_view data);
  void Verbatim(absl::string_view text);
  void Null();
  void Array(size_t elements);  // that many replies must follow
  void Map(size_t pairs);       // that many keys and values must follow

 private:
  void Header(char type, int64_t number);
  void Line(absl::string_view text);

  int protocol_;
  std::string* out_;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_WRITER_H_
