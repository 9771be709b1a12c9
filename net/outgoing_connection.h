// One attempt to reach a peer, and the connection that comes of it.
//
//   resolve -> connect -> say Hello, await HelloReply -> open -> closed
//                                                    any of them -> closed
//
// It carries what we send to the peer; nothing comes back on it after the handshake but its
// end. An object lives for one attempt: the next one is another object, so that a late
// completion of the old attempt cannot touch the new one.
//
// Threads: everything runs on the thread of the io_context, apart from the look-up of host
// names, for which Asio keeps a thread of its own (numeric addresses need none).

#ifndef NORN_NET_OUTGOING_CONNECTION_H_
#define NORN_NET_OUTGOING_CONNECTION_H_

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "core/types.h"
#include "net/frame.h"
#include "net/tcp_options.h"

namespace norn::net {

class OutgoingConnection : public std::enable_shared_from_this<OutgoingConnection> {
 public:
  // Called from the loop, never from within a call of ours. None is called after Close, and
  // none after on_closed. Close may be called from within any of them.
  struct Callbacks {
    std::function<void()> on_open;
    std::function<void()> on_written;             // what Write was given is with the kernel
    std::function<void(absl::Status)> on_closed;  // why the attempt or the connection ended
  };

  // `options` outlives the connection's use, that is, Close.
  OutgoingConnection(asio::io_context* context, const TcpBusOptions* options, NodeId peer,
                     Callbacks callbacks);

  void Start(const std::string& address);

  // Sends `*bytes`, which takes the place of a buffer that is no longer needed (empty, with
  // capacity). Needs: open, and no write under way.
  void Write(std::string* bytes);

  bool open() const { return state_ == State::kOpen; }
  bool writing() const { return writing_; }

  // Offers `last_words` to the kernel, once and without waiting, if the stream is at the
  // boundary of a frame; then ends everything.
  void Close(absl::string_view last_words);

 private:
  enum class State { kConnecting, kShakingHands, kOpen, kClosed };

  void Connect(const asio::ip::tcp::resolver::results_type& endpoints);
  void SayHello();
  void ReadReply();
  void CheckReplyBytes();
  void AwaitEnd();
  void Fail(absl::Status status);
  void FailSystem(absl::string_view prefix, const asio::error_code& error);

  const TcpBusOptions* const options_;
  const NodeId peer_;
  Callbacks callbacks_;
  State state_ = State::kConnecting;
  std::string address_;
  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;  // of the handshake, resolving and connecting included
  FrameParser parser_;        // of the reply
  std::array<char, 1> end_{};
  std::string written_;  // belongs to the kernel while writing_
  bool writing_ = false;
};

}  // namespace norn::net

#endif  // NORN_NET_OUTGOING_CONNECTION_H_
