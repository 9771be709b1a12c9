#include "sim/universe_config.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/history.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int kKeysPerIllNode = 20;

struct Shape {
  int nodes = 0;
  int zones = 3;
  BucketConfig bucket;
};

Shape DrawShape(Random& random, const RunOptions& options) {
  Shape shape;
  shape.nodes = options.nodes;
  shape.bucket.n = options.n;
  shape.bucket.r = options.r;
  shape.bucket.w = options.w;
  shape.bucket.sloppy = options.sloppy;
  if (!options.random_config) return shape;
  shape.nodes = static_cast<int>(random.Between(3, 9));
  shape.zones = static_cast<int>(random.Between(1, 4));
  BucketConfig& bucket = shape.bucket;
  bucket.n = static_cast<int>(random.Between(1, std::min(5, shape.nodes)));
  bucket.r = static_cast<int>(random.Between(1, bucket.n));
  bucket.w = static_cast<int>(random.Between(1, bucket.n));
  // Now and then requests may ask for less than the bucket does.
  if (random.Chance(1, 3)) bucket.r_min = static_cast<int>(random.Between(1, bucket.r));
  if (random.Chance(1, 3)) bucket.w_min = static_cast<int>(random.Between(1, bucket.w));
  return shape;
}

ClusterConfig DrawCluster(Random& random, const Shape& shape) {
  ClusterConfig cluster;
  cluster.name = "sim";
  cluster.secret = "a simulated secret";
  cluster.partitions = uint32_t{16} << random.Below(3);
  for (int i = 1; i <= shape.nodes; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i);
    member.address = absl::StrCat("n", i);
    member.zone = absl::StrCat("z", i % shape.zones);
    cluster.members.push_back(std::move(member));
  }
  cluster.buckets.front() = shape.bucket;
  AddLastWriterBucket(&cluster);
  return cluster;
}

