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

template <int kName>
void SetTcp(asio::ip::tcp::socket* socket, int value) {
  asio::error_code ignored;
  socket->set_option(asio::detail::socket_option::integer<IPPROTO_TCP, kName>(value), ignored);
}

}  // namespace

void TuneSocket(asio::ip::tcp::socket* socket, int64_t unacknowledged_max_us) {
  constexpr int kProbes = 3;
  const int milliseconds = static_cast<int>(std::max<int64_t>(unacknowledged_max_us / 1000, 1));
  const int probe_seconds = std::max(milliseconds / 1000 / (kProbes + 1), 1);
  asio::error_code ignored;
  socket->set_option(asio::ip::tcp::no_delay(true), ignored);
  socket->set_option(asio::socket_base::keep_alive(true), ignored);
  SetTcp<TCP_KEEPIDLE>(socket, probe_seconds);
  SetTcp<TCP_KEEPINTVL>(socket, probe_seconds);
  SetTcp<TCP_KEEPCNT>(socket, kProbes);
  SetTcp<TCP_USER_TIMEOUT>(socket, milliseconds);
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
