// The network between the nodes: delays, and the faults of the plan.
//
// Messages travel as bytes, as they do in the real world. On a healthy link they arrive in
// order (as over TCP); under kReorder they may overtake. A cut link loses what is sent
// while it is cut, and what would arrive while it is cut; one that is reset loses what travels on
// it. Every harm is counted on the fault that did it (link_faults.h: which links it harms).
//
// What befalls a message is a function of the seed and of which message it is: the n-th of its
// name and key on its link. Other messages, more of them or fewer, do not change it.

#ifndef NORN_SIM_SIM_NETWORK_H_
#define NORN_SIM_SIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/types.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {

// What a message is, as far as the network has to tell it from others.
struct MessageLabel {
  std::string name;  // "ReplicaWrite"
  std::string key;   // the client's key that it is about; empty: none
  // For the listener of the trace, if there is one: in words, and the request that it is of.
  std::string text = {};
  uint64_t request = 0;
};

// What befalls one message, whatever faults there are.
struct MessageHarm {
  NodeId from = kNoNode;
  NodeId to = kNoNode;
  MessageLabel label;
  uint64_t nth = 1;  // of its name and key on that link, from 1

  bool lost = false;
  bool doubled = false;
  int64_t later_us = 0;
  bool overtaken = false;  // those behind it do not wait for it

  uint64_t fault = 0;    // the id of the fault that did it; 0: none, it was asked for
  uint64_t effects = 0;  // of what was asked for
};

// Between two nodes messages take so long, whatever the network's own delays.
struct LinkDelay {
  NodeId from = kNoNode;
  NodeId to = kNoNode;
  int64_t min_us = 0;
  int64_t max_us = 0;
};

class SimNetwork {
 public:
  using Receiver = std::function<void(NodeId from, NodeId to, const std::string& bytes)>;

  // `plan` outlives this; its network faults are applied and their effects counted.
  SimNetwork(Scheduler& scheduler, Trace& trace, KeyedSeed seed, std::vector<Fault>* plan,
             int64_t delay_min_us, int64_t delay_max_us, Receiver receiver)
      : scheduler_(scheduler),
        trace_(trace),
        seed_(seed),
        plan_(plan),
        delay_min_us_(delay_min_us),
        delay_max_us_(delay_max_us),
        receiver_(std::move(receiver)) {}

  // Harms these messages, besides what the plan does to them. Before anything is sent.
  void Harm(std::vector<MessageHarm> harms);
  const std::vector<MessageHarm>& harms() const { return harms_; }
  // Before anything is sent.
  void SetLinks(const std::vector<LinkDelay>& links);
  // Hears of everything that faults do to a single message, other than to cut its link.
  void set_witness(std::function<void(const MessageHarm&)> witness) {
    witness_ = std::move(witness);
  }

  void Send(NodeId from, NodeId to, std::string bytes, const MessageLabel& label = {});

  uint64_t sent() const { return sent_; }
  uint64_t delivered() const { return delivered_; }

 private:
  // A message on its way, and what was asked for it.
  struct Passage {
    NodeId from;
    NodeId to;
    const MessageLabel& label;
    uint64_t id;  // of all that was sent
    uint64_t nth;
    KeyedSeed chance;
    std::string bytes;
    int64_t later_us;
    bool overtaken;
  };

  // All messages of one name and key on one link.
  KeyedSeed KindOf(NodeId from, NodeId to, const MessageLabel& label) const;
  // The fault that cuts this link now, or null.
  Fault* CutBy(NodeId from, NodeId to);
  // The fault that broke the connection since then, or null.
  Fault* ResetSince(NodeId from, NodeId to, int64_t sent_us);
  // Copy 0 is the message itself.
  void Launch(const Passage& passage, uint64_t copy);
  void Deliver(uint64_t id, NodeId from, NodeId to, int64_t sent_us, const std::string& bytes);
  // To the trace's listener.
  void TellLost(uint64_t id, const Fault* by);
  void Tell(const Passage& passage, const Fault& fault, const MessageHarm& what);

  Scheduler& scheduler_;
  Trace& trace_;
  const KeyedSeed seed_;
  std::vector<Fault>* plan_;
  int64_t delay_min_us_;
  int64_t delay_max_us_;
  Receiver receiver_;
  std::function<void(const MessageHarm&)> witness_;
  std::vector<MessageHarm> harms_;
  std::multimap<std::pair<uint64_t, uint64_t>, size_t> harms_of_;  // by kind and ordinal
  std::map<uint64_t, uint64_t> sent_of_;                           // by kind
  std::map<std::pair<NodeId, NodeId>, LinkDelay> link_delays_;
  struct Link {
    int64_t last_sent_us = 0;
    int64_t last_arrival_us = 0;  // of what is in order
  };
  std::map<std::pair<NodeId, NodeId>, Link> links_;
  uint64_t sent_ = 0;
  uint64_t delivered_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_NETWORK_H_
