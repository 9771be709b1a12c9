// What a run is told before it begins.

#ifndef NORN_SIM_RUN_OPTIONS_H_
#define NORN_SIM_RUN_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sim/fault_kinds.h"
#include "sim/rare_draw.h"

namespace norn::v1 {
class CaseReport;
}

namespace norn::sim {

struct Case;
struct Scenario;

struct RunOptions {
  uint64_t seed = 1;
  int nodes = 5;
  // Of Norn's store alone: replicas and quorums, sloppy ones, a script.
  int n = 3;
  int r = 2;
  int w = 2;
  bool random_config = false;  // the four above are drawn from the seed instead, and so are
                               // the number of zones and the least R and W of a request
  bool sloppy = false;         // stand-ins count, in both buckets; claims that need R + W > N
                               // are off
  bool wipes = false;          // faults may destroy a disk, or bring back an older copy of it
  FaultChoice faults;          // what may be drawn
  RareChoice rare = RareChoice::kSome;
  // A script instead of drawn configurations, faults and clients. Its options win.
  std::shared_ptr<const Scenario> scenario;
  // Of other protocols: their own settings by name (sim/protocol.h), where they are not the usual.
  std::map<std::string, int64_t> settings;
  // What was written down instead of what the seed gives; everything above is ignored.
  std::shared_ptr<const Case> replay;
  // Hears, piece by piece, what the run would be written down as, and at its end what came of
  // it. May be null; not of a scenario, which is a script already.
  std::function<void(const v1::CaseReport& piece)> recorder;
  bool record_events = false;  // and of everything that happens (CaseReport::event)
  // And, at the end, of all that clients did and saw (CaseReport::history). Norn's store alone.
  bool record_history = false;
};

}  // namespace norn::sim

#endif  // NORN_SIM_RUN_OPTIONS_H_
