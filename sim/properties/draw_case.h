// Draws cases of a shape: valid by construction, and such that their faults take effect more often
// than not.
//
// A case begins with a quiet third of a second. Then clients ask, and faults come and go while they
// do, and for a while after. Runs are short, a second or three of virtual time, so that a property
// is tried a hundred times in seconds; bugs that need longer are what `norn-sim run` is for.

#ifndef NORN_SIM_PROPERTIES_DRAW_CASE_H_
#define NORN_SIM_PROPERTIES_DRAW_CASE_H_

#include "core/random.h"
#include "sim/case.pb.h"
#include "sim/properties/case_shape.h"

namespace norn::sim {

inline constexpr int kSizeMost = 100;

// `size`, from 0 to kSizeMost, is how far ranges of operations and faults are used: small cases
// come first, since they are faster and say more. The shape has no contradiction
// (FindContradiction). The same random numbers make the same case. O(operations + faults).
v1::Case DrawCase(Random& random, const CaseShape& shape, int size);

// The same with all but the faults, or all but the clients' operations, as `base` has it; of the
// shape only `faults` or `workload` count. `until_us` moves if it must.
v1::Case DrawFaults(Random& random, const v1::Case& base, const FaultShape& shape, int size);
v1::Case DrawWorkload(Random& random, const v1::Case& base, const WorkloadShape& shape, int size);

// Settings that only one node has, where its disk is to be ill: without, it would hardly ever be
// read, or full. Replaces those that are there.
void SetUpIllDisks(v1::Case* written);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_DRAW_CASE_H_
