// Plans of faults: how they are drawn, switched and described.

#include "sim/fault_draw.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "gtest/gtest.h"
#include "sim/fault_kinds.h"
#include "sim/fault_options.h"
#include "sim/fault_plan.h"
#include "sim/keyed_seed.h"

namespace norn::sim {
namespace {

constexpr int kNodes = 5;
constexpr int64_t kBeginUs = 1'000'000;
constexpr int64_t kEndUs = 13'000'000;

// Three zones, dealt in turn.
PlanShape ShapeOf(int nodes, bool wipes = true) {
  PlanShape shape{nodes, {}, kBeginUs, kEndUs, wipes};
  shape.zones.resize(static_cast<size_t>(std::min(nodes, 3)));
  for (int i = 0; i < nodes; ++i) {
    shape.zones[static_cast<size_t>(i % 3)].push_back(static_cast<NodeId>(i + 1));
  }
  return shape;
}

FaultChoice Choice(const char* only, const char* without = "") {
  FaultChoice choice;
  std::string wrong;
  if (*only != 0) {
    CORE_CHECK(ParseFaultSet(only, &choice.allowed, &wrong));
    choice.asked = true;
  }
  FaultSet out;
  if (*without != 0) CORE_CHECK(ParseFaultSet(without, &out, &wrong));
  choice.allowed = choice.allowed.Without(out);
  return choice;
}

std::vector<Fault> PlanOf(uint64_t seed, int nodes = kNodes) {
  return DrawFaultPlan(KeyedSeed(seed), ShapeOf(nodes), FaultChoice());
}

std::string InWords(const std::vector<Fault>& plan) {
  std::string text;
  for (const Fault& fault : plan) text += ToString(fault) + "\n";
  return text;
}

TEST(FaultPlan, IsAFunctionOfTheSeed) {
  std::set<std::string> plans;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(InWords(PlanOf(seed)), InWords(PlanOf(seed)));
    plans.insert(InWords(PlanOf(seed)));
  }
  EXPECT_GT(plans.size(), 45u);
}

TEST(FaultPlan, FaultsAreOrderedAndSensible) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    int64_t last_us = kBeginUs;
    for (const Fault& fault : PlanOf(seed)) {
      EXPECT_GE(fault.start_us, last_us) << "seed " << seed << ": " << ToString(fault);
      last_us = fault.start_us;
      EXPECT_LT(fault.start_us, fault.end_us) << "seed " << seed << ": " << ToString(fault);
      EXPECT_LT(fault.start_us, kEndUs) << "seed " << seed << ": " << ToString(fault);
      EXPECT_EQ(fault.effects, 0u);
      for (const NodeId node : fault.nodes) {
        EXPECT_GE(node, 1);
        EXPECT_LE(node, kNodes);
      }
    }
  }
}

TEST(FaultPlan, APartitionHasTwoSides) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    for (const Fault& fault : PlanOf(seed)) {
      if (fault.kind != FaultKind::kHalves && fault.kind != FaultKind::kOneWay &&
          fault.kind != FaultKind::kIsolate && fault.kind != FaultKind::kFlapping &&
          fault.kind != FaultKind::kBridge && fault.kind != FaultKind::kSlowLinks) {
        continue;
      }
      EXPECT_GE(fault.nodes.size(), 1u);
      EXPECT_LT(fault.nodes.size(), static_cast<size_t>(kNodes));
      const std::set<NodeId> distinct(fault.nodes.begin(), fault.nodes.end());
      EXPECT_EQ(distinct.size(), fault.nodes.size());
    }
  }
}

// A node must be up to go down.
TEST(FaultPlan, CrashesAndPowerCutsOfOneNodeDoNotOverlap) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    std::vector<int64_t> back_us(kNodes + 1, 0);
    for (const Fault& fault : PlanOf(seed)) {
      if (!TakesDown(fault.kind)) continue;
      const bool power_cut = fault.kind == FaultKind::kPowerCut;
      const bool outage = fault.kind == FaultKind::kZoneOutage;
      ASSERT_TRUE(fault.nodes.size() == 1 || power_cut || outage) << ToString(fault);
      EXPECT_GE(fault.amount, LeastAmount(fault.kind)) << ToString(fault);
      EXPECT_LE(fault.end_us, kEndUs) << "seed " << seed << ": " << ToString(fault);
      for (size_t i = 0; i < fault.nodes.size(); ++i) {
        int64_t& back = back_us[fault.nodes[i]];
        EXPECT_GT(fault.start_us, back) << "seed " << seed << ": " << ToString(fault);
        back = outage ? fault.end_us
                      : fault.end_us + (power_cut ? BackAfterUs(fault, i)
                                                  : (fault.again ? 2 : 1) * fault.down_us);
      }
    }
  }
}

