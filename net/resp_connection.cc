#include "net/resp_connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/socket_options.h"

namespace norn::net {

namespace {

constexpr size_t kReadBytes = 64 << 10;  // room offered to each read
constexpr size_t kKeepBytes = 1 << 20;   // a larger buffer is given back when empty

}  // namespace

RespConnection::RespConnection(asio::ip::tcp::socket socket, const RespServices& services,
                               const RespRequestLimits& limits, size_t output_bytes_max,
                               uint64_t id, const RespTicket& ticket, std::string address,
                               Hooks hooks)
    : socket_(std::move(socket)),
      output_bytes_max_(output_bytes_max),
      ticket_(ticket),
      address_(std::move(address)),
      hooks_(std::move(hooks)),
      parser_(limits),
      session_(services, id, ticket, address_) {}

void RespConnection::Read() {
  if (reading_ || closed_ || ending_ || session_.ended()) return;
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
    if (input_.size() > kKeepBytes) input_ = std::string();
  } else if (input_begin_ > 0) {
    input_.erase(0, input_begin_);
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  // A long argument is read in steps that grow with it, so that copying stays linear.
  const size_t room = std::max(kReadBytes, input_end_);
  if (input_.size() < input_end_ + room) input_.resize(input_end_ + room);
  reading_ = true;
  socket_.async_read_some(asio::buffer(&input_[input_end_], input_.size() - input_end_),
                          [self = shared_from_this()](const asio::error_code& error, size_t bytes) {
                            self->OnRead(error, bytes);
                          });
}

void RespConnection::OnRead(const asio::error_code& error, size_t bytes) {
  reading_ = false;
  if (closed_) return;
  if (error) {
    Close();
    return;
  }
  input_end_ += bytes;
  TakeCommands();
}

void RespConnection::TakeCommands() {
  if (taking_) return;  // a reply from inside Execute(): the loop below goes on
  taking_ = true;
  while (!ending_ && session_.accepting() && ExecuteNext()) {
  }
  taking_ = false;
  if (!session_.output().empty()) WantFlush();
  if (!parsed_ && session_.accepting()) Read();
  CloseIfDone();
}

// False: nothing more can be done now.
bool RespConnection::ExecuteNext() {
  if (!parsed_) {
    const absl::string_view data(&input_[input_begin_], input_end_ - input_begin_);
    switch (parser_.Next(data)) {
      case RespRequestParser::Result::kNeedMore:
        input_begin_ += parser_.consumed();
        return false;
      case RespRequestParser::Result::kError:
        session_.Refuse(parser_.error());
        return false;
      case RespRequestParser::Result::kCommand:
        parsed_ = true;
        break;
    }
  }
  // A command that must wait for an earlier one on its key stays parsed: its bytes do not
  // move before it is taken, since nothing is read meanwhile.
  if (!session_.Execute(parser_.arguments())) return false;
  parsed_ = false;
  input_begin_ += parser_.consumed();
  return true;
}

void RespConnection::OnReply(ClientReply&& reply) {
  session_.OnReply(std::move(reply));
  if (closed_) return;
  if (!session_.output().empty()) WantFlush();
  // A read under way means that nothing was held back.
  if (!reading_) TakeCommands();
}

void RespConnection::WantFlush() {
  if (flush_wanted_ || closed_) return;
  flush_wanted_ = true;
  hooks_.flush_wanted(*this);
}

void RespConnection::Flush() {
  flush_wanted_ = false;
  if (closed_) return;
  // One long reply is not held against the client, who has had no time to read it.
  if (!writing_.empty() && session_.output().size() > output_bytes_max_) {
    hooks_.complain(absl::StrCat("client ", address_, " does not read its replies: ",
                                 session_.output().size(), " bytes wait; closed"));
    Close();
    return;
  }
  if (!writing_.empty()) return;  // goes out when the write under way is done
  if (session_.output().empty()) {
    CloseIfDone();
    return;
  }
  writing_.swap(session_.output());
  asio::async_write(socket_, asio::buffer(writing_),
                    [self = shared_from_this()](const asio::error_code& error, size_t) {
                      if (self->closed_) return;
                      if (error) {
                        self->Close();
                        return;
                      }
                      self->writing_.clear();
                      if (self->writing_.capacity() > kKeepBytes) self->writing_ = std::string();
                      self->Flush();
                    });
}

void RespConnection::EndWhenIdle() {
  ending_ = true;
  CloseIfDone();
}

void RespConnection::CloseIfDone() {
  if (closed_ || !(ending_ || session_.ended())) return;
  if (session_.idle() && session_.output().empty() && writing_.empty()) Close();
}

void RespConnection::Close() {
  if (closed_) return;
  closed_ = true;
  CloseSocket(&socket_);
  hooks_.closed(*this);
}

}  // namespace norn::net
