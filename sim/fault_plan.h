// What goes wrong in a run: a list of faults, known before it begins.
//
// A plan is plain data, so it can be printed, counted and cut down. Every fault counts the
// effects it had; one that was planned and never took effect makes the run inconclusive.
// fault_draw.h draws plans, fault_kinds.h says what each kind is.

#ifndef NORN_SIM_FAULT_PLAN_H_
#define NORN_SIM_FAULT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "sim/fault_kinds.h"

namespace norn::sim {

struct Fault {
  // Not 0, and no other fault of the run has it: the key of what chance decides about it.
  uint64_t id = 0;
  FaultKind kind = FaultKind::kCrash;
  int64_t start_us = 0;
  int64_t end_us = 0;
  std::vector<NodeId> nodes;  // empty: everyone; kBridge, kRing: their order means something
  uint64_t amount = 0;
  int64_t shift_us = 0;        // kClockJump, kClockDrift
  int64_t down_us = 0;         // what takes a node down: how long it stays away (see BackAfterUs)
  int loss = 0;                // what takes a node down: sim::CrashLoss of what was not synced
  bool again = false;          // kCrash: crash once more, while it recovers
  bool tables_only = false;    // kReadError: spares the log, the manifest and the slots
  bool withheld = false;       // what Destroys() or Rots(): the fault budget never allowed it
  bool beyond_budget = false;  // what Destroys() or Rots(): the fault budget is not asked
  bool rotten = false;         // bits have flipped, whether or not anybody has seen it
  uint64_t effects = 0;        // counted as the run goes
  // Not 0: it was asked for, so with fewer effects, or withheld, it was not staged. 0: it was
  // drawn, and one effect is enough.
  uint64_t effects_min = 0;

  bool staged() const {
    return effects_min == 0 ? effects > 0 || withheld : effects >= effects_min;
  }

  bool ActiveAt(int64_t time_us) const { return start_us <= time_us && time_us < end_us; }
  bool Concerns(NodeId node) const;
};

// By how much this fault, if it is active, shifts a wall clock.
int64_t WallShiftUs(const Fault& fault, int64_t now_us);

std::string ToString(const Fault& fault);

// When the nodes that this fault takes down have recovered, if all goes slowly.
inline constexpr int64_t kSlowRecoveryUs = 500'000;
int64_t RecoveredUs(const Fault& fault);

// How long after a power cut the `index`-th of its nodes has power again.
int64_t BackAfterUs(const Fault& power_cut, size_t index);

// For so long clients and faults go on at most behind the end that was planned, until every fault
// has had an effect.
inline constexpr int64_t kOvertimeUs = 20'000'000;

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_PLAN_H_
