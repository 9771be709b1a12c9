#include "net/tcp_bus.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "asio/error.hpp"
#include "asio/error_code.hpp"
#include "asio/ip/address.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/post.hpp"
#include "asio/socket_base.hpp"
#include "core/check.h"
#include "core/events.h"
#include "core/messages.h"
#include "net/handshake.h"
#include "net/host_port.h"
#include "net/incoming_connection.h"
#include "net/peer_link.h"

namespace norn::net {

using asio::ip::tcp;

TcpBus::TcpBus(asio::io_context* context, TcpBusOptions options, OnMessage on_message,
               OnNote on_note)
    : context_(context),
      options_(std::move(options)),
      on_message_(std::move(on_message)),
      on_note_(std::move(on_note)),
      random_(options_.seed),
      acceptor_(*context),
      accept_pause_(*context),
      self_(std::make_shared<TcpBus*>(this)) {
  CORE_CHECK(options_.identity.id != kNoNode);
  options_.identity.instance = random_.Next64();
  for (const TcpBusOptions::Peer& peer : options_.peers) SetPeer(peer.id, peer.address);
}

TcpBus::~TcpBus() { Close(); }

absl::Status TcpBus::Listen() {
  CORE_CHECK(!closed_ && port_ == 0);
  const absl::StatusOr<HostPort> address = ParseHostPort(options_.listen_address);
  if (!address.ok()) return address.status();
  asio::error_code error;
  const asio::ip::address numeric = asio::ip::make_address(address->host, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "peer port: \"", address->host,
        "\" is no numeric address; listen on 0.0.0.0, [::] or an address of this machine"));
  }
  const tcp::endpoint endpoint(numeric, address->port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    asio::error_code ignored;
    acceptor_.close(ignored);
    const bool in_use = error == asio::error::address_in_use;
    return absl::UnavailableError(absl::StrCat(
        "peer port: cannot listen on ", ToString(*address), ": ", error.message(),
        in_use ? "; stop the process that uses the port, or choose another peer port"
               : "; choose an address of this machine and a port that this user may open"));
  }
  port_ = acceptor_.local_endpoint(error).port();
  Accept();
  return absl::OkStatus();
}

void TcpBus::Start() {
  CORE_CHECK(!closed_ && !started_);
  started_ = true;
  for (auto& [id, peer] : peers_) peer.link->Start();
}

void TcpBus::SetPeer(NodeId id, const std::string& address) {
  CORE_CHECK(id != kNoNode && id != options_.identity.id);
  if (closed_) return;
  Peer& peer = peers_[id];
  if (peer.link != nullptr) return peer.link->SetAddress(address);
  peer.link = std::make_shared<PeerLink>(context_, &options_, id, address, random_.Next64(),
                                         [this](const Note& note) {
                                           if (!closed_) on_note_(note);
                                         });
  if (started_) peer.link->Start();
}

// ---- Sending ----------------------------------------------------------------------

void TcpBus::Send(NodeId to, Message&& message) {
  CORE_CHECK(to != options_.identity.id);
  if (closed_) return;
  const auto found = peers_.find(to);
  if (found == peers_.end()) {
    WriteNote(Note::Level::kError,
              absl::StrCat("message to node ", to, " dropped: it is no peer in the configuration"));
    return;
  }
  Peer& peer = found->second;
  peer.link->Enqueue(message);
  if (peer.flush_wanted) return;
  peer.flush_wanted = true;
  if (flush_list_.empty()) {
    asio::post(*context_, [weak = std::weak_ptr<TcpBus*>(self_)] {
      if (const auto self = weak.lock()) (*self)->Flush();
    });
  }
  flush_list_.push_back(to);
}

void TcpBus::Flush() {
  for (const NodeId id : flush_list_) {
    Peer& peer = peers_[id];
    peer.flush_wanted = false;
    peer.link->Flush();
  }
  flush_list_.clear();
}

// ---- Accepting --------------------------------------------------------------------

void TcpBus::Accept() {
  acceptor_.async_accept([this, weak = std::weak_ptr<TcpBus*>(self_)](const asio::error_code& error,
                                                                      tcp::socket socket) {
    const auto self = weak.lock();
    if (self == nullptr || closed_) return;
    if (!error) {
      TakeStranger(std::move(socket));
      return Accept();
    }
    // Out of descriptors or memory, most likely: trying again at once would spin.
    WriteNote(Note::Level::kError,
              absl::StrCat("peer port: cannot accept connections: ", error.message(),
                           "; trying again; if it lasts, raise the limit on open files"));
    accept_pause_.expires_after(std::chrono::milliseconds(100));
    accept_pause_.async_wait([this, weak](const asio::error_code& stopped) {
      if (!stopped && weak.lock() != nullptr && !closed_) Accept();
    });
  });
}

