// A connection that somebody opened to us: a stranger until it has shaken hands, then the
// one that carries what a peer sends to us.
//
//   await Hello -> judge -> answer -> open (read messages) -> closed
//                        -> answer with a refusal -> closed
//
// A bad frame or message closes it: where the next one would start is unknown, or its
// sender is not to be trusted with the rest. The peer dials anew.
//
// Threads: everything runs on the thread of the io_context.

#ifndef NORN_NET_INCOMING_CONNECTION_H_
#define NORN_NET_INCOMING_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "core/messages.h"
#include "core/types.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/tcp_options.h"

namespace norn::net {

class IncomingConnection : public std::enable_shared_from_this<IncomingConnection> {
 public:
  // Called from the loop, never from within a call of ours. None is called after Close, and
  // none after on_closed. Close may be called from within any of them.
  struct Callbacks {
    std::function<HelloReply(const Hello&)> judge;
    std::function<void()> on_open;  // accepted: peer() is known
    std::function<void(Message&&, size_t frame_bytes)> on_message;
    std::function<void(absl::Status)> on_closed;  // OK: the peer ended it, between two frames
  };

  // `options` outlives the connection's use, that is, Close.
  IncomingConnection(asio::ip::tcp::socket socket, const TcpBusOptions* options,
                     Callbacks callbacks);

  void Start();
  void Close();

  // The node at the other end; kNoNode until its Hello has come.
  NodeId peer() const { return hello_.node; }
  const Hello& hello() const { return hello_; }
  bool open() const { return state_ == State::kOpen; }
  // Its address without the port, which changes with every attempt: for notes.
  const std::string& host() const { return host_; }

 private:
  enum class State { kAwaitingHello, kAnswering, kOpen, kClosed };

  void Read();
  void TakeBytes();
  void TakeHello(absl::string_view payload);
  void TakeMessages();
  void Answer(HelloReply reply);
  void Fail(absl::Status status);

  const TcpBusOptions* const options_;
  Callbacks callbacks_;
  State state_ = State::kAwaitingHello;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;  // of the handshake
  std::string host_;
  Hello hello_;
  FrameParser parser_;
  std::string answer_;  // belongs to the kernel while kAnswering
};

}  // namespace norn::net

#endif  // NORN_NET_INCOMING_CONNECTION_H_
