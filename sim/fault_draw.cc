#include "sim/fault_draw.h"

#include <algorithm>
#include <utility>

#include "core/random.h"
#include "sim/fault_draw_parts.h"

namespace norn::sim {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr uint64_t kDrawsMax = 64;  // of plans for which some kinds were asked

void SortByStart(std::vector<Fault>* plan) {
  std::stable_sort(plan->begin(), plan->end(),
                   [](const Fault& a, const Fault& b) { return a.start_us < b.start_us; });
}

// Gives ids to those that have none.
void Number(std::vector<Fault>* plan) {
  uint64_t last = 0;
  for (const Fault& fault : *plan) last = std::max(last, fault.id);
  for (Fault& fault : *plan) {
    if (fault.id == 0) fault.id = ++last;
  }
}

std::vector<Fault> DrawUsual(Random& random, const PlanShape& shape) {
  static constexpr FaultKind kOfNodes[] = {FaultKind::kFullDisk, FaultKind::kPause,
                                           FaultKind::kStalledDisk, FaultKind::kClockJump,
                                           FaultKind::kClockDrift};
  static constexpr FaultKind kLasting[] = {
      FaultKind::kHalves, FaultKind::kIsolate,   FaultKind::kOneWay,  FaultKind::kSlow,
      FaultKind::kLoss,   FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kSlowDisk};
  const int nodes = shape.nodes;
  std::vector<Fault> plan;
  if (random.Chance(1, 2)) DrawPowerCuts(random, nodes, shape.begin_us, shape.end_us, &plan);
  if (shape.wipes && random.Chance(1, 2))
    DrawLostDisks(random, nodes, shape.begin_us, shape.end_us, &plan);
  SortByStart(&plan);
  if (random.Chance(4, 5)) DrawCrashes(random, nodes, shape.begin_us, shape.end_us, &plan);
  if (random.Chance(3, 5)) {
    Fault fault = DrawDiskFault(random, nodes, shape.begin_us, shape.end_us);
    if (SomeoneIsUp(fault, nodes, plan, shape.end_us, 4 * kSecond))
      plan.push_back(std::move(fault));
  }
  for (const FaultKind kind : kLasting) {
    const bool chosen = random.Chance(1, 2);
    if (!chosen || nodes < LeastNodes(kind)) continue;
    const uint64_t times = 1 + random.Below(2);
    for (uint64_t i = 0; i < times; ++i) {
      Fault fault = DrawLastingFault(random, kind, nodes, shape.begin_us, shape.end_us);
      const int64_t half_us = (fault.end_us - fault.start_us) / 2;
      if (SomeoneIsUp(fault, nodes, plan, fault.end_us, half_us)) plan.push_back(std::move(fault));
    }
  }
  for (const FaultKind kind : kOfNodes) {
    if (!random.Chance(1, 3)) continue;
    Fault fault = DrawNodeFault(random, kind, nodes, shape.begin_us, shape.end_us);
    // One ill disk at most, and it must be used.
    const bool wasted = std::any_of(plan.begin(), plan.end(), [&fault](const Fault& other) {
      if (!OfDisk(other.kind)) return false;
      const bool stands = fault.kind == FaultKind::kPause || fault.kind == FaultKind::kStalledDisk;
      return OfDisk(fault.kind) || (stands && fault.Concerns(other.nodes.front()));
    });
    if (!wasted && SomeoneIsUp(fault, nodes, plan, shape.end_us, 4 * kSecond))
      plan.push_back(std::move(fault));
  }
  // What rots is lost, like what a wiped disk held.
  for (Fault& fault : plan) {
    if (!OfDisk(fault.kind) || fault.kind == FaultKind::kFullDisk) continue;
    if (shape.wipes && random.Chance(1, 2)) fault.kind = FaultKind::kBitRot;
    if (fault.kind == FaultKind::kBitRot) fault.amount = uint64_t{1} << random.Below(6);
  }
  return plan;
}

// Of the node whose disk is ill, if there is one: no other shall be.
void AddRarerOfDisks(Random& random, const PlanShape& shape, std::vector<Fault>* plan) {
  static constexpr FaultKind kErrors[] = {FaultKind::kWriteError, FaultKind::kFailedSync,
                                          FaultKind::kMisdirectedRead};
  if (random.Chance(1, 4)) {
    DrawBadEnd(random, FaultKind::kTornWrite, shape.nodes, shape.begin_us, shape.end_us, plan);
  }
  if (shape.wipes && random.Chance(1, 4)) {
    DrawBadEnd(random, FaultKind::kLogRot, shape.nodes, shape.begin_us, shape.end_us, plan);
  }
  NodeId ill = DrawSomeNodes(random, shape.nodes, 1).front();
  bool rots = false;
  for (Fault& fault : *plan) {
    if (!OfDisk(fault.kind)) continue;
    ill = fault.nodes.front();
    if (!Rots(fault.kind)) continue;
    rots = true;
    if (random.Chance(1, 2)) continue;
    fault.kind = FaultKind::kMisdirectedWrite;
    fault.amount = 1 + random.Below(8);
  }
  for (const FaultKind kind : kErrors) {
    if (!random.Chance(1, 5)) continue;
    // Who meets bad bytes could not say whose they are.
    if (rots && kind == FaultKind::kMisdirectedRead) continue;
    Fault fault = DrawDiskErrors(random, kind, ill, shape.begin_us, shape.end_us);
    if (SomeoneIsUp(fault, shape.nodes, *plan, shape.end_us, 4 * kSecond)) {
      plan->push_back(std::move(fault));
    }
  }
}

// A stream of its own: what a seed draws besides stays as it was.
void AddRarer(Random& random, const PlanShape& shape, std::vector<Fault>* plan) {
  static constexpr FaultKind kLasting[] = {FaultKind::kBridge, FaultKind::kRing,
                                           FaultKind::kFlapping, FaultKind::kReset,
                                           FaultKind::kSlowLinks};
  if (random.Chance(1, 3)) {
    DrawZoneOutage(random, shape.zones, shape.begin_us, shape.end_us, plan);
  }
  for (const FaultKind kind : kLasting) {
    if (!random.Chance(1, 4) || shape.nodes < LeastNodes(kind)) continue;
    Fault fault = DrawLastingFault(random, kind, shape.nodes, shape.begin_us, shape.end_us);
    const int64_t half_us = (fault.end_us - fault.start_us) / 2;
    if (SomeoneIsUp(fault, shape.nodes, *plan, fault.end_us, half_us)) {
      plan->push_back(std::move(fault));
    }
  }
  AddRarerOfDisks(random, shape, plan);
}

// Half of the runs know every class, the others each with even chances.
FaultSet DrawClasses(Random& random) {
  FaultSet drawn = FaultSet::All();
  if (random.Chance(1, 2)) return drawn;
  bool knows[kFaultClassCount] = {};
  for (bool& known : knows) known = random.Chance(1, 2);
  FaultSet some;
  for (int i = 0; i < kFaultKindCount; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (knows[static_cast<size_t>(InfoOf(kind).of)]) some.Add(kind);
  }
  return some.empty() ? drawn : some;
}

std::vector<Fault> DrawOnce(const KeyedSeed& seed, const PlanShape& shape, FaultSet allowed) {
  Random usual = seed.Stream();
  Random rarer = seed.With("rarer").Stream();
  std::vector<Fault> plan = DrawUsual(usual, shape);
  SortByStart(&plan);
  Number(&plan);
  AddRarer(rarer, shape, &plan);
  Number(&plan);
  std::erase_if(plan, [allowed](const Fault& fault) { return !allowed.Has(fault.kind); });
  SortByStart(&plan);
  return plan;
}

}  // namespace

std::vector<Fault> DrawFaultPlan(const KeyedSeed& seed, const PlanShape& shape,
                                 const FaultChoice& choice) {
  if (choice.asked) {
    std::vector<Fault> plan = DrawOnce(seed, shape, choice.allowed);
    for (uint64_t i = 1; plan.empty() && i < kDrawsMax; ++i) {
      plan = DrawOnce(seed.With("again").With(i), shape, choice.allowed);
    }
    return plan;
  }
  Random classes = seed.With("classes").Stream();
  return DrawOnce(seed, shape, choice.allowed.Intersect(DrawClasses(classes)));
}

}  // namespace norn::sim
