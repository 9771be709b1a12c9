#include "net/host_port.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace norn::net {

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const auto bad = [text](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("address \"", absl::CHexEscape(text), "\": ", why,
                     "; write host:port, or [address]:port for IPv6"));
  };
  absl::string_view host;
  absl::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find("]:");
    if (close == absl::string_view::npos) return bad("no \"]:\" ends the IPv6 address");
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
  } else {
    const size_t colon = text.rfind(':');
    if (colon == absl::string_view::npos) return bad("it has no port");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.find(':') != absl::string_view::npos) return bad("it has more than one colon");
  }
  if (host.empty()) return bad("it has no host");
  uint32_t number = 0;
  if (!absl::SimpleAtoi(port, &number) || number > 65535) return bad("the port is not 0 to 65535");
  return HostPort{.host = std::string(host), .port = static_cast<uint16_t>(number)};
}

std::string ToString(const HostPort& address) {
  if (address.host.find(':') == std::string::npos) {
    return absl::StrCat(address.host, ":", address.port);
  }
  return absl::StrCat("[", address.host, "]:", address.port);
}

}  // namespace norn::net
