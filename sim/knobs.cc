#include "sim/knobs.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace norn::sim {

namespace {

// Below it, what a setting may be. Far above what makes sense, and far below what overflows.
constexpr int64_t kMost = int64_t{1} << 50;

// Each calls `see(name, least value, the setting)`.
template <typename Options, typename See>
void VisitNode(Options& node, See&& see) {
  see("node.request_timeout_us", 1, node.request_timeout_us);
  see("node.gossip_interval_us", 1, node.gossip_interval_us);
  see("node.suspect_after_us", 1, node.suspect_after_us);
  see("node.speculate_after_us", 1, node.speculate_after_us);
  see("node.exchange_interval_us", 1, node.exchange_interval_us);
  see("node.exchange_page_entries", 1, node.exchange_page_entries);
  see("node.exchange_page_bytes", 1, node.exchange_page_bytes);
  see("node.exchange_bytes_per_second", 1, node.exchange_bytes_per_second);
  see("node.lease_counters", 1, node.lease_counters);
  see("node.tree_bucket_keys", 1, node.tree_bucket_keys);
  see("node.tree_scrub_interval_us", 0, node.tree_scrub_interval_us);
  see("node.tree_save_after_us", 1, node.tree_save_after_us);
  see("node.tree_scan_bytes_per_second", 1, node.tree_scan_bytes_per_second);
  see("node.requests_in_flight_max", 1, node.requests_in_flight_max);
  see("node.siblings_max", 1, node.siblings_max);
  see("node.hint_bytes_max", 0, node.hint_bytes_max);
  see("node.hint_bytes_per_second", 1, node.hint_bytes_per_second);
  see("node.tombstone_keep_us", 0, node.tombstone_keep_us);
  see("node.tombstone_interval_us", 1, node.tombstone_interval_us);
  see("node.max_clock_skew_us", 1, node.max_clock_skew_us);
  see("node.damage_check_interval_us", 1, node.damage_check_interval_us);
  see("node.digest_above_bytes", 0, node.digest_above_bytes);
  see("node.replica_work_max", 1, node.replica_work_max);
}

template <typename Options, typename See>
void VisitEngine(Options& engine, See&& see) {
  see("engine.memtable_bytes", 1, engine.memtable_bytes);
  see("engine.immutable_memtables_max", 1, engine.immutable_memtables_max);
  see("engine.wal_preallocate_bytes", 0, engine.wal_preallocate_bytes);
  see("engine.block_bytes", 1, engine.block_bytes);
  see("engine.index_partition_bytes", 1, engine.index_partition_bytes);
  see("engine.block_restart_interval", 1, engine.block_restart_interval);
  see("engine.block_cache_bytes", 0, engine.block_cache_bytes);
  see("engine.record_cache_bytes", 0, engine.record_cache_bytes);
  see("engine.level0_tables_to_compact", 1, engine.level0_tables_to_compact);
  see("engine.level0_percent", 1, engine.level0_percent);
  see("engine.level0_tables_max", 1, engine.level0_tables_max);
  see("engine.level1_bytes", 1, engine.level1_bytes);
  see("engine.table_bytes", 1, engine.table_bytes);
  see("engine.compaction_bytes_per_second", 0, engine.compaction_bytes_per_second);
  see("engine.group_prefix_bytes", 0, engine.group_prefix_bytes);
}

// "rare.late_lease": how often of 1000 times.
constexpr char kRare[] = "rare.";
std::string RareKnob(size_t branch) {
  return absl::StrCat(kRare, RareBranchName(static_cast<RareBranch>(branch)));
}

template <typename Config, typename See>
void VisitOthers(Config& config, See&& see) {
  see("network.delay_min_us", 0, config.delay_min_us);
  see("network.delay_max_us", 0, config.delay_max_us);
  see("client.patience_us", 1, config.workload.patience_us);
  see("client.way_min_us", 0, config.workload.way_min_us);
  see("client.way_max_us", 0, config.workload.way_max_us);
  for (size_t i = 0; i < kRareBranchCount; ++i) {
    see(RareKnob(i).c_str(), 0, config.rare[i]);
  }
}

// Sets what has the name, and says what is wrong.
struct Setter {
  const Knob& knob;
  bool found = false;
  std::string wrong = {};
  std::vector<std::string> names = {};

  template <typename Setting>
  void operator()(const char* name, int64_t least, Setting& setting) {
    names.emplace_back(name);
    if (knob.name != name) return;
    found = true;
    const int64_t most =
        sizeof(Setting) < sizeof(int64_t) ? std::numeric_limits<int32_t>::max() : kMost;
    if (knob.value < least || knob.value > most) {
      wrong = absl::StrCat(name, " is ", knob.value, ": it must be ", least, " to ", most);
    } else {
      setting = static_cast<Setting>(knob.value);
    }
  }
};

}  // namespace

std::vector<Knob> KnobsOf(const UniverseConfig& config) {
  std::vector<Knob> knobs;
  const auto take = [&knobs](const char* name, int64_t, const auto& setting) {
    // Sizes that mean "without a bound" have no number of their own here.
    const auto value = static_cast<uint64_t>(setting);
    if (value == 0 && absl::StartsWith(name, kRare)) return;  // nobody asked for it
    knobs.push_back({name, static_cast<int64_t>(std::min<uint64_t>(value, kMost)), kNoNode});
  };
  VisitNode(config.node, take);
  VisitEngine(config.engine, take);
  VisitOthers(config, take);
  for (const auto& [node, engine] : config.own_engine) {
    std::vector<Knob> usual;
    usual.swap(knobs);
    VisitEngine(engine, take);
    std::vector<Knob> own;
    own.swap(knobs);
    knobs.swap(usual);
    for (Knob& knob : own) {
      const bool same = std::any_of(knobs.begin(), knobs.end(), [&knob](const Knob& other) {
        return other.name == knob.name && other.value == knob.value && other.only_node == kNoNode;
      });
      if (same) continue;
      knob.only_node = node;
      knobs.push_back(std::move(knob));
    }
  }
  return knobs;
}

absl::Status SetKnob(const Knob& knob, UniverseConfig* config) {
  Setter setter{knob};
  if (knob.only_node != kNoNode) {
    VisitEngine(config->own_engine.emplace(knob.only_node, config->engine).first->second, setter);
  } else {
    VisitNode(config->node, setter);
    VisitEngine(config->engine, setter);
    VisitOthers(*config, setter);
  }
  if (!setter.found) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", knob.name, "\" is no setting",
                     knob.only_node == kNoNode ? "" : " that one node can have for itself",
                     ": those are ", absl::StrJoin(setter.names, ", ")));
  }
  if (!setter.wrong.empty()) return absl::InvalidArgumentError(setter.wrong);
  return absl::OkStatus();
}

}  // namespace norn::sim
