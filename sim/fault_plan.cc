#include "sim/fault_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"

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

// When the nodes that this fault takes down have recovered, if all goes slowly.
int64_t RecoveredUs(const Fault& fault) {
  const int64_t down_us = fault.kind == FaultKind::kPowerCut
                              ? BackAfterUs(fault, 3)
                              : (fault.again ? 2 : 1) * fault.down_us;
  return fault.end_us + down_us + kSecond / 2;
}

// What was acknowledged by several replicas and synced by none is lost in no other way. In
// half of the cases much waits for slow disks when the power fails.
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

// Disks that are lost, or replaced by older copies: one or two, of different nodes.
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

// Crashes of one node do not overlap either.
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

// One, so that no other is ill meanwhile; and late, so that there are tables to read.
Fault DrawDiskFault(Random& random, int nodes, int64_t begin_us, int64_t end_us) {
  Fault fault;
  fault.kind = random.Chance(1, 2) ? FaultKind::kReadError : FaultKind::kBadBlock;
  fault.nodes = DrawSomeNodes(random, nodes, 1);
  fault.start_us = random.Between(begin_us + 2 * kSecond, end_us - 5 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
  const bool blocks = fault.kind == FaultKind::kBadBlock;
  fault.amount = uint64_t{1} << random.Below(blocks ? 6 : 12);
  fault.tables_only = blocks || random.Chance(2, 3);
  return fault;
}

// Some nodes stand still, disks hang or are full, clocks are wrong. `kind` is one of these.
Fault DrawNodeFault(Random& random, FaultKind kind, int nodes, int64_t begin_us, int64_t end_us) {
  Fault fault;
  fault.kind = kind;
  fault.start_us = random.Between(begin_us, end_us - 4 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
  int count = 1;
  switch (kind) {
    case FaultKind::kPause:  // mostly longer than what others wait for
    case FaultKind::kStalledDisk:
      count = static_cast<int>(random.Between(1, std::max(1, nodes / 2)));
      break;
    case FaultKind::kClockJump: {
      // From a little, over a day, to ten years: there, or back.
      static constexpr int64_t kReaches[] = {kSecond / 10, 60 * kSecond, 86'400 * kSecond,
                                             int64_t{10} * 366 * 86'400 * kSecond};
      fault.shift_us = random.Between(1, kReaches[random.Below(4)]);
      count = static_cast<int>(random.Between(1, nodes));
      break;
    }
    case FaultKind::kClockDrift:
      fault.shift_us = random.Between(1'000, kSecond / 2);
      count = static_cast<int>(random.Between(1, nodes));
      break;
    case FaultKind::kFullDisk:  // early, so that there is something left to write
      fault.start_us = random.Between(begin_us, end_us - 8 * kSecond);
      fault.end_us = fault.start_us + random.Between(kSecond / 2, 4 * kSecond);
      fault.amount = random.Below(2'048);
      break;
    default:
      CORE_CHECK(false);  // drawn elsewhere
  }
  if (random.Chance(1, 2)) fault.shift_us = -fault.shift_us;
  fault.nodes = DrawSomeNodes(random, nodes, count);
  return fault;
}

// Whether the plan leaves one of the fault's nodes up for so long between its start and
// `until_us`. Nobody is cut off who does not talk, and nothing is read while nobody runs.
bool SomeoneIsUp(const Fault& fault, int nodes, const std::vector<Fault>& plan, int64_t until_us,
                 int64_t long_us) {
  for (int i = 1; i <= nodes; ++i) {
    const auto node = static_cast<NodeId>(i);
    if (!fault.Concerns(node)) continue;
    int64_t up_us = until_us - fault.start_us;
    for (const Fault& other : plan) {
      if (!TakesDown(other.kind) || !other.Concerns(node)) continue;
      const int64_t from_us = std::max(other.start_us, fault.start_us);
      const int64_t to_us = std::min(RecoveredUs(other), until_us);
      up_us -= std::max(to_us - from_us, int64_t{0});
    }
    if (up_us >= long_us) return true;
  }
  return false;
}

Fault DrawLastingFault(Random& random, FaultKind kind, int nodes, int64_t begin_us,
                       int64_t end_us) {
  Fault fault;
  fault.kind = kind;
  fault.start_us = random.Between(begin_us, end_us - 3 * kSecond);
  fault.end_us = fault.start_us + random.Between(kSecond, 3 * kSecond);
  switch (kind) {
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
    default:
      CORE_CHECK(false);  // drawn elsewhere
  }
  return fault;
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
    case FaultKind::kReadError:
      return "read errors of a disk";
    case FaultKind::kBadBlock:
      return "bad blocks of tables";
    case FaultKind::kPause:
      return "paused nodes";
    case FaultKind::kClockJump:
      return "wrong wall clocks";
    case FaultKind::kClockDrift:
      return "drifting wall clocks";
    case FaultKind::kStalledDisk:
      return "stalled disk";
    case FaultKind::kFullDisk:
      return "full disk";
    case FaultKind::kWipedDisk:
      return "wiped disk";
    case FaultKind::kOlderDisk:
      return "older copy of a disk";
    case FaultKind::kBitRot:
      return "rotten blocks of tables";
  }
  return "?";
}

bool TakesDown(FaultKind kind) {
  return kind == FaultKind::kCrash || kind == FaultKind::kPowerCut || Destroys(kind);
}

bool Destroys(FaultKind kind) {
  return kind == FaultKind::kWipedDisk || kind == FaultKind::kOlderDisk;
}

bool OfNetwork(FaultKind kind) {
  switch (kind) {
    case FaultKind::kHalves:
    case FaultKind::kIsolate:
    case FaultKind::kOneWay:
    case FaultKind::kSlow:
    case FaultKind::kLoss:
    case FaultKind::kDuplicate:
    case FaultKind::kReorder:
      return true;
    default:
      return false;
  }
}

int64_t WallShiftUs(const Fault& fault, int64_t now_us) {
  if (!fault.ActiveAt(now_us)) return 0;
  if (fault.kind == FaultKind::kClockJump) return fault.shift_us;
  if (fault.kind != FaultKind::kClockDrift) return 0;
  return (now_us - fault.start_us) / 1000 * fault.shift_us / 1000;
}

bool OfDisk(FaultKind kind) {
  return kind == FaultKind::kReadError || kind == FaultKind::kBadBlock ||
         kind == FaultKind::kFullDisk || kind == FaultKind::kBitRot;
}

bool Fault::Concerns(NodeId node) const {
  return nodes.empty() || std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::string ToString(const Fault& fault) {
  std::string text = absl::StrCat(FaultKindName(fault.kind), " from ", fault.start_us / 1000,
                                  " ms to ", fault.end_us / 1000, " ms");
  if (!fault.nodes.empty()) absl::StrAppend(&text, ", nodes ", absl::StrJoin(fault.nodes, " "));
  if (fault.kind == FaultKind::kCrash) {
    absl::StrAppend(&text, ", at file operation ", fault.amount);
  } else if (fault.kind == FaultKind::kPowerCut) {
    absl::StrAppend(&text, ", at acknowledged write ", fault.amount);
  } else if (fault.amount > 0) {
    absl::StrAppend(&text, ", amount ", fault.amount);
  }
  if (fault.shift_us != 0) absl::StrAppend(&text, ", by ", fault.shift_us / 1000, " ms");
  if (fault.withheld) absl::StrAppend(&text, ", withheld by the fault budget");
  if (fault.down_us > 0) absl::StrAppend(&text, ", down for ", fault.down_us / 1000, " ms");
  if (fault.again) absl::StrAppend(&text, ", again in recovery");
  if (fault.kind == FaultKind::kReadError && fault.tables_only) {
    absl::StrAppend(&text, ", of tables");
  }
  return absl::StrCat(text, ": ", fault.effects, " effects");
}

int64_t BackAfterUs(const Fault& power_cut, size_t index) {
  return power_cut.down_us + static_cast<int64_t>(index % 4) * power_cut.down_us / 4;
}

std::vector<Fault> DrawFaultPlan(Random& random, int nodes, int64_t begin_us, int64_t end_us,
                                 bool wipes) {
  static constexpr FaultKind kOfNodes[] = {FaultKind::kFullDisk, FaultKind::kPause,
                                           FaultKind::kStalledDisk, FaultKind::kClockJump,
                                           FaultKind::kClockDrift};
  static constexpr FaultKind kLasting[] = {
      FaultKind::kHalves, FaultKind::kIsolate,   FaultKind::kOneWay,  FaultKind::kSlow,
      FaultKind::kLoss,   FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kSlowDisk};
  const auto earlier = [](const Fault& a, const Fault& b) { return a.start_us < b.start_us; };
  std::vector<Fault> plan;
  if (random.Chance(1, 2)) DrawPowerCuts(random, nodes, begin_us, end_us, &plan);
  if (wipes && random.Chance(1, 2)) DrawLostDisks(random, nodes, begin_us, end_us, &plan);
  std::stable_sort(plan.begin(), plan.end(), earlier);
  if (random.Chance(4, 5)) DrawCrashes(random, nodes, begin_us, end_us, &plan);
  if (random.Chance(3, 5)) {
    Fault fault = DrawDiskFault(random, nodes, begin_us, end_us);
    if (SomeoneIsUp(fault, nodes, plan, end_us, 4 * kSecond)) plan.push_back(std::move(fault));
  }
  for (const FaultKind kind : kLasting) {
    const bool chosen = random.Chance(1, 2);
    if (!chosen || (nodes < 2 && kind != FaultKind::kSlowDisk)) continue;
    const uint64_t times = 1 + random.Below(2);
    for (uint64_t i = 0; i < times; ++i) {
      Fault fault = DrawLastingFault(random, kind, nodes, begin_us, end_us);
      const int64_t half_us = (fault.end_us - fault.start_us) / 2;
      if (SomeoneIsUp(fault, nodes, plan, fault.end_us, half_us)) plan.push_back(std::move(fault));
    }
  }
  for (const FaultKind kind : kOfNodes) {
    if (!random.Chance(1, 3)) continue;
    Fault fault = DrawNodeFault(random, kind, nodes, begin_us, end_us);
    // One ill disk at most, and it must be used.
    const bool wasted = std::any_of(plan.begin(), plan.end(), [&fault](const Fault& other) {
      if (!OfDisk(other.kind)) return false;
      const bool stands = fault.kind == FaultKind::kPause || fault.kind == FaultKind::kStalledDisk;
      return OfDisk(fault.kind) || (stands && fault.Concerns(other.nodes.front()));
    });
    if (!wasted && SomeoneIsUp(fault, nodes, plan, end_us, 4 * kSecond))
      plan.push_back(std::move(fault));
  }
  // What rots is lost, like what a wiped disk held.
  for (Fault& fault : plan) {
    if (!OfDisk(fault.kind) || fault.kind == FaultKind::kFullDisk) continue;
    if (wipes && random.Chance(1, 2)) fault.kind = FaultKind::kBitRot;
    if (fault.kind == FaultKind::kBitRot) fault.amount = uint64_t{1} << random.Below(6);
  }
  std::stable_sort(plan.begin(), plan.end(), earlier);
  for (size_t i = 0; i < plan.size(); ++i) plan[i].id = i + 1;
  return plan;
}

}  // namespace norn::sim
