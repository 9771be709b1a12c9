// The message bus of a real node: protobuf over framed TCP.
//
// - One outgoing connection per peer carries what we send to it; the one that it opened to
//   us carries what it sends. Neither waits for the other.
// - Both ends shake hands (net/handshake.h) and refuse, each with a note that says why, a
//   peer of another cluster, configuration or protocol version, and one that is not who was
//   dialled. Refused and lost connections are retried with back-off: mending the
//   configuration on one side heals the link.
// - What is sent arrives in order and at most once, or is lost: when a connection breaks,
//   when the peer is away, or when the queue for it is full. A new connection from a peer
//   replaces the old one, so nothing old arrives behind something new.
// - Send encodes at once and asks for one flush per turn of the loop: all that a turn sent
//   to a peer leaves in one system call.
//
// The bus runs on the loop of its host. It never calls back from within Send; it calls
// on_message from handlers of the loop.
//
// Threads: all calls, and the callbacks, on the thread that runs the io_context.

#ifndef NORN_NET_TCP_BUS_H_
#define NORN_NET_TCP_BUS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "core/events.h"
#include "core/messages.h"
#include "core/ports.h"
#include "core/random.h"
#include "core/types.h"
#include "net/incoming_connection.h"
#include "net/note_gate.h"
#include "net/peer_link.h"
#include "net/tcp_options.h"

namespace norn::net {

class TcpBus : public MessageBus {
 public:
  // Neither may destroy the bus; both may Send and Close.
  using OnMessage = std::function<void(NodeId from, Message&& message)>;
  using OnNote = std::function<void(const Note& note)>;

  // `context` outlives the bus.
  TcpBus(asio::io_context* context, TcpBusOptions options, OnMessage on_message, OnNote on_note);
  ~TcpBus() override;  // closes
  TcpBus(const TcpBus&) = delete;
  TcpBus& operator=(const TcpBus&) = delete;

  // Opens the peer port and accepts from now on. The error names the address and the remedy.
  absl::Status Listen();

  // The port that Listen opened; 0 before.
  uint16_t port() const { return port_; }

  // What `identity.generation` was not yet known to be. Call it before Start; later it tells
  // only connections that are yet to be opened.
  void SetGeneration(Generation generation) { options_.identity.generation = generation; }

  // Dials every peer, and keeps them connected.
  void Start();

  // Adds a peer, or changes where it is. Not ourselves.
  void SetPeer(NodeId id, const std::string& address);

  // Sent within this turn of the loop, or dropped and counted. `to` is a peer, not
  // ourselves; a message to a node that is no peer is dropped.
  void Send(NodeId to, Message&& message) override;

  // Offers what is queued to the kernel once, closes everything and calls no callback any
  // more. For good.
  void Close();

  // Zeroes for a node that is no peer.
  PeerStats stats(NodeId peer) const;
  std::vector<NodeId> peers() const;  // ascending
  uint64_t refused_strangers() const { return refused_strangers_; }

 private:
  struct Peer {
    std::shared_ptr<PeerLink> link;
    std::shared_ptr<IncomingConnection> incoming;  // accepted; null if none
    uint64_t messages_received = 0;
    uint64_t bytes_received = 0;
    bool flush_wanted = false;
  };

  void Accept();
  void TakeStranger(asio::ip::tcp::socket socket);
  HelloReply Judge(const Hello& hello) const;
  void Accepted(const std::shared_ptr<IncomingConnection>& connection);
  void Ended(const std::shared_ptr<IncomingConnection>& connection, const absl::Status& status);
  void Flush();
  void WriteNote(Note::Level level, const std::string& text);

  asio::io_context* const context_;
  TcpBusOptions options_;
  const OnMessage on_message_;
  const OnNote on_note_;
  Random random_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  uint16_t port_ = 0;
  bool started_ = false;
  bool closed_ = false;

  std::map<NodeId, Peer> peers_;  // nodes of a map stay where they are
  absl::flat_hash_set<std::shared_ptr<IncomingConnection>> strangers_;
  uint64_t refused_strangers_ = 0;

  std::vector<NodeId> flush_list_;
  NoteGate gate_;
  // Handlers that are queued on the loop hold it weakly: when it is gone, so is the bus.
  std::shared_ptr<TcpBus*> self_;
};

}  // namespace norn::net

#endif  // NORN_NET_TCP_BUS_H_
