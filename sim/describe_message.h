// A message in one short line, for traces: "ReplicaWrite #3f9a10 k7 = {c2-14, deleted}".

#ifndef NORN_SIM_DESCRIBE_MESSAGE_H_
#define NORN_SIM_DESCRIBE_MESSAGE_H_

#include <string>

#include "core/messages.h"

namespace norn::sim {

// Type, request, key, and what matters of the rest: outcome, values by their names.
std::string DescribeMessage(const Message& message);

}  // namespace norn::sim

#endif  // NORN_SIM_DESCRIBE_MESSAGE_H_
