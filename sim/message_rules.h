// What a scenario does to single messages: the n-th of a kind from here to there is lost,
// delayed, doubled, or held until the scenario lets it go.
//
// Rules see messages as they leave a node, before the network's own delays and faults. The
// first rule that matches has the message. Every rule counts the messages it harmed.

#ifndef NORN_SIM_MESSAGE_RULES_H_
#define NORN_SIM_MESSAGE_RULES_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/messages.h"
#include "core/types.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"

namespace norn::sim {

struct MessageRule {
  enum class Action : uint8_t {
    kDrop,
    kDelay,      // leaves `delay_us` later
    kDuplicate,  // leaves now, and a copy `delay_us` later
    kHold,       // leaves when it is released
  };

  // What it matches; empty, kNoNode: any.
  std::string message;  // its name: "ReplicaWrite"
  NodeId from = kNoNode;
  NodeId to = kNoNode;
  std::string key;     // the client's key that it is about
  uint64_t nth = 1;    // the first of those that match which is harmed
  uint64_t times = 1;  // how many are, from then on; 0: all

  Action action = Action::kDrop;
  int64_t delay_us = 0;
};

// How the network tells the message from others: its name, and the client's key.
MessageLabel LabelOf(const Message& message);
// Every name that MessageName gives.
const std::set<std::string>& MessageNames();
inline bool IsMessageName(const std::string& name) { return MessageNames().count(name) != 0; }
// The client's key that a message is about; empty if it is about none, or several.
std::string KeyOfMessage(const Message& message);
// The request that it is of, as questions and their answers have it; 0: of none.
RequestId RequestOfMessage(const Message& message);

class MessageRules {
 public:
  // Both outlive this.
  MessageRules(Scheduler& scheduler, SimNetwork& network)
      : scheduler_(scheduler), network_(network) {}

  // Returns the rule's number, from 0.
  size_t Add(MessageRule rule);
  // The rule takes no more messages; what it holds stays held.
  void End(size_t rule) { rules_[rule].ended = true; }
  // Lets go what the rule holds, in its order. The rule goes on.
  void Release(size_t rule);
  // Ends every rule and releases every message.
  void EndAll();

  // Sends the message, or does to it what the first rule that matches says. `bytes` is the
  // message on the wire.
  void Route(NodeId from, NodeId to, const Message& message, std::string bytes);

  uint64_t effects(size_t rule) const { return rules_[rule].effects; }

 private:
  struct Held {
    NodeId from = kNoNode;
    NodeId to = kNoNode;
    std::string bytes;
    MessageLabel label;
  };
  struct State {
    MessageRule rule;
    uint64_t matches = 0;
    uint64_t effects = 0;
    bool ended = false;
    std::vector<Held> held;
  };

  State* Match(NodeId from, NodeId to, const Message& message);
  void SendLater(int64_t delay_us, NodeId from, NodeId to, std::string bytes, MessageLabel label);

  Scheduler& scheduler_;
  SimNetwork& network_;
  std::vector<State> rules_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_MESSAGE_RULES_H_
