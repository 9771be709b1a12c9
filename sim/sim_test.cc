// Virtual time, the trace, the network and the fault plan: the parts of the simulator that
// do not know the store.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/sim_network.h"
#include "sim/trace.h"

namespace norn::sim {
namespace {

// ---- Scheduler --------------------------------------------------------------------

TEST(Scheduler, DoesThingsInTheOrderOfTime) {
  Scheduler scheduler;
  std::vector<int64_t> done;
  for (const int64_t time_us : {50, 10, 40, 20, 30}) {
    scheduler.At(time_us, [&scheduler, &done] { done.push_back(scheduler.now_us()); });
  }
  scheduler.RunUntil(100);
  EXPECT_EQ(done, (std::vector<int64_t>{10, 20, 30, 40, 50}));
  EXPECT_EQ(scheduler.now_us(), 100);
  EXPECT_EQ(scheduler.events(), 5u);
}

TEST(Scheduler, OneMomentKeepsTheOrderOfScheduling) {
  Scheduler scheduler;
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) scheduler.At(7, [&done, i] { done.push_back(i); });
  scheduler.RunUntil(7);
  ASSERT_EQ(done.size(), 100u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(Scheduler, LeavesTheFutureAlone) {
  Scheduler scheduler;
  int done = 0;
  scheduler.At(10, [&done] { ++done; });
  scheduler.At(11, [&done] { ++done; });
  scheduler.RunUntil(10);
  EXPECT_EQ(done, 1);
  scheduler.RunUntil(11);
  EXPECT_EQ(done, 2);
}

TEST(Scheduler, AnActionMaySchedule) {
  Scheduler scheduler;
  std::vector<std::string> done;
  scheduler.At(10, [&] {
    done.push_back("first");
    scheduler.After(0, [&done] { done.push_back("third"); });
    scheduler.After(5, [&done] { done.push_back("fourth"); });
  });
  scheduler.At(10, [&done] { done.push_back("second"); });
  scheduler.RunUntil(20);
  EXPECT_EQ(done, (std::vector<std::string>{"first", "second", "third", "fourth"}));
}

TEST(SchedulerDeathTest, ThePastIsClosed) {
  Scheduler scheduler;
  scheduler.RunUntil(10);
  EXPECT_DEATH(scheduler.At(9, [] {}), "check failed");
}

// ---- Trace ------------------------------------------------------------------------

std::string HashOf(int64_t time_us, NodeId node, absl::string_view what,
                   absl::string_view content) {
  Trace trace(nullptr);
  trace.Record(time_us, node, what, content);
  return trace.Hash();
}

TEST(Trace, TheHashDependsOnEveryPartOfAnEvent) {
  const std::set<std::string> hashes = {HashOf(1, 2, "send", "abc"), HashOf(2, 2, "send", "abc"),
                                        HashOf(1, 3, "send", "abc"), HashOf(1, 2, "sent", "abc"),
                                        HashOf(1, 2, "send", "abd"), HashOf(1, 2, "send", "")};
  EXPECT_EQ(hashes.size(), 6u);
  for (const std::string& hash : hashes) {
    EXPECT_EQ(hash.size(), 32u);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos) << hash;
  }
}

TEST(Trace, TheHashDependsOnTheOrder) {
  Trace one(nullptr);
  one.Record(1, 1, "a", "");
  one.Record(1, 1, "b", "");
  Trace other(nullptr);
  other.Record(1, 1, "b", "");
  other.Record(1, 1, "a", "");
  EXPECT_NE(one.Hash(), other.Hash());
  EXPECT_EQ(one.events(), 2u);
}

TEST(Trace, AWindowShowsItsEventsWithTheirHashes) {
  std::vector<std::string> lines;
  TraceView view([&lines](const std::string& line) { lines.push_back(line); });
  view.first = 2;
  view.last = 3;
  view.numbered = true;
  view.checkpoint_every = 2;
  std::vector<std::string> checkpoints;
  view.checkpoint = [&checkpoints](uint64_t events, const std::string& hash) {
    checkpoints.push_back(std::to_string(events) + hash);
  };
  Trace trace(view);
  std::vector<std::string> hashes;
  for (int i = 1; i <= 5; ++i) {
    trace.Record(i, 1, "send", std::to_string(i));
    hashes.push_back(trace.Hash());
  }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find("event 2 " + hashes[1] + " "), 0u) << lines[0];
  EXPECT_EQ(lines[1].find("event 3 " + hashes[2] + " "), 0u) << lines[1];
  EXPECT_EQ(checkpoints, (std::vector<std::string>{"2" + hashes[1], "4" + hashes[3]}));
}

TEST(Trace, PrintingAndExplainingLeaveTheHashAlone) {
  std::vector<std::string> lines;
  Trace loud(TraceView([&lines](const std::string& line) { lines.push_back(line); }));
  Trace quiet(nullptr);
  for (Trace* trace : {&loud, &quiet}) {
    trace->Record(1'500'000, 3, "receive", "abc");
    trace->Explain(1'500'001, 3, "a word to the reader");
  }
  EXPECT_EQ(loud.Hash(), quiet.Hash());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("1.500000 n3"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("receive"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("a word to the reader"), std::string::npos) << lines[1];
}

// It must not differ between compilers, optimisation levels and machines.
TEST(Trace, TheHashOfAKnownTraceStays) {
  Trace empty(nullptr);
  EXPECT_EQ(empty.Hash(), "00000000000000000000000000000000");
  EXPECT_EQ(HashOf(1, 2, "send", "abc"), "baea58a3f5f349ea325258a95b372646");
}

// ---- Scheduler --------------------------------------------------------------------

TEST(Scheduler, RanksComeFirstInTheirMoment) {
  Scheduler scheduler;
  std::string order;
  scheduler.At(5, [&order] { order += 'x'; });
  scheduler.AtRank(5, 2, [&order] { order += 'b'; });
  scheduler.At(4, [&order] { order += 'w'; });
  scheduler.AtRank(5, 1, [&order] { order += 'a'; });
  scheduler.RunUntil(9);
  EXPECT_EQ(order, "wabx");
}

// ---- SimNetwork -------------------------------------------------------------------

constexpr int64_t kDelayMinUs = 100;
constexpr int64_t kDelayMaxUs = 1'000;

struct Arrival {
  NodeId from;
  NodeId to;
  std::string bytes;
  int64_t at_us;
};

class NetworkTest : public testing::Test {
 protected:
  void Open(std::vector<Fault> plan, uint64_t seed = 1) {
    plan_ = std::move(plan);
    network_ = std::make_unique<SimNetwork>(
        scheduler_, trace_, KeyedSeed(seed), &plan_, kDelayMinUs, kDelayMaxUs,
        [this](NodeId from, NodeId to, const std::string& bytes) {
          arrivals_.push_back({from, to, bytes, scheduler_.now_us()});
        });
  }

  static Fault MakeFault(FaultKind kind, std::vector<NodeId> nodes, int64_t start_us,
                         int64_t end_us, uint64_t amount = 0) {
    Fault fault;
    fault.kind = kind;
    fault.nodes = std::move(nodes);
    fault.start_us = start_us;
    fault.end_us = end_us;
    fault.amount = amount;
    return fault;
  }

  void SendAt(int64_t time_us, NodeId from, NodeId to, const std::string& bytes = "m") {
    scheduler_.At(time_us, [this, from, to, bytes] { network_->Send(from, to, bytes); });
  }

  Scheduler scheduler_;
  Trace trace_{nullptr};
  std::vector<Fault> plan_;
  std::unique_ptr<SimNetwork> network_;
  std::vector<Arrival> arrivals_;
};

TEST_F(NetworkTest, AHealthyLinkDeliversAllInOrderAndInTime) {
  Open({});
  for (int i = 0; i < 500; ++i) SendAt(i * 10, 1, 2, std::to_string(i));
  scheduler_.RunUntil(1'000'000);
  ASSERT_EQ(arrivals_.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    const Arrival& arrival = arrivals_[static_cast<size_t>(i)];
    EXPECT_EQ(arrival.bytes, std::to_string(i));
    EXPECT_EQ(arrival.from, 1);
    EXPECT_EQ(arrival.to, 2);
    EXPECT_GE(arrival.at_us, i * 10 + kDelayMinUs);
    EXPECT_LE(arrival.at_us, i * 10 + kDelayMaxUs);
  }
  EXPECT_EQ(network_->sent(), 500u);
  EXPECT_EQ(network_->delivered(), 500u);
}

// Delay and loss hang on which message it is, and not on how many others there are.
TEST_F(NetworkTest, WhatBefallsAMessageDoesNotHangOnOthers) {
  const auto arrivals = [this](bool others) {
    Open({MakeFault(FaultKind::kLoss, {}, 0, 9'000'000'000, 300)}, 5);
    arrivals_.clear();
    const int64_t from_us = scheduler_.now_us();
    for (int i = 0; i < 50; ++i) {
      const int64_t at_us = from_us + i * 10'000;
      scheduler_.At(at_us, [this] { network_->Send(1, 2, "a", {"ReplicaWrite", "k1"}); });
      if (!others) continue;
      scheduler_.At(at_us + 5'000, [this] { network_->Send(1, 2, "b", {"ReplicaWrite", "k2"}); });
    }
    scheduler_.RunUntil(from_us + 1'000'000);
    std::vector<int64_t> times;
    for (const Arrival& arrival : arrivals_) {
      if (arrival.bytes == "a") times.push_back(arrival.at_us - from_us);
    }
    return times;
  };
  const std::vector<int64_t> alone = arrivals(false);
  EXPECT_GT(alone.size(), 20u);
  EXPECT_LT(alone.size(), 50u);
  EXPECT_EQ(arrivals(true), alone);
}

TEST_F(NetworkTest, HarmIsDoneToTheMessageThatIsNamed) {
  Open({});
  MessageHarm lost;
  lost.from = 1;
  lost.to = 2;
  lost.label = {"ReplicaWrite", "k1"};
  lost.nth = 2;
  lost.lost = true;
  MessageHarm doubled = lost;
  doubled.nth = 3;
  doubled.lost = false;
  doubled.doubled = true;
  MessageHarm never = lost;
  never.to = 3;
  network_->Harm({lost, doubled, never});
  for (int i = 1; i <= 4; ++i) {
    scheduler_.At(i * 10'000, [this, i] {
      network_->Send(1, 2, std::to_string(i), {"ReplicaWrite", "k1"});
      network_->Send(1, 2, "other", {"ReplicaWrite", "k2"});
      network_->Send(2, 1, "other", {"ReplicaWrite", "k1"});
    });
  }
  scheduler_.RunUntil(1'000'000);
  std::string arrived;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.bytes != "other") arrived += arrival.bytes;
  }
  EXPECT_EQ(arrived, "1334");
  EXPECT_EQ(network_->harms()[0].effects, 1u);
  EXPECT_EQ(network_->harms()[1].effects, 1u);
  EXPECT_EQ(network_->harms()[2].effects, 0u);
}

TEST_F(NetworkTest, TwoHalvesCannotTalkAndEachCanWithinItself) {
  Open({MakeFault(FaultKind::kHalves, {1, 2}, 0, 10'000)});
  for (NodeId from = 1; from <= 4; ++from) {
    for (NodeId to = 1; to <= 4; ++to) {
      if (from != to) SendAt(5'000, from, to);
    }
  }
  scheduler_.RunUntil(20'000);
  EXPECT_EQ(arrivals_.size(), 4u);
  for (const Arrival& arrival : arrivals_) EXPECT_EQ(arrival.from <= 2, arrival.to <= 2);
  EXPECT_EQ(plan_[0].effects, 8u);
}

TEST_F(NetworkTest, AnIsolatedNodeTalksToNobody) {
  Open({MakeFault(FaultKind::kIsolate, {2}, 0, 10'000)});
  SendAt(1'000, 1, 2);
  SendAt(1'000, 2, 3);
  SendAt(1'000, 1, 3);
  scheduler_.RunUntil(20'000);
  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].to, 3);
  EXPECT_EQ(plan_[0].effects, 2u);
}

TEST_F(NetworkTest, AOneWayPartitionLosesOneDirection) {
  Open({MakeFault(FaultKind::kOneWay, {1}, 0, 10'000)});
  SendAt(1'000, 1, 2);
  SendAt(1'000, 2, 1);
  scheduler_.RunUntil(20'000);
  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].from, 2);
  EXPECT_EQ(plan_[0].effects, 1u);
}

TEST_F(NetworkTest, WhatWouldArriveWhileTheLinkIsCutIsLost) {
  Open({MakeFault(FaultKind::kIsolate, {2}, 1'050, 10'000)});
  SendAt(1'000, 1, 2);  // under way when the cut comes
  scheduler_.RunUntil(20'000);
  EXPECT_TRUE(arrivals_.empty());
  EXPECT_EQ(plan_[0].effects, 1u);
}

TEST_F(NetworkTest, AfterThePartitionMessagesPassAgain) {
  Open({MakeFault(FaultKind::kIsolate, {2}, 0, 5'000)});
  SendAt(4'999, 1, 2, "lost");
  SendAt(5'000, 1, 2, "passes");
  scheduler_.RunUntil(20'000);
  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].bytes, "passes");
}

TEST_F(NetworkTest, LossLosesItsShareAndCountsIt) {
  Open({MakeFault(FaultKind::kLoss, {}, 0, 1'000'000, 250)});
  for (int i = 0; i < 4'000; ++i) SendAt(i, 1, 2);
  scheduler_.RunUntil(1'000'000);
  EXPECT_EQ(arrivals_.size() + plan_[0].effects, 4'000u);
  EXPECT_GT(plan_[0].effects, 800u);
  EXPECT_LT(plan_[0].effects, 1'200u);
}

TEST_F(NetworkTest, DuplicationAddsCopiesAndCountsThem) {
  Open({MakeFault(FaultKind::kDuplicate, {}, 0, 1'000'000, 250)});
  for (int i = 0; i < 4'000; ++i) SendAt(i, 1, 2);
  scheduler_.RunUntil(1'000'000);
  EXPECT_EQ(arrivals_.size(), 4'000u + plan_[0].effects);
  EXPECT_GT(plan_[0].effects, 800u);
  EXPECT_LT(plan_[0].effects, 1'200u);
}

TEST_F(NetworkTest, SlownessDelaysAndKeepsTheOrder) {
  Open({MakeFault(FaultKind::kSlow, {}, 0, 1'000'000, 50'000)});
  for (int i = 0; i < 200; ++i) SendAt(i * 100, 1, 2, std::to_string(i));
  scheduler_.RunUntil(2'000'000);
  ASSERT_EQ(arrivals_.size(), 200u);
  for (size_t i = 0; i < arrivals_.size(); ++i) EXPECT_EQ(arrivals_[i].bytes, std::to_string(i));
  EXPECT_GT(arrivals_.back().at_us, 199 * 100 + kDelayMaxUs);
  EXPECT_EQ(plan_[0].effects, 200u);
}

TEST_F(NetworkTest, ReorderingLetsMessagesOvertakeAndCountsIt) {
  Open({MakeFault(FaultKind::kReorder, {}, 0, 1'000'000, 50'000)});
  for (int i = 0; i < 200; ++i) SendAt(i * 100, 1, 2, std::to_string(i));
  scheduler_.RunUntil(2'000'000);
  ASSERT_EQ(arrivals_.size(), 200u);
  int overtaken = 0;
  for (size_t i = 1; i < arrivals_.size(); ++i) {
    overtaken += std::stoi(arrivals_[i].bytes) < std::stoi(arrivals_[i - 1].bytes) ? 1 : 0;
  }
  EXPECT_GT(overtaken, 20);
  EXPECT_GT(plan_[0].effects, 20u);
}

TEST_F(NetworkTest, AFaultThatIsOverHarmsNothing) {
  Open({MakeFault(FaultKind::kLoss, {}, 0, 10, 1'000), MakeFault(FaultKind::kSlow, {}, 0, 10, 9)});
  SendAt(10, 1, 2);
  scheduler_.RunUntil(10'000);
  EXPECT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(plan_[0].effects, 0u);
  EXPECT_EQ(plan_[1].effects, 0u);
}

// ---- Fault plans ------------------------------------------------------------------

constexpr int kNodes = 5;
constexpr int64_t kBeginUs = 1'000'000;
constexpr int64_t kEndUs = 13'000'000;

std::vector<Fault> PlanOf(uint64_t seed, int nodes = kNodes) {
  Random random(seed);
  return DrawFaultPlan(random, nodes, kBeginUs, kEndUs, /*wipes=*/true);
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
          fault.kind != FaultKind::kIsolate) {
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
      ASSERT_EQ(fault.nodes.size() > 1, power_cut);
      EXPECT_TRUE(Destroys(fault.kind) || fault.amount >= 1u) << ToString(fault);
      EXPECT_LE(fault.end_us, kEndUs) << "seed " << seed << ": " << ToString(fault);
      for (size_t i = 0; i < fault.nodes.size(); ++i) {
        int64_t& back = back_us[fault.nodes[i]];
        EXPECT_GT(fault.start_us, back) << "seed " << seed << ": " << ToString(fault);
        back = fault.end_us +
               (power_cut ? BackAfterUs(fault, i) : (fault.again ? 2 : 1) * fault.down_us);
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
    int ill = 0;
    for (const Fault& fault : PlanOf(seed)) {
      if (!OfDisk(fault.kind)) continue;
      ++ill;
      EXPECT_EQ(fault.nodes.size(), 1u);
      EXPECT_TRUE(fault.kind == FaultKind::kFullDisk || fault.amount >= 1u) << ToString(fault);
    }
    EXPECT_LE(ill, 1) << "seed " << seed;
  }
}

TEST(FaultPlan, NoDiskIsLostUnlessAsked) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    for (const Fault& fault : DrawFaultPlan(random, kNodes, kBeginUs, kEndUs, /*wipes=*/false)) {
      EXPECT_FALSE(Destroys(fault.kind)) << ToString(fault);
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

}  // namespace
}  // namespace norn::sim
