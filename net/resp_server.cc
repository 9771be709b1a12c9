#include "net/resp_server.h"

#include <asio/post.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/host_port.h"
#include "net/resp_ticket.h"
#include "net/socket_options.h"

namespace norn::net {

namespace {

using asio::ip::tcp;

constexpr auto kAcceptRetry = std::chrono::milliseconds(100);
constexpr int64_t kUnacknowledgedMaxUs = 60'000'000;  // then a silent client has gone

}  // namespace

RespServer::RespServer(asio::io_context* loop, RespServerOptions options, RespServices services,
                       std::function<void(const Note&)> on_note)
    : loop_(loop),
      options_(std::move(options)),
      services_(std::move(services)),
      on_note_(std::move(on_note)),
      acceptor_(*loop),
      retry_(*loop) {
  services_.client_list = [this] { return ListClients(); };
  services_.info = [this, outer = services_.info](absl::string_view section) {
    if (section == "clients") {
      return absl::StrCat("connected_clients:", connected_, "\nmaxclients:", options_.clients_max,
                          "\ntotal_connections_received:", accepted_, "\n");
    }
    return outer ? outer(section) : std::string();
  };
}

RespServer::~RespServer() { Close(); }

absl::Status RespServer::Listen() {
  const auto refuse = [this](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat("client address ", options_.listen_address, ": ", why));
  };
  const auto parsed = ParseHostPort(options_.listen_address);
  if (!parsed.ok()) return refuse(parsed.status().message());
  asio::error_code error;
  const auto address = asio::ip::make_address(parsed->host, error);
  if (error) return refuse("not a numeric address, as 127.0.0.1:7001 or [::1]:7001");
  const tcp::endpoint endpoint(address, parsed->port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return refuse("the port is in use: stop what listens there, or configure another port");
  }
  if (error) return refuse(error.message());
  port_ = acceptor_.local_endpoint(error).port();
  return absl::OkStatus();
}

void RespServer::Start() { Accept(); }

void RespServer::Accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
    OnAccept(error, std::move(socket));
  });
}

void RespServer::OnAccept(const asio::error_code& error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    if (error == asio::error::operation_aborted) return;
    // Out of file descriptors, say: it may pass.
    on_note_(
        Note{Note::Level::kWarning, absl::StrCat("no client can be accepted: ", error.message())});
    retry_.expires_after(kAcceptRetry);
    retry_.async_wait([this](const asio::error_code& stopped) {
      if (!stopped) Accept();
    });
    return;
  }
  ++accepted_;
  if (connected_ >= options_.clients_max) {
    asio::error_code ignored;
    asio::write(socket, asio::buffer("-ERR max number of clients reached\r\n", 36), ignored);
    CloseSocket(&socket);
  } else {
    Welcome(std::move(socket));
  }
  Accept();
}

void RespServer::Welcome(tcp::socket socket) {
  TuneSocket(&socket, kUnacknowledgedMaxUs);
  asio::error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint16_t>(slots_.size()));
    slots_.emplace_back();
  }
  RespTicket ticket;
  ticket.slot = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[ticket.slot];
  ticket.generation = ++slot.generation;
  RespConnection::Hooks hooks;
  hooks.flush_wanted = [this](RespConnection& connection) { WantFlush(connection); };
  hooks.closed = [this](RespConnection& connection) { Forget(connection); };
  hooks.complain = [this](const std::string& text) { on_note_(Note{Note::Level::kWarning, text}); };
  slot.connection = std::make_shared<RespConnection>(
      std::move(socket), services_, options_.requests, options_.output_bytes_max, accepted_, ticket,
      ToString(remote), std::move(hooks));
  ++connected_;
  slot.connection->Start();
}

void RespServer::Forget(const RespConnection& connection) {
  const uint16_t index = connection.ticket().slot;
  slots_[index].connection.reset();
  free_slots_.push_back(index);
  --connected_;
}

void RespServer::Reply(ClientReply&& reply) {
  const RespTicket ticket = UnpackTicket(reply.client);
  if (ticket.slot >= slots_.size()) return;
  const Slot& slot = slots_[ticket.slot];
  if (slot.connection == nullptr || slot.generation != ticket.generation) return;
  const std::shared_ptr<RespConnection> connection = slot.connection;
  connection->OnReply(std::move(reply));
}

void RespServer::WantFlush(RespConnection& connection) {
  to_flush_.push_back(connection.shared_from_this());
  if (flush_posted_) return;
  flush_posted_ = true;
  asio::post(*loop_, [this] { FlushAll(); });
}

void RespServer::FlushAll() {
  flush_posted_ = false;
  std::vector<std::shared_ptr<RespConnection>> connections;
  connections.swap(to_flush_);
  for (const auto& connection : connections) connection->Flush();
}

void RespServer::StopAccepting() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (const auto connection = slots_[i].connection) connection->EndWhenIdle();
  }
}

void RespServer::Close() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (const auto connection = slots_[i].connection) connection->Close();
  }
}

std::string RespServer::ListClients() const {
  std::string list;
  for (const Slot& slot : slots_) {
    if (slot.connection == nullptr) continue;
    absl::StrAppend(&list, slot.connection->session().Describe(), "\n");
  }
  return list;
}

}  // namespace norn::net
