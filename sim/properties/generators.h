// RapidCheck generators of cases. The values shrink to smaller cases of the same shape
// (sim/properties/smaller_cases.h); RC_PARAMS="seed=5 max_success=1000" works as with any other
// generator, and so do gen::suchThat, gen::map and gen::oneOf.
//
// A failing property prints the case as the file that `norn-sim replay` takes.

#ifndef NORN_SIM_PROPERTIES_GENERATORS_H_
#define NORN_SIM_PROPERTIES_GENERATORS_H_

#include <iosfwd>

#include "rapidcheck.h"
#include "sim/case.pb.h"
#include "sim/properties/case_shape.h"

namespace norn::v1 {

// As RapidCheck prints it.
void showValue(const Case& written, std::ostream& out);

}  // namespace norn::v1

namespace norn::sim {

// Topology, workload and faults are drawn, and shrink. A shape with a contradiction makes the
// property fail with what is impossible.
rc::Gen<v1::Case> Cases(const CaseShape& shape);

// The cluster and its clients are those of `base`, and stay so; faults are drawn, and shrink. Those
// of `base` are left out.
rc::Gen<v1::Case> CasesWithFaults(const v1::Case& base, const FaultShape& faults);

// The cluster and the faults are those of `base`.
rc::Gen<v1::Case> CasesWithWorkload(const v1::Case& base, const WorkloadShape& workload);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_GENERATORS_H_
