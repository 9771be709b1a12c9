// The clients: closed loops that read and write a few keys, and note what they see.
//
// Values are unique by construction ("c<client>-<serial>", padded), so a read tells whose
// write it saw. Some writes carry the context of the client's last read (read, modify,
// write), some replace whatever is there, some replace nothing and make siblings. A
// client without an answer gives up after its patience: that write stays possible.
//
// Or they follow a script: then each client does what the script says at its times, one after
// the other. What comes due while it still waits for an answer is done as soon as it has it.

#ifndef NORN_SIM_WORKLOAD_H_
#define NORN_SIM_WORKLOAD_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/causality/context_token.h"
#include "core/client.h"
#include "core/random.h"
#include "sim/environment/operation_mix.h"
#include "sim/history.h"
#include "sim/keyed_seed.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {

struct WorkloadOptions {
  int clients = 6;
  int keys = 12;
  int64_t think_min_us = 2'000;
  int64_t think_max_us = 60'000;
  int64_t patience_us = 4'000'000;
  int64_t way_min_us = 50;  // of a request to its node, and of the answer back
  int64_t way_max_us = 500;
  uint64_t put_per_mille = 450;
  uint64_t delete_per_mille = 50;
  uint64_t token_per_mille = 400;    // of writes: with the context of the last read
  uint64_t nothing_per_mille = 100;  // of writes: beside all that is there
  uint64_t ttl_per_mille = 100;      // of puts: the value expires
  int64_t ttl_min_us = 20'000;
  int64_t ttl_max_us = 3'000'000;
  size_t value_bytes_max = 2'000;
  // The levels of the bucket. One request in five asks for others that it permits.
  int n = 3;
  int r = 2;
  int w = 2;
  int r_min = 2;
  int w_min = 2;
  // Not null: what is asked for, where and when it falls due come from here, and of all above only
  // clients, thinking (if nothing falls due), patience, ways and the bucket's levels count.
  std::shared_ptr<const OperationMix> mix;
};

// What a client asks for, as it was drawn, or as a script says.
struct ScriptedOperation {
  uint64_t id = 0;  // not 0, and no other operation has it: the key of its delays
  int64_t at_us = 0;
  int client = 0;
  NodeId node = kNoNode;
  ClientRequest::Kind kind = ClientRequest::Kind::kGet;
  // kToken: that of the client's last read of the key, or kCurrent if there was none.
  ClientRequest::Base base = ClientRequest::Base::kCurrent;
  std::string key;
  std::string value;
  int quorum = 0;
  Level level = Level::kNumber;
  int64_t ttl_us = 0;
};

class Workload {
 public:
  // Sends a request to `node`; false: the connection is refused, nothing was sent.
  using Door = std::function<bool(NodeId node, ClientRequest&& request)>;

  Workload(Scheduler& scheduler, Trace& trace, KeyedSeed seed, const WorkloadOptions& options,
           int nodes, const TokenSealer& sealer, Door door);

  // Instead of drawing. Before Begin.
  void Follow(const std::vector<ScriptedOperation>& script);
  // Hears of every operation of the loops.
  void set_recorder(std::function<void(const ScriptedOperation&)> recorder) {
    recorder_ = std::move(recorder);
  }
  void Begin();
  // No new operations from now on.
  void Stop() { stopped_ = true; }
  bool idle() const { return open_.empty(); }
  // Whether a client still waits for the answer to this request, and it is a write.
  bool IsWrite(uint64_t id) const;

  void OnReply(ClientReply&& reply);

  // Hears the answer; null: there was none within the client's patience.
  using Answered = std::function<void(const ClientReply* reply)>;
  // One request via `node`, outside the loops, as of the client of that number. Returns the
  // place of its operation in the history.
  size_t Ask(int client, NodeId node, ClientRequest&& request, Answered answered);

  History& history() { return history_; }
  // Those that were ever asked for, ascending.
  std::vector<std::string> Keys() const;

 private:
  struct Client {
    int id = 0;
    uint64_t serial = 0;
    NodeId node = kNoNode;
    int64_t due_us = 0;  // of the operation that it does, or waits to do
    Random random;
    std::deque<ScriptedOperation> script;
    std::map<std::string, std::string> tokens;  // by key, from the last read
  };
  struct Open {
    size_t operation = 0;  // index into history_
    int loop = 0;          // -1: none, Ask
    Answered answered;
  };

  void Next(int client);
  void Think(int client);
  ScriptedOperation Draw(Client& client);
  ScriptedOperation DrawMixed(Client& client);
  int64_t WayUs(uint64_t id, const char* direction) const;
  size_t Send(uint64_t id, int loop, int client, NodeId node, ClientRequest&& request,
              Answered answered);
  int DrawQuorum(Random& random, ClientRequest::Kind kind);
  void Complete(uint64_t id, ClientReply&& reply);
  // To the trace's listener, if there is one.
  void Tell(RunEvent::Kind kind, const Operation& operation);

  Scheduler& scheduler_;
  Trace& trace_;
  const KeyedSeed seed_;
  WorkloadOptions options_;
  int nodes_;
  const TokenSealer& sealer_;
  Door door_;
  std::function<void(const ScriptedOperation&)> recorder_;
  bool scripted_ = false;
  History history_;
  std::vector<Client> clients_;
  std::map<uint64_t, Open> open_;
  uint64_t next_id_ = 0;
  bool stopped_ = false;
};

}  // namespace norn::sim

#endif  // NORN_SIM_WORKLOAD_H_
