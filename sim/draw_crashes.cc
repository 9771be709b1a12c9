#include <algorithm>
#include <utility>

#include "sim/fault_draw_parts.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;

// Moves the crash behind what else takes its node down: a node must be up to go down.
void AvoidOthers(Random& random, const std::vector<Fault>& others, Fault* crash) {
  for (const Fault& cut : others) {  // ordered by start
    if (!TakesDown(cut.kind) || !cut.Concerns(crash->nodes.front())) continue;
    if (RecoveredUs(*crash) < cut.start_us || crash->start_us > RecoveredUs(cut)) continue;
    const int64_t later_us = RecoveredUs(cut) - crash->start_us + random.Between(0, 2 * kSecond);
    crash->start_us += later_us;
    crash->end_us += later_us;
  }
}

// Whether the two take a node down that they share, one while the other has not recovered.
bool Collide(const Fault& a, const Fault& b) {
  const bool shared =
      TakesDown(a.kind) && TakesDown(b.kind) &&
      std::any_of(a.nodes.begin(), a.nodes.end(), [&b](NodeId node) { return b.Concerns(node); });
  return shared && a.start_us <= RecoveredUs(b) && b.start_us <= RecoveredUs(a);
}

}  // namespace

void DrawPowerCuts(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                   std::vector<Fault>* plan) {
  const uint64_t times = 1 + random.Below(3);
  std::vector<Fault> slow_disks;
  for (uint64_t i = 0; i < times; ++i) {
    Fault cut;
    cut.kind = FaultKind::kPowerCut;
    cut.start_us = random.Between(begin_us, end_us - kSecond);
    cut.end_us = cut.start_us + random.Between(kSecond / 10, kSecond);
    cut.amount = 1 + random.Below(30);
    cut.down_us = random.Between(kSecond / 20, kSecond);
    // Mostly the hardest: nothing that was not synced survives.
    cut.loss = random.Chance(2, 3) ? 0 : 1;
    const bool everyone = random.Chance(2, 3);
    const int few = std::min(2, nodes);
    cut.nodes = DrawSomeNodes(random, nodes,
                              everyone ? nodes : static_cast<int>(random.Between(few, nodes)));
    Fault slow;
    slow.kind = FaultKind::kSlowDisk;
    slow.start_us = std::max(begin_us, cut.start_us - kSecond);
    slow.end_us = cut.end_us;
    slow.amount = static_cast<uint64_t>(random.Between(10'000, 100'000));
    const bool with_slow = random.Chance(1, 2);
    const bool crowded = std::any_of(plan->begin(), plan->end(), [&cut](const Fault& other) {
      return cut.start_us <= RecoveredUs(other) && other.start_us <= RecoveredUs(cut);
    });
    if (crowded) continue;
    plan->push_back(std::move(cut));
    if (with_slow) slow_disks.push_back(std::move(slow));
  }
  plan->insert(plan->end(), slow_disks.begin(), slow_disks.end());
}

void DrawLostDisks(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                   std::vector<Fault>* plan) {
  const std::vector<NodeId> victims =
      DrawSomeNodes(random, nodes, std::min(nodes, 1 + static_cast<int>(random.Below(2))));
  for (const NodeId victim : victims) {
    Fault fault;
    fault.kind = random.Chance(2, 3) ? FaultKind::kWipedDisk : FaultKind::kOlderDisk;
    fault.nodes = {victim};
    fault.start_us = random.Between(begin_us, end_us - 4 * kSecond);
    fault.end_us = fault.start_us + random.Between(kSecond / 2, 3 * kSecond);
    fault.down_us = random.Between(kSecond / 20, 2 * kSecond);
    const bool crowded = std::any_of(plan->begin(), plan->end(), [&fault](const Fault& other) {
      return TakesDown(other.kind) && other.Concerns(fault.nodes.front()) &&
             fault.start_us <= RecoveredUs(other) && other.start_us <= RecoveredUs(fault);
    });
    if (!crowded) plan->push_back(std::move(fault));
  }
}

void DrawCrashes(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                 std::vector<Fault>* plan) {
  const std::vector<Fault> others = *plan;
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
      AvoidOthers(random, others, &fault);
      if (fault.end_us > end_us) break;
      at = RecoveredUs(fault) + random.Between(0, 4 * kSecond);
      plan->push_back(std::move(fault));
    }
  }
}

void DrawZoneOutage(Random& random, const std::vector<std::vector<NodeId>>& zones, int64_t begin_us,
                    int64_t end_us, std::vector<Fault>* plan) {
  if (zones.size() < 2) return;
  constexpr int kTries = 12;  // others may be in the way
  for (int i = 0; i < kTries; ++i) {
    Fault outage;
    outage.kind = FaultKind::kZoneOutage;
    outage.nodes = zones[random.Below(zones.size())];
    outage.start_us = random.Between(begin_us, end_us - 4 * kSecond);
    outage.down_us = random.Between(kSecond / 4, 3 * kSecond);
    outage.end_us = outage.start_us + outage.down_us;
    outage.loss = static_cast<int>(random.Below(4));
    const bool crowded = std::any_of(plan->begin(), plan->end(), [&outage](const Fault& other) {
      return Collide(outage, other);
    });
    if (crowded) continue;
    plan->push_back(std::move(outage));
    return;
  }
}

void DrawBadEnd(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us,
                std::vector<Fault>* plan) {
  constexpr int kTries = 12;  // others may be in the way
  for (int i = 0; i < kTries; ++i) {
    Fault fault;
    fault.kind = kind;
    fault.nodes = DrawSomeNodes(random, nodes, 1);
    fault.start_us = random.Between(begin_us + kSecond, end_us - 4 * kSecond);
    fault.end_us = fault.start_us + random.Between(kSecond / 2, 3 * kSecond);
    fault.amount = kind == FaultKind::kTornWrite ? 1 + random.Below(60) : 1 + random.Below(16);
    fault.down_us = random.Between(kSecond / 20, 2 * kSecond);
    const bool crowded = std::any_of(
        plan->begin(), plan->end(), [&fault](const Fault& other) { return Collide(fault, other); });
    if (crowded) continue;
    plan->push_back(std::move(fault));
    return;
  }
}

}  // namespace norn::sim
