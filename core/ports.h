// The ports: all that touches the world. A host performs effects on them and nothing
// else does; nornd and norn-sim implement them.
//
// Every port queues and returns: none calls back into the host, none blocks. What comes
// of a call enters the host later, as an Event.
//
// Threads: all calls are made on the host's thread.

#ifndef NORN_CORE_PORTS_H_
#define NORN_CORE_PORTS_H_

#include "core/client.h"
#include "core/events.h"
#include "core/messages.h"
#include "core/store.h"
#include "core/types.h"

namespace norn {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now Read() = 0;
};

class MessageBus {
 public:
  virtual ~MessageBus() = default;
  // May lose the message; never doubles it on purpose. A full queue drops, and counts it.
  virtual void Send(NodeId to, Message&& message) = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;
  // Each request is answered by exactly one StoreReply, unless the node dies first.
  virtual void Submit(StoreRequest&& request) = 0;
};

class ClientPort {
 public:
  virtual ~ClientPort() = default;
  virtual void Reply(ClientReply&& reply) = 0;
};

class Timer {
 public:
  virtual ~Timer() = default;
  // Have TimerFired delivered at `deadline_us` (monotonic; kNever: not at all). Replaces
  // what was armed before.
  virtual void Arm(int64_t deadline_us) = 0;
};

class NoteSink {
 public:
  virtual ~NoteSink() = default;
  virtual void Write(const Note& note) = 0;
};

// The ports of one host. None is owned; all outlive the host.
struct Ports {
  Clock* clock = nullptr;
  MessageBus* bus = nullptr;
  Storage* storage = nullptr;
  ClientPort* clients = nullptr;
  Timer* timer = nullptr;
  NoteSink* notes = nullptr;
};

}  // namespace norn

#endif  // NORN_CORE_PORTS_H_
