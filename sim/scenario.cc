#include "sim/scenario.h"

#include <dirent.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "google/protobuf/text_format.h"
#include "sim/environment/environment.h"
#include "sim/environment/file_place.h"
#include "sim/scenario_check.h"
#include "sim/text_proto.h"

namespace norn::sim {

namespace {

constexpr char kSuffix[] = ".textproto";
constexpr int64_t kMilli = 1'000;

std::string NameOf(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (absl::EndsWith(name, kSuffix)) name.resize(name.size() - (sizeof(kSuffix) - 1));
  return name;
}

void TakeCluster(const v1::ScenarioCluster& from, ClusterConfig* cluster) {
  cluster->partitions = from.has_partitions() ? from.partitions() : 16;
  const uint32_t nodes = from.has_nodes() ? from.nodes() : 3;
  const uint32_t zones = from.has_zones() ? from.zones() : 3;
  for (uint32_t i = 1; i <= nodes; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i);
    member.address = absl::StrCat("n", i);
    member.zone = absl::StrCat("z", i % std::max(zones, 1u));
    if (from.data_centers() > 1) {
      member.data_center = absl::StrCat("d", 1 + (i - 1) * from.data_centers() / nodes);
    }
    cluster->members.push_back(std::move(member));
  }
  BucketConfig& bucket = cluster->buckets.front();
  if (from.has_n()) bucket.n = static_cast<int>(from.n());
  if (from.has_r()) bucket.r = static_cast<int>(from.r());
  if (from.has_w()) bucket.w = static_cast<int>(from.w());
  if (from.has_r_min()) bucket.r_min = static_cast<int>(from.r_min());
  if (from.has_w_min()) bucket.w_min = static_cast<int>(from.w_min());
  bucket.sloppy = from.sloppy();
  bucket.prune_entries_above = from.prune_entries_above();
  AddLastWriterBucket(cluster);
}

int64_t Micros(uint64_t milliseconds) { return static_cast<int64_t>(milliseconds) * kMilli; }

void TakeNode(const v1::ScenarioNode& from, NodeOptions* node) {
  if (from.has_siblings_max()) node->siblings_max = from.siblings_max();
  if (from.has_requests_in_flight_max()) {
    node->requests_in_flight_max = from.requests_in_flight_max();
  }
  if (from.has_request_timeout_ms()) node->request_timeout_us = Micros(from.request_timeout_ms());
  if (from.has_gossip_interval_ms()) node->gossip_interval_us = Micros(from.gossip_interval_ms());
  if (from.has_suspect_after_ms()) node->suspect_after_us = Micros(from.suspect_after_ms());
  if (from.has_speculate_after_ms()) node->speculate_after_us = Micros(from.speculate_after_ms());
  if (from.has_replica_work_max()) node->replica_work_max = from.replica_work_max();
  if (from.has_digest_above_bytes()) node->digest_above_bytes = from.digest_above_bytes();
  if (from.has_exchange_interval_ms()) {
    node->exchange_interval_us = Micros(from.exchange_interval_ms());
  }
  if (from.has_exchange_page_entries()) node->exchange_page_entries = from.exchange_page_entries();
  if (from.has_exchange_page_bytes()) node->exchange_page_bytes = from.exchange_page_bytes();
  if (from.has_lease_counters()) node->lease_counters = from.lease_counters();
  if (from.has_hint_bytes_max()) node->hint_bytes_max = from.hint_bytes_max();
  if (from.has_hint_bytes_per_second()) node->hint_bytes_per_second = from.hint_bytes_per_second();
  if (from.has_max_clock_skew_ms()) node->max_clock_skew_us = Micros(from.max_clock_skew_ms());
  if (from.has_tombstone_keep_ms()) node->tombstone_keep_us = Micros(from.tombstone_keep_ms());
  if (from.has_tombstone_interval_ms()) {
    node->tombstone_interval_us = Micros(from.tombstone_interval_ms());
  }
}

// It is scripted or described, and has nothing of the other.
absl::Status CheckKind(const Scenario& scenario, const FilePlace::Tree& tree) {
  const v1::Scenario& script = scenario.script;
  const FilePlace place(scenario.path, &tree, v1::Scenario::descriptor());
  if (script.description().empty()) {
    return place.Wrong("no description: say in one line what is staged");
  }
  if (script.has_workload() && script.step_size() > 0) {
    return place.Wrong("step",
                       "a step beside a workload: a scenario is scripted, by steps, or described, "
                       "by workload, phases and faults",
                       0);
  }
  if (script.has_workload() && script.has_expect_violation_until()) {
    return place.Wrong("expect_violation_until", "expect_violation_until is for scripted runs");
  }
  if (script.has_workload()) return absl::OkStatus();
  const struct {
    const char* field;
    bool there;
  } described[] = {{"link", script.link_size() > 0},
                   {"phases", script.has_phases()},
                   {"fault", script.fault_size() > 0},
                   {"faults", script.has_faults()},
                   {"knob", script.knob_size() > 0}};
  for (const auto& [field, there] : described) {
    if (!there) continue;
    return place.Wrong(
        field, absl::StrCat(field, " is for described runs: add workload { }, or use steps"), 0);
  }
  if (script.cluster().data_center_size() > 0) {
    return place.In("cluster").Wrong("data_center",
                                     "data_center is for described runs: add "
                                     "workload { }, or write nodes and zones",
                                     0);
  }
  const uint32_t nodes = script.cluster().has_nodes() ? script.cluster().nodes() : 3;
  if (script.cluster().data_centers() > nodes) {
    return place.In("cluster").Wrong(
        "data_centers", absl::StrCat("data_centers is ", script.cluster().data_centers(),
                                     ": there are ", nodes, " nodes, and each center has some"));
  }
  return absl::OkStatus();
}

// Of a script that is right in all else.
absl::Status CheckClaims(const Scenario& scenario, const FilePlace::Tree& tree) {
  const FilePlace place(scenario.path, &tree, v1::Scenario::descriptor());
  for (int i = 0; i < scenario.script.claim_size(); ++i) {
    const std::string& name = scenario.script.claim(i);
    const std::optional<Claim> claim = ClaimOfName(name);
    if (!claim.has_value()) return place.Wrong("claim", UnknownClaim(name), i);
    const std::string why = WhyNot(*claim, scenario.Config());
    if (why.empty()) continue;
    return place.Wrong("claim", absl::StrCat(name, " cannot be claimed here: ", why), i);
  }
  return absl::OkStatus();
}

}  // namespace

