#include "sim/environment/topology.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace norn::sim {

namespace {

constexpr uint32_t kNodesMax = 64;
constexpr uint64_t kDelayMaxUs = 60'000'000;

bool IsName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

absl::Status TakeDataCenter(const v1::ScenarioDataCenter& from, const FilePlace& place,
                            ClusterConfig* cluster) {
  const uint32_t nodes = from.has_nodes() ? from.nodes() : 3;
  const uint32_t zones = from.has_zones() ? from.zones() : 1;
  if (!IsName(from.name())) {
    return place.Wrong("name", absl::StrCat("name is \"", from.name(),
                                            "\": a data center is named by letters, digits, "
                                            "'-' and '_'"));
  }
  if (nodes == 0) {
    return place.Wrong("nodes", absl::StrCat("data center ", from.name(),
                                             " has no nodes: give it some, or leave it out"));
  }
  if (zones == 0 || zones > nodes) {
    return place.Wrong("zones", absl::StrCat("data center ", from.name(), " has ", nodes,
                                             " nodes in ", zones, " zones: write 1 to ", nodes));
  }
  if (nodes > kNodesMax || cluster->members.size() + nodes > kNodesMax) {
    return place.Wrong("nodes",
                       absl::StrCat("more than ", kNodesMax, " nodes: that is the most here"));
  }
  for (uint32_t i = 0; i < nodes; ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(cluster->members.size() + 1);
    member.address = absl::StrCat("n", member.id);
    member.zone = absl::StrCat(from.name(), "/", i % zones + 1);
    member.data_center = from.name();
    cluster->members.push_back(std::move(member));
  }
  return absl::OkStatus();
}

// What a link's `from` or `to` names; everybody if it is empty.
absl::Status TakeEnd(const char* field, const std::string& name, const FilePlace& place,
                     const ClusterConfig& cluster, std::vector<NodeId>* nodes) {
  if (name.empty()) {
    for (const MemberConfig& member : cluster.members) nodes->push_back(member.id);
    return absl::OkStatus();
  }
  const Places places(cluster);
  *nodes = places.NodesAt(name);
  if (!nodes->empty()) return absl::OkStatus();
  return place.Wrong(field, absl::StrCat(field, " is \"", name,
                                         "\": no zone and no data center has this name; there are ",
                                         places.Names()));
}

}  // namespace

Places::Places(const ClusterConfig& cluster) {
  for (const MemberConfig& member : cluster.members) {
    nodes_[member.zone].push_back(member.id);
    if (!member.data_center.empty()) nodes_[member.data_center].push_back(member.id);
  }
}

std::vector<NodeId> Places::NodesAt(const std::string& name) const {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? std::vector<NodeId>() : it->second;
}

std::string Places::Names() const {
  return absl::StrJoin(nodes_, ", ",
                       [](std::string* out, const auto& named) { out->append(named.first); });
}

absl::Status TakeMembers(const v1::ScenarioCluster& from, const FilePlace& place,
                         ClusterConfig* cluster) {
  if (from.has_data_centers()) {
    return place.Wrong("data_centers", "data_centers is for scripted runs: write data_center { }");
  }
  if (from.data_center_size() > 0) {
    for (const char* const field : {"nodes", "zones"}) {
      const bool nodes = field[0] == 'n';
      if (nodes ? from.has_nodes() : from.has_zones()) {
        return place.Wrong(field, absl::StrCat(field,
                                               " beside data_center: each data center has "
                                               "its own"));
      }
    }
    cluster->members.clear();
  } else {
    const auto nodes = static_cast<uint32_t>(cluster->members.size());
    if (nodes < 1 || nodes > kNodesMax) {
      return place.Wrong("nodes",
                         absl::StrCat("nodes is ", nodes, ": it must be 1 to ", kNodesMax));
    }
    if (from.has_zones() && (from.zones() < 1 || from.zones() > nodes)) {
      return place.Wrong("zones", absl::StrCat("zones is ", from.zones(), " of ", nodes,
                                               " nodes: write 1 to ", nodes));
    }
  }
  std::set<std::string> names;
  for (int i = 0; i < from.data_center_size(); ++i) {
    const FilePlace inside = place.In("data_center", i);
    absl::Status taken = TakeDataCenter(from.data_center(i), inside, cluster);
    if (!taken.ok()) return taken;
    if (!names.insert(from.data_center(i).name()).second) {
      return inside.Wrong("name", absl::StrCat("two data centers have the name \"",
                                               from.data_center(i).name(), "\""));
    }
  }
  const int n = cluster->buckets.front().n;
  if (n <= static_cast<int>(cluster->members.size())) return absl::OkStatus();
  return place.Wrong("n", absl::StrCat("n is ", n, " and the cluster has ", cluster->members.size(),
                                       " nodes: a key would have fewer replicas than it is to; "
                                       "add nodes, or write a smaller n"));
}

absl::Status TakeLinks(const v1::Scenario& script, const FilePlace& place,
                       const ClusterConfig& cluster, std::vector<LinkDelay>* links) {
  std::map<std::pair<NodeId, NodeId>, LinkDelay> last;
  for (int i = 0; i < script.link_size(); ++i) {
    const v1::ScenarioLink& from = script.link(i);
    const FilePlace inside = place.In("link", i);
    std::vector<NodeId> senders, receivers;
    for (absl::Status taken : {TakeEnd("from", from.from(), inside, cluster, &senders),
                               TakeEnd("to", from.to(), inside, cluster, &receivers)}) {
      if (!taken.ok()) return taken;
    }
    if (!from.has_delay_us() || from.delay_us() > kDelayMaxUs || from.jitter_us() > kDelayMaxUs) {
      return inside.Wrong("delay_us", absl::StrCat("delay_us is ", from.delay_us(),
                                                   " and jitter_us ", from.jitter_us(),
                                                   ": a link needs a delay, and each of both is at "
                                                   "most ",
                                                   kDelayMaxUs));
    }
    const auto least = static_cast<int64_t>(from.delay_us());
    const int64_t most = least + static_cast<int64_t>(from.jitter_us());
    for (const NodeId sender : senders) {
      for (const NodeId receiver : receivers) {
        if (sender == receiver) continue;
        last[{sender, receiver}] = {sender, receiver, least, most};
        if (!from.one_way()) last[{receiver, sender}] = {receiver, sender, least, most};
      }
    }
  }
  for (const auto& [pair, link] : last) links->push_back(link);
  return absl::OkStatus();
}

}  // namespace norn::sim
