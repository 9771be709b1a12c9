// What became of a case arrives whole from the process that ran it; runs that do not end are
// outcomes.

#include "sim/properties/outcome.h"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/case_history.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

using Kind = ClientRequest::Kind;
using Values = std::vector<std::string>;

v1::Case Parse(const std::string& rest) {
  const auto written =
      ParseCase(NornStore(),
                absl::StrCat("format: 1 seed: 3 bucket { partitions: 8 n: 3 r: 2 w: 2 }\n"
                             "node { zone: \"a\" } node { zone: \"b\" } node { zone: \"c\" }\n",
                             rest),
                "test");
  EXPECT_TRUE(written.ok()) << written.status().message();
  return *written;
}

v1::Case Example() {
  return Parse(
      "until_us: 900000\n"
      "operation { id: 1 at_us: 300000 client: 1 via: 1 kind: PUT key: \"k\" value: \"a\" }\n"
      "operation { id: 2 at_us: 400000 client: 1 via: 2 kind: GET key: \"k\" }\n"
      "operation { id: 3 at_us: 500000 client: 2 via: 3 kind: PUT key: \"k\" value: \"b\"\n"
      "            base: NOTHING pad_bytes: 3 }\n"
      "operation { id: 4 at_us: 600000 client: 1 via: 2 kind: DELETE key: \"k\" base: READ }\n"
      "operation { id: 5 at_us: 700000 client: 2 via: 1 kind: GET key: \"k\" }\n");
}

