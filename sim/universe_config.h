// What a run is made of before anything happens: the cluster, its nodes and engines, the
// network's delays, the clients. Drawn from the seed, or given by a scenario.

#ifndef NORN_SIM_UNIVERSE_CONFIG_H_
#define NORN_SIM_UNIVERSE_CONFIG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/random.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"
#include "sim/rare_draw.h"
#include "sim/workload.h"
#include "storage/engine.h"

namespace norn::v1 {
class CaseReport;
}

namespace norn::sim {

struct Case;
struct Scenario;

struct RunOptions {
  uint64_t seed = 1;
  int nodes = 5;
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
  // What was written down instead of what the seed gives; everything above is ignored.
  std::shared_ptr<const Case> replay;
  // Hears, piece by piece, what the run would be written down as, and at its end what came of
  // it. May be null; not of a scenario, which is a script already.
  std::function<void(const v1::CaseReport& piece)> recorder;
  bool record_events = false;  // and of everything that happens (CaseReport::event)
};

struct UniverseConfig {
  ClusterConfig cluster;
  NodeOptions node;                                     // without its id
  storage::EngineOptions engine;                        // without its owner
  std::map<NodeId, storage::EngineOptions> own_engine;  // of nodes that have another
  bool page_cache = true;                               // else every read asks the disk
  int64_t delay_min_us = 0;                             // of a message on a healthy network
  int64_t delay_max_us = 0;
  WorkloadOptions workload;
  RareShares rare{};  // of branches that are forced until the healing phase

  const BucketConfig& bucket() const { return cluster.buckets.front(); }
  // Whether every read that is allowed meets every write that is allowed.
  bool overlapping() const {
    return !bucket().sloppy && bucket().RMin() + bucket().WMin() > bucket().n;
  }
  // Whether contexts forget what they have covered, so that replaced values may come back.
  bool pruning() const { return bucket().prune_entries_above != 0; }
};

// The second bucket of every universe (kLwwBucket): as the first, but the last writer wins.
void AddLastWriterBucket(ClusterConfig* cluster);

// Before what a run sets, or a case names as a knob: the defaults of nodes, and an engine that
// neither waits for its background work nor takes much memory.
void SetUsualOptions(UniverseConfig* config);
// The workload's levels are those of the bucket.
void TakeLevels(const BucketConfig& bucket, WorkloadOptions* workload);

// 3 to 9 nodes, N 1 to 5, any R and W with `random_config`; otherwise what the options say.
UniverseConfig DrawUniverseConfig(KeyedSeed seed, const RunOptions& options);

// The members of each zone, zones by name.
std::vector<std::vector<NodeId>> ZonesOf(const ClusterConfig& cluster);

// What a drawn configuration needs so that the plan's faults can take effect.
void AdaptToFaults(const std::vector<Fault>& plan, UniverseConfig* config);

// "7 nodes in 3 zones, 32 partitions, N=3 R=1..3 W=2..3, 12 keys, ...": for verdict lines.
std::string ToString(const UniverseConfig& config);

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_CONFIG_H_