TEST(FaultPlan, CrashesReachTheEndOfTheTime) {
  int64_t latest_us = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Fault& fault : PlanOf(seed)) {
      if (fault.kind == FaultKind::kCrash) latest_us = std::max(latest_us, fault.end_us);
    }
  }
  EXPECT_GT(latest_us, kEndUs - 500'000);
}

TEST(FaultPlan, EveryLossOfACrashOccurs) {
  std::set<int> losses;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Fault& fault : PlanOf(seed)) {
      if (fault.kind == FaultKind::kCrash) losses.insert(fault.loss);
    }
  }
  EXPECT_EQ(losses, (std::set<int>{0, 1, 2, 3}));
}

TEST(FaultPlan, OnePowerCutCanTakeEveryone) {
  int everyone = 0;
  int some = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Fault& fault : PlanOf(seed)) {
      if (fault.kind != FaultKind::kPowerCut) continue;
      ++(fault.nodes.size() == static_cast<size_t>(kNodes) ? everyone : some);
    }
  }
  EXPECT_GT(everyone, some);
  EXPECT_GT(some, 5);
}

// The fault budget.
TEST(FaultPlan, OneDiskAtMostIsIll) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    std::set<NodeId> ill;
    for (const Fault& fault : PlanOf(seed)) {
      if (!OfDisk(fault.kind)) continue;
      EXPECT_EQ(fault.nodes.size(), 1u);
      ill.insert(fault.nodes.front());
      EXPECT_TRUE(fault.kind == FaultKind::kFullDisk || fault.amount >= 1u) << ToString(fault);
    }
    EXPECT_LE(ill.size(), 1u) << "seed " << seed;
  }
}

TEST(FaultPlan, NoDiskIsLostUnlessAsked) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const PlanShape shape = ShapeOf(kNodes, /*wipes=*/false);
    for (const Fault& fault : DrawFaultPlan(KeyedSeed(seed), shape, FaultChoice())) {
      EXPECT_FALSE(Destroys(fault.kind) || Rots(fault.kind)) << ToString(fault);
    }
  }
}

TEST(FaultPlan, ClocksAreShiftedWhileTheFaultLasts) {
  Fault jump;
  jump.kind = FaultKind::kClockJump;
  jump.start_us = 1'000'000;
  jump.end_us = 3'000'000;
  jump.shift_us = -500;
  EXPECT_EQ(WallShiftUs(jump, 999'999), 0);
  EXPECT_EQ(WallShiftUs(jump, 1'000'000), -500);
  EXPECT_EQ(WallShiftUs(jump, 3'000'000), 0);
  Fault drift = jump;
  drift.kind = FaultKind::kClockDrift;
  EXPECT_EQ(WallShiftUs(drift, 1'000'000), 0);
  EXPECT_EQ(WallShiftUs(drift, 2'000'000), -500);
  EXPECT_EQ(WallShiftUs(drift, 2'999'000), -999);
  drift.kind = FaultKind::kPause;
  EXPECT_EQ(WallShiftUs(drift, 2'000'000), 0);
}

TEST(FaultPlan, EveryKindOccursAndNotInEveryRun) {
  std::vector<int> runs_with(kFaultKindCount, 0);
  constexpr int kRuns = 200;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    std::set<FaultKind> kinds;
    for (const Fault& fault : PlanOf(seed)) kinds.insert(fault.kind);
    for (const FaultKind kind : kinds) ++runs_with[static_cast<size_t>(kind)];
  }
  for (int kind = 0; kind < kFaultKindCount; ++kind) {
    EXPECT_GT(runs_with[static_cast<size_t>(kind)], kRuns / 20)
        << FaultKindName(static_cast<FaultKind>(kind));
    EXPECT_LT(runs_with[static_cast<size_t>(kind)], kRuns)
        << FaultKindName(static_cast<FaultKind>(kind));
  }
}

TEST(FaultPlan, ALonelyNodeHasNoNetworkToSuffer) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Fault& fault : PlanOf(seed, 1)) {
      EXPECT_FALSE(OfNetwork(fault.kind)) << ToString(fault);
    }
  }
}

TEST(FaultPlan, ARingShowsEachNodeAMajorityAndNotAll) {
  for (int nodes = 4; nodes <= 9; ++nodes) {
    const std::vector<Fault> plan = DrawFaultPlan(KeyedSeed(7), ShapeOf(nodes), Choice("ring"));
    ASSERT_FALSE(plan.empty()) << nodes;
    EXPECT_EQ(plan[0].nodes.size(), static_cast<size_t>(nodes));
    const uint64_t sees = 2 * plan[0].amount + 1;
    EXPECT_GT(2 * sees, static_cast<uint64_t>(nodes)) << ToString(plan[0]);
    EXPECT_LT(sees, static_cast<uint64_t>(nodes)) << ToString(plan[0]);
  }
}

