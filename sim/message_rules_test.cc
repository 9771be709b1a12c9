// Rules on single messages: what they match, what they do, what they count.

#include "sim/message_rules.h"

#include <string>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/fault_plan.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {
namespace {

class MessageRulesTest : public testing::Test {
 protected:
  MessageRulesTest()
      : network_(scheduler_, trace_, KeyedSeed(3), &no_faults_, 100, 200,
                 [this](NodeId, NodeId, const std::string& bytes) {
                   arrived_.push_back(bytes);
                   arrived_us_.push_back(scheduler_.now_us());
                 }),
        rules_(scheduler_, network_) {}

  static Message Read(const std::string& key) {
    ReplicaRead read;
    read.key = MakeRecordKey(0, key);
    return read;
  }
  void Route(const std::string& bytes, const Message& message = Read("k"), NodeId from = 1,
             NodeId to = 2) {
    rules_.Route(from, to, message, bytes);
  }
  const std::vector<std::string>& Arrived() {
    scheduler_.RunUntil(scheduler_.now_us() + 1'000);
    return arrived_;
  }

  Scheduler scheduler_;
  Trace trace_{nullptr};
  std::vector<Fault> no_faults_;
  SimNetwork network_;
  MessageRules rules_;
  std::vector<std::string> arrived_;
  std::vector<int64_t> arrived_us_;
};

using Bytes = std::vector<std::string>;

TEST_F(MessageRulesTest, WithoutRulesAllPasses) {
  Route("a");
  Route("b");
  EXPECT_EQ(Arrived(), (Bytes{"a", "b"}));
}

TEST_F(MessageRulesTest, DropsTheNthOfItsKind) {
  MessageRule rule;
  rule.message = "ReplicaRead";
  rule.nth = 2;
  rule.times = 2;
  rules_.Add(rule);
  for (const char* bytes : {"a", "b", "c", "d"}) Route(bytes);
  EXPECT_EQ(Arrived(), (Bytes{"a", "d"}));
  EXPECT_EQ(rules_.effects(0), 2u);
}

TEST_F(MessageRulesTest, LeavesAloneWhatItDoesNotMatch) {
  MessageRule rule;
  rule.message = "ReplicaRead";
  rule.from = 1;
  rule.to = 2;
  rule.key = "k";
  rule.times = 0;
  rules_.Add(rule);
  Route("another kind", ReplicaWriteReply{});
  Route("another key", Read("kk"));
  Route("another sender", Read("k"), 3, 2);
  Route("another receiver", Read("k"), 1, 3);
  Route("dropped");
  EXPECT_EQ(Arrived().size(), 4u);
  EXPECT_EQ(rules_.effects(0), 1u);
}

TEST_F(MessageRulesTest, DelaysAndLetsOthersOvertake) {
  MessageRule rule;
  rule.action = MessageRule::Action::kDelay;
  rule.delay_us = 500;
  rules_.Add(rule);
  Route("late");
  Route("early");
  EXPECT_EQ(Arrived(), (Bytes{"early", "late"}));
  EXPECT_GE(arrived_us_[1], 600);
}

TEST_F(MessageRulesTest, DoublesWithALateCopy) {
  MessageRule rule;
  rule.action = MessageRule::Action::kDuplicate;
  rule.delay_us = 500;
  rules_.Add(rule);
  Route("a");
  EXPECT_EQ(Arrived(), (Bytes{"a", "a"}));
  EXPECT_LE(arrived_us_[0], 200);
  EXPECT_GE(arrived_us_[1], 600);
}

TEST_F(MessageRulesTest, HoldsUntilReleased) {
  MessageRule rule;
  rule.action = MessageRule::Action::kHold;
  rule.times = 2;
  const size_t number = rules_.Add(rule);
  for (const char* bytes : {"a", "b", "c"}) Route(bytes);
  EXPECT_EQ(Arrived(), (Bytes{"c"}));
  rules_.Release(number);
  EXPECT_EQ(Arrived(), (Bytes{"c", "a", "b"}));
  rules_.Release(number);
  EXPECT_EQ(Arrived().size(), 3u);
}

TEST_F(MessageRulesTest, AnEndedRuleHarmsNothingAndTheEndOfAllReleases) {
  MessageRule hold;
  hold.action = MessageRule::Action::kHold;
  rules_.Add(hold);
  MessageRule drop;
  drop.times = 0;
  const size_t dropping = rules_.Add(drop);
  Route("held");
  Route("dropped");
  rules_.End(dropping);
  Route("passes");
  EXPECT_EQ(Arrived(), (Bytes{"passes"}));
  rules_.EndAll();
  EXPECT_EQ(Arrived(), (Bytes{"passes", "held"}));
}

TEST_F(MessageRulesTest, TheFirstRuleThatIsDueHasTheMessageAndAllCountIt) {
  MessageRule drop;
  rules_.Add(drop);
  MessageRule second;
  second.nth = 2;
  rules_.Add(second);
  for (const char* bytes : {"a", "b", "c"}) Route(bytes);
  EXPECT_EQ(Arrived(), (Bytes{"c"}));
  EXPECT_EQ(rules_.effects(0), 1u);
  EXPECT_EQ(rules_.effects(1), 1u);
}

}  // namespace
}  // namespace norn::sim
