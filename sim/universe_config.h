// What a run is made of before anything happens: the cluster, its nodes and engines, the
// network's delays, the clients. Drawn from the seed, or given by a scenario.

#ifndef NORN_SIM_UNIVERSE_CONFIG_H_
#define NORN_SIM_UNIVERSE_CONFIG_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/random.h"
#include "sim/claims.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"
#include "sim/rare_draw.h"
#include "sim/run_options.h"
#include "sim/sim_network.h"
#include "sim/workload.h"
#include "storage/engine.h"

namespace norn::sim {

struct UniverseConfig {
  ClusterConfig cluster;
  NodeOptions node;                                     // without its id
  storage::EngineOptions engine;                        // without its owner
  std::map<NodeId, storage::EngineOptions> own_engine;  // of nodes that have another
  bool page_cache = true;                               // else every read asks the disk
  int64_t delay_min_us = 0;                             // of a message on a healthy network
  int64_t delay_max_us = 0;
  std::vector<LinkDelay> links;  // between nodes, where it is another
  WorkloadOptions workload;
  RareShares rare{};       // of branches that are forced until the healing phase
  int64_t healing_us = 0;  // the bound of the healing phase; 0: derived from the exchange
  std::set<Claim> claims;  // that are judged; empty: all that can be claimed

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

// Nodes whose disks fall ill keep less in memory, so that the faults are met.
void AdaptEngines(const std::vector<Fault>& plan, UniverseConfig* config);

// The members of each zone, zones by name.
std::vector<std::vector<NodeId>> ZonesOf(const ClusterConfig& cluster);

// What a drawn configuration needs so that the plan's faults can take effect.
void AdaptToFaults(const std::vector<Fault>& plan, UniverseConfig* config);

// "7 nodes in 3 zones, 32 partitions, N=3 R=1..3 W=2..3, 12 keys, ...": for verdict lines.
std::string ToString(const UniverseConfig& config);

}  // namespace norn::sim

#endif  // NORN_SIM_UNIVERSE_CONFIG_H_
