// Addresses as people write them: "host:port" and "[ipv6]:port".

#ifndef NORN_NET_HOST_PORT_H_
#define NORN_NET_HOST_PORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace norn::net {

struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  uint16_t port = 0;
};

// InvalidArgument quotes `text` and says what is expected.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// "1.2.3.4:5", "[::1]:5".
std::string ToString(const HostPort& address);

}  // namespace norn::net

#endif  // NORN_NET_HOST_PORT_H_
