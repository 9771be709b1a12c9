// The network: what a healthy link does, and what each fault does to it.

#include "sim/sim_network.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {
namespace {

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

  // Everybody sends to everybody at once; "1>2" for each message that arrives.
  std::set<std::string> AllToAll(int nodes, int64_t at_us) {
    arrivals_.clear();
    for (NodeId from = 1; from <= nodes; ++from) {
      for (NodeId to = 1; to <= nodes; ++to) {
        if (from != to) SendAt(at_us, from, to);
      }
    }
    scheduler_.RunUntil(at_us + 2 * kDelayMaxUs);
    std::set<std::string> passed;
    for (const Arrival& arrival : arrivals_) {
      passed.insert(std::to_string(arrival.from) + ">" + std::to_string(arrival.to));
    }
    return passed;
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

TEST_F(NetworkTest, OnlyTheBridgeConnectsTheTwoHalves) {
  Open({MakeFault(FaultKind::kBridge, {3, 1, 2}, 0, 10'000)});  // 1 2 | 4 5, and 3 between them
  EXPECT_EQ(AllToAll(5, 1'000), (std::set<std::string>{"1>2", "2>1", "4>5", "5>4", "1>3", "2>3",
                                                       "4>3", "5>3", "3>1", "3>2", "3>4", "3>5"}));
  EXPECT_EQ(plan_[0].effects, 8u);
}

TEST_F(NetworkTest, InARingEachReachesItsNeighbours) {
  Open({MakeFault(FaultKind::kRing, {2, 5, 1, 4, 3}, 0, 10'000, 1)});
  EXPECT_EQ(AllToAll(5, 1'000), (std::set<std::string>{"2>5", "5>2", "5>1", "1>5", "1>4", "4>1",
                                                       "4>3", "3>4", "3>2", "2>3"}));
  EXPECT_EQ(plan_[0].effects, 10u);
}

TEST_F(NetworkTest, AFlappingCutComesAndGoes) {
  Open({MakeFault(FaultKind::kFlapping, {1}, 100'000, 500'000, 100'000)});
  EXPECT_EQ(AllToAll(2, 50'000).size(), 2u);   // not yet
  EXPECT_EQ(AllToAll(2, 120'000).size(), 0u);  // cut
  EXPECT_EQ(AllToAll(2, 160'000).size(), 2u);  // whole
  EXPECT_EQ(AllToAll(2, 220'000).size(), 0u);  // cut again
  EXPECT_EQ(AllToAll(2, 520'000).size(), 2u);  // over
  EXPECT_EQ(plan_[0].effects, 4u);
}

TEST_F(NetworkTest, AResetLosesWhatTravelsBothWays) {
  Open({MakeFault(FaultKind::kReset, {1}, 0, 1'000'000, 10'000)});
  for (int i = 0; i < 10'000; ++i) {
    SendAt(i * 100, 1, 2);
    SendAt(i * 100, 2, 1);
    SendAt(i * 100, 2, 3);
  }
  scheduler_.RunUntil(2'000'000);
  size_t of_others = 0;
  size_t there = 0;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.to == 3) ++of_others;
    if (arrival.to == 2) ++there;
  }
  EXPECT_EQ(of_others, 10'000u);
  // A hundred resets, each of which meets the messages of some 500 microseconds.
  EXPECT_GT(plan_[0].effects, 400u);
  EXPECT_LT(plan_[0].effects, 2'500u);
  EXPECT_LT(there, 9'900u);
  EXPECT_EQ(arrivals_.size() + plan_[0].effects, 30'000u);
}

// The next connection does not wait for what the broken one would still have brought.
TEST_F(NetworkTest, AfterAResetOrderBeginsAnew) {
  Open({MakeFault(FaultKind::kSlow, {}, 0, 10, 900'000'000),
        MakeFault(FaultKind::kReset, {}, 1'000, 3'000, 1'000)});
  SendAt(5, 1, 2, "late");
  SendAt(5'000, 1, 2, "new");
  scheduler_.RunUntil(10'000);
  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].bytes, "new");
  scheduler_.RunUntil(2'000'000'000);
  EXPECT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(plan_[1].effects, 1u);
}

TEST_F(NetworkTest, SlowLinksAreThoseBetweenTheNodesAndTheOthers) {
  Open({MakeFault(FaultKind::kSlowLinks, {1, 2}, 0, 10'000, 500'000'000)});
  EXPECT_EQ(AllToAll(4, 1'000), (std::set<std::string>{"1>2", "2>1", "3>4", "4>3"}));
  EXPECT_EQ(plan_[0].effects, 8u);
  scheduler_.RunUntil(600'000'000);
  EXPECT_EQ(arrivals_.size(), 12u);
}

}  // namespace
}  // namespace norn::sim
