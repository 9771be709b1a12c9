// A protocol of your own on the simulator: what to write, and nothing else to know.
//
//   class Register final : public Process { ... };       // one node's process
//   class MyProtocol final : public Protocol { ... };    // its name, its clients, what is claimed
//   int main(int argc, char** argv) { return norn::sim::ProtocolMain(argc, argv, MyProtocol()); }
//
// That program has the commands run, replay, shrink, explain and bisect of norn-sim, for this
// protocol. sim/examples/ has two protocols, and TUTORIAL.md, which writes one in a quarter of an
// hour.
//
// A process is a step machine: the simulator calls one method at a time, at one moment of virtual
// time, and the process answers by calling its Context. It must be a function of these calls:
// no clock, chance, thread or file but the Context's, and no order of addresses or hashes, or a
// run cannot be repeated (run --twice finds out).
//
// A crash destroys the process object, with all that was not durable. A new one is made, and told
// by OnStart what its log had kept. Durable is what was appended before a Sync whose OnSynced has
// come: no more, and with bad luck no less.
//
// Single-threaded. Sizes are in bytes, times in microseconds (`_us`).

#ifndef NORN_SIM_PROTOCOL_H_
#define NORN_SIM_PROTOCOL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/random.h"
#include "core/types.h"
#include "sim/consistency/check_history.h"
#include "sim/fault_kinds.h"
#include "sim/violation.h"

namespace norn::sim {

// What a client asks of a node. Where the history is checked as one of registers, `kind` is "read",
// "write" or "cas"; else it is whatever the protocol knows.
struct ProtocolRequest {
  std::string kind;
  std::string key;
  std::string value;     // of a write, or what a cas sets
  std::string expected;  // of a cas
};

enum class Answer : uint8_t {
  kOk,       // it took effect
  kFailed,   // it certainly never did, and never will
  kUnknown,  // nobody knows
};

// The world, as one process sees it. It lives as long as the process.
class Context {
 public:
  virtual ~Context() = default;

  virtual NodeId self() const = 0;
  virtual int nodes() const = 0;       // they are 1 to nodes()
  virtual int64_t now_us() const = 0;  // never goes back
  // Since 1970. May jump either way, and differ between nodes: nothing that must be true may rest
  // on it.
  virtual int64_t wall_us() const = 0;
  // A stream of chance of this node's own, for what `about` names ("timeout of term 7"): the same
  // one whenever it is asked for. Keyed like this, a choice stays what it was when other things are
  // left out of a run, which is what shrinking lives on.
  virtual Random Chance(absl::string_view about) const = 0;
  // A setting of Protocol::Settings.
  virtual int64_t setting(absl::string_view name) const = 0;

  // May be lost, doubled, late and overtaken. To this node itself it comes once, and at once.
  // `name` ("Vote") and `key` (of a register, or "term 7") say what it is: its delay, and what
  // befalls it, are keyed by both, and the page can be filtered by the key. `text` is for people.
  virtual void Send(NodeId to, const std::string& name, const std::string& key, std::string bytes,
                    const std::string& text) = 0;

  // OnTimer(token) comes once, `after_us` from now (at least 0), in place of what was set for
  // that token before.
  virtual void SetTimer(uint64_t token, int64_t after_us) = 0;
  virtual void CancelTimer(uint64_t token) = 0;

  // Answers a request, once; later answers are dropped. `value` is what a read has read.
  virtual void Reply(uint64_t request, Answer answer, const std::string& value) = 0;

  // Appends a record to the log; it may be lost until it is synced.
  virtual void Append(std::string record) = 0;
  // OnSynced(token) comes once all that was appended until now is durable. If the disk fails, the
  // process is killed instead and starts anew.
  virtual void Sync(uint64_t token) = 0;

  // A line of the trace, for people.
  virtual void Explain(absl::string_view text) = 0;
};

// What one node runs.
class Process {
 public:
  virtual ~Process() = default;

  // First of all. `log`: the records that the disk has kept of earlier lives, in their order:
  // those that were durable, and some of those that were appended behind them, up to the first
  // that is lost.
  virtual void OnStart(const std::vector<std::string>& log) = 0;
  virtual void OnMessage(NodeId from, const std::string& bytes) = 0;
  virtual void OnTimer(uint64_t) {}
  virtual void OnSynced(uint64_t) {}
  // `request` is unique in the run. A client waits for 4 s; then nobody listens any more.
  virtual void OnRequest(uint64_t request, const ProtocolRequest& asked) = 0;

  // For the page of a failure: what this node holds of each key (or "term", ...) now, in words.
  virtual std::vector<std::pair<std::string, std::string>> State() const { return {}; }
};

// Watches a run and sees what no client can. One is made for each run.
class Observer {
 public:
  virtual ~Observer() = default;

  // After each step of a node. What is returned ends the run. Its property names what was broken,
  // in the same words whenever it is (but for numbers); its witness says who did what when.
  virtual std::optional<Violation> After(int64_t now_us, NodeId node, const Process& process) = 0;

  // The network is whole and every node is up: what is still missing, or nothing (""). Asked until
  // it is nothing, for a minute; after that there is no progress.
  virtual std::string Missing(const std::vector<const Process*>& nodes) = 0;
};

struct ProtocolSetting {
  std::string name;
  int64_t usual = 0;
  int64_t least = 0;
  int64_t most = 0;
  std::string meaning;
};

// Stateless: a run is a function of its seed and settings.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Of letters, digits, "-" and "_". Cases carry it, and the program says it of itself.
  virtual std::string Name() const = 0;
  virtual int Nodes() const { return 3; }
  virtual std::vector<ProtocolSetting> Settings() const { return {}; }

  // `context` outlives the process.
  virtual std::unique_ptr<Process> MakeProcess(Context& context) const = 0;

  // So many clients ask in closed loops; 0: there are none.
  virtual int Clients() const { return 4; }
  // What a client asks next. `fresh` is a value that nobody else writes. All that is drawn must
  // come from `random`.
  virtual ProtocolRequest Draw(Random& random, const std::string& fresh) const;

  // What the clients' history is checked against; nothing: it is not checked. Of registers every
  // key is read once more after healing, and must be answered.
  virtual std::optional<consistency::Model> HistoryModel() const { return std::nullopt; }
  // Null: nobody watches.
  virtual std::unique_ptr<Observer> MakeObserver() const { return nullptr; }

  // The faults that it is to stand; more are left out of a run. As it is: all of the network,
  // crashes and power cuts, pauses, wrong clocks, slow, stalled and full disks.
  virtual bool Stands(FaultKind kind) const;
};

// Runs the commands of norn-sim for this protocol. Returns the exit code of the process.
int ProtocolMain(int argc, char** argv, const Protocol& protocol);

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_H_
