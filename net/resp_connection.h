// One client's socket: bytes in, commands to the session, replies out.
//
// Invariants:
//   * one read at most is under way, and none while the session takes no more commands
//     (backpressure: the kernel's buffer fills, then the client waits);
//   * one write at most is under way; what is answered meanwhile goes out with the next, so
//     a pipelined burst costs one system call;
//   * a client that does not read its replies is dropped once output_bytes_max wait.
//
// Threads: one, the loop's.

#ifndef NORN_NET_RESP_CONNECTION_H_
#define NORN_NET_RESP_CONNECTION_H_

#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/resp_parser.h"
#include "net/resp_session.h"

namespace norn::net {

class RespConnection : public std::enable_shared_from_this<RespConnection> {
 public:
  struct Hooks {
    std::function<void(RespConnection&)> flush_wanted;  // output waits: call Flush() this turn
    std::function<void(RespConnection&)> closed;        // once; forget the connection
    std::function<void(const std::string&)> complain;   // why it was dropped
  };

  RespConnection(asio::ip::tcp::socket socket, const RespServices& services,
                 const RespRequestLimits& limits, size_t output_bytes_max, uint64_t id,
                 const RespTicket& ticket, std::string address, Hooks hooks);

  void Start() { Read(); }
  void OnReply(ClientReply&& reply);
  // Writes what waits, if no write is under way.
  void Flush();
  // Takes no more commands; ends when what was asked is answered and sent.
  void EndWhenIdle();
  void Close();

  const RespTicket& ticket() const { return ticket_; }
  const RespSession& session() const { return session_; }
  const std::string& address() const { return address_; }
  bool flush_wanted() const { return flush_wanted_; }

 private:
  void Read();
  void OnRead(const asio::error_code& error, size_t bytes);
  // Feeds the session what has arrived, then reads on if it may.
  void TakeCommands();
  bool ExecuteNext();
  void WantFlush();
  void CloseIfDone();

  asio::ip::tcp::socket socket_;
  const size_t output_bytes_max_;
  const RespTicket ticket_;
  const std::string address_;
  Hooks hooks_;
  RespRequestParser parser_;
  RespSession session_;
  std::string input_;
  size_t input_begin_ = 0;  // consumed up to here
  size_t input_end_ = 0;    // received up to here
  std::string writing_;     // under way in the kernel
  bool reading_ = false;
  bool parsed_ = false;  // parser_ holds a command that the session could not take yet
  bool taking_ = false;  // inside TakeCommands()
  bool flush_wanted_ = false;
  bool ending_ = false;
  bool closed_ = false;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_CONNECTION_H_
