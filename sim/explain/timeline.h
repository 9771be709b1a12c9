// A run as it can be drawn: messages from here to there, what clients asked and were told, when
// nodes were down, what each replica held when, and which of it is the anomaly.

#ifndef NORN_SIM_EXPLAIN_TIMELINE_H_
#define NORN_SIM_EXPLAIN_TIMELINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/run_event.h"

namespace norn::sim {

// One copy of a message.
struct Arrow {
  uint64_t id = 0;
  NodeId from = kNoNode;
  NodeId to = kNoNode;
  int64_t sent_us = 0;
  int64_t end_us = 0;  // when it arrived, or was lost
  std::string name;    // "ReplicaWrite"
  std::string key;     // an answer has that of its question; empty: it is about none, or several
  std::string text;
  std::string lost;  // why it did not arrive; empty: it did
};

// An operation of a client.
struct Bar {
  uint64_t id = 0;
  int client = 0;  // 0: the reads after healing
  NodeId via = kNoNode;
  int64_t invoked_us = 0;
  int64_t arrived_us = kNever;   // at the node
  int64_t answered_us = kNever;  // by the node
  int64_t returned_us = kNever;  // to the client
  int64_t gave_up_us = kNever;   // the client waited no longer
  std::string kind;              // "get", "put", "delete"
  std::string key;
  std::string outcome;  // "ok", ...; "never answered"
  std::string text;
  bool marked = false;  // the witness names it
};

struct Band {
  uint64_t id = 0;
  std::string kind;
  std::string text;           // sim::ToString(Fault), with its effects
  std::vector<NodeId> nodes;  // none: all
  int64_t start_us = 0;
  int64_t end_us = 0;
  uint64_t effects = 0;
};

struct Outage {
  NodeId node = kNoNode;
  int64_t down_us = 0;
  int64_t up_us = 0;
  std::string text;
};

// What a replica holds of a key from a moment on; the text is empty where it is nothing. A hint is
// told apart by its text.
struct Holding {
  int64_t time_us = 0;
  NodeId node = kNoNode;
  std::string key;
  std::string text;
};

struct Timeline {
  int nodes = 0;
  std::vector<int> clients;       // ascending
  int64_t end_us = 0;             // the last event
  std::vector<Arrow> arrows;      // by the time when they were sent
  std::vector<Bar> bars;          // by the time when they began
  std::vector<Band> bands;        // as the case has them
  std::vector<Outage> outages;    // by the time when they began
  std::vector<Holding> holdings;  // by time
  // Of the anomaly: those that its operations, or the words of the witness, are about; if there are
  // none, all, where they are few.
  std::vector<std::string> keys;
  // What to look at first.
  int64_t from_us = 0;
  int64_t to_us = 0;
  int64_t found_us = 0;   // when the checkers looked: behind the healing, or at the end
  int64_t moment_us = 0;  // when the last of the anomaly's operations ended; of none: found_us
};

// `run` is what became of `written`, with its events. O(events * log(events)).
Timeline MakeTimeline(const CaseRun& run, const Case& written);

// What the node held of the key at that moment.
std::string HeldAt(const Timeline& timeline, NodeId node, const std::string& key, int64_t time_us);
// Null: it was up.
const Outage* DownAt(const Timeline& timeline, NodeId node, int64_t time_us);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_TIMELINE_H_