NodeOptions DrawNodeOptions(Random& random, const RunOptions& options) {
  NodeOptions node;
  node.request_timeout_us = random.Between(kSecond, 3 * kSecond);
  node.gossip_interval_us = random.Between(50'000, 300'000);
  node.suspect_after_us = random.Between(3, 10) * node.gossip_interval_us;
  node.speculate_after_us = random.Between(2'000, 50'000);
  node.exchange_interval_us = random.Between(20'000, 300'000);
  node.exchange_page_entries = 1 + random.Below(8);
  node.exchange_page_bytes = 64 + random.Below(16'384);
  node.lease_counters = 2 + random.Below(64);
  // Few keys a bucket, so that few keys make deep trees.
  node.tree_bucket_keys = 1 + random.Below(4);
  node.tree_scrub_interval_us = random.Between(20'000, 300'000);
  node.tree_save_after_us = random.Between(5'000, 200'000);
  node.tree_scan_bytes_per_second = 50'000 + random.Below(1'000'000);
  node.exchange_bytes_per_second = 100'000 + random.Below(10'000'000);
  if (options.random_config && random.Chance(1, 4)) {
    node.requests_in_flight_max = 1 + random.Below(4);
  }
  if (options.random_config) {
    // A stream of its own: what a seed draws besides stays as it was before there were digests.
    Random digests(SplitMix64(options.seed + 0x646967657374));
    const bool of_some = digests.Chance(1, 2);  // records here have some 50 to 300 bytes
    if (digests.Chance(1, 3)) node.replica_work_max = 1 + digests.Below(4);
    node.digest_above_bytes = digests.Chance(1, 4) ? 0 : 1 + digests.Below(of_some ? 150 : 20);
  }
  return node;
}

storage::EngineOptions DrawEngineOptions(Random& random) {
  storage::EngineOptions engine;
  engine.dir = "/data";
  engine.memtable_bytes = 2'000 + random.Below(30'000);
  engine.immutable_memtables_max = static_cast<int>(random.Between(1, 4));
  engine.wal_preallocate_bytes = 64 << 10;
  engine.block_bytes = 256 + random.Below(2'048);
  engine.block_restart_interval = static_cast<int>(random.Between(1, 16));
  engine.block_cache_bytes = random.Below(16'384);
  engine.record_cache_bytes = random.Chance(1, 3) ? 0 : random.Below(8'192);
  engine.level0_tables_to_compact = static_cast<int>(random.Between(2, 4));
  engine.level0_percent = static_cast<int>(random.Between(1, 100));
  engine.level0_tables_max = static_cast<int>(random.Between(4, 10));
  engine.level1_bytes = 20'000 + random.Below(60'000);
  engine.table_bytes = 4'000 + random.Below(16'000);
  engine.group_prefix_bytes = storage::kPartitionPrefixBytes;
  engine.index_partition_bytes = engine.block_bytes / 4;  // tables are small here
  return engine;
}

// What hints may take, and how eagerly tombstones are removed.
void DrawUpkeep(Random& random, NodeOptions* node) {
  node->hint_bytes_max = random.Chance(1, 4) ? random.Below(8'000) + 1 : 1u << 20;
  node->hint_bytes_per_second = 10'000 + random.Below(1'000'000);
  node->tombstone_keep_us = random.Chance(1, 2) ? 0 : random.Between(0, 1'000'000);
  node->tombstone_interval_us = random.Between(20'000, 500'000);
  if (random.Chance(1, 4)) node->replica_work_max = static_cast<size_t>(random.Between(4, 64));
}

bool AnyOf(const std::vector<Fault>& plan, FaultKind kind) {
  return std::any_of(plan.begin(), plan.end(),
                     [kind](const Fault& fault) { return fault.kind == kind; });
}

WorkloadOptions DrawWorkload(Random& random, const BucketConfig& bucket) {
  WorkloadOptions workload;
  workload.clients = static_cast<int>(random.Between(3, 8));
  workload.keys = static_cast<int>(random.Between(4, 40));
  TakeLevels(bucket, &workload);
  return workload;
}

std::string Levels(int least, int usual) {
  return least == usual ? absl::StrCat(usual) : absl::StrCat(usual, " (at least ", least, ")");
}

}  // namespace

void AddLastWriterBucket(ClusterConfig* cluster) {
  BucketConfig last = cluster->buckets.front();
  last.id = kLwwBucket;
  last.name = "last";
  last.conflicts = ConflictPolicy::kLww;
  cluster->buckets.push_back(std::move(last));
}

void SetUsualOptions(UniverseConfig* config) {
  config->cluster.name = "sim";
  config->cluster.secret = "a simulated secret";
  config->engine.dir = "/data";
  config->engine.wal_preallocate_bytes = 64 << 10;
  config->engine.memtable_bytes = 1 << 20;
  config->engine.immutable_memtables_max = 64;
}

void TakeLevels(const BucketConfig& bucket, WorkloadOptions* workload) {
  workload->n = bucket.n;
  workload->r = bucket.r;
  workload->w = bucket.w;
  workload->r_min = bucket.RMin();
  workload->w_min = bucket.WMin();
}

std::vector<std::vector<NodeId>> ZonesOf(const ClusterConfig& cluster) {
  std::map<std::string, std::vector<NodeId>> members;
  for (const MemberConfig& member : cluster.members) members[member.zone].push_back(member.id);
  std::vector<std::vector<NodeId>> zones;
  for (auto& [zone, of_zone] : members) zones.push_back(std::move(of_zone));
  return zones;
}

void AdaptEngines(const std::vector<Fault>& plan, UniverseConfig* config) {
  for (const Fault& fault : plan) {
    if (!OfDisk(fault.kind)) continue;
    storage::EngineOptions& engine =
        config->own_engine.emplace(fault.nodes.front(), config->engine).first->second;
    engine.memtable_bytes = std::min<size_t>(engine.memtable_bytes, 1'000);
    engine.block_cache_bytes = 0;
    engine.record_cache_bytes = 0;
    engine.wal_preallocate_bytes = 512;  // nor room in advance, to be full
  }
}

void AdaptToFaults(const std::vector<Fault>& plan, UniverseConfig* config) {
  // What has expired is judged by one clock for all.
  if (AnyOf(plan, FaultKind::kClockJump) || AnyOf(plan, FaultKind::kClockDrift)) {
    config->workload.ttl_per_mille = 0;
  }
  AdaptEngines(plan, config);
  const bool ill =
      std::any_of(plan.begin(), plan.end(), [](const Fault& fault) { return OfDisk(fault.kind); });
  // With fewer keys, an ill disk might be that of a node that has hardly any of them.
  if (ill || AnyOf(plan, FaultKind::kStalledDisk) || AnyOf(plan, FaultKind::kTornWrite)) {
    const auto nodes = static_cast<int>(config->cluster.members.size());
    const int enough = kKeysPerIllNode * nodes / config->bucket().n;
    config->workload.keys = std::max(config->workload.keys, enough);
  }
}

UniverseConfig DrawUniverseConfig(KeyedSeed seed, const RunOptions& options) {
  Random random = seed.With("configuration").Stream();
  Random upkeep = seed.With("upkeep").Stream();
  UniverseConfig config;
  const Shape shape = DrawShape(random, options);
  config.cluster = DrawCluster(random, shape);
  config.node = DrawNodeOptions(random, options);
  config.engine = DrawEngineOptions(random);
  config.delay_min_us = random.Between(50, 500);
  config.delay_max_us = config.delay_min_us + random.Between(100, 5'000);
  config.workload = DrawWorkload(random, shape.bucket);
  // Few kilobytes a second: compactions are small here.
  if (random.Chance(1, 3))
    config.engine.compaction_bytes_per_second = 2'000 + random.Below(100'000);
  DrawUpkeep(upkeep, &config.node);
  config.rare = DrawRareShares(seed.With("rare branches"), options.rare);
  return config;
}

std::string ToString(const UniverseConfig& config) {
  std::set<std::string> zones, data_centers;
  for (const MemberConfig& member : config.cluster.members) {
    zones.insert(member.zone);
    data_centers.insert(member.data_center);
  }
  const BucketConfig& bucket = config.bucket();
  const storage::EngineOptions& engine = config.engine;
  const std::string rare = ToString(config.rare);
  return absl::StrCat(
      config.cluster.members.size(), " nodes in ", zones.size(), " zones",
      data_centers.size() > 1 ? absl::StrCat(" of ", data_centers.size(), " data centers") : "",
      ", ", config.cluster.partitions, " partitions, N=", bucket.n,
      " R=", Levels(bucket.RMin(), bucket.r), " W=", Levels(bucket.WMin(), bucket.w),
      bucket.sloppy ? ", sloppy, " : ", ", config.workload.clients, " clients, ",
      config.workload.keys, " keys, request timeout ", config.node.request_timeout_us / 1000,
      " ms, suspicion after ", config.node.suspect_after_us / 1000, " ms, exchange every ",
      config.node.exchange_interval_us / 1000, " ms in pages of ",
      config.node.exchange_page_entries, ", leases of ", config.node.lease_counters,
      ", digests of more than ", config.node.digest_above_bytes, " bytes, memtables of ",
      engine.memtable_bytes, " bytes, record cache ", engine.record_cache_bytes,
      ", compactions of ",
      engine.compaction_bytes_per_second == 0 ? "any"
                                              : absl::StrCat(engine.compaction_bytes_per_second),
      " bytes/s", rare.empty() ? "" : ", rare branches: ", rare);
}

}  // namespace norn::sim