TEST(FaultPlan, AnOutageTakesAWholeZone) {
  int outages = 0;
  const PlanShape shape = ShapeOf(kNodes);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Fault& fault : PlanOf(seed)) {
      if (fault.kind != FaultKind::kZoneOutage) continue;
      ++outages;
      EXPECT_TRUE(std::count(shape.zones.begin(), shape.zones.end(), fault.nodes) == 1)
          << ToString(fault);
    }
  }
  EXPECT_GT(outages, 10);
}

TEST(FaultPlan, WholeClassesAreLeftOut) {
  constexpr int kRuns = 400;
  int without[kFaultClassCount] = {};
  int with_one_class = 0;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    std::set<FaultClass> classes;
    for (const Fault& fault : PlanOf(seed)) classes.insert(InfoOf(fault.kind).of);
    for (int i = 0; i < kFaultClassCount; ++i) {
      without[i] += classes.count(static_cast<FaultClass>(i)) == 0 ? 1 : 0;
    }
    with_one_class += classes.size() == 1 ? 1 : 0;
  }
  for (int i = 0; i < kFaultClassCount; ++i) {
    EXPECT_GT(without[i], kRuns / 6) << FaultClassName(static_cast<FaultClass>(i));
    EXPECT_LT(without[i], kRuns * 9 / 10) << FaultClassName(static_cast<FaultClass>(i));
  }
  EXPECT_GT(with_one_class, kRuns / 20);
}

TEST(FaultPlan, WhatIsSwitchedOffIsLeftOutOfTheSamePlan) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::vector<Fault> rest = PlanOf(seed);
    std::erase_if(rest, [](const Fault& fault) {
      return fault.kind == FaultKind::kLoss || InfoOf(fault.kind).of == FaultClass::kCrash;
    });
    const std::vector<Fault> plan =
        DrawFaultPlan(KeyedSeed(seed), ShapeOf(kNodes), Choice("", "loss,crashes"));
    EXPECT_EQ(InWords(plan), InWords(rest));
    for (size_t i = 0; i < plan.size(); ++i) EXPECT_EQ(plan[i].id, rest[i].id);
  }
}

TEST(FaultPlan, WhatIsAskedForByNameIsThere) {
  for (int i = 0; i < kFaultKindCount; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      const std::vector<Fault> plan =
          DrawFaultPlan(KeyedSeed(seed), ShapeOf(kNodes), Choice(InfoOf(kind).name));
      EXPECT_FALSE(plan.empty()) << InfoOf(kind).name;
      for (const Fault& fault : plan) EXPECT_EQ(fault.kind, kind);
    }
  }
}

TEST(FaultKinds, NamesAndClassesAreRead) {
  for (int i = 0; i < kFaultKindCount; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    FaultSet set;
    std::string wrong;
    ASSERT_TRUE(ParseFaultSet(InfoOf(kind).name, &set, &wrong)) << wrong;
    EXPECT_TRUE(set.Has(kind));
    EXPECT_EQ(ToString(set), InfoOf(kind).name);
  }
  FaultSet clocks;
  std::string wrong;
  ASSERT_TRUE(ParseFaultSet("clocks, pause", &clocks, &wrong)) << wrong;
  EXPECT_EQ(ToString(clocks), "pause,clock-jump,clock-drift");
  for (const char* bad : {"", "crash,", "gremlins", "Crash"}) {
    EXPECT_FALSE(ParseFaultSet(bad, &clocks, &wrong)) << bad;
    EXPECT_NE(wrong.find("one-way"), std::string::npos) << wrong;
    EXPECT_NE(wrong.find("network,crashes"), std::string::npos) << wrong;
  }
}

TEST(FaultKinds, OptionsOfTheCommandLine) {
  FaultChoice choice;
  std::optional<std::string> wrong;
  std::vector<std::string> words = {"--faults", "network", "--no-faults", "loss,ring", "--faults"};
  size_t at = 0;
  ASSERT_TRUE(TakeFaultOption(words, &at, &choice, &wrong));
  at = 2;
  ASSERT_TRUE(TakeFaultOption(words, &at, &choice, &wrong));
  EXPECT_EQ(at, 3u);
  EXPECT_FALSE(wrong.has_value()) << *wrong;
  EXPECT_EQ(FaultOptionsOf(choice),
            " --faults halves,isolate,one-way,slow,duplicate,reorder,bridge,flapping,reset,"
            "slow-links");
  at = 4;
  ASSERT_TRUE(TakeFaultOption(words, &at, &choice, &wrong));
  EXPECT_TRUE(wrong.has_value());
  at = 1;
  EXPECT_FALSE(TakeFaultOption(words, &at, &choice, &wrong));
  EXPECT_EQ(FaultOptionsOf(FaultChoice()), "");
  EXPECT_EQ(FaultOptionsOf(Choice("", "clocks")), " --no-faults clock-jump,clock-drift");
}

}  // namespace
}  // namespace norn::sim
