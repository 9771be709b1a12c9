// Linearizability of a register with reads, writes and compare-and-set, by search.
//
// Wing & Gong, "Testing and Verifying Concurrent Objects" (1993), with Lowe's memory of
// configurations ("Testing for Linearizability", 2017): take any operation that has begun before
// the first end of those not yet taken, let it act on the register, go on; go back where nothing
// fits; never enter a configuration (what was taken, the register's value) twice. In addition:
//   - an open read that fits the value is taken at once: it can only get in the way later;
//   - writes of unknown outcome whose values nobody saw are left out, and of those that are alike
//     the oldest is taken first;
//   - what was taken is remembered as the first end not taken and a bit for each operation open
//     then, so that a configuration is as large as the concurrency, however long the history.
//
// Finding out is NP-complete (Gibbons & Korach), so the search has a limit, after which the
// verdict is kUnknown. Time and memory grow with the configurations: for valid histories about
// one for each operation, for others exponentially with how many operations are open at once.

#ifndef NORN_SIM_CONSISTENCY_LINEARIZATION_H_
#define NORN_SIM_CONSISTENCY_LINEARIZATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/consistency/finding.h"
#include "sim/consistency/history.h"

namespace norn::consistency {

inline constexpr uint64_t kConfigurationsMax = 5'000'000;

struct Search {
  Verdict verdict = Verdict::kValid;
  uint64_t configurations = 0;  // that were entered
  int64_t stuck_at = 0;  // kViolated: the end (a position) that no order of operations can pass
};

// Whether the operations, in order of their calls, can be put in an order. Those that are not kOk
// may be taken if they write, and need not.
Search SearchLinearization(const std::vector<Operation>& operations, uint64_t configurations_max);

// Checks a key, with a witness from which no operation can be left out (unless the limit was
// reached while looking for it): each must have been answered as it was for the contradiction,
// even if every other write took effect at any time after its call, or never.
Finding CheckLinearization(const KeyHistory& history, uint64_t configurations_max);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_LINEARIZATION_H_
