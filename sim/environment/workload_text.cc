#include "sim/environment/workload_text.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/ring/layout.h"
#include "sim/environment/topology.h"
#include "sim/levels.h"

namespace norn::sim {

namespace {

constexpr uint32_t kClientsMax = 1'000;
constexpr uint32_t kKeysMax = 100'000;
constexpr uint32_t kRateMax = 100'000;
constexpr uint64_t kBytesMax = 1u << 20;
constexpr uint64_t kTimeMaxUs = 3'600'000'000;

std::string PerMille(const char* field, uint32_t value) {
  return absl::StrCat(field, " is ", value, ": it is at most 1000, thousandths of the whole");
}

absl::Status TakeClients(const v1::ScenarioWorkload& from, const FilePlace& place,
                         UniverseConfig* config, OperationMix* mix) {
  std::vector<NodeId> everybody;
  for (const MemberConfig& member : config->cluster.members) everybody.push_back(member.id);
  if (from.clients_size() == 0) mix->homes.assign(6, everybody);
  for (int i = 0; i < from.clients_size(); ++i) {
    const v1::ScenarioClients& clients = from.clients(i);
    const FilePlace inside = place.In("clients", i);
    const uint32_t count = clients.has_count() ? clients.count() : 1;
    if (count < 1 || mix->homes.size() + count > kClientsMax) {
      return inside.Wrong("count", absl::StrCat("count is ", count, ": there are 1 to ",
                                                kClientsMax, " clients in all"));
    }
    std::vector<NodeId> home = everybody;
    if (clients.has_data_center()) {
      home.clear();
      for (const MemberConfig& member : config->cluster.members) {
        if (member.data_center == clients.data_center()) home.push_back(member.id);
      }
    }
    if (home.empty()) {
      return inside.Wrong("data_center", absl::StrCat("no data center has the name \"",
                                                      clients.data_center(), "\""));
    }
    mix->homes.insert(mix->homes.end(), count, home);
  }
  config->workload.clients = static_cast<int>(mix->homes.size());
  return absl::OkStatus();
}

absl::Status TakePace(const v1::ScenarioWorkload& from, const FilePlace& place,
                      UniverseConfig* config, OperationMix* mix) {
  WorkloadOptions& workload = config->workload;
  if (from.has_operations_per_second()) {
    const uint32_t rate = from.operations_per_second();
    if (rate < 1 || rate > kRateMax) {
      return place.Wrong("operations_per_second", absl::StrCat("operations_per_second is ", rate,
                                                               ": it must be 1 to ", kRateMax));
    }
    if (from.has_think_min_us() || from.has_think_max_us()) {
      return place.Wrong("operations_per_second",
                         "operations_per_second beside think times: clients either think between "
                         "two operations, or have them fall due");
    }
    mix->period_us = std::max<int64_t>(int64_t{workload.clients} * 1'000'000 / rate, 1);
  }
  const uint64_t least = from.has_think_min_us() ? from.think_min_us() : 2'000;
  const uint64_t most =
      from.has_think_max_us() ? from.think_max_us() : std::max(least, uint64_t{60'000});
  if (least > most || most > kTimeMaxUs || most == 0) {
    return place.Wrong("think_min_us", absl::StrCat("clients think for ", least, " to ", most,
                                                    " us: the least is not above the most, and "
                                                    "that is 1 to ",
                                                    kTimeMaxUs));
  }
  workload.think_min_us = static_cast<int64_t>(least);
  workload.think_max_us = static_cast<int64_t>(most);
  const uint64_t patience_ms = from.has_patience_ms() ? from.patience_ms() : 4'000;
  if (patience_ms < 1 || patience_ms > kTimeMaxUs / 1000) {
    return place.Wrong("patience_ms", absl::StrCat("patience_ms is ", patience_ms,
                                                   ": it must be 1 to ", kTimeMaxUs / 1000));
  }
  workload.patience_us = static_cast<int64_t>(patience_ms) * 1'000;
  return absl::OkStatus();
}

absl::Status TakeKeys(const v1::ScenarioKeys& from, const FilePlace& place, OperationMix* mix) {
  const uint32_t count = from.has_count() ? from.count() : 20;
  if (count < 1 || count > kKeysMax) {
    return place.Wrong("count",
                       absl::StrCat("count is ", count, ": there are 1 to ", kKeysMax, " keys"));
  }
  mix->last_writer_per_mille =
      from.has_last_writer_per_mille() ? from.last_writer_per_mille() : 250;
  if (mix->last_writer_per_mille > 1000) {
    return place.Wrong("last_writer_per_mille",
                       PerMille("last_writer_per_mille", from.last_writer_per_mille()));
  }
  mix->keys = KeyChooser::Uniform(count);
  if (from.has_zipfian()) {
    const double exponent = from.zipfian().has_exponent() ? from.zipfian().exponent() : 0.99;
    // Not below a thousandth, which would be uniform; and no comparison holds of what is no number.
    if (!(exponent >= 0.001 && exponent <= 3)) {
      return place.In("zipfian").Wrong(
          "exponent", absl::StrCat("exponent is ", exponent,
                                   ": it must be above 0 and at most 3 (YCSB has 0.99; where all "
                                   "keys are alike write uniform { })"));
    }
    mix->keys = KeyChooser::Zipfian(count, static_cast<uint64_t>(exponent * 1000 + 0.5));
  } else if (from.has_hot_set()) {
    const v1::ScenarioHotSet& hot = from.hot_set();
    const FilePlace inside = place.In("hot_set");
    const uint32_t keys = hot.has_keys_per_mille() ? hot.keys_per_mille() : 200;
    const uint32_t share = hot.has_operations_per_mille() ? hot.operations_per_mille() : 800;
    if (keys < 1 || keys > 1000) {
      return inside.Wrong("keys_per_mille",
                          absl::StrCat("keys_per_mille is ", keys, ": it must be 1 to 1000"));
    }
    if (share > 1000) {
      return inside.Wrong("operations_per_mille", PerMille("operations_per_mille", share));
    }
    const uint64_t first = std::max<uint64_t>(uint64_t{count} * keys / 1000, 1);
    mix->keys = KeyChooser::HotSet(count, first, share);
  }
  return absl::OkStatus();
}

absl::Status TakeShares(const v1::ScenarioWorkload& from, const FilePlace& place,
                        OperationMix* mix) {
  mix->gets = from.has_gets() ? from.gets() : 50;
  mix->puts = from.has_puts() ? from.puts() : 45;
  mix->deletes = from.has_deletes() ? from.deletes() : 5;
  if (mix->gets + mix->puts + mix->deletes == 0) {
    return place.Wrong("gets", "gets, puts and deletes are all 0: clients would ask for nothing");
  }
  if (mix->puts == 0) {
    return place.Wrong("puts", "puts is 0: where nothing is ever written nothing is tested");
  }
  mix->context_per_mille = from.has_context_per_mille() ? from.context_per_mille() : 400;
  mix->blind_per_mille = from.has_blind_per_mille() ? from.blind_per_mille() : 100;
  mix->expiring_per_mille = from.expiring_per_mille();
  if (mix->context_per_mille > 1000 || mix->context_per_mille + mix->blind_per_mille > 1000) {
    return place.Wrong("context_per_mille",
                       absl::StrCat("context_per_mille and blind_per_mille are ",
                                    mix->context_per_mille + mix->blind_per_mille,
                                    " together: they are at most 1000, thousandths of the writes"));
  }
  if (mix->expiring_per_mille > 1000) {
    return place.Wrong("expiring_per_mille",
                       PerMille("expiring_per_mille", from.expiring_per_mille()));
  }
  const uint64_t least = from.has_ttl_min_ms() ? from.ttl_min_ms() : 20;
  const uint64_t most =
      from.has_ttl_max_ms() ? from.ttl_max_ms() : std::max<uint64_t>(least, 3'000);
  if (least < 1 || least > most || most > kTimeMaxUs) {
    return place.Wrong("ttl_min_ms", absl::StrCat("values live for ", least, " to ", most,
                                                  " ms: 1 or more, and the least is not above the "
                                                  "most"));
  }
  mix->ttl_min_us = static_cast<int64_t>(least) * 1'000;
  mix->ttl_max_us = static_cast<int64_t>(most) * 1'000;
  return absl::OkStatus();
}

absl::Status TakeSizes(const v1::ScenarioWorkload& from, const FilePlace& place,
                       OperationMix* mix) {
  if (from.size_size() == 0) mix->sizes = {{39, 0, 64}, {1, 0, 8'000}};
  uint64_t weights = 0;
  for (int i = 0; i < from.size_size(); ++i) {
    const v1::ScenarioSize& size = from.size(i);
    if (size.min_bytes() > size.max_bytes() || size.max_bytes() > kBytesMax) {
      return place.In("size", i).Wrong(
          "max_bytes",
          absl::StrCat("sizes of ", size.min_bytes(), " to ", size.max_bytes(),
                       " bytes: the least is not above the most, and that is at most ", kBytesMax));
    }
    mix->sizes.push_back(
        {size.has_weight() ? size.weight() : 1, size.min_bytes(), size.max_bytes()});
    weights += mix->sizes.back().weight;
  }
  if (from.size_size() > 0 && weights == 0) {
    return place.Wrong("size", "the weights of all sizes are 0: one of them must be more", 0);
  }
  return absl::OkStatus();
}

// How many replicas the level comes to for every key and every client that may ask, if the bucket
// permits that; else what is wrong.
std::string CheckNamedLevel(Level level, bool get, const UniverseConfig& config,
                            const OperationMix& mix) {
  const ClusterConfig& cluster = config.cluster;
  const BucketConfig& bucket = config.bucket();
  const auto center_of = [&cluster](NodeId id) { return cluster.members[id - 1u].data_center; };
  std::set<std::string> asked;  // the data centers of all who coordinate
  for (const std::vector<NodeId>& home : mix.homes) {
    for (const NodeId node : home) asked.insert(center_of(node));
  }
  const Layout layout = Layout::Build(1, cluster.partitions, bucket.n, cluster.members);
  const int least = get ? bucket.RMin() : bucket.WMin();
  for (PartitionId partition = 0; partition < cluster.partitions; ++partition) {
    std::map<std::string, int> replicas;
    for (const NodeId id : layout.Replicas(partition)) ++replicas[center_of(id)];
    for (const std::string& center : asked) {
      int count = 0;
      for (const auto& [name, held] : replicas) {
        if (level == Level::kEachQuorum || name == center) count += held / 2 + 1;
      }
      if (replicas.size() == 1) count = bucket.n / 2 + 1;
      if (count == 0) {
        return absl::StrCat("some keys have no replica in data center ", center,
                            ", where clients ask: raise n, give it more zones, or name the data "
                            "center of the clients");
      }
      if (count >= least && count <= bucket.n) continue;
      return absl::StrCat("it comes to ", count, " replicas in data center ", center,
                          ", and the bucket permits ", least, " to ", bucket.n, ": set ",
                          get ? "r_min: " : "w_min: ", count, " in cluster");
    }
  }
  return "";
}

absl::Status TakeLevel(const v1::ScenarioLevel& from, bool get, const FilePlace& place,
                       const UniverseConfig& config, const OperationMix& mix, LevelChoice* choice) {
  const BucketConfig& bucket = config.bucket();
  const std::string& name = from.level();
  choice->weight = from.has_weight() ? from.weight() : 1;
  if (name == "bucket" || name.empty()) return absl::OkStatus();
  if (const std::optional<Level> level = LevelOfName(name)) {
    choice->level = *level;
    choice->quorum = 0;
  } else if (!absl::SimpleAtoi(name, &choice->quorum) || choice->quorum < 1) {
    return place.Wrong(
        "level", absl::StrCat("level is \"", name, "\": write bucket, a number, ", kLevelNames));
  }
  if (choice->level == Level::kLocalQuorum || choice->level == Level::kEachQuorum) {
    if (config.cluster.members.front().data_center.empty()) {
      return place.Wrong("level", absl::StrCat(name,
                                               ": the cluster has no data centers; write "
                                               "data_center in cluster, or quorum here"));
    }
    const std::string wrong = CheckNamedLevel(choice->level, get, config, mix);
    return wrong.empty() ? absl::OkStatus() : place.Wrong("level", absl::StrCat(name, ": ", wrong));
  }
  const int count =
      choice->level == Level::kNumber ? choice->quorum : LeastCount(choice->level, bucket.n);
  const int least = get ? bucket.RMin() : bucket.WMin();
  if (count >= least && count <= bucket.n) return absl::OkStatus();
  return place.Wrong("level", absl::StrCat(name, " comes to ", count,
                                           " replicas, and the bucket "
                                           "permits ",
                                           least, " to ", bucket.n, ": set ",
                                           get ? "r_min" : "w_min", " and n in cluster"));
}

absl::Status TakeLevels(const v1::ScenarioWorkload& from, bool get, const FilePlace& place,
                        const UniverseConfig& config, OperationMix* mix) {
  const auto& levels = get ? from.read_level() : from.write_level();
  const char* const field = get ? "read_level" : "write_level";
  std::vector<LevelChoice>& choices = get ? mix->reads : mix->writes;
  if (levels.empty()) choices.push_back(LevelChoice{});
  uint64_t weights = 0;
  for (int i = 0; i < levels.size(); ++i) {
    LevelChoice choice;
    absl::Status taken = TakeLevel(levels.Get(i), get, place.In(field, i), config, *mix, &choice);
    if (!taken.ok()) return taken;
    weights += choice.weight;
    choices.push_back(choice);
  }
  if (levels.empty() || weights > 0) return absl::OkStatus();
  return place.Wrong(field, absl::StrCat("the weights of all ", field, "s are 0"), 0);
}

}  // namespace

absl::Status TakeWorkload(const v1::ScenarioWorkload& from, const FilePlace& place,
                          UniverseConfig* config) {
  auto mix = std::make_shared<OperationMix>();
  norn::sim::TakeLevels(config->bucket(), &config->workload);
  if (absl::Status taken = TakeClients(from, place, config, mix.get()); !taken.ok()) return taken;
  if (absl::Status taken = TakePace(from, place, config, mix.get()); !taken.ok()) return taken;
  if (absl::Status taken = TakeKeys(from.keys(), place.In("keys"), mix.get()); !taken.ok()) {
    return taken;
  }
  if (absl::Status taken = TakeShares(from, place, mix.get()); !taken.ok()) return taken;
  if (absl::Status taken = TakeSizes(from, place, mix.get()); !taken.ok()) return taken;
  for (const bool get : {true, false}) {
    if (absl::Status taken = TakeLevels(from, get, place, *config, mix.get()); !taken.ok()) {
      return taken;
    }
  }
  config->workload.keys = static_cast<int>(mix->keys.count());
  config->workload.mix = std::move(mix);
  return absl::OkStatus();
}

}  // namespace norn::sim
