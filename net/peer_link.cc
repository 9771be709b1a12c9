#include "net/peer_link.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "asio/error_code.hpp"
#include "asio/io_context.hpp"
#include "core/check.h"
#include "core/events.h"
#include "core/messages.h"
#include "net/codec.h"
#include "net/frame.h"
#include "net/outgoing_connection.h"

namespace norn::net {
namespace {

// A buffer that a burst made larger than this is given back when it is empty.
constexpr size_t kKeptBuffer = size_t{1} << 20;

}  // namespace

PeerLink::PeerLink(asio::io_context* context, const TcpBusOptions* options, NodeId peer,
                   std::string address, uint64_t seed, std::function<void(Note)> on_note)
    : context_(context),
      options_(options),
      peer_(peer),
      address_(std::move(address)),
      on_note_(std::move(on_note)),
      back_off_(options->back_off_min_us, options->back_off_max_us, seed),
      retry_(*context) {}

void PeerLink::Start() {
  CORE_CHECK(state_ == State::kIdle);
  Dial();
}

void PeerLink::Dial() {
  state_ = State::kDialling;
  // The callbacks hold the link weakly, and are told apart by attempt: the link owns the
  // connection, and closes it before it makes another.
  std::weak_ptr<PeerLink> weak = weak_from_this();
  connection_ = std::make_shared<OutgoingConnection>(
      context_, options_, peer_,
      OutgoingConnection::Callbacks{.on_open =
                                        [weak] {
                                          if (const auto link = weak.lock()) link->Opened();
                                        },
                                    .on_written =
                                        [weak] {
                                          if (const auto link = weak.lock()) link->Written();
                                        },
                                    .on_closed =
                                        [weak](const absl::Status& status) {
                                          if (const auto link = weak.lock()) link->Lost(status);
                                        }});
  connection_->Start(address_);
}

void PeerLink::Opened() {
  state_ = State::kOpen;
  opened_at_ = std::chrono::steady_clock::now();
  stats_.reconnects += stats_.connects > 0 ? 1 : 0;
  ++stats_.connects;
  last_note_.clear();
  on_note_({.level = Note::Level::kInfo,
            .text = absl::StrCat("connected to node ", peer_, " at ", address_)});
  Flush();
}

void PeerLink::Enqueue(const Message& message) {
  // Exact, and cheaper than to encode in vain.
  const size_t payload_bytes = EncodedSize(message);
  const bool fits = payload_bytes <= options_->frame_payload_bytes_max &&
                    pending_.size() + written_bytes_ + payload_bytes + kFrameHeaderBytes <=
                        options_->queue_bytes_max &&
                    pending_messages_ + written_messages_ < options_->queue_messages_max;
  if (!fits || (state_ != State::kDialling && state_ != State::kOpen)) {
    ++stats_.messages_dropped;
    if (payload_bytes > options_->frame_payload_bytes_max && state_ != State::kClosed) {
      NoteOnce(Note::Level::kError,
               absl::StrCat(MessageName(message), " of ", payload_bytes, " bytes to node ", peer_,
                            " dropped: it is over the limit of ", options_->frame_payload_bytes_max,
                            " for one frame; lower the limits on values or pages"));
    }
    return;
  }
  const size_t frame = BeginFrame(&pending_);
  EncodeMessage(message, &pending_);
  EndFrame(frame, &pending_);
  ++pending_messages_;
}

void PeerLink::Flush() {
  if (state_ != State::kOpen || connection_->writing() || pending_.empty()) return;
  written_bytes_ = pending_.size();
  written_messages_ = pending_messages_;
  pending_messages_ = 0;
  connection_->Write(&pending_);
  if (pending_.capacity() > kKeptBuffer) pending_ = std::string();
}

void PeerLink::Written() {
  ++stats_.writes;
  stats_.messages_sent += written_messages_;
  stats_.bytes_sent += written_bytes_;
  written_bytes_ = 0;
  written_messages_ = 0;
  Flush();
}

void PeerLink::Lost(const absl::Status& status) {
  const bool was_open = state_ == State::kOpen;
  state_ = State::kWaiting;
  connection_ = nullptr;
  DropQueue();
  if (was_open) {
    // A connection that held proves that the peer is well; one that ends as soon as it is
    // open must not be dialled in a tight loop.
    const auto held = std::chrono::steady_clock::now() - opened_at_;
    if (held >= std::chrono::microseconds(options_->back_off_max_us)) back_off_.Reset();
  } else {
    ++stats_.connect_failures;
  }
  NoteOnce(Note::Level::kWarning,
           absl::StrCat(was_open ? "lost node " : "cannot reach node ", peer_, " at ", address_,
                        ": ", status.message(), "; retrying"));
  retry_.expires_after(std::chrono::microseconds(back_off_.NextUs()));
  retry_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (!error && self->state_ == State::kWaiting) self->Dial();
  });
}

void PeerLink::SetAddress(const std::string& address) {
  if (address == address_ || state_ == State::kClosed) return;
  address_ = address;
  if (state_ == State::kIdle) return;
  retry_.cancel();
  if (connection_ != nullptr) connection_->Close(pending_);
  DropQueue();
  back_off_.Reset();
  last_note_.clear();
  Dial();
}

void PeerLink::Hurry() {
  if (state_ != State::kWaiting) return;
  retry_.cancel();
  back_off_.Reset();
  Dial();
}

void PeerLink::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  retry_.cancel();
  if (connection_ != nullptr) connection_->Close(pending_);
  DropQueue();
}

void PeerLink::DropQueue() {
  stats_.messages_dropped += pending_messages_ + written_messages_;
  pending_.clear();
  if (pending_.capacity() > kKeptBuffer) pending_ = std::string();
  pending_messages_ = 0;
  written_bytes_ = 0;
  written_messages_ = 0;
}

void PeerLink::NoteOnce(Note::Level level, std::string text) {
  if (text == last_note_) return;
  last_note_ = text;
  on_note_({.level = level, .text = std::move(text)});
}

PeerStats PeerLink::SendingStats() const {
  PeerStats stats = stats_;
  stats.sending = state_ == State::kOpen;
  stats.queued_messages = pending_messages_ + written_messages_;
  stats.queued_bytes = pending_.size() + written_bytes_;
  return stats;
}

}  // namespace norn::net
