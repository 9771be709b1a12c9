// What will go wrong in a run: a list of faults, drawn from the seed before it begins.
//
// A plan is plain data, so it can be printed, counted and cut down. Which classes of
// faults a run knows at all is drawn first (swarm testing, Groce et al., 2012): a run
// with every fault at once hides the bugs that need a quiet hour. Every fault counts the
// effects it had; one that was planned and never took effect makes the run inconclusive.

#ifndef NORN_SIM_FAULT_PLAN_H_
#define NORN_SIM_FAULT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/types.h"

namespace norn::sim {

enum class FaultKind : uint8_t {
  kCrash,      // at the n-th file operation in the window, or at its end; restarts later
  kHalves,     // `nodes` and the others cannot talk
  kIsolate,    // one node cannot talk to anyone
  kOneWay,     // what `nodes` send to the others is lost
  kSlow,       // messages take up to `amount` microseconds longer
  kLoss,       // `amount` of 1000 messages are lost
  kDuplicate,  // `amount` of 1000 messages arrive twice
  kReorder,    // messages overtake each other, by up to `amount` microseconds
  kSlowDisk,   // each file operation of a job takes up to `amount` microseconds longer
  kPowerCut,   // `nodes` crash at the same instant, at the start; all restart later
};
inline constexpr int kFaultKindCount = 10;
const char* FaultKindName(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kCrash;
  int64_t start_us = 0;
  int64_t end_us = 0;
  std::vector<NodeId> nodes;  // empty: everyone
  uint64_t amount = 0;
  int64_t down_us = 0;   // kCrash, kPowerCut: how long a node stays away
  int loss = 0;          // kCrash, kPowerCut: sim::CrashLoss of what was not synced
  bool again = false;    // kCrash: crash once more, while it recovers
  uint64_t effects = 0;  // counted as the run goes

  bool ActiveAt(int64_t time_us) const { return start_us <= time_us && time_us < end_us; }
  bool Concerns(NodeId node) const;
};

std::string ToString(const Fault& fault);

// Faults for nodes 1 to `nodes`, in [begin_us, end_us), ordered by start.
std::vector<Fault> DrawFaultPlan(Random& random, int nodes, int64_t begin_us, int64_t end_us);

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_PLAN_H_
