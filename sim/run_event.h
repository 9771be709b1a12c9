// What happens in a run, one thing at a time, for those who draw or explain it (sim/timeline.h).
// Nobody makes these unless somebody listens (TraceView::listener), and no trace hash sees them.

#ifndef NORN_SIM_RUN_EVENT_H_
#define NORN_SIM_RUN_EVENT_H_

#include <cstdint>
#include <string>

#include "core/types.h"

namespace norn::sim {

struct RunEvent {
  // In brackets: which fields it has, besides the time.
  enum class Kind : uint8_t {
    kSend,     // a message leaves [id, node, other: to whom, name, key, text, number: request]
    kReceive,  // one copy of it arrives [id, node, other: from whom]
    kLose,     // one copy of it does not [id, text: why]
    kInvoke,   // a client asks [id, client, node: whom, name: get ..., key, text]
    kArrive,   // the question is at the node [id, node]
    kAnswer,   // the node answers [id, node]
    kReturn,   // the client hears [id, name: outcome, text]
    kGiveUp,   // the client waits no longer [id]
    kUp,       // a node starts; it holds what the kRecords that follow say [node]
    kDown,     // its process is no more [node, text: where it was]
    kRecord,   // what it holds of a key durably is from now on [node, key, text; empty: nothing]
    kFaultBegins,   // [id: of the fault]
    kFaultEnds,     // [id]
    kHealed,        // the healing phase is over; every key is read once more
    kFaultEffects,  // at the end of the run [id, number: how often it did harm]
  };

  Kind kind = Kind::kSend;
  int64_t time_us = 0;
  uint64_t id = 0;
  NodeId node = kNoNode;
  NodeId other = kNoNode;
  int client = 0;
  uint64_t number = 0;
  std::string name;
  std::string key;   // the client's
  std::string text;  // for people
};

}  // namespace norn::sim

#endif  // NORN_SIM_RUN_EVENT_H_
