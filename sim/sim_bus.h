// The message bus of one simulated node: messages become bytes, and travel.
//
// Through the codec of the real wire, so that what it cannot carry is not carried here either.
// It keeps the contract of MessageBus (tests/contracts) as the TCP bus does, as long as no fault
// is active on the network.

#ifndef NORN_SIM_SIM_BUS_H_
#define NORN_SIM_SIM_BUS_H_

#include <string>

#include "core/events.h"
#include "core/messages.h"
#include "core/ports.h"
#include "core/types.h"
#include "sim/message_rules.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/trace.h"

namespace norn::sim {

class SimBus final : public MessageBus {
 public:
  // All but `self` outlive this. `rules` may be null: a scenario has them.
  SimBus(Scheduler& scheduler, Trace& trace, SimNetwork& network, NodeId self,
         MessageRules* rules = nullptr)
      : scheduler_(scheduler), trace_(trace), network_(network), self_(self), rules_(rules) {}

  void Send(NodeId to, Message&& message) override;

  // What the network brings for this node. Bytes that are no message fail a check: the network
  // loses and doubles messages, but does not change them.
  MessageReceived Receive(NodeId from, const std::string& bytes);

 private:
  Scheduler& scheduler_;
  Trace& trace_;
  SimNetwork& network_;
  const NodeId self_;
  MessageRules* const rules_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_BUS_H_
