// Draws one fault for a case.

#ifndef NORN_SIM_PROPERTIES_DRAW_FAULTS_H_
#define NORN_SIM_PROPERTIES_DRAW_FAULTS_H_

#include <cstdint>

#include "core/random.h"
#include "sim/case.pb.h"
#include "sim/properties/case_shape.h"

namespace norn::sim {

struct FaultRoom {
  int64_t begin_us = 0;
  int64_t end_us = 0;   // by then it has begun
  bool clocks = false;  // whether wall clocks may be wrong: not where values expire
};

// Adds a fault of one of the shape's kinds, under this id. None if no kind is applicable.
void DrawFault(Random& random, const FaultShape& shape, const FaultRoom& room, uint64_t id,
               v1::Case* written);

}  // namespace norn::sim

#endif  // NORN_SIM_PROPERTIES_DRAW_FAULTS_H_
