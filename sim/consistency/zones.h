// Linearizability of a read/write register whose values are written once each, by zones.
//
// Gibbons & Korach, "Testing Shared Memories", SIAM J. Comput. 26(4), 1997, section 4. A cluster
// is a write and the reads of its value. Let f be the first end among its operations and s the
// last call. If f < s the register must hold the value all the time from f to s: a forward zone.
// Else it must hold it at some moment from s to f: a backward zone. The history is linearizable
// if and only if
//   - every value read was written (or is the initial value), by a write that began before the
//     read ended,
//   - no two forward zones overlap, and
//   - no forward zone contains a backward zone.
// The initial value is a cluster whose write ended before everything.
//
// A write of unknown outcome that nobody read is left out: it need not have happened. One that
// was read has happened, and may end at any time after. Only a value that is written twice and
// read cannot be judged this way: nobody knows which write a read saw.
//
// O(n log n) time for n operations, O(n) memory.

#ifndef NORN_SIM_CONSISTENCY_ZONES_H_
#define NORN_SIM_CONSISTENCY_ZONES_H_

#include <optional>

#include "sim/consistency/finding.h"
#include "sim/consistency/history.h"

namespace norn::consistency {

// Nothing if a value that was read was written twice (or is the initial value, and was written):
// SearchLinearization() can tell then. The history must hold reads and writes only. A witness has
// at most four operations.
std::optional<Finding> CheckZones(const KeyHistory& history);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_ZONES_H_
