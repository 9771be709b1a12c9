// A run as a log for ShiViz (I. Beschastnikh et al., Debugging Distributed Systems, 2016), which
// draws logs with vector clocks as communication graphs: https://bestchai.bitbucket.io/shiviz/.
//
// Two lines for each event: the host ("n3", "client2") and its vector clock as JSON, in which the
// host's own entry rises by one; then the time in seconds and what happened:
//
//   n3 {"client2":7,"n3":41}
//   4.131000 from n1: ReplicaWrite #3f9a10 k7 = {c2-14}
//
// Lost messages have a sender and no receiver. A copy of a message is another receive.

#ifndef NORN_SIM_EXPLAIN_SHIVIZ_H_
#define NORN_SIM_EXPLAIN_SHIVIZ_H_

#include <string>
#include <vector>

#include "sim/run_event.h"

namespace norn::sim {

// For ShiViz's field "log parsing regular expression".
inline constexpr char kShivizExpression[] = R"((?<host>\S*) (?<clock>{.*})\n(?<event>.*))";

// ASCII, whatever the texts: other bytes become \xNN. O(events * hosts).
std::string ToShiviz(const std::vector<RunEvent>& events);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_SHIVIZ_H_
