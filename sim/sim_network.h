// The network between the nodes: delays, and the faults of the plan.
//
// Messages travel as bytes, as they do in the real world. On a healthy link they arrive in
// order (as over TCP); under kReorder they may overtake. A cut link loses what is sent
// while it is cut, and what would arrive while it is cut. Every harm is counted on the
// fault that did it.

#ifndef NORN_SIM_SIM_NETWORK_H_
#define NORN_SIM_SIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/types.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {

class SimNetwork {
 public:
  using Receiver = std::function<void(NodeId from, NodeId to, const std::string& bytes)>;

  // `plan` outlives this; its network faults are applied and their effects counted.
  SimNetwork(Scheduler& scheduler, Trace& trace, Random random, std::vector<Fault>* plan,
             int64_t delay_min_us, int64_t delay_max_us, Receiver receiver)
      : scheduler_(scheduler),
        trace_(trace),
        random_(random),
        plan_(plan),
        delay_min_us_(delay_min_us),
        delay_max_us_(delay_max_us),
        receiver_(std::move(receiver)) {}

  void Send(NodeId from, NodeId to, std::string bytes);

  uint64_t sent() const { return sent_; }
  uint64_t delivered() const { return delivered_; }

 private:
  // The fault that cuts this link now, or null.
  Fault* CutBy(NodeId from, NodeId to);
  void Launch(NodeId from, NodeId to, std::string bytes);
  void Deliver(NodeId from, NodeId to, const std::string& bytes);

  Scheduler& scheduler_;
  Trace& trace_;
  Random random_;
  std::vector<Fault>* plan_;
  int64_t delay_min_us_;
  int64_t delay_max_us_;
  Receiver receiver_;
  std::map<std::pair<NodeId, NodeId>, int64_t> last_arrival_us_;
  uint64_t sent_ = 0;
  uint64_t delivered_ = 0;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_NETWORK_H_
