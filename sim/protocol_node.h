// One simulated server that runs a process of a protocol (sim/protocol.h): its disk, its log, its
// timers, and what faults do to them.

#ifndef NORN_SIM_PROTOCOL_NODE_H_
#define NORN_SIM_PROTOCOL_NODE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/faulted_node.h"
#include "sim/keyed_seed.h"
#include "sim/protocol.h"
#include "sim/sim_network.h"

namespace norn::sim {

class ProtocolNode final : public FaultedNode {
 public:
  struct Hooks {
    std::function<void(uint64_t request, Answer answer, const std::string& value)> reply;
    // After each of its steps.
    std::function<void(NodeId node, const Process& process)> stepped;
    // It crashed with its disk, as a fault wanted it; or it was killed because its disk refused
    // something, and is to start again.
    std::function<void(NodeId node)> crashed;
    std::function<void(NodeId node)> failed;
  };

  // All but `seed` and `id` outlive this. `settings` holds all of the protocol's.
  ProtocolNode(Scheduler& scheduler, Trace& trace, SimNetwork& network, const Protocol& protocol,
               const std::map<std::string, int64_t>& settings, int nodes, NodeId id, KeyedSeed seed,
               std::vector<Fault>* plan, const Hooks& hooks);
  ~ProtocolNode() override;

  bool StartUp(std::string* error) override;
  bool up() const override { return life_ != nullptr; }
  uint64_t damage_met() const override { return 0; }
  bool hurt() const override { return false; }

  void DeliverMessage(NodeId from, const std::string& bytes);
  // The node is up.
  void DeliverRequest(uint64_t request, const ProtocolRequest& asked);

  // Null while down.
  const Process* process() const;

 private:
  class Life;

  bool BuryIfCrashed() override;
  // Ends the life: whatever was scheduled for it is void.
  void Bury(const std::string& why);
  // One call of the process, and what follows each.
  void Step(const char* what, const std::string& content,
            const std::function<void(Process&)>& call);
  void OnTimer(uint64_t token, uint64_t arming, uint64_t epoch);
  void StepLog(uint64_t epoch);
  void TellState();

  SimNetwork& network_;
  const Protocol& protocol_;
  const std::map<std::string, int64_t>& settings_;
  const int nodes_;
  const KeyedSeed seed_;
  const Hooks& hooks_;
  uint64_t lives_ = 0;  // begun so far; each has chances of its own
  std::unique_ptr<Life> life_;
  std::map<std::string, std::string> told_;  // of its state, to the listener of the trace
};

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_NODE_H_