std::string Scenario::Where(size_t step) const { return absl::StrCat(path, ":", lines[step]); }

UniverseConfig Scenario::Config() const {
  UniverseConfig config;
  SetUsualOptions(&config);
  TakeCluster(script.cluster(), &config.cluster);
  TakeNode(script.node(), &config.node);
  const v1::ScenarioStorage& storage = script.storage();
  if (storage.has_memtable_bytes()) config.engine.memtable_bytes = storage.memtable_bytes();
  if (storage.has_block_cache_bytes()) {
    config.engine.block_cache_bytes = storage.block_cache_bytes();
  }
  if (storage.has_record_cache_bytes()) {
    config.engine.record_cache_bytes = storage.record_cache_bytes();
  }
  if (storage.has_page_cache()) config.page_cache = storage.page_cache();
  config.delay_min_us = 200;
  config.delay_max_us = 1'000;
  config.workload.clients = 0;
  config.workload.keys = 0;
  config.workload.patience_us = 10'000 * kMilli;
  config.workload.n = config.bucket().n;
  config.workload.r = config.bucket().r;
  config.workload.w = config.bucket().w;
  for (const std::string& written : script.claim()) {
    if (const std::optional<Claim> claim = ClaimOfName(written)) config.claims.insert(*claim);
  }
  return config;
}

absl::StatusOr<std::shared_ptr<const Scenario>> ParseScenario(absl::string_view text,
                                                              const std::string& path) {
  auto scenario = std::make_shared<Scenario>();
  scenario->name = NameOf(path);
  scenario->path = path;
  google::protobuf::TextFormat::ParseInfoTree tree;
  absl::Status parsed = ParseTextProto(text, path, "sim/scenario.proto", &scenario->script, &tree);
  if (!parsed.ok()) return parsed;
  const auto* const steps = v1::Scenario::descriptor()->FindFieldByName("step");
  CORE_CHECK(steps != nullptr);
  for (int i = 0; i < scenario->script.step_size(); ++i) {
    scenario->lines.push_back(tree.GetLocation(steps, i).line + 1);
  }
  if (absl::Status status = CheckKind(*scenario, tree); !status.ok()) return status;
  if (scenario->script.has_workload()) {
    auto environment = MakeEnvironment(*scenario, tree);
    if (!environment.ok()) return environment.status();
    scenario->environment = *std::move(environment);
  } else if (absl::Status status = CheckScenario(*scenario); !status.ok()) {
    return status;
  } else if (absl::Status claims = CheckClaims(*scenario, tree); !claims.ok()) {
    return claims;
  }
  return std::shared_ptr<const Scenario>(std::move(scenario));
}

absl::StatusOr<std::shared_ptr<const Scenario>> LoadScenario(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "scenario");
  if (!text.ok()) return text.status();
  return ParseScenario(*text, path);
}

absl::StatusOr<std::vector<std::shared_ptr<const Scenario>>> LoadScenarios(const std::string& dir) {
  DIR* const folder = opendir(dir.c_str());
  if (folder == nullptr) {
    return absl::NotFoundError(absl::StrCat(dir, ": no such folder of scenarios"));
  }
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (absl::EndsWith(name, kSuffix)) names.push_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  std::vector<std::shared_ptr<const Scenario>> scenarios;
  for (const std::string& name : names) {
    auto scenario = LoadScenario(absl::StrCat(dir, "/", name));
    if (!scenario.ok()) return scenario.status();
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

}  // namespace norn::sim
