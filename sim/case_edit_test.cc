// Edits of cases: what goes takes with it what cannot be without, and the rest stays.

#include "sim/case_edit.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/store_subject.h"

namespace norn::sim {
namespace {

v1::Case Sample() {
  const auto written = ParseCase(
      NornStore(),
      "format: 1 seed: 3 until_us: 3000000\n"
      "bucket { partitions: 16 n: 3 r: 2 w: 2 }\n"
      "node { zone: \"a\" } node { zone: \"b\" } node { zone: \"c\" } node { zone: \"d\" }\n"
      "knob { name: \"network.delay_max_us\" value: 9000 }\n"
      "knob { name: \"engine.block_bytes\" value: 99 only_node: 2 }\n"
      "fault { id: 1 kind: CRASH nodes: 2 start_us: 5 end_us: 1000000 amount: 1 again: true }\n"
      "fault { id: 2 kind: HALVES nodes: 2 nodes: 4 start_us: 5 end_us: 2000000 }\n"
      "fault { id: 3 kind: LOSS start_us: 1500000 end_us: 2000000 amount: 100 }\n"
      "link { from: 2 to: 3 delay_min_us: 7 delay_max_us: 9 }\n"
      "link { from: 3 to: 4 delay_min_us: 7 delay_max_us: 9 }\n"
      "message { name: \"Gossip\" from: 2 to: 3 nth: 1 lost: true }\n"
      "message { name: \"Gossip\" from: 3 to: 4 nth: 1 lost: true }\n"
      "operation { id: 4 at_us: 5 client: 1 via: 2 kind: PUT key: \"k1\" value: \"a\" quorum: 1 }\n"
      "operation { id: 5 at_us: 6 client: 2 via: 3 key: \"k2\" }\n"
      "operation { id: 6 at_us: 1800000 client: 1 via: 4 key: \"k1\" }\n",
      "sample");
  EXPECT_TRUE(written.ok()) << written.status().message();
  return *written;
}

TEST(CaseEdit, PartsAreCountedAndLeftOutByTheirPlace) {
  const v1::Case sample = Sample();
  EXPECT_EQ(FaultsOf(sample).count, 3u);
  EXPECT_EQ(ClientsOf(sample).count, 2u);
  EXPECT_EQ(KeysOf(sample).count, 2u);
  const v1::Case no_middle = FaultsOf(sample).without(sample, {1});
  ASSERT_EQ(no_middle.fault_size(), 2);
  EXPECT_EQ(no_middle.fault(0).id(), 1u);
  EXPECT_EQ(no_middle.fault(1).id(), 3u);
  const v1::Case no_first = ClientsOf(sample).without(sample, {0});
  ASSERT_EQ(no_first.operation_size(), 1);
  EXPECT_EQ(no_first.operation(0).id(), 5u);
  const v1::Case no_second = KeysOf(sample).without(sample, {1});
  ASSERT_EQ(no_second.operation_size(), 2);
  EXPECT_EQ(no_second.operation(1).id(), 6u);
}

TEST(CaseEdit, ANodeTakesWhatIsItsAloneAndTheRestIsRenumbered) {
  const v1::Case sample = Sample();
  const v1::Case without = NodesOf(sample).without(sample, {1});
  ASSERT_TRUE(MakeCase(NornStore(), without).ok())
      << MakeCase(NornStore(), without).status().message();
  ASSERT_EQ(without.node_size(), 3);
  EXPECT_EQ(without.node(1).zone(), "c");
  EXPECT_EQ(without.knob_size(), 1);
  ASSERT_EQ(without.link_size(), 1);
  EXPECT_EQ(without.link(0).from(), 2u);
  EXPECT_EQ(without.link(0).to(), 3u);
  EXPECT_EQ(LinksOf(sample).count, 2u);
  EXPECT_EQ(WithConstantDelays(sample).link_size(), 0);
  ASSERT_EQ(without.fault_size(), 2);  // the crash was its own
  ASSERT_EQ(without.fault(0).nodes_size(), 1);
  EXPECT_EQ(without.fault(0).nodes(0), 3u);
  ASSERT_EQ(without.message_size(), 1);
  EXPECT_EQ(without.message(0).from(), 2u);
  EXPECT_EQ(without.message(0).to(), 3u);
  EXPECT_EQ(without.operation(0).via(), 1u);
  EXPECT_EQ(without.operation(1).via(), 2u);
}

TEST(CaseEdit, AShorterTimeEndsWhatLastsLonger) {
  const v1::Case shorter = Until(Sample(), 1'200'000);
  ASSERT_EQ(shorter.fault_size(), 2);
  EXPECT_EQ(shorter.fault(1).end_us(), 1'200'000);
  EXPECT_EQ(shorter.operation_size(), 2);
  EXPECT_TRUE(MakeCase(NornStore(), shorter).ok());
}

TEST(CaseEdit, EverythingCanBeginEarlier) {
  const v1::Case sample = Sample();
  const int64_t first_us = FirstThingUs(sample);
  ASSERT_GT(first_us, 0);
  const v1::Case earlier = Earlier(sample, first_us);
  EXPECT_EQ(FirstThingUs(earlier), 0);
  EXPECT_EQ(earlier.until_us(), sample.until_us() - first_us);
  for (int i = 0; i < sample.fault_size(); ++i) {
    EXPECT_EQ(earlier.fault(i).start_us(), sample.fault(i).start_us() - first_us);
    EXPECT_EQ(earlier.fault(i).end_us(), sample.fault(i).end_us() - first_us);
  }
  for (int i = 0; i < sample.operation_size(); ++i) {
    EXPECT_EQ(earlier.operation(i).at_us(), sample.operation(i).at_us() - first_us);
  }
  EXPECT_TRUE(MakeCase(NornStore(), earlier).ok());
  EXPECT_EQ(FirstThingUs(v1::Case()), 0);
}

TEST(CaseEdit, MessagesAreCountedAnewWithoutWhatSentThem) {
  v1::Case many;
  for (uint64_t i = 1; i <= 6; ++i) {
    v1::CaseOperation& operation = *many.add_operation();
    operation.set_id(i);
    operation.set_via(i == 6 ? 2 : 1);
    operation.set_key(i == 5 ? "other" : "k");
  }
  EXPECT_EQ(RecountedOperationsOf(many).count, 0u) << "there is nothing to recount";
  v1::CaseMessage& message = *many.add_message();
  message.set_from(1);
  message.set_key("k");
  message.set_nth(4);
  const v1::Case fewer = RecountedOperationsOf(many).without(many, {1, 2, 4, 5});
  EXPECT_EQ(fewer.operation_size(), 2);
  EXPECT_EQ(fewer.message(0).nth(), 2u);
  EXPECT_EQ(RecountedOperationsOf(many).without(many, {0, 1, 2, 3}).message(0).nth(), 1u);
}

TEST(CaseEdit, LossesCanBeListed) {
  const v1::Case sample = Sample();
  v1::CaseHarm lost;
  lost.set_fault(3);
  lost.mutable_message()->set_name("Gossip");
  lost.mutable_message()->set_lost(true);
  v1::CaseHarm of_another = lost;
  of_another.set_fault(8);
  const v1::Case listed = WithListedHarms(sample, {lost, of_another});
  EXPECT_EQ(listed.fault_size(), 2);
  EXPECT_EQ(listed.message_size(), 3);
}

TEST(CaseEdit, WhatIsDoubledMayComeLateInsteadOfByChance) {
  v1::Case doubled;
  doubled.add_message()->set_lost(true);
  doubled.add_message()->set_doubled(true);
  doubled.add_knob()->set_name("network.delay_max_us");
  const std::vector<v1::Case> simpler = SimplerMessages(doubled);
  ASSERT_EQ(simpler.size(), 3u);
  EXPECT_EQ(simpler[0].knob_size(), 0);
  EXPECT_EQ(simpler[0].message(1).later_us(), 2'000);
  EXPECT_TRUE(simpler[0].message(1).overtaken());
  EXPECT_FALSE(simpler[0].message(0).overtaken());
  EXPECT_TRUE(SimplerMessages(simpler[0]).empty());
}

TEST(CaseEdit, SimplerIsOneStepEach) {
  EXPECT_EQ(SimplerOperations(Sample()).size(), 1u);
  const std::vector<v1::Case> simpler = SimplerFaults(Sample());
  ASSERT_EQ(simpler.size(), 3u);  // not again, and each of the two halves' nodes
  EXPECT_FALSE(simpler[0].fault(0).again());
  EXPECT_EQ(simpler[1].fault(1).nodes(0), 4u);
  EXPECT_EQ(simpler[2].fault(1).nodes(0), 2u);
}

TEST(CaseEdit, FewerBlocksAndSyncsAreSimpler) {
  v1::Case bad = Sample();
  bad.clear_fault();
  for (const auto kind : {v1::ScenarioFault::FAILED_SYNC, v1::ScenarioFault::RESET}) {
    v1::CaseFault& fault = *bad.add_fault();
    fault.set_kind(kind);
    fault.set_amount(9'000);
  }
  const std::vector<v1::Case> simpler = SimplerFaults(bad);
  ASSERT_EQ(simpler.size(), 2u);  // a period of resets is not an amount of anything
  EXPECT_EQ(simpler[0].fault(0).amount(), 1u);
  EXPECT_EQ(simpler[1].fault(0).amount(), 4'500u);
}

TEST(Fingerprint, NamesAndNumbersDoNotCount) {
  CaseRun run;
  run.verdict = "NO PROGRESS";
  run.property = "after healing every key can be read: k12";
  CaseRun other = run;
  other.property = "after healing every key can be read: l3";
  EXPECT_EQ(run.Fingerprint(), other.Fingerprint());
  EXPECT_EQ(run.Fingerprint(), "NO PROGRESS: after healing every key can be read: #");
  other.verdict = "VIOLATED";
  EXPECT_NE(run.Fingerprint(), other.Fingerprint());
}

}  // namespace
}  // namespace norn::sim
