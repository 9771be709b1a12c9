// What we have to say to one peer: a bounded queue, and the connection that empties it.
//
//   waiting -> dialling -> open -> waiting (back-off) -> ...
//
// - Messages are encoded when they are sent, straight into the buffer that goes to the
//   kernel. While one buffer is being written the next one fills: under load each write
//   carries many messages.
// - A queue that is full drops the newest message and counts it.
// - While waiting for the next attempt, messages are dropped at once, and what was queued
//   when an attempt failed is dropped with it. So nothing is ever delivered that is older
//   than one attempt, and nothing blocks. The peers' protocols expect loss.
// - A failure is noted once, not at each attempt, until something else goes wrong or the
//   peer is reached.
//
// Threads: everything runs on the thread of the io_context.

#ifndef NORN_NET_PEER_LINK_H_
#define NORN_NET_PEER_LINK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "asio/io_context.hpp"
#include "asio/steady_timer.hpp"
#include "core/events.h"
#include "core/messages.h"
#include "core/types.h"
#include "net/back_off.h"
#include "net/outgoing_connection.h"
#include "net/tcp_options.h"

namespace norn::net {

class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
  // `options` outlives the link's use, that is, Close. `on_note` is called from the loop, or
  // from within Enqueue; not after Close.
  PeerLink(asio::io_context* context, const TcpBusOptions* options, NodeId peer,
           std::string address, uint64_t seed, std::function<void(Note)> on_note);

  // Dials, and keeps dialling.
  void Start();

  // Ends the connection or attempt there is, if the address differs, and dials the new one.
  void SetAddress(const std::string& address);

  // The peer has just reached us: it is up, so do not wait any longer to dial it.
  void Hurry();

  // Queues or drops. Flush sends; it is to be called once after a batch.
  void Enqueue(const Message& message);
  void Flush();

  // Offers what is queued to the kernel once more, then ends everything.
  void Close();

  // The sending side's part of the peer's stats; the rest is zero.
  PeerStats SendingStats() const;

 private:
  enum class State { kIdle, kWaiting, kDialling, kOpen, kClosed };

  void Dial();
  void Opened();
  void Written();
  void Lost(const absl::Status& status);
  void DropQueue();
  void NoteOnce(Note::Level level, std::string text);

  asio::io_context* const context_;
  const TcpBusOptions* const options_;
  const NodeId peer_;
  std::string address_;
  const std::function<void(Note)> on_note_;
  State state_ = State::kIdle;
  BackOff back_off_;
  asio::steady_timer retry_;
  std::shared_ptr<OutgoingConnection> connection_;  // dialling or open
  std::chrono::steady_clock::time_point opened_at_;

  std::string pending_;  // encoded frames that wait for the connection
  size_t pending_messages_ = 0;
  size_t written_bytes_ = 0;  // given to the connection, not yet taken by the kernel
  size_t written_messages_ = 0;

  PeerStats stats_;
  std::string last_note_;
};

}  // namespace norn::net

#endif  // NORN_NET_PEER_LINK_H_
