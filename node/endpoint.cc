#include "node/endpoint.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace norn::node {

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text) {
  const auto refuse = [text](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" ", why, ": write host:port, as in 127.0.0.1:7301 or [::1]:7301"));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return refuse("has no port");
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return refuse("has no host");
  if (!bracketed && host.find(':') != absl::string_view::npos) {
    return refuse("has an IPv6 address without brackets");
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port == 0 || port > 65535) {
    return refuse("has a port that is not 1 to 65535");
  }
  return Endpoint{std::string(host), static_cast<uint16_t>(port)};
}

}  // namespace norn::node
