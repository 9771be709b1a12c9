// Everything that enters a host is an Event; everything that leaves it is in Effects.
//
// Both are plain values. A recorded list of (Now, Event) replays a node bit for bit.

#ifndef NORN_CORE_EVENTS_H_
#define NORN_CORE_EVENTS_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/client.h"
#include "core/messages.h"
#include "core/store.h"
#include "core/types.h"

namespace norn {

// The first event of a node's life, once.
struct Start {
  uint64_t seed = 0;  // of all randomness of this node
  StoreRecovery recovery;
};

struct MessageReceived {
  NodeId from = kNoNode;
  Message message;
};

// The timer that was armed for NextDeadline() went off (early or late is harmless).
struct TimerFired {};

// Take no new client requests; finish what is in flight.
struct Drain {};

using Event = std::variant<Start, MessageReceived, ClientRequest, StoreReply, TimerFired, Drain>;

const char* EventName(const Event& event);

struct Send {
  NodeId to = kNoNode;
  Message message;
};

// Something a person or a test should know. Never steers anything.
struct Note {
  enum class Level : uint8_t { kInfo, kWarning, kError };
  Level level = Level::kInfo;
  std::string text;
};

// What one step wants done. Reused between steps: the host clears it.
struct Effects {
  std::vector<Send> sends;
  std::vector<StoreRequest> store;
  std::vector<ClientReply> replies;
  std::vector<Note> notes;

  void Clear() {
    sends.clear();
    store.clear();
    replies.clear();
    notes.clear();
  }
};

}  // namespace norn

#endif  // NORN_CORE_EVENTS_H_