TEST(Outcome, HasTheWholeHistory) {
  const Outcome run = Perform(Example());
  EXPECT_EQ(run.run.verdict, "VALID") << run.run.property << "\n" << run.run.witness;
  EXPECT_FALSE(run.violated() || run.crashed() || run.inconclusive());
  const std::vector<Operation>& all = run.history.operations;
  ASSERT_GE(all.size(), 6u);
  EXPECT_EQ(run.last_reads, 5u);
  EXPECT_EQ(all[0].kind, Kind::kPut);
  EXPECT_EQ(all[0].client, 1);
  EXPECT_EQ(all[0].node, 1);
  EXPECT_EQ(all[0].value, "a ");
  EXPECT_EQ(all[0].quorum, 2);
  EXPECT_EQ(all[0].invoked_us, 300'000);
  EXPECT_GT(all[0].completed_us, 300'000);
  EXPECT_TRUE(all[0].ok());
  EXPECT_EQ(all[1].read, Values({"a "}));
  EXPECT_EQ(all[2].value, "b xxx");
  EXPECT_EQ(ShortValue(all[2].value), "b");
  EXPECT_EQ(all[2].base, ClientRequest::Base::kNothing);
  EXPECT_EQ(all[3].kind, Kind::kDelete);
  EXPECT_EQ(all[3].replaces, all[1].context);
  EXPECT_EQ(all[4].read, Values({"b xxx"}));
  EXPECT_EQ(all[5].client, 0);
  EXPECT_EQ(all[5].read, Values({"b xxx"}));
  EXPECT_TRUE(run.Covers(all[1], all[0]));
  EXPECT_FALSE(run.Covers(all[1], all[2]));
  EXPECT_TRUE(run.Covers(all[4], all[0]));  // it was replaced, by the delete
  EXPECT_TRUE(run.Replaces(all[3], "a "));
  EXPECT_FALSE(run.Replaces(all[3], "b xxx"));
  EXPECT_FALSE(run.Replaces(all[2], "a "));
  ASSERT_NE(run.VersionOf(all[2]), nullptr);
  EXPECT_EQ(run.VersionOf(all[2])->node, 3);
  EXPECT_EQ(run.VersionOf(all[1]), nullptr);
  const std::map<NodeId, Values> held = {{1, {"b xxx"}}, {2, {"b xxx"}}, {3, {"b xxx"}}};
  EXPECT_EQ(run.Held("k"), held);
  EXPECT_TRUE(run.Held("other").empty());
  const auto sessions = Sessions(run);
  ASSERT_EQ(sessions.size(), 2u);
  ASSERT_EQ(sessions[0].size(), 3u);
  EXPECT_EQ(sessions[0][2], &all[3]);
}

// What travels is what the checkers of the run itself saw.
TEST(Outcome, NothingIsLostOnTheWay) {
  v1::CaseHistory here;
  bool any_expires = false;
  bool any_buried = false;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.record_history = true;
    options.recorder = [&here](const v1::CaseReport& piece) {
      if (piece.has_history()) here = piece.history();
    };
    RunUniverse(options, nullptr);
    ASSERT_GT(here.operation_size(), 100);
    ASSERT_GT(here.minted_size(), 100);
    ASSERT_GT(here.copy_size(), 10);
    any_buried = any_buried || here.burial_size() > 0;
    for (const auto& mint : here.minted()) any_expires = any_expires || mint.expires_us() > 0;
    History history;
    FinalState state;
    ASSERT_TRUE(ReadHistory(here, &history, &state));
    ASSERT_EQ(WriteHistory(history, state).SerializeAsString(), here.SerializeAsString());
  }
  EXPECT_TRUE(any_expires);
  EXPECT_TRUE(any_buried);

  History history;
  FinalState state;
  v1::CaseHistory damaged = here;
  for (v1::HistoryMint& mint : *damaged.mutable_minted()) {
    if (mint.base_size() > 0) mint.mutable_base(0)->set_counter(0);
  }
  EXPECT_FALSE(ReadHistory(damaged, &history, &state));
}

TEST(Outcome, TheSameCaseHasTheSame) {
  const Outcome one = Perform(Example());
  const Outcome two = Perform(Example());
  EXPECT_EQ(one.run.hash, two.run.hash);
  EXPECT_EQ(one.run.history.SerializeAsString(), two.run.history.SerializeAsString());
  EXPECT_TRUE(one.run.events.empty());
  PerformOptions with_events;
  with_events.record_events = true;
  const Outcome three = Perform(Example(), with_events);
  EXPECT_EQ(one.run.hash, three.run.hash);
  EXPECT_GT(three.run.events.size(), 20u);
}

TEST(Outcome, ARunThatDoesNotEndSaysWhatWasAsked) {
  v1::Case endless = Example();
  endless.set_until_us(int64_t{86'400} * 1'000'000);
  PerformOptions short_limit;
  short_limit.limit_ms = 300;
  const Outcome run = Perform(endless, short_limit);
  EXPECT_TRUE(run.crashed());
  EXPECT_EQ(run.run.verdict, "STOPPED");
  ASSERT_EQ(run.history.operations.size(), 5u);
  EXPECT_EQ(run.history.operations[2].value, "b xxx");
  EXPECT_EQ(run.history.operations[2].invoked_us, 500'000);
  EXPECT_FALSE(run.history.operations[2].ok());
  EXPECT_TRUE(run.replicas.empty());
}

TEST(Outcome, ACrashIsOne) {
  RunOptions impossible;
  impossible.nodes = 0;
  const Outcome run =
      OutcomeOf(v1::Case(), CaseRunner(NornStore(), CaseRunnerOptions{}).Run(impossible));
  EXPECT_TRUE(run.crashed());
  EXPECT_EQ(run.run.property.find("check failed: "), 0u) << run.run.property;
  EXPECT_TRUE(run.history.operations.empty());
}

TEST(Perform, RefusesWhatMakesNoSense) {
  v1::Case senseless = Example();
  senseless.mutable_bucket()->set_w(9);
  try {
    Perform(senseless);
    ADD_FAILURE() << "it was performed";
  } catch (const std::invalid_argument& refused) {
    EXPECT_NE(std::string(refused.what()).find("w is 9"), std::string::npos) << refused.what();
  }
}

}  // namespace
}  // namespace norn::sim
