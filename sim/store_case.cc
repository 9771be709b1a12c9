#include "sim/store_case.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/ring/layout.h"
#include "sim/claims.h"
#include "sim/history.h"
#include "sim/knobs.h"
#include "sim/levels.h"
#include "sim/store_case_check.h"

namespace norn::sim {

namespace {

void TakeCluster(const v1::Case& written, ClusterConfig* cluster) {
  const v1::CaseBucket& from = written.bucket();
  cluster->partitions = from.partitions();
  for (int i = 0; i < written.node_size(); ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i + 1);
    member.address = absl::StrCat("n", i + 1);
    member.zone = written.node(i).zone();
    member.data_center = written.node(i).data_center();
    cluster->members.push_back(std::move(member));
  }
  BucketConfig& bucket = cluster->buckets.front();
  bucket.n = static_cast<int>(from.n());
  bucket.r = static_cast<int>(from.r());
  bucket.w = static_cast<int>(from.w());
  bucket.r_min = static_cast<int>(from.r_min());
  bucket.w_min = static_cast<int>(from.w_min());
  bucket.sloppy = from.sloppy();
  bucket.prune_entries_above = from.prune_entries_above();
  AddLastWriterBucket(cluster);
}

ScriptedOperation TakeOperation(const v1::CaseOperation& from) {
  ScriptedOperation operation;
  operation.id = from.id();
  operation.at_us = from.at_us();
  operation.client = static_cast<int>(from.client());
  operation.node = static_cast<NodeId>(from.via());
  operation.kind = static_cast<ClientRequest::Kind>(from.kind());
  operation.base = static_cast<ClientRequest::Base>(from.base());
  operation.key = from.key();
  if (!from.value().empty()) {
    operation.value = absl::StrCat(from.value(), " ", std::string(from.pad_bytes(), 'x'));
  }
  operation.quorum = static_cast<int>(from.quorum());
  operation.level = LevelOfName(from.level()).value_or(Level::kNumber);
  operation.ttl_us = from.ttl_us();
  return operation;
}

// The problem with the whole, if there is one; else `*made` is the case.
std::optional<CaseProblem> Make(const v1::Case& written, StoreCase* made) {
  if (!written.protocol().empty()) {
    return CaseProblem{"protocol", -1,
                       absl::StrCat("the case is of the protocol ", written.protocol(),
                                    ": replay it with the program of that protocol")};
  }
  if (auto problem = FindStoreProblem(written)) return problem;
  TakeCommon(written, made);
  made->held_when_down = "on its disk";
  UniverseConfig& config = made->config;
  SetUsualOptions(&config);
  config.delay_min_us = config.delay_max_us = kCaseDelayUs;
  config.workload.way_min_us = config.workload.way_max_us = kCaseWayUs;
  TakeCluster(written, &config.cluster);
  for (const bool own : {false, true}) {
    for (int i = 0; i < written.knob_size(); ++i) {
      const v1::CaseKnob& from = written.knob(i);
      if (own != from.has_only_node()) continue;
      if (own && (from.only_node() < 1 || static_cast<int>(from.only_node()) > written.node_size()))
        return CaseProblem{"knob", i,
                           absl::StrCat("only_node is ", from.only_node(),
                                        ": the cluster has the nodes 1 to ", written.node_size())};
      const absl::Status set =
          SetKnob({from.name(), from.value(), static_cast<NodeId>(from.only_node())}, &config);
      if (!set.ok()) return CaseProblem{"knob", i, std::string(set.message())};
    }
  }
  if (config.delay_min_us > config.delay_max_us ||
      config.workload.way_min_us > config.workload.way_max_us) {
    return CaseProblem{"knob", -1, "the least delay is above the greatest"};
  }
  for (const v1::CaseLink& link : written.link()) {
    config.links.push_back({static_cast<NodeId>(link.from()), static_cast<NodeId>(link.to()),
                            link.delay_min_us(), link.delay_max_us()});
  }
  config.healing_us = written.healing_us();
  for (const std::string& name : written.claim()) config.claims.insert(*ClaimOfName(name));
  NodeOptions first = config.node;
  first.id = 1;
  if (absl::Status valid = Validate(config.cluster, first); !valid.ok()) {
    return CaseProblem{"bucket", -1, std::string(valid.message())};
  }
  TakeLevels(config.bucket(), &config.workload);
  config.workload.clients = 0;
  config.workload.keys = 0;
  for (const v1::CaseOperation& operation : written.operation()) {
    made->script.push_back(TakeOperation(operation));
    config.workload.clients = std::max(config.workload.clients, made->script.back().client);
  }
  std::stable_sort(
      made->script.begin(), made->script.end(),
      [](const ScriptedOperation& a, const ScriptedOperation& b) { return a.at_us < b.at_us; });
  return std::nullopt;
}

}  // namespace

std::vector<NodeId> StoreCase::ReplicasOf(const std::string& key) const {
  const ClusterConfig& cluster = config.cluster;
  const Layout layout = Layout::Build(1, cluster.partitions, config.bucket().n, cluster.members);
  const auto replicas = layout.Replicas(layout.PartitionOf(MakeRecordKey(BucketOfKey(key), key)));
  return std::vector<NodeId>(replicas.begin(), replicas.end());
}

std::optional<CaseProblem> MakeStoreCase(const v1::Case& written,
                                         std::shared_ptr<const Case>* made) {
  auto own = std::make_shared<StoreCase>();
  if (auto problem = Make(written, own.get())) return problem;
  *made = std::move(own);
  return std::nullopt;
}

}  // namespace norn::sim
