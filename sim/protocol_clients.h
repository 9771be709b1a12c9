// The clients of a protocol: closed loops that ask what the protocol draws, or what a script says,
// and note what they are told.
//
// A client without an answer gives up after its patience: what it asked stays possible for ever,
// and it goes on under another name in the history (as in Jepsen: a process has at most one
// operation open).

#ifndef NORN_SIM_PROTOCOL_CLIENTS_H_
#define NORN_SIM_PROTOCOL_CLIENTS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/types.h"
#include "sim/keyed_seed.h"
#include "sim/protocol.h"
#include "sim/run_event.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {

struct ProtocolClientOptions {
  int clients = 0;
  int64_t think_min_us = 2'000;
  int64_t think_max_us = 60'000;
  int64_t patience_us = 4'000'000;
  int64_t way_min_us = 50;  // of a request to its node, and of the answer back
  int64_t way_max_us = 500;
};

// What a client asks, as it was drawn, or as a script says.
struct ProtocolOperation {
  uint64_t id = 0;  // not 0, and no other has it: the key of its delays
  int64_t at_us = 0;
  int client = 0;  // 0: the reads after healing
  NodeId node = kNoNode;
  ProtocolRequest asked;
};

// An operation, and what came of it.
struct ProtocolRecord {
  ProtocolOperation operation;
  int process = 0;   // whose it is in the history
  int64_t call = 0;  // places among all calls and ends, from 1
  int64_t end = 0;   // 0: never answered
  int64_t end_us = kNever;
  Answer answer = Answer::kUnknown;
  std::string value;  // that was answered

  bool ok() const { return end != 0 && answer == Answer::kOk; }
};

// "client 3: write k1 = c3-7 via n2 at 4120 ms, ok at 4131 ms"; a read: "..., read c1-2".
std::string DescribeRecord(const ProtocolRecord& record);

class ProtocolClients {
 public:
  // Brings a request to its node; false: the connection is refused.
  using Door = std::function<bool(NodeId node, uint64_t id, const ProtocolRequest& asked)>;

  // All but `seed`, `options` and `door` outlive this.
  ProtocolClients(Scheduler& scheduler, Trace& trace, KeyedSeed seed, const Protocol& protocol,
                  const ProtocolClientOptions& options, int nodes, Door door);

  // Instead of drawing. Before Begin; by time.
  void Follow(const std::vector<ProtocolOperation>& script);
  // Hears of every operation of the loops.
  void set_recorder(std::function<void(const ProtocolOperation&)> recorder) {
    recorder_ = std::move(recorder);
  }
  void Begin();
  // No new operations from now on.
  void Stop() { stopped_ = true; }
  bool idle() const { return open_.empty(); }

  // Whether a client still waits for the answer to this request, and it brings a value.
  bool IsWrite(uint64_t id) const;
  void OnReply(uint64_t id, Answer answer, const std::string& value);
  // One request outside the loops, of client 0. Returns its place in the history.
  size_t Ask(NodeId node, ProtocolRequest asked);

  // In order of their calls.
  const std::vector<ProtocolRecord>& history() const { return history_; }

 private:
  struct Client {
    int id = 0;
    int process = 0;
    uint64_t serial = 0;
    NodeId node = kNoNode;
    Random random;
    std::deque<ProtocolOperation> script;
  };
  struct Open {
    size_t place = 0;  // in history_
    int loop = -1;     // of the client; -1: none, Ask
  };

  void Think(int loop);
  void Next(int loop);
  size_t Send(int loop, int process, ProtocolOperation operation);
  void Complete(uint64_t id, Answer answer, const std::string& value);
  int64_t WayUs(uint64_t id, const char* direction) const;
  void Tell(RunEvent::Kind kind, const ProtocolRecord& record);

  Scheduler& scheduler_;
  Trace& trace_;
  const KeyedSeed seed_;
  const Protocol& protocol_;
  const ProtocolClientOptions options_;
  const int nodes_;
  const Door door_;
  std::function<void(const ProtocolOperation&)> recorder_;
  bool scripted_ = false;
  bool stopped_ = false;
  std::vector<Client> clients_;
  std::map<uint64_t, Open> open_;
  std::vector<ProtocolRecord> history_;
  uint64_t next_id_ = 0;
  int next_process_ = 1;  // 0: client 0
  int64_t position_ = 0;  // of calls and ends so far
};

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_CLIENTS_H_
