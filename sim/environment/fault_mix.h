// Faults that are drawn from the seed: kinds by their weights, at a rate, so many at once.

#ifndef NORN_SIM_ENVIRONMENT_FAULT_MIX_H_
#define NORN_SIM_ENVIRONMENT_FAULT_MIX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/random.h"
#include "sim/environment/measure_phases.h"
#include "sim/fault_plan.h"

namespace norn::sim {

// One kind that may be drawn, with the bounds of what is drawn of it.
struct FaultChance {
  FaultKind kind = FaultKind::kCrash;
  uint64_t weight = 1;
  int64_t for_min_us = 0;
  int64_t for_max_us = 0;
  uint64_t amount_min = 0;
  uint64_t amount_max = 0;
  int64_t shift_max_us = 0;  // there, or back
  std::vector<NodeId> pool;  // whom it may befall; not empty
  size_t nodes_min = 1;      // at once; at most those of the pool
  size_t nodes_max = 1;
  // kZoneOutage: the pool by zones, of which it befalls one.
  std::vector<std::vector<NodeId>> zones;
};

// As it suits the kind: of any node, of a length and an amount that hurt and can be survived.
FaultChance UsualChance(FaultKind kind, const ClusterConfig& cluster);
// Befalls these only.
void SetPool(const std::vector<NodeId>& pool, const ClusterConfig& cluster, FaultChance* chance);

struct FaultMix {
  std::vector<FaultChance> chances;  // empty: nothing is drawn
  int64_t every_us = 3'000'000;      // on average
  size_t at_once_max = 2;            // listed ones count
};

// The listed ones and what is drawn besides, by start, with their ids. What would not fit is left
// out: more than may be at once, what clashes, what would not be over with the faulty phase.
std::vector<Fault> DrawFaults(const std::vector<Fault>& listed, const FaultMix& mix,
                              const PhaseTimes& times, Random random);

// It happens at a moment: what has a length is the time in which the moment may come.
bool HappensAtOnce(FaultKind kind);

// When it is over and whom it took down is back, if all goes quickly.
int64_t OverUs(const Fault& fault);

// Why the two cannot be in one run; empty: they can. A node is up when it goes down, a disk has one
// illness at a time, and only one node's disk can ever not be read (the fault budget: every record
// keeps replicas that can be).
std::string Clash(const Fault& a, const Fault& b);

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_FAULT_MIX_H_
