#include "net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "asio/error_code.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/socket_base.hpp"
#include "net/host_port.h"

namespace norn::net {
namespace {

void SetTcpOption(int descriptor, int name, int value) {
  static_cast<void>(setsockopt(descriptor, IPPROTO_TCP, name, &value, sizeof(value)));
}

}  // namespace

void TuneSocket(asio::ip::tcp::socket* socket, int64_t unacknowledged_max_us) {
  constexpr int kProbes = 3;
  const int milliseconds = static_cast<int>(std::max<int64_t>(unacknowledged_max_us / 1000, 1));
  const int probe_seconds = std::max(milliseconds / 1000 / (kProbes + 1), 1);
  const int descriptor = socket->native_handle();
  asio::error_code ignored;
  socket->set_option(asio::ip::tcp::no_delay(true), ignored);
  socket->set_option(asio::socket_base::keep_alive(true), ignored);
  SetTcpOption(descriptor, TCP_KEEPIDLE, probe_seconds);
  SetTcpOption(descriptor, TCP_KEEPINTVL, probe_seconds);
  SetTcpOption(descriptor, TCP_KEEPCNT, kProbes);
  SetTcpOption(descriptor, TCP_USER_TIMEOUT, milliseconds);
}

std::string ToString(const asio::ip::tcp::endpoint& endpoint) {
  return ToString(HostPort{.host = endpoint.address().to_string(), .port = endpoint.port()});
}

void CloseSocket(asio::ip::tcp::socket* socket) {
  asio::error_code ignored;
  socket->shutdown(asio::socket_base::shutdown_both, ignored);
  socket->close(ignored);
}

}  // namespace norn::net
