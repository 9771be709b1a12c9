// Makes the faults of a plan befall the nodes: crashes, power cuts, ill and lost disks. (Those
// of the network are SimNetwork's; pauses, clocks, slow and stalled disks are FaultedNode's.) A
// fault that has harmed nothing by its end stays a little longer: its node was down, say, or
// nobody read the bad block.
//
// Two callers: a drawn plan is scheduled as a whole; a scenario begins and ends each fault
// itself, and restarts what it has crashed.

#ifndef NORN_SIM_UNIVERSE_FAULTS_H_
#define NORN_SIM_UNIVERSE_FAULTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "sim/fault_plan.h"
#include "sim/faulted_node.h"
#include "sim/keyed_seed.h"
#include "sim/scheduler.h"
#include "sim/sim_disk.h"
#include "sim/trace.h"

namespace norn::sim {

// Until what could not be done is tried again.
inline constexpr int64_t kFaultRetryUs = 250'000;

class UniverseFaults {
 public:
  // What the universe has to say, and wants to hear.
  struct Hooks {
    // A node refuses to start although its disk could be read.
    std::function<void(NodeId node, const std::string& error)> refused;
    // Whether the fault budget allows that the node's disk, or some of it, is lost.
    std::function<bool(NodeId node)> may_destroy;
    // It was lost (`destroyed`), or the power of several nodes was cut.
    std::function<void(NodeId node)> destroyed;
    std::function<void()> power_cut;
  };

  // `plan` and the nodes (n<i> is the i-th) outlive this. Nothing that was drawn begins at
  // `end_us` or later; what had no effect until then goes on for kOvertimeUs at most.
  UniverseFaults(Scheduler& scheduler, Trace& trace, KeyedSeed seed, std::vector<Fault>* plan,
                 std::vector<FaultedNode*> nodes, int64_t end_us, Hooks hooks)
      : scheduler_(scheduler),
        trace_(trace),
        seed_(seed),
        plan_(*plan),
        nodes_(std::move(nodes)),
        end_us_(end_us),
        hooks_(std::move(hooks)) {}

  void Schedule();

  // For scenarios. Adds the fault to the plan, begins it now and returns its number; `end_us`
  // and `down_us` may be kNever. A crash whose `amount` is 0 happens now, as a power cut and a
  // wiped disk do; an older copy of a disk is taken now and brought back by End. Errors of a disk
  // befall its next operations of their kind; write errors its appends. Nothing is
  // added, and the result is nothing, if the fault budget is asked and does not allow it.
  std::optional<size_t> Begin(Fault fault);
  // Ends it, unless it is over.
  void End(size_t fault);
  // How much harm it has done so far.
  uint64_t EffectsOf(size_t fault);
  // Whether everything that was planned has done harm, or may not by the fault budget.
  bool AllStaged();

  // To be told of every crash, and of every write that is acknowledged.
  void OnCrash(NodeId id);
  void OnAcknowledged();
  // Starts the node unless it runs; tries again later if its disk cannot be read.
  void StartNode(NodeId id);
  // The end of all faults: networks whole, disks well, every node up. A node that has met
  // damage is started afresh, as it cannot know that its disk is well again.
  void EndAll();

 private:
  FaultedNode& node(NodeId id) { return *nodes_[id - 1u]; }
  FaultedNode& victim(size_t fault) { return node(plan_[fault].nodes.front()); }
  // True if `what` (a method of this class) will be tried again for the fault.
  bool Later(size_t fault, void (UniverseFaults::*what)(size_t));
  void Announce(size_t fault, const char* what);

  void EndLastingFault(size_t fault);
  void CopyDisk(size_t fault);
  void LoseDisk(size_t fault);
  bool MayDestroy(const Fault& fault) const;
  bool TryLoseDisk(size_t fault);
  void BeginCrash(size_t fault);
  // The node dies in the n-th operation of the kind from now.
  void Arm(size_t fault, uint64_t nth);
  void EndCrashWindow(size_t fault);
  void BeginPowerCut(size_t fault);
  void BeginOutage(size_t fault);
  void CutPower(size_t fault);
  void Crash(size_t fault, FaultedNode& victim);
  // `at_once`: the next operation that can fail does.
  void BeginDiskFault(size_t fault, bool at_once = false);
  void EndDiskFault(size_t fault);
  void SpoilBlock(size_t fault);
  void Rot(size_t fault);
  bool TryRot(size_t fault);
  // Looks again and again whether the node has met what rots.
  void WatchRot(size_t fault);
  // One of the node's tables, and a place in it; nothing: there is none.
  struct Spot {
    std::string path;
    uint64_t offset = 0;
  };
  std::optional<Spot> SpotInTable(size_t fault);
  std::optional<Spot> SpotIn(size_t fault,
                             const std::function<bool(const std::string& path)>& wanted);
  // False: nothing was damaged.
  bool FlipBit(size_t fault, const Spot& spot);
  bool WriteElsewhere(size_t fault, const Spot& spot);
  // Of logs and slots; the node is down.
  void RotLogs(size_t fault);
  // The node has found at its start that it may have lost something.
  void CountLogRot(NodeId id);
  // What the operations of the fault's disk meet, while it lasts.
  DiskFault ErrorsOf(size_t fault);
  DiskFault NextErrorsOf(size_t fault);  // the same, but the very next operation
  void Inject(size_t fault, DiskFault errors);
  void HealDisk(size_t fault);
  Random& StreamOf(size_t fault);
  // What the disk of the fault's node has counted of the fault's kind so far.
  uint64_t Counted(size_t fault);

  Scheduler& scheduler_;
  Trace& trace_;
  const KeyedSeed seed_;
  std::map<size_t, Random> streams_;  // of single faults
  std::vector<Fault>& plan_;
  const std::vector<FaultedNode*> nodes_;
  const int64_t end_us_;
  Hooks hooks_;
  std::map<NodeId, size_t> crashing_;  // nodes whose crash is armed or under way: the fault
  std::map<size_t, std::vector<uint64_t>> injected_;  // by fault: numbers of its disk's faults
  std::set<NodeId> restarting_;            // they die now for no fault: their logs are poisoned
  std::map<size_t, uint64_t> power_cuts_;  // armed: acknowledgements still to come
  std::map<size_t, uint64_t> ill_;         // disk faults under way: what was counted before
  std::map<size_t, std::unique_ptr<SimDisk>> copies_;  // of disks, to be brought back
  bool ended_ = false;
};

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_FAULTS_H_
