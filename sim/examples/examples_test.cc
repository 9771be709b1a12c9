// The examples do what they say: right they stand every fault, and each step that is left out is
// found, cut down to a few faults, and explained.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/examples/abd_register.h"
#include "sim/examples/leader_election.h"
#include "sim/explain/explanation.h"
#include "sim/explain/run_page.h"
#include "sim/explain/timeline.h"
#include "sim/protocol_run.h"
#include "sim/shrinker.h"

namespace norn::sim {
namespace {

RunOptions Options(const Protocol& protocol, uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  options.nodes = protocol.Nodes();
  return options;
}

// Of `seeds` runs none is violated, and nearly all are valid (a fault may have had no effect).
void ExpectValid(const Protocol& protocol, uint64_t seeds, const std::string& setting) {
  uint64_t valid = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    RunOptions options = Options(protocol, seed);
    if (!setting.empty()) options.settings[setting] = 1;
    const RunResult result = RunProtocol(protocol, options, nullptr);
    ASSERT_TRUE(result.verdict == Verdict::kValid || result.verdict == Verdict::kUnknown)
        << "seed " << seed << ": " << result.property << "\n"
        << result.witness;
    valid += result.verdict == Verdict::kValid ? 1 : 0;
  }
  EXPECT_GE(valid, seeds - seeds / 50);
}

struct Found {
  RunOptions options;
  RunResult result;
};

std::optional<Found> FindViolation(const Protocol& protocol, uint64_t seeds,
                                   const std::map<std::string, int64_t>& settings) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Found found{Options(protocol, seed), {}};
    found.options.settings = settings;
    found.result = RunProtocol(protocol, found.options, nullptr);
    if (found.result.verdict == Verdict::kViolated) return found;
  }
  return std::nullopt;
}

TEST(AbdRegister, IsLinearizableUnderAllFaults) { ExpectValid(AbdRegister(), 200, ""); }

TEST(AbdRegister, FiveNodesToo) {
  const AbdRegister protocol;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RunOptions options = Options(protocol, seed);
    options.nodes = 5;
    const RunResult result = RunProtocol(protocol, options, nullptr);
    ASSERT_NE(result.verdict, Verdict::kViolated) << result.witness;
    ASSERT_NE(result.verdict, Verdict::kNoProgress) << result.property;
  }
}

TEST(AbdRegister, WhatTheProofNeedsIsMissed) {
  for (const char* const step : {"write_back", "sync"}) {
    const auto found = FindViolation(AbdRegister(), 100, {{step, 0}});
    ASSERT_TRUE(found.has_value()) << step;
    EXPECT_EQ(found->result.property, "reads and writes of every key are linearizable");
    EXPECT_TRUE(absl::StrContains(found->result.witness, ", read c")) << found->result.witness;
  }
}

TEST(LeaderElection, IsRightOnceVotesAreDurable) {
  ExpectValid(LeaderElection(), 200, "sync_votes");
}

TEST(LeaderElection, ItsBugIsFoundCutDownAndExplained) {
  const LeaderElection protocol;
  const ProtocolSubject subject(protocol, "election");
  const auto found = FindViolation(protocol, 1'000, {});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->result.property, "a term has at most one leader");
  CaseRunner runner(subject, {2, 60'000});
  const CaseRun first = runner.Run(found->options);
  ASSERT_EQ(first.property, found->result.property);
  ShrinkOptions shrinking;
  shrinking.enough = [] { return false; };
  const ShrinkResult least = Shrink(first.recorded, first, shrinking, &runner);
  EXPECT_LE(least.smallest.fault_size() + least.smallest.message_size(), 3)
      << FormatCase(least.smallest);
  EXPECT_LE(least.smallest.operation_size(), 10) << FormatCase(least.smallest);
  EXPECT_EQ(least.run.Fingerprint(), first.Fingerprint());
  RunOptions again;
  again.replay = *MakeCase(subject, least.smallest);
  again.record_events = true;
  const CaseRun run = runner.Run(again);
  EXPECT_EQ(run.hash, least.run.hash);
  const Timeline timeline = MakeTimeline(run, *again.replay);
  const Explanation explanation = Explain(run, *again.replay, timeline);
  const std::string text = ToText(explanation);
  EXPECT_TRUE(absl::StrContains(text, "What was held of vote at ")) << text;
  EXPECT_TRUE(absl::StrContains(RunPage(timeline, explanation), "a term has at most one leader"));
  // Repaired, the same case is no failure.
  v1::Case repaired = least.smallest;
  v1::CaseKnob& knob = *repaired.add_knob();
  knob.set_name("sync_votes");
  knob.set_value(1);
  again.replay = *MakeCase(subject, repaired);
  EXPECT_NE(runner.Run(again).verdict, "VIOLATED");
}

}  // namespace
}  // namespace norn::sim
