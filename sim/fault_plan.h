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
  kCrash,        // at the n-th file operation in the window, or at its end; restarts later
  kHalves,       // `nodes` and the others cannot talk
  kIsolate,      // one node cannot talk to anyone
  kOneWay,       // what `nodes` send to the others is lost
  kSlow,         // messages take up to `amount` microseconds longer
  kLoss,         // `amount` of 1000 messages are lost
  kDuplicate,    // `amount` of 1000 messages arrive twice
  kReorder,      // messages overtake each other, by up to `amount` microseconds
  kSlowDisk,     // each file operation of a job takes up to `amount` microseconds longer
  kPowerCut,     // `nodes` lose power at the same instant: when the n-th write in the window is
                 // acknowledged, or at its end; they restart one after the other
  kReadError,    // the next `amount` reads of one node's disk fail, tables' or any
  kBadBlock,     // `amount` places in one node's tables cannot be read
  kPause,        // `nodes` stand still: what reaches them waits, their timers and jobs too
  kClockJump,    // the wall clocks of `nodes` are off by `shift_us`
  kClockDrift,   // the wall clocks of `nodes` gain `shift_us` in every second (or lose it)
  kStalledDisk,  // no file operation of a job begins on `nodes`
  kFullDisk,     // one node's disk has room for `amount` bytes more, and that is all
  kWipedDisk,    // one node dies, and comes back with an empty disk
  kOlderDisk,    // one node dies, and comes back with its disk as it was at the start
  kBitRot,       // `amount` bits of one node's tables flip, for good
};
inline constexpr int kFaultKindCount = 20;
const char* FaultKindName(FaultKind kind);

struct Fault {
  // Not 0, and no other fault of the run has it: the key of what chance decides about it.
  uint64_t id = 0;
  FaultKind kind = FaultKind::kCrash;
  int64_t start_us = 0;
  int64_t end_us = 0;
  std::vector<NodeId> nodes;  // empty: everyone
  uint64_t amount = 0;
  int64_t shift_us = 0;      // kClockJump, kClockDrift
  int64_t down_us = 0;       // what takes a node down: how long it stays away (see BackAfterUs)
  int loss = 0;              // kCrash, kPowerCut: sim::CrashLoss of what was not synced
  bool again = false;        // kCrash: crash once more, while it recovers
  bool tables_only = false;  // kReadError: spares the log, the manifest and the slots
  bool withheld = false;     // kWipedDisk, kOlderDisk, kBitRot: the fault budget never allowed it
  bool rotten = false;       // kBitRot: bits have flipped, whether or not anybody has seen it
  uint64_t effects = 0;      // counted as the run goes
  // Not 0: it was asked for, so with fewer effects, or withheld, it was not staged. 0: it was
  // drawn, and one effect is enough.
  uint64_t effects_min = 0;

  bool staged() const {
    return effects_min == 0 ? effects > 0 || withheld : effects >= effects_min;
  }

  bool ActiveAt(int64_t time_us) const { return start_us <= time_us && time_us < end_us; }
  bool Concerns(NodeId node) const;
};

// What TakesDown() takes nodes down, Destroys() among it takes all that they held; OfDisk() makes
// a disk ill; OfNetwork() harms messages.
bool TakesDown(FaultKind kind);
bool Destroys(FaultKind kind);
bool OfDisk(FaultKind kind);
bool OfNetwork(FaultKind kind);

// By how much this fault, if it is active, shifts a wall clock.
int64_t WallShiftUs(const Fault& fault, int64_t now_us);

std::string ToString(const Fault& fault);

// How long after a power cut the `index`-th of its nodes has power again.
int64_t BackAfterUs(const Fault& power_cut, size_t index);

// For so long clients and faults go on at most behind the end that was planned, until every fault
// has had an effect.
inline constexpr int64_t kOvertimeUs = 20'000'000;

// Faults for nodes 1 to `nodes`, in [begin_us, end_us), ordered by start. With `wipes` also
// those that destroy a disk.
//
// What makes sure that they take effect: a node's crashes and power cuts do not overlap, and
// end within the time; disks fall ill when there are tables to read. The fault budget: only
// one node's disk is ever ill, so that every record has replicas that can be read; what may be
// destroyed when is decided during the run (sim/checkers/loss_oracle.h).
std::vector<Fault> DrawFaultPlan(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                                 bool wipes);

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_PLAN_H_
