// "host:port": where to listen, or whom to call.

#ifndef NORN_NODE_ENDPOINT_H_
#define NORN_NODE_ENDPOINT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace norn::node {

struct Endpoint {
  std::string host;  // a name or an address; an IPv6 address without its brackets
  uint16_t port = 0;
};

// "127.0.0.1:7301", "db1.example:7301", "[::1]:7301". The port is 1 to 65535.
// kInvalidArgument says which form is expected.
absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text);

}  // namespace norn::node

#endif  // NORN_NODE_ENDPOINT_H_
