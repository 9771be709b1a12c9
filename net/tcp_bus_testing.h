// For tests: TCP buses on loopback, in one io_context, with what they received and noted.

#ifndef NORN_NET_TCP_BUS_TESTING_H_
#define NORN_NET_TCP_BUS_TESTING_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "asio/io_context.hpp"
#include "core/events.h"
#include "core/messages.h"
#include "core/types.h"
#include "net/tcp_bus.h"
#include "net/tcp_options.h"

namespace norn::net {

// One node: a bus, and what came out of it.
struct TcpEndpoint {
  TcpEndpoint(asio::io_context* context, TcpBusOptions options)
      : bus(
            context, std::move(options),
            [this](NodeId from, Message&& message) {
              received.push_back({from, std::move(message)});
              if (on_message) on_message();
            },
            [this](const Note& note) { notes.push_back(note.text); }) {}

  bool Noted(absl::string_view text) const {
    for (const std::string& note : notes) {
      if (absl::StrContains(note, text)) return true;
    }
    return false;
  }
  std::string AllNotes() const {
    std::string all;
    for (const std::string& note : notes) absl::StrAppend(&all, "  ", note, "\n");
    return all;
  }

  std::vector<MessageReceived> received;
  std::vector<std::string> notes;
  std::function<void()> on_message;  // after `received` grew
  TcpBus bus;                        // goes first
};

inline std::string Loopback(uint16_t port) { return absl::StrCat("127.0.0.1:", port); }

// Options of node `id` of a cluster called "test", with quick retries.
inline TcpBusOptions TestOptions(NodeId id, Generation generation = 1) {
  TcpBusOptions options;
  options.identity.id = id;
  options.identity.cluster = "test";
  options.identity.generation = generation;
  options.identity.fingerprint = 42;
  options.listen_address = Loopback(0);
  options.seed = id + 1000 * generation;
  options.back_off_min_us = 5'000;
  options.back_off_max_us = 50'000;
  return options;
}

// Runs the loop until `done` or, which fails, for half a minute.
inline bool RunUntil(asio::io_context* context, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  context->restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (context->run_one_for(std::chrono::milliseconds(50)) == 0) context->restart();
  }
  return true;
}

inline void RunFor(asio::io_context* context, int64_t us) {
  context->restart();
  context->run_for(std::chrono::microseconds(us));
}

}  // namespace norn::net

#endif  // NORN_NET_TCP_BUS_TESTING_H_
