// The parts that DrawFaultPlan puts together: each draws faults of a few kinds for nodes 1 to
// `nodes`, in [begin_us, end_us), and adds those to the plan that fit what is there.

#ifndef NORN_SIM_FAULT_DRAW_PARTS_H_
#define NORN_SIM_FAULT_DRAW_PARTS_H_

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "core/types.h"
#include "sim/fault_plan.h"

namespace norn::sim {

// `count` of them, ascending.
std::vector<NodeId> DrawSomeNodes(Random& random, int nodes, int count);

// Whether the plan leaves one of the fault's nodes up for so long between its start and
// `until_us`. Nobody is cut off who does not talk, and nothing is read while nobody runs.
bool SomeoneIsUp(const Fault& fault, int nodes, const std::vector<Fault>& plan, int64_t until_us,
                 int64_t long_us);

// ---- What takes nodes down (draw_crashes.cc) ----

// What was acknowledged by several replicas and synced by none is lost in no other way. In
// half of the cases much waits for slow disks when the power fails.
void DrawPowerCuts(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                   std::vector<Fault>* plan);
// Disks that are lost, or replaced by older copies: one or two, of different nodes.
void DrawLostDisks(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                   std::vector<Fault>* plan);
// Crashes of single nodes; those of one node do not overlap. The plan is ordered by start.
void DrawCrashes(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                 std::vector<Fault>* plan);
// One zone, if there is a time at which all its nodes are up.
void DrawZoneOutage(Random& random, const std::vector<std::vector<NodeId>>& zones, int64_t begin_us,
                    int64_t end_us, std::vector<Fault>* plan);

// One node's: of the kinds kTornWrite and kLogRot, if there is a time at which it is up.
void DrawBadEnd(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us,
                std::vector<Fault>* plan);

// ---- What lasts (draw_lasting.cc) ----

// A disk that cannot be read: one, so that no other is ill meanwhile; and late, so that there are
// tables to read.
Fault DrawDiskFault(Random& random, int nodes, int64_t begin_us, int64_t end_us);
// Operations of a disk that fail or go astray, of `node`; `kind` is one of these.
Fault DrawDiskErrors(Random& random, FaultKind kind, NodeId node, int64_t begin_us, int64_t end_us);
// Some nodes stand still, disks hang or are full, clocks are wrong. `kind` is one of these.
Fault DrawNodeFault(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us);
// Of the network, or slow disks; `kind` is one of these.
Fault DrawLastingFault(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us);

}  // namespace norn::sim

#endif  // NORN_SIM_FAULT_DRAW_PARTS_H_
