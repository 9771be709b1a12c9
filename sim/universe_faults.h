// Makes the faults of a plan befall the nodes: crashes, power cuts, ill disks. (Those of the
// network are SimNetwork's.) A fault that has harmed nothing by its end stays a little
// longer: its node was down, say, or nobody read the bad block.

#ifndef NORN_SIM_UNIVERSE_FAULTS_H_
#define NORN_SIM_UNIVERSE_FAULTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/sim_node.h"
#include "sim/trace.h"

namespace norn::sim {

class UniverseFaults {
 public:
  // Hears of a node that refuses to start although its disk could be read.
  using RefusalSink = std::function<void(NodeId node, const std::string& error)>;

  // `plan` and `nodes` (of which n<i> is the i-th) outlive this. Nothing begins at `end_us`
  // or later.
  UniverseFaults(Scheduler& scheduler, Trace& trace, Random random, std::vector<Fault>* plan,
                 std::vector<std::unique_ptr<SimNode>>* nodes, int64_t end_us, RefusalSink refused)
      : scheduler_(scheduler),
        trace_(trace),
        random_(random),
        plan_(*plan),
        nodes_(*nodes),
        end_us_(end_us),
        refused_(std::move(refused)) {}

  void Schedule();
  // To be told of every crash, and of every write that is acknowledged.
  void OnCrash(NodeId id);
  void OnAcknowledged();
  // Starts the node unless it runs; tries again later if its disk cannot be read.
  void StartNode(NodeId id);
  // The end of all faults: networks whole, disks well, every node up. A node that has met
  // damage is started afresh, as it cannot know that its disk is well again.
  void EndAll();

 private:
  SimNode& node(NodeId id) { return *nodes_[id - 1u]; }
  SimNode& victim(size_t fault) { return node(plan_[fault].nodes.front()); }
  // True if `what` (a method of this class) will be tried again for the fault.
  bool Later(size_t fault, void (UniverseFaults::*what)(size_t));
  void Announce(size_t fault, const char* what);

  void EndNetworkFault(size_t fault);
  void BeginCrash(size_t fault);
  void EndCrashWindow(size_t fault);
  void BeginPowerCut(size_t fault);
  void CutPower(size_t fault);
  void Crash(size_t fault, SimNode& victim);
  void BeginDiskFault(size_t fault);
  void EndDiskFault(size_t fault);
  void SpoilBlock(size_t fault);
  void HealDisk(size_t fault);
  // What the disk of the fault's node has counted of the fault's kind so far.
  uint64_t Counted(size_t fault);

  Scheduler& scheduler_;
  Trace& trace_;
  Random random_;
  std::vector<Fault>& plan_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  const int64_t end_us_;
  RefusalSink refused_;
  std::map<NodeId, size_t> crashing_;      // nodes whose crash is armed or under way: the fault
  std::map<size_t, uint64_t> power_cuts_;  // armed: acknowledgements still to come
  std::map<size_t, uint64_t> ill_;         // disk faults under way: what was counted before
  bool ended_ = false;
};

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_FAULTS_H_
