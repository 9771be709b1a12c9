// A simulated server as faults see it, whatever runs on it: its disk outlives its processes; it
// crashes and starts again, stands still, and its clock may be wrong.
//
// A paused node stands still as a stopped process does: messages, requests, timers and file
// operations wait, in their order, and come all at once when it goes on. Its wall clock shows what
// the plan makes of it; monotonic time is always true.

#ifndef NORN_SIM_FAULTED_NODE_H_
#define NORN_SIM_FAULTED_NODE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/types.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/sim_disk.h"
#include "sim/trace.h"

namespace norn::sim {

class FaultedNode {
 public:
  // `plan` outlives this; slow and stalled disks, pauses and clocks are taken from it.
  FaultedNode(Scheduler& scheduler, Trace& trace, NodeId id, uint64_t disk_seed,
              std::vector<Fault>* plan)
      : scheduler_(scheduler), trace_(trace), plan_(plan), disk_(disk_seed), id_(id) {}
  FaultedNode(const FaultedNode&) = delete;
  FaultedNode& operator=(const FaultedNode&) = delete;
  virtual ~FaultedNode() = default;

  NodeId id() const { return id_; }
  SimDisk& disk() { return disk_; }
  uint64_t file_operations() const { return disk_.operations(); }

  // Starts the process, which recovers from the disk. A crash meanwhile is reported as any is, and
  // true. False with `*error` set: it refuses to start.
  virtual bool StartUp(std::string* error) = 0;
  virtual bool up() const = 0;

  // Kills the process now; the disk loses what `loss` says.
  void Crash(CrashLoss loss);
  // Kills the process now, and with it all that the disk held.
  void Wipe();
  // Kills the process now; the disk is as it was when `copy` was taken of it.
  virtual void Restore(const SimDisk& copy);

  // To be told when a pause may have ended early.
  void MaybeGoOn();

  // How much of its disk the process has found damaged; 0 while it is down.
  virtual uint64_t damage_met() const = 0;
  // Whether it has met damage, or errors, that it cannot know to be over.
  virtual bool hurt() const = 0;
  // Whether the last start found that what is on the disk may not be all that there was.
  virtual bool doubts_its_store() const { return false; }
  // Whether it takes no more writes until it is started again.
  virtual bool refuses_writes() const { return false; }

 protected:
  // Buries the process if its disk has crashed. True if it did.
  virtual bool BuryIfCrashed() = 0;

  // What one fault of the kind does to this node now; null: nothing.
  Fault* Active(FaultKind kind);
  bool stands_still() { return Active(FaultKind::kPause) != nullptr || !held_.empty(); }
  // True if the node stands still, or has things waiting: then `action` waits as well, until
  // it goes on or dies.
  bool Hold(std::function<void()> action);
  int64_t WallUs();
  // What slow disks add to the time of one file operation.
  int64_t SlowDiskUs(Random& random);

  Scheduler& scheduler_;
  Trace& trace_;
  std::vector<Fault>* const plan_;
  SimDisk disk_;
  uint64_t epoch_ = 0;  // rises with every start and crash: what was scheduled before is void
  std::deque<std::function<void()>> held_;  // while it stands still

 private:
  const NodeId id_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_FAULTED_NODE_H_
