// What is made of a property: what counts as a failure, what as no test, and what is left behind.

#include "sim/properties/holds.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "sim/case.h"
#include "sim/properties/generators.h"
#include "sim/store_subject.h"

namespace norn::sim {
namespace {

HoldsOptions Fixed(uint64_t seed, int cases) {
  HoldsOptions options;
  options.seed = seed;
  options.cases = cases;
  options.folder = testing::TempDir();
  if (options.folder.back() == '/') options.folder.pop_back();
  return options;
}

void Anything(const Outcome&) {}

// Replicas agree without exchanges: wrong. What goes on all the time is rare, since a run that
// fails goes on for long.
CaseShape WithoutExchanges() {
  CaseShape shape;
  shape.settings = {{"node.exchange_interval_us", int64_t{86'400} * 1'000'000},
                    {"node.gossip_interval_us", 10'000'000},
                    {"node.suspect_after_us", 30'000'000},
                    {"node.damage_check_interval_us", 60'000'000},
                    {"node.tombstone_interval_us", 60'000'000},
                    {"node.tree_scrub_interval_us", 0}};
  shape.topology.nodes = shape.topology.n = Range(2);
  shape.workload.gets = 0;
  shape.workload.operations = Range(3, 10);
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves};
  shape.faults.count = Range(1, 2);
  return shape;
}

TEST(Check, CountsCases) {
  const Checked checked = Check("anything", Cases({}), Anything, Fixed(1, 12));
  EXPECT_TRUE(checked.holds) << checked.text;
  EXPECT_EQ(checked.cases, 12);
  EXPECT_FALSE(checked.smallest.has_value());
  EXPECT_TRUE(Holds("anything", Cases({}), Anything, Fixed(1, 3)));
}

TEST(Check, WhatTheSimulatorObjectsToFails) {
  HoldsOptions options = Fixed(1, 60);
  options.shrink_ms = 60'000;
  const Checked checked = Check("anything", Cases(WithoutExchanges()), Anything, options);
  ASSERT_FALSE(checked.holds);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  EXPECT_EQ(checked.why.find("VIOLATED: "), 0u) << checked.why;
  EXPECT_LE(checked.smallest->tried.operation_size(), 2) << checked.text;
  EXPECT_LE(checked.smallest->tried.fault_size(), 1) << checked.text;
  // Of the settings the one that matters is left.
  ASSERT_GE(checked.smallest->tried.knob_size(), 1) << checked.text;
  EXPECT_EQ(checked.smallest->tried.knob(0).name(), "node.exchange_interval_us") << checked.text;

  options.own_claims = false;
  options.cases = 20;
  EXPECT_TRUE(Holds("anything", Cases(WithoutExchanges()), Anything, options));
}

TEST(Check, WhatShowsNothingDoesNotCount) {
  CaseShape shape;
  shape.workload.puts = shape.workload.deletes = 0;
  shape.faults.count = Range(0);
  const Checked checked = Check("anything", Cases(shape), Anything, Fixed(1, 3));
  EXPECT_FALSE(checked.holds);
  EXPECT_FALSE(checked.smallest.has_value());
  EXPECT_NE(checked.text.find("Not shown: anything"), std::string::npos) << checked.text;
  EXPECT_NE(checked.text.find("Gave up"), std::string::npos) << checked.text;
}

TEST(Check, AnInconclusiveRunCanFail) {
  CaseShape shape;
  shape.workload.puts = shape.workload.deletes = 0;
  const auto none = [](const Outcome& run) { RC_ASSERT(run.history.operations.empty()); };
  const Checked checked = Check("nobody asks", Cases(shape), none, Fixed(1, 3));
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  EXPECT_TRUE(checked.smallest->inconclusive());
}

TEST(Check, APropertyThatThrowsFails) {
  const auto throws = [](const Outcome&) { throw std::runtime_error("no such key"); };
  const Checked checked = Check("anything", Cases({}), throws, Fixed(1, 3));
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  EXPECT_EQ(checked.why, "it threw: no such key");
}

TEST(Check, AnImpossibleShapeFails) {
  CaseShape shape;
  shape.topology.nodes = Range(99);
  const Checked checked = Check("anything", Cases(shape), Anything, Fixed(1, 3));
  EXPECT_FALSE(checked.holds);
  EXPECT_NE(checked.text.find("topology.nodes is 99 to 99"), std::string::npos) << checked.text;
}

TEST(Check, ARunWithoutAnEndFails) {
  CaseShape shape;
  shape.workload.operations = Range(1);
  HoldsOptions options = Fixed(1, 1);
  options.limit_ms = 0;
  options.shrink_ms = 0;
  const Checked checked = Check("anything", Cases(shape), Anything, options);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  EXPECT_EQ(checked.why.find("STOPPED: "), 0u) << checked.why;
}

// However small the case becomes, it is one of those that were asked for.
TEST(Check, ShrinksWithinTheShapeAndTheCondition) {
  CaseShape shape;
  shape.topology.nodes = Range(3, 5);
  shape.workload.operations = Range(2, 20);
  shape.workload.deletes = 5;
  HoldsOptions options = Fixed(7, 50);
  options.where = [](const v1::Case& written) {
    return CountOperations(written, v1::ScenarioOperation::DELETE) >= 1;
  };
  const auto no_put = [](const Outcome& run) {
    for (const Operation& each : run.history.operations) {
      RC_ASSERT(each.kind != ClientRequest::Kind::kPut || !each.ok());
    }
  };
  const Checked checked = Check("no put succeeds", Cases(shape), no_put, options);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  const v1::Case& least = checked.smallest->tried;
  EXPECT_EQ(CountOperations(least, v1::ScenarioOperation::DELETE), 1) << checked.text;
  EXPECT_EQ(CountOperations(least, v1::ScenarioOperation::PUT), 1) << checked.text;
  EXPECT_EQ(least.operation_size(), 2);
  EXPECT_EQ(least.node_size(), 3);
  EXPECT_EQ(least.fault_size(), 0);
  EXPECT_EQ(least.knob_size(), 0);
}

TEST(Check, LeavesTheCaseAndAPageBehind) {
  CaseShape shape;
  const auto no_put = [](const Outcome& run) {
    for (const Operation& each : run.history.operations) {
      if (each.kind == ClientRequest::Kind::kPut && each.ok()) RC_FAIL(each.value);
    }
  };
  const HoldsOptions options = Fixed(3, 20);
  const Checked checked = Check("no <put> succeeds", Cases(shape), no_put, options);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  const std::string stem = options.folder + "/Check.LeavesTheCaseAndAPageBehind";
  EXPECT_NE(checked.text.find("norn-sim replay " + stem + ".textproto"), std::string::npos)
      << checked.text;
  EXPECT_NE(checked.text.find(stem + ".html"), std::string::npos) << checked.text;
  const auto written = LoadCase(NornStore(), stem + ".textproto");
  ASSERT_TRUE(written.ok()) << written.status().message();
  const Outcome again = Perform(*written);
  EXPECT_EQ(again.run.hash, checked.smallest->run.hash);
  EXPECT_EQ(again.run.hash, written->outcome().hash());
  EXPECT_THROW(no_put(again), rc::detail::CaseResult);
  std::ifstream page(stem + ".html");
  std::stringstream text;
  text << page.rdbuf();
  EXPECT_NE(text.str().find("FALSIFIED"), std::string::npos);
  EXPECT_NE(text.str().find("no \\u003cput\\u003e succeeds"), std::string::npos);

  HoldsOptions nowhere = options;
  nowhere.folder += "/there is no such folder";
  nowhere.shrink_ms = 0;
  const Checked lost = Check("no <put> succeeds", Cases(shape), no_put, nowhere);
  EXPECT_NE(lost.text.find("cannot be written"), std::string::npos) << lost.text;
}

TEST(Check, TheSameSeedFindsTheSame) {
  const auto search = [] {
    HoldsOptions options = Fixed(5, 60);
    options.shrink_ms = 0;
    const Checked checked = Check("anything", Cases(WithoutExchanges()), Anything, options);
    return checked.smallest.has_value() ? FormatCase(checked.smallest->tried) : "";
  };
  const std::string found = search();
  EXPECT_NE(found, "");
  EXPECT_EQ(search(), found);
}

}  // namespace
}  // namespace norn::sim