void TcpBus::TakeStranger(tcp::socket socket) {
  if (strangers_.size() >= options_.strangers_max) {
    ++refused_strangers_;
    return WriteNote(Note::Level::kWarning,
                     absl::StrCat("peer port: connection refused: ", strangers_.size(),
                                  " others have not yet said who they are"));
  }
  // The connection is owned here until it ends, and closed before the bus goes: the
  // callbacks cannot outlive what they point to.
  auto handle = std::make_shared<std::weak_ptr<IncomingConnection>>();
  auto connection = std::make_shared<IncomingConnection>(
      std::move(socket), &options_,
      IncomingConnection::Callbacks{
          .judge = [this](const Hello& hello) { return Judge(hello); },
          .on_open = [this, handle] { Accepted(handle->lock()); },
          .on_message =
              [this, handle](Message&& message, size_t frame_bytes) {
                const NodeId from = handle->lock()->peer();
                Peer& peer = peers_[from];
                ++peer.messages_received;
                peer.bytes_received += frame_bytes;
                on_message_(from, std::move(message));
              },
          .on_closed = [this,
                        handle](const absl::Status& status) { Ended(handle->lock(), status); }});
  *handle = connection;
  strangers_.insert(connection);
  connection->Start();
}

HelloReply TcpBus::Judge(const Hello& hello) const {
  const auto found = peers_.find(hello.node);
  HelloReply reply = JudgeHello(options_.identity, hello, found != peers_.end());
  if (reply.verdict != Verdict::kAccepted || found->second.incoming == nullptr) return reply;
  // The same process on a new connection, or its successor, takes over. Anything else means
  // that two processes claim the id.
  const Hello& present = found->second.incoming->hello();
  if (hello.instance == present.instance || hello.generation > present.generation) return reply;
  return Refuse(options_.identity, Verdict::kTwin,
                absl::StrCat("two processes call themselves node ", hello.node, ", and node ",
                             options_.identity.id,
                             " is connected to the other one: stop one of them, or give it "
                             "another id"));
}

void TcpBus::Accepted(const std::shared_ptr<IncomingConnection>& connection) {
  strangers_.erase(connection);
  Peer& peer = peers_[connection->peer()];
  if (peer.incoming != nullptr) peer.incoming->Close();
  peer.incoming = connection;
  if (started_) peer.link->Hurry();
}

void TcpBus::Ended(const std::shared_ptr<IncomingConnection>& connection,
                   const absl::Status& status) {
  if (strangers_.erase(connection) > 0) {
    const std::string who =
        connection->peer() == kNoNode ? "a connection" : absl::StrCat("node ", connection->peer());
    return WriteNote(
        Note::Level::kWarning,
        absl::StrCat("refused ", who, " from ", connection->host(), ": ", status.message()));
  }
  const NodeId id = connection->peer();
  peers_[id].incoming = nullptr;
  if (status.ok()) return;
  WriteNote(Note::Level::kWarning, absl::StrCat("connection from node ", id, " at ",
                                                connection->host(), " closed: ", status.message()));
}

// ---- The rest ---------------------------------------------------------------------

void TcpBus::Close() {
  if (closed_) return;
  closed_ = true;
  self_.reset();
  asio::error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  for (const auto& stranger : strangers_) stranger->Close();
  strangers_.clear();
  for (auto& [id, peer] : peers_) {
    peer.link->Close();
    if (peer.incoming != nullptr) peer.incoming->Close();
    peer.incoming = nullptr;
  }
}

void TcpBus::WriteNote(Note::Level level, const std::string& text) {
  if (gate_.Pass(text, NoteGate::Clock::now())) on_note_({.level = level, .text = text});
}

PeerStats TcpBus::stats(NodeId peer) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return PeerStats();
  PeerStats stats = found->second.link->SendingStats();
  stats.receiving = found->second.incoming != nullptr;
  stats.messages_received = found->second.messages_received;
  stats.bytes_received = found->second.bytes_received;
  return stats;
}

std::vector<NodeId> TcpBus::peers() const {
  std::vector<NodeId> ids;
  ids.reserve(peers_.size());
  for (const auto& [id, peer] : peers_) ids.push_back(id);
  return ids;
}

}  // namespace norn::net
