#include "net/incoming_connection.h"

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
#include "asio/error.hpp"
#include "asio/error_code.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/write.hpp"
#include "core/messages.h"
#include "net/codec.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/socket_options.h"

namespace norn::net {
namespace {

// Room for one read of an open connection: many messages, or a piece of a large one.
constexpr size_t kReadBytes = size_t{64} << 10;

}  // namespace

IncomingConnection::IncomingConnection(asio::ip::tcp::socket socket, const TcpBusOptions* options,
                                       Callbacks callbacks)
    : options_(options),
      callbacks_(std::move(callbacks)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      parser_(kHandshakeBytesMax, kPreamble) {
  asio::error_code gone;
  const asio::ip::tcp::endpoint remote = socket_.remote_endpoint(gone);
  host_ = gone ? "a host that has gone" : remote.address().to_string();
}

void IncomingConnection::Start() {
  TuneSocket(&socket_, options_->unacknowledged_max_us);
  timer_.expires_after(std::chrono::microseconds(options_->handshake_timeout_us));
  timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (error || self->state_ == State::kOpen || self->state_ == State::kClosed) return;
    self->Fail(absl::DeadlineExceededError(
        absl::StrCat("no Hello within ", self->options_->handshake_timeout_us / 1000, " ms")));
  });
  Read();
}

void IncomingConnection::Read() {
  const absl::Span<char> room =
      parser_.Reserve(state_ == State::kOpen ? kReadBytes : kHandshakeBytesMax);
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](const asio::error_code& error, size_t size) {
        if (self->state_ == State::kClosed) return;
        if (!error) {
          self->parser_.Commit(size);
          return self->TakeBytes();
        }
        const bool orderly = error == asio::error::eof && self->parser_.buffered() == 0 &&
                             self->state_ == State::kOpen;
        self->Fail(orderly ? absl::OkStatus()
                           : absl::UnavailableError(absl::StrCat(
                                 error == asio::error::eof ? "ended in the middle" : "broke", ": ",
                                 error.message())));
      });
}

void IncomingConnection::TakeBytes() {
  if (state_ == State::kOpen) return TakeMessages();
  absl::string_view payload;
  if (parser_.Next(&payload)) return TakeHello(payload);
  if (!parser_.status().ok()) return Fail(parser_.status());
  Read();
}

void IncomingConnection::TakeHello(absl::string_view payload) {
  absl::StatusOr<Hello> hello = DecodeHello(payload);
  if (!hello.ok()) {
    return Answer(
        Refuse(options_->identity, Verdict::kMalformed, std::string(hello.status().message())));
  }
  hello_ = *std::move(hello);
  Answer(callbacks_.judge(hello_));
}

void IncomingConnection::Answer(HelloReply reply) {
  if (state_ == State::kClosed) return;
  state_ = State::kAnswering;
  answer_ = kPreamble;
  const size_t frame = BeginFrame(&answer_);
  EncodeHelloReply(reply, &answer_);
  EndFrame(frame, &answer_);
  asio::async_write(
      socket_, asio::buffer(answer_),
      [self = shared_from_this(), reply = std::move(reply)](const asio::error_code& error, size_t) {
        if (self->state_ == State::kClosed) return;
        if (reply.verdict != Verdict::kAccepted) {
          return self->Fail(absl::FailedPreconditionError(reply.text));
        }
        if (error) return self->Fail(absl::UnavailableError(error.message()));
        self->state_ = State::kOpen;
        self->timer_.cancel();
        self->parser_.set_payload_bytes_max(self->options_->frame_payload_bytes_max);
        self->callbacks_.on_open();
        // Messages may have come on the heels of the Hello.
        self->TakeMessages();
      });
}

void IncomingConnection::TakeMessages() {
  absl::string_view payload;
  while (state_ == State::kOpen && parser_.Next(&payload)) {
    absl::StatusOr<Message> message = DecodeMessage(payload, options_->decode_limits);
    if (!message.ok()) return Fail(message.status());
    callbacks_.on_message(*std::move(message), kFrameHeaderBytes + payload.size());
  }
  if (state_ != State::kOpen) return;
  if (!parser_.status().ok()) return Fail(parser_.status());
  Read();
}

void IncomingConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  // The callbacks stay: one of them may be what is running. They are not called any more,
  // and go with the object.
  timer_.cancel();
  CloseSocket(&socket_);
}

void IncomingConnection::Fail(absl::Status status) {
  if (state_ == State::kClosed) return;
  Close();
  callbacks_.on_closed(std::move(status));
}

}  // namespace norn::net
