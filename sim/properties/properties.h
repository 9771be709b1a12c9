// Property tests of a cluster under faults, with GoogleTest and RapidCheck.
//
// A property is a guarantee in your words, tried on a hundred small cases: a cluster, clients and
// what goes wrong. If it fails, RapidCheck shrinks the case, and the test prints what is left, and
// how to replay it; a page that draws it lies beside it.
//
//   TEST(Sessions, ReadYourWrites) {
//     CaseShape shape;
//     shape.topology.quorums = Quorums::kOverlap;
//     EXPECT_TRUE(Holds("clients read their own writes", Cases(shape), [](const Outcome& run) {
//       for (const auto& session : Sessions(run)) {
//         ...
//         RC_ASSERT(run.Covers(get, put));
//       }
//     }));
//   }
//
//   case_shape.h    what may be drawn: nodes, quorums, operations, kinds of faults
//   generators.h    Cases(shape); CasesWithFaults(base, ...): only the faults vary
//   outcome.h       the history, what replicas hold, the verdict; Perform() for RC_GTEST_PROP
//   holds.h         Holds(), Check()
//
// README.md here is a guide; properties_test.cc has whole examples.
//
// Every run is a child process, so that one that crashes or hangs is an outcome. One thread.

#ifndef NORN_SIM_PROPERTIES_PROPERTIES_H_
#define NORN_SIM_PROPERTIES_PROPERTIES_H_

#include "sim/properties/case_shape.h"
#include "sim/properties/generators.h"
#include "sim/properties/holds.h"
#include "sim/properties/outcome.h"

#endif  // NORN_SIM_PROPERTIES_PROPERTIES_H_
