#include "net/outgoing_connection.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "asio/buffer.hpp"
#include "asio/connect.hpp"
#include "asio/error.hpp"
#include "asio/error_code.hpp"
#include "asio/io_context.hpp"
#include "asio/ip/address.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/post.hpp"
#include "asio/write.hpp"
#include "core/check.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/host_port.h"
#include "net/socket_options.h"

namespace norn::net {

using asio::ip::tcp;

OutgoingConnection::OutgoingConnection(asio::io_context* context, const TcpBusOptions* options,
                                       NodeId peer, Callbacks callbacks)
    : options_(options),
      peer_(peer),
      callbacks_(std::move(callbacks)),
      resolver_(*context),
      socket_(*context),
      timer_(*context),
      parser_(kHandshakeBytesMax, kPreamble) {}

void OutgoingConnection::Start(const std::string& address) {
  address_ = address;
  timer_.expires_after(std::chrono::microseconds(options_->handshake_timeout_us));
  timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (error || self->state_ == State::kOpen || self->state_ == State::kClosed) return;
    self->Fail(absl::DeadlineExceededError(
        absl::StrCat("no answer within ", self->options_->handshake_timeout_us / 1000, " ms")));
  });

  absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) {
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), status = parsed.status()] { self->Fail(status); });
    return;
  }
  asio::error_code not_numeric;
  const asio::ip::address numeric = asio::ip::make_address(parsed->host, not_numeric);
  if (!not_numeric) {
    Connect(tcp::resolver::results_type::create(tcp::endpoint(numeric, parsed->port), parsed->host,
                                                absl::StrCat(parsed->port)));
    return;
  }
  resolver_.async_resolve(
      parsed->host, absl::StrCat(parsed->port),
      [self = shared_from_this()](const asio::error_code& error,
                                  const tcp::resolver::results_type& endpoints) {
        if (self->state_ == State::kClosed) return;
        if (error) return self->FailSystem("could not look up the host: ", error);
        self->Connect(endpoints);
      });
}

void OutgoingConnection::Connect(const tcp::resolver::results_type& endpoints) {
  asio::async_connect(
      socket_, endpoints,
      [self = shared_from_this()](const asio::error_code& error, const tcp::endpoint&) {
        if (self->state_ == State::kClosed) return;
        if (error) return self->FailSystem("could not connect: ", error);
        self->SayHello();
      });
}

void OutgoingConnection::SayHello() {
  state_ = State::kShakingHands;
  TuneSocket(&socket_, options_->unacknowledged_max_us);
  written_ = kPreamble;
  const size_t frame = BeginFrame(&written_);
  EncodeHello(MakeHello(options_->identity, peer_), &written_);
  EndFrame(frame, &written_);
  writing_ = true;
  asio::async_write(socket_, asio::buffer(written_),
                    [self = shared_from_this()](const asio::error_code& error, size_t) {
                      self->writing_ = false;
                      if (self->state_ == State::kClosed) return;
                      if (error) return self->FailSystem("could not send Hello: ", error);
                      self->ReadReply();
                    });
}

void OutgoingConnection::ReadReply() {
  const absl::Span<char> room = parser_.Reserve(kHandshakeBytesMax);
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const asio::error_code& error, size_t size) {
                            if (self->state_ == State::kClosed) return;
                            if (error) return self->FailSystem("no HelloReply: ", error);
                            self->parser_.Commit(size);
                            self->CheckReplyBytes();
                          });
}

void OutgoingConnection::CheckReplyBytes() {
  absl::string_view payload;
  if (!parser_.Next(&payload)) {
    if (!parser_.status().ok()) return Fail(parser_.status());
    return ReadReply();
  }
  const absl::StatusOr<HelloReply> reply = DecodeHelloReply(payload);
  if (!reply.ok()) return Fail(reply.status());
  if (absl::Status status = CheckReply(options_->identity, peer_, *reply); !status.ok()) {
    return Fail(std::move(status));
  }
  if (parser_.buffered() > 0) {
    return Fail(absl::InvalidArgumentError("it sent more than a HelloReply"));
  }
  state_ = State::kOpen;
  timer_.cancel();
  AwaitEnd();
  callbacks_.on_open();
}

void OutgoingConnection::AwaitEnd() {
  socket_.async_read_some(asio::buffer(end_), [self = shared_from_this()](
                                                  const asio::error_code& error, size_t) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->FailSystem("", error);
    self->Fail(absl::InvalidArgumentError("it sent bytes on a connection that carries none back"));
  });
}

void OutgoingConnection::Write(std::string* bytes) {
  CORE_CHECK(state_ == State::kOpen && !writing_);
  std::swap(written_, *bytes);
  bytes->clear();
  writing_ = true;
  asio::async_write(socket_, asio::buffer(written_),
                    [self = shared_from_this()](const asio::error_code& error, size_t) {
                      self->writing_ = false;
                      if (self->state_ == State::kClosed) return;
                      if (error) return self->FailSystem("could not send: ", error);
                      self->callbacks_.on_written();
                    });
}

void OutgoingConnection::Close(absl::string_view last_words) {
  if (state_ == State::kClosed) return;
  if (state_ == State::kOpen && !writing_ && !last_words.empty()) {
    asio::error_code ignored;
    socket_.non_blocking(true, ignored);
    if (!ignored) socket_.write_some(asio::buffer(last_words.data(), last_words.size()), ignored);
  }
  // The callbacks stay: one of them may be what is running. They are not called any more,
  // and go with the object.
  state_ = State::kClosed;
  resolver_.cancel();
  timer_.cancel();
  CloseSocket(&socket_);
}

void OutgoingConnection::Fail(absl::Status status) {
  if (state_ == State::kClosed) return;
  Close(absl::string_view());
  callbacks_.on_closed(std::move(status));
}

void OutgoingConnection::FailSystem(absl::string_view prefix, const asio::error_code& error) {
  const std::string what = error == asio::error::eof ? "it closed the connection" : error.message();
  Fail(absl::UnavailableError(absl::StrCat(prefix, what)));
}

}  // namespace norn::net
