#include "sim/fault_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;

std::vector<NodeId> DrawSomeNodes(Random& random, int nodes, int count) {
  std::vector<NodeId> all;
  for (int i = 1; i <= nodes; ++i) all.push_back(static_cast<NodeId>(i));
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    std::swap(all[at], all[at + random.Below(all.size() - at)]);
  }
  all.resize(static_cast<size_t>(count));
  std::sort(all.begin(), all.end());
  return all;
}

// Crashes of one node do not overlap: it must be up to go down.
void DrawCrashes(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                 std::vector<Fault>* plan) {
  for (int node = 1; node <= nodes; ++node) {
    int64_t at = begin_us + random.Between(0, 4 * kSecond);
    const uint64_t times = random.Below(3);
    for (uint64_t i = 0; i < times; ++i) {
      Fault fault;
      fault.kind = FaultKind::kCrash;
      fault.nodes = {static_cast<NodeId>(node)};
      fault.start_us = at;
      fault.end_us = at + random.Between(kSecond / 10, kSecond);
      fault.amount = 1 + random.Below(200);
      fault.down_us = random.Between(kSecond / 20, 4 * kSecond);
      fault.loss = static_cast<int>(random.Below(4));
      fault.again = random.Chance(1, 4);
      at = fault.end_us + 2 * fault.down_us + random.Between(kSecond / 2, 4 * kSecond);
      if (at >= end_us) break;
      plan->push_back(fault);
    }
  }
}

// What was acknowledged by several replicas and synced by none is lost in no other way.
void DrawPowerCuts(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                   std::vector<Fault>* plan) {
  const uint64_t times = 1 + random.Below(3);
  for (uint64_t i = 0; i < times; ++i) {
    Fault fault;
    fault.kind = FaultKind::kPowerCut;
    fault.start_us = random.Between(begin_us, end_us - 2 * kSecond);
    fault.end_us = fault.start_us + kSecond / 10;
    const bool all = random.Chance(1, 2);
    const int count = all ? nodes : static_cast<int>(random.Between(std::min(2, nodes), nodes));
    fault.nodes = DrawSomeNodes(random, nodes, count);
    fault.down_us = random.Between(kSecond / 20, 2 * kSecond);
    fault.loss = static_cast<int>(random.Below(3));
    plan->push_back(fault);
    if (random.Chance(1, 2)) continue;
    // Much waits for the disks when the power fails.
    Fault slow;
    slow.kind = FaultKind::kSlowDisk;
    slow.start_us = std::max(begin_us, fault.start_us - kSecond);
    slow.end_us = fault.end_us;
    slow.amount = static_cast<uint64_t>(random.Between(10'000, 100'000));
    plan->push_back(slow);
  }
}

void DrawLastingFault(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us,
                      std::vector<Fault>* plan) {
  const uint64_t times = 1 + random.Below(2);
  for (uint64_t i = 0; i < times; ++i) {
    Fault fault;
    fault.kind = kind;
    fault.start_us = random.Between(begin_us, end_us - 3 * kSecond);
    fault.end_us = fault.start_us + random.Between(kSecond, 3 * kSecond);
    switch (kind) {
      case FaultKind::kCrash:
      case FaultKind::kPowerCut:
        break;
      case FaultKind::kHalves:
      case FaultKind::kOneWay: {
        const int most = std::max(1, nodes / 2);
        const int count = static_cast<int>(random.Between(1, most));
        fault.nodes = DrawSomeNodes(random, nodes, count);
        break;
      }
      case FaultKind::kIsolate:
        fault.nodes = DrawSomeNodes(random, nodes, 1);
        break;
      case FaultKind::kSlow:
      case FaultKind::kReorder:
        fault.amount = static_cast<uint64_t>(random.Between(5'000, 400'000));
        break;
      case FaultKind::kSlowDisk:
        fault.nodes =
            DrawSomeNodes(random, nodes, static_cast<int>(random.Between((nodes + 1) / 2, nodes)));
        fault.amount = static_cast<uint64_t>(random.Between(2'000, 50'000));
        break;
      case FaultKind::kLoss:
      case FaultKind::kDuplicate:
        fault.amount = static_cast<uint64_t>(random.Between(50, 400));
        break;
    }
    plan->push_back(fault);
  }
}

}  // namespace

const char* FaultKindName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash:
      return "crash";
    case FaultKind::kHalves:
      return "partition in two halves";
    case FaultKind::kIsolate:
      return "isolated node";
    case FaultKind::kOneWay:
      return "one-way partition";
    case FaultKind::kSlow:
      return "slow network";
    case FaultKind::kLoss:
      return "message loss";
    case FaultKind::kDuplicate:
      return "message duplication";
    case FaultKind::kReorder:
      return "message reordering";
    case FaultKind::kSlowDisk:
      return "slow disk";
    case FaultKind::kPowerCut:
      return "power cut";
  }
  return "?";
}

bool Fault::Concerns(NodeId node) const {
  return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::string ToString(const Fault& fault) {
  std::string text = absl::StrCat(FaultKindName(fault.kind), " from ", fault.start_us / 1000,
                                  " ms to ", fault.end_us / 1000, " ms");
  if (!fault.nodes.empty()) absl::StrAppend(&text, ", nodes ", absl::StrJoin(fault.nodes, " "));
  if (fault.kind == FaultKind::kCrash) {
    absl::StrAppend(&text, ", at file operation ", fault.amount, ", down for ",
                    fault.down_us / 1000, " ms", fault.again ? ", again in recovery" : "");
  } else if (fault.kind == FaultKind::kPowerCut) {
    absl::StrAppend(&text, ", down for ", fault.down_us / 1000, " ms");
  } else if (fault.amount > 0) {
    absl::StrAppend(&text, ", amount ", fault.amount);
  }
  return absl::StrCat(text, ": ", fault.effects, " effects");
}

std::vector<Fault> DrawFaultPlan(Random& random, int nodes, int64_t begin_us, int64_t end_us) {
  std::vector<Fault> plan;
  if (random.Chance(4, 5)) DrawCrashes(random, nodes, begin_us, end_us, &plan);
  if (random.Chance(1, 3)) DrawPowerCuts(random, nodes, begin_us, end_us, &plan);
  for (int kind = 1; kind < kFaultKindCount; ++kind) {
    if (static_cast<FaultKind>(kind) == FaultKind::kPowerCut) continue;
    const bool chosen = random.Chance(1, 2);
    const bool network = static_cast<FaultKind>(kind) != FaultKind::kSlowDisk;
    if (!chosen || (network && nodes < 2)) continue;
    DrawLastingFault(random, static_cast<FaultKind>(kind), nodes, begin_us, end_us, &plan);
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const Fault& a, const Fault& b) { return a.start_us < b.start_us; });
  return plan;
}

}  // namespace norn::sim
