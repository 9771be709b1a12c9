// How sockets between nodes are set up.

#ifndef NORN_NET_SOCKET_OPTIONS_H_
#define NORN_NET_SOCKET_OPTIONS_H_

#include <cstdint>
#include <string>

#include "asio/ip/tcp.hpp"

namespace norn::net {

// No Nagle delay (writes are gathered already); keepalive probes while idle, and an end when
// sent data is not acknowledged for `unacknowledged_max_us`, so that a peer that vanished
// without a word is noticed in that time and not in a quarter of an hour. Best effort: a
// connection without them still works.
void TuneSocket(asio::ip::tcp::socket* socket, int64_t unacknowledged_max_us);

// "127.0.0.1:4001"; for notes.
std::string ToString(const asio::ip::tcp::endpoint& endpoint);

// Closes, and forgets whatever goes wrong with that.
void CloseSocket(asio::ip::tcp::socket* socket);

}  // namespace norn::net

#endif  // NORN_NET_SOCKET_OPTIONS_H_
