// How a case can be made smaller or simpler: pure functions from a case to another one.

#ifndef NORN_SIM_CASE_EDIT_H_
#define NORN_SIM_CASE_EDIT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/case.pb.h"

namespace norn::sim {

// Each leaves the things of one sort out whose numbers it is given, ascending.
using Without = std::function<v1::Case(const v1::Case& from, const std::vector<size_t>& gone)>;

// A sort of things that can be left out, in the order of the case, and how many there are.
struct PartsOfCase {
  std::string name;  // "faults"
  size_t count = 0;
  Without without;
};
PartsOfCase FaultsOf(const v1::Case& from);
PartsOfCase ClientsOf(const v1::Case& from);
PartsOfCase KeysOf(const v1::Case& from);
PartsOfCase OperationsOf(const v1::Case& from);
// The same, and harmed messages are counted as if each operation that is gone had sent one from its
// node about its key: the 85th of many becomes the first of few.
PartsOfCase RecountedOperationsOf(const v1::Case& from);
PartsOfCase MessagesOf(const v1::Case& from);
PartsOfCase KnobsOfCase(const v1::Case& from);
// Delays of their own between two nodes.
PartsOfCase LinksOf(const v1::Case& from);
// A node that is left out takes its faults with it; those who asked it ask the first.
PartsOfCase NodesOf(const v1::Case& from);

// The same until `until_us`: what begins later is left out, what lasts longer ends there.
v1::Case Until(const v1::Case& from, int64_t until_us);

// When the first fault begins, or the first operation; until_us of a case without any.
int64_t FirstThingUs(const v1::Case& from);
// All faults and operations, and the end, so much earlier: at most by FirstThingUs.
v1::Case Earlier(const v1::Case& from, int64_t by_us);

// The faults of loss, doubling, slowness and reordering, or the one whose id is `only`, replaced by
// what they did to single messages.
v1::Case WithListedHarms(const v1::Case& from, const std::vector<v1::CaseHarm>& harms,
                         uint64_t only = 0);
// How many faults WithListedHarms can replace.
size_t FaultsOfChance(const v1::Case& from);
// All that travels takes the usual time, whatever its link.
v1::Case WithConstantDelays(const v1::Case& from);

// Simpler by one step each, in a fixed order: of one operation or of one fault.
std::vector<v1::Case> SimplerOperations(const v1::Case& from);
std::vector<v1::Case> SimplerFaults(const v1::Case& from);
// A message that is doubled comes once at the usual time and once so and so late, among messages
// that all take the usual time: then what it is about no longer rests on chance.
std::vector<v1::Case> SimplerMessages(const v1::Case& from);

}  // namespace norn::sim

#endif  // NORN_SIM_CASE_EDIT_H_
