#include "net/host_port.h"

#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace norn::net {
namespace {

std::string RoundTrip(const char* text) {
  const absl::StatusOr<HostPort> address = ParseHostPort(text);
  return address.ok() ? ToString(*address) : std::string(address.status().message());
}

TEST(HostPortTest, GoodAddressesComeBack) {
  for (const char* text : {"127.0.0.1:7001", "node-3.example.org:1", "[::1]:65535", "h:0"}) {
    EXPECT_EQ(RoundTrip(text), text);
  }
  const absl::StatusOr<HostPort> address = ParseHostPort("[fe80::1]:80");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "fe80::1");
  EXPECT_EQ(address->port, 80);
}

TEST(HostPortTest, BadOnesSayWhy) {
  const std::string remedy = "; write host:port, or [address]:port for IPv6";
  EXPECT_EQ(RoundTrip(""), "address \"\": it has no port" + remedy);
  EXPECT_EQ(RoundTrip("host"), "address \"host\": it has no port" + remedy);
  EXPECT_EQ(RoundTrip(":7001"), "address \":7001\": it has no host" + remedy);
  EXPECT_EQ(RoundTrip("::1:7001"), "address \"::1:7001\": it has more than one colon" + remedy);
  EXPECT_EQ(RoundTrip("[::1]"), "address \"[::1]\": no \"]:\" ends the IPv6 address" + remedy);
  for (const char* text : {"h:", "h:65536", "h:-1", "h:7x"}) {
    EXPECT_EQ(RoundTrip(text),
              "address \"" + std::string(text) + "\": the port is not 0 to 65535" + remedy);
  }
}

}  // namespace
}  // namespace norn::net
