// The client port: RESP2 and RESP3 over TCP, so that every Redis client works.
//
// Runs on the given io_context and has no threads of its own. It is the host's ClientPort:
// a reply finds its connection by its ticket, and one whose connection has gone is dropped.
// Replies of a turn go out together, one write per connection.
//
// Errors: Listen() names the address and the remedy (a port in use, a bad address).

#ifndef NORN_NET_RESP_SERVER_H_
#define NORN_NET_RESP_SERVER_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/events.h"
#include "core/ports.h"
#include "net/resp_connection.h"
#include "net/resp_parser.h"
#include "net/resp_services.h"

namespace norn::net {

struct RespServerOptions {
  std::string listen_address;  // numeric, as "127.0.0.1:7001"; port 0: any free one
  size_t clients_max = 10'000;
  size_t output_bytes_max = size_t{64} << 20;  // unread replies of one client
  RespRequestLimits requests;
};

class RespServer final : public ClientPort {
 public:
  RespServer(asio::io_context* loop, RespServerOptions options, RespServices services,
             std::function<void(const Note&)> on_note);
  ~RespServer() override;

  // Binds the port. Clients may connect, and wait until Start().
  absl::Status Listen();
  void Start();
  // 0 before Listen().
  uint16_t port() const { return port_; }

  void Reply(ClientReply&& reply) override;

  // No new clients; those that are there end as soon as what they asked is answered.
  void StopAccepting();
  // After StopAccepting(): everyone has gone.
  bool drained() const { return connected_ == 0; }
  void Close();

  size_t connected() const { return connected_; }

 private:
  struct Slot {
    uint16_t generation = 0;
    std::shared_ptr<RespConnection> connection;
  };

  void Accept();
  void OnAccept(const asio::error_code& error, asio::ip::tcp::socket socket);
  void Welcome(asio::ip::tcp::socket socket);
  void Forget(const RespConnection& connection);
  void WantFlush(RespConnection& connection);
  void FlushAll();
  std::string ListClients() const;

  asio::io_context* const loop_;
  const RespServerOptions options_;
  RespServices services_;
  std::function<void(const Note&)> on_note_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  uint16_t port_ = 0;
  std::vector<Slot> slots_;
  std::vector<uint16_t> free_slots_;
  std::vector<std::shared_ptr<RespConnection>> to_flush_;
  bool flush_posted_ = false;
  size_t connected_ = 0;
  uint64_t accepted_ = 0;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_SERVER_H_
