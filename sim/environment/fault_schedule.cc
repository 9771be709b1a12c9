#include "sim/environment/fault_schedule.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/environment/topology.h"

namespace norn::sim {

namespace {

constexpr int64_t kMilli = 1'000;
constexpr uint64_t kDayMs = 86'400'000;
constexpr int kTimesMax = 1'000;
constexpr uint64_t kBackAfterMs = 500;

int64_t Micros(uint64_t milliseconds) { return static_cast<int64_t>(milliseconds) * kMilli; }

// Nodes by number and by place; all of them if neither is given.
template <typename From>
absl::Status TakeNodes(const From& from, const FilePlace& place, const ClusterConfig& cluster,
                       std::vector<NodeId>* nodes) {
  for (int i = 0; i < from.nodes_size(); ++i) {
    const uint32_t node = from.nodes(i);
    if (node < 1 || node > cluster.members.size()) {
      return place.Wrong("nodes",
                         absl::StrCat("nodes is ", node,
                                      ": the cluster has the nodes 1 "
                                      "to ",
                                      cluster.members.size()),
                         i);
    }
    nodes->push_back(static_cast<NodeId>(node));
  }
  const Places places(cluster);
  for (int i = 0; i < from.in_size(); ++i) {
    const std::vector<NodeId> there = places.NodesAt(from.in(i));
    if (there.empty()) {
      return place.Wrong("in",
                         absl::StrCat("in is \"", from.in(i),
                                      "\": no zone and no data "
                                      "center has this name; there "
                                      "are ",
                                      places.Names()),
                         i);
    }
    nodes->insert(nodes->end(), there.begin(), there.end());
  }
  return absl::OkStatus();
}

std::string Span(int64_t from_us, int64_t until_us) {
  return absl::StrCat("from ", from_us / kMilli, " to ", until_us / kMilli, " ms");
}

// Without its times.
absl::Status TakeFault(const v1::ScenarioFault& from, const FilePlace& place,
                       const ClusterConfig& cluster, Fault* fault) {
  fault->kind = static_cast<FaultKind>(from.kind());
  if (from.has_beyond_budget()) {
    return place.Wrong("beyond_budget", "beyond_budget is for scripted runs");
  }
  if (absl::Status taken = TakeNodes(from, place, cluster, &fault->nodes); !taken.ok()) {
    return taken;
  }
  if (from.in_turn() && LeastNodes(fault->kind) > 2) {
    return place.Wrong(
        "in_turn", absl::StrCat("a ", FaultKindName(fault->kind), " is of several nodes at once"));
  }
  const auto least = static_cast<size_t>(LeastNodes(fault->kind));
  const bool ring = fault->kind == FaultKind::kRing;
  const size_t named = ring ? fault->nodes.size() : cluster.members.size();
  if (named < least) {
    return place.Wrong("nodes", absl::StrCat("a ", FaultKindName(fault->kind), " needs ", least,
                                             " nodes, and there are ", named));
  }
  fault->amount = from.amount();
  const bool counts = fault->kind == FaultKind::kCrash || fault->kind == FaultKind::kPowerCut;
  if (counts && !from.has_amount()) fault->amount = 1;  // at once, or when its time ends
  fault->shift_us = from.shift_ms() * kMilli;
  fault->loss = static_cast<int>(from.loss());
  fault->effects_min = from.has_effects_min() ? from.effects_min() : 1;
  if (fault->effects_min == 0) {
    return place.Wrong("effects_min",
                       "effects_min is 0: a fault that need not harm anything is "
                       "none");
  }
  if (TakesDown(fault->kind)) {
    fault->down_us = Micros(from.has_back_after_ms() ? from.back_after_ms() : kBackAfterMs);
  } else if (from.has_back_after_ms()) {
    return place.Wrong("back_after_ms", absl::StrCat("back_after_ms: ", FaultKindName(fault->kind),
                                                     " takes no node down"));
  }
  const bool shifts = fault->kind == FaultKind::kClockJump || fault->kind == FaultKind::kClockDrift;
  if (shifts != (from.shift_ms() != 0)) {
    return place.Wrong("shift_ms", "shift_ms is for clocks, and they need it");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const v1::ScenarioFault& from, const FilePlace& place) {
  if (!from.has_at_ms()) return place.Wrong("the fault has no time: write at_ms");
  for (const uint64_t time_ms :
       {from.at_ms(), from.for_ms(), from.back_after_ms(), from.every_ms()}) {
    if (time_ms > kDayMs) {
      return place.Wrong(absl::StrCat("the fault speaks of ", time_ms, " ms: no run is that long"));
    }
  }
  if (from.has_for_ms() && from.for_ms() == 0) {
    return place.Wrong("for_ms", "for_ms is 0: it must last");
  }
  const bool repeats = from.times() > 1 || from.in_turn();
  if (repeats != (from.every_ms() > 0) || from.times() > kTimesMax ||
      (from.has_times() && from.times() == 0)) {
    return place.Wrong("times", absl::StrCat("times is ", from.times(), " and every_ms ",
                                             from.every_ms(), ": what happens 2 to ", kTimesMax,
                                             " times, or in_turn, needs both, and nothing else "
                                             "needs every_ms"));
  }
  return absl::OkStatus();
}

absl::Status CheckInside(const Fault& fault, const FilePlace& place, const PhaseTimes& times) {
  if (fault.start_us < times.faults_from_us) {
    return place.Wrong("at_ms", absl::StrCat("the fault begins at ", fault.start_us / kMilli,
                                             " ms, and the faulty phase is ",
                                             Span(times.faults_from_us, times.faults_until_us),
                                             " (warm_up_ms, before_ms and faults_ms in phases)"));
  }
  if (fault.end_us <= times.faults_until_us && OverUs(fault) <= times.faults_until_us) {
    return absl::OkStatus();
  }
  return place.Wrong("at_ms",
                     absl::StrCat("the fault goes on ", Span(fault.start_us, OverUs(fault)),
                                  TakesDown(fault.kind) ? ", until its node is back" : "",
                                  ", and the faulty phase ends at ", times.faults_until_us / kMilli,
                                  " ms: begin earlier, or raise faults_ms in phases"));
}

}  // namespace

absl::Status TakeFaults(const v1::Scenario& script, const FilePlace& place,
                        const ClusterConfig& cluster, const PhaseTimes& times,
                        std::vector<ListedFault>* faults) {
  for (int i = 0; i < script.fault_size(); ++i) {
    const v1::ScenarioFault& from = script.fault(i);
    const FilePlace inside = place.In("fault", i);
    Fault whole;
    if (absl::Status taken = TakeFault(from, inside, cluster, &whole); !taken.ok()) return taken;
    if (absl::Status right = CheckTimes(from, inside); !right.ok()) return right;
    std::vector<std::vector<NodeId>> turns;
    if (from.in_turn()) {
      for (const NodeId node : whole.nodes) turns.push_back({node});
      if (whole.nodes.empty()) {
        for (const MemberConfig& member : cluster.members) turns.push_back({member.id});
      }
    } else {
      turns.push_back(whole.nodes);
    }
    int64_t at_us = Micros(from.at_ms());
    for (uint32_t time = 0; time < (from.has_times() ? from.times() : 1); ++time) {
      for (const std::vector<NodeId>& nodes : turns) {
        ListedFault listed{whole, i};
        listed.fault.nodes = nodes;
        listed.fault.start_us = at_us;
        listed.fault.end_us = from.has_for_ms()           ? at_us + Micros(from.for_ms())
                              : HappensAtOnce(whole.kind) ? at_us + kMilli
                                                          : times.faults_until_us;
        at_us += Micros(from.every_ms());
        absl::Status right = CheckInside(listed.fault, inside, times);
        if (!right.ok()) return right;
        for (const ListedFault& other : *faults) {
          const std::string clash = Clash(listed.fault, other.fault);
          if (clash.empty()) continue;
          return inside.Wrong(absl::StrCat(FaultKindName(listed.fault.kind), " ",
                                           Span(listed.fault.start_us, OverUs(listed.fault)),
                                           " and ", FaultKindName(other.fault.kind), " ",
                                           Span(other.fault.start_us, OverUs(other.fault)), ": ",
                                           clash));
        }
        faults->push_back(std::move(listed));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status TakeMix(const v1::ScenarioFaultMix& from, const FilePlace& place,
                     const ClusterConfig& cluster, FaultMix* mix) {
  const uint32_t per_minute = from.has_per_minute() ? from.per_minute() : 20;
  if (per_minute < 1 || per_minute > 6'000) {
    return place.Wrong("per_minute",
                       absl::StrCat("per_minute is ", per_minute, ": it must be 1 to 6000"));
  }
  mix->every_us = 60'000'000 / int64_t{per_minute};
  mix->at_once_max = from.has_at_once_max() ? from.at_once_max() : 2;
  if (mix->at_once_max == 0) return place.Wrong("at_once_max", "at_once_max is 0: write 1 or more");
  if (from.kind_size() == 0) return place.Wrong("no kind of fault to draw: write kind { }");
  uint64_t weights = 0;
  for (int i = 0; i < from.kind_size(); ++i) {
    const v1::ScenarioFaultChance& written = from.kind(i);
    const FilePlace inside = place.In("kind", i);
    if (!written.has_kind()) return inside.Wrong("of which kind? Write kind: HALVES");
    FaultChance chance = UsualChance(static_cast<FaultKind>(written.kind()), cluster);
    if (written.has_weight()) chance.weight = written.weight();
    weights += chance.weight;
    if (written.nodes_size() + written.in_size() > 0) {
      std::vector<NodeId> pool;
      absl::Status taken = TakeNodes(written, inside, cluster, &pool);
      if (!taken.ok()) return taken;
      SetPool(pool, cluster, &chance);
    }
    if (written.has_for_min_ms()) chance.for_min_us = Micros(written.for_min_ms());
    if (written.has_for_max_ms()) chance.for_max_us = Micros(written.for_max_ms());
    if (written.has_amount_min()) chance.amount_min = written.amount_min();
    if (written.has_amount_max()) chance.amount_max = written.amount_max();
    if (written.has_nodes_max()) chance.nodes_max = written.nodes_max();
    if (chance.for_min_us < 1 || chance.for_min_us > chance.for_max_us ||
        chance.for_max_us > Micros(kDayMs)) {
      return inside.Wrong("for_min_ms", absl::StrCat("it would last ", chance.for_min_us / kMilli,
                                                     " to ", chance.for_max_us / kMilli,
                                                     " ms: the least is above 0, and not above the "
                                                     "most"));
    }
    if (chance.amount_min > chance.amount_max) {
      return inside.Wrong("amount_min",
                          absl::StrCat("its amount would be ", chance.amount_min, " to ",
                                       chance.amount_max, ": the least is not above the most"));
    }
    if (chance.nodes_max < 1) return inside.Wrong("nodes_max", "nodes_max is 0: write 1 or more");
    chance.nodes_max = std::min(chance.nodes_max, chance.pool.size());
    if (chance.nodes_min > chance.nodes_max) {
      return inside.Wrong(
          "nodes_max", absl::StrCat("a ", FaultKindName(chance.kind), " is of ", chance.nodes_min,
                                    " nodes at least, and there are ", chance.nodes_max));
    }
    mix->chances.push_back(std::move(chance));
  }
  if (weights == 0) {
    return place.Wrong("kind", "the weights of all kinds are 0: nothing could be drawn", 0);
  }
  return absl::OkStatus();
}

}  // namespace norn::sim
