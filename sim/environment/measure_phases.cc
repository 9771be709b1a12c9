#include "sim/environment/measure_phases.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;

void Count(const Operation& operation, PhaseStats* stats) {
  const bool get = operation.kind == ClientRequest::Kind::kGet;
  RequestStats& to = get ? stats->gets : stats->writes;
  ++to.requests;
  if (operation.completed_us == kNever) ++to.unanswered;
  if (!operation.ok()) return;
  ++to.ok;
  to.latencies.Add(operation.completed_us - operation.due_us);
}

}  // namespace

RunPhases MeasurePhases(const History& history, const PhaseTimes& times) {
  RunPhases measured;
  for (const char* const name : {"before", "during", "after"}) {
    measured.phases.push_back({name, {}, {}});
  }
  for (const Operation& operation : history.operations) {
    if (operation.client == 0) continue;
    const size_t phase = operation.due_us < times.faults_from_us    ? 0
                         : operation.due_us < times.faults_until_us ? 1
                                                                    : 2;
    if (operation.due_us >= times.from_us) Count(operation, &measured.phases[phase]);
    const auto second = static_cast<size_t>(operation.due_us / kSecond);
    while (measured.seconds.size() <= second) {
      measured.seconds.push_back({absl::StrCat(measured.seconds.size()), {}, {}});
    }
    Count(operation, &measured.seconds[second]);
  }
  return measured;
}

}  // namespace norn::sim
