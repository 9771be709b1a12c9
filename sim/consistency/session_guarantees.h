// The four session guarantees of registers: read your writes, monotonic reads, monotonic writes,
// writes follow reads (Terry et al., "Session Guarantees for Weakly Consistent Replicated Data",
// PDIS 1994).
//
// They speak of an order of a key's values, which a history does not show. So the check is: is
// there any one order of the values of a key, the initial value first, such that each process,
// in the order of its own operations, meets values that never go back?
//   wrote a, then read b     a is b or before it     read your writes
//   read a, then read b      a is b or before it     monotonic reads
//   wrote a, then wrote b    a before b              monotonic writes
//   read a, then wrote b     a before b              writes follow reads
// There is one if and only if these demands have no cycle. Also, every value read was written, by
// a write that had begun before the read ended.
//
// What it needs: reads and writes of single values; each value written at most once to a key
// (otherwise kUnknown, if it was read); a process is a session, with one operation at a time. What
// it does not need: clocks, or any order between operations of different processes. What it does
// not claim: anything across keys, or of the order in which writes of unknown outcome of a session
// take effect among what the session does afterwards.
//
// O(n log n) time for n operations, O(n) memory.

#ifndef NORN_SIM_CONSISTENCY_SESSION_GUARANTEES_H_
#define NORN_SIM_CONSISTENCY_SESSION_GUARANTEES_H_

#include "sim/consistency/finding.h"
#include "sim/consistency/history.h"

namespace norn::consistency {

// The witness is a short cycle: two operations for each demand in it.
Finding CheckSessionGuarantees(const KeyHistory& history);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_SESSION_GUARANTEES_H_
