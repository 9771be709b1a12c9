// Scenarios: what is refused, with file and line; and that expectations and effects decide.

#include "sim/scenario.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

constexpr char kPut[] = "step { operation { kind: PUT key: \"k\" value: \"a\" } }\n";

std::string Described(const std::string& rest) { return "description: \"a test\"\n" + rest; }

std::string ErrorOf(const std::string& text) {
  const auto scenario = ParseScenario(text, "x/test.textproto");
  return scenario.ok() ? "" : std::string(scenario.status().message());
}

RunResult RunText(const std::string& rest, uint64_t seed = 1) {
  auto scenario = ParseScenario(Described(rest), "x/test.textproto");
  EXPECT_TRUE(scenario.ok()) << scenario.status().message();
  RunOptions options;
  options.seed = seed;
  options.scenario = *scenario;
  return RunUniverse(options, nullptr);
}

void ExpectError(const std::string& rest, const std::string& where, const std::string& what) {
  const std::string error = ErrorOf(Described(rest));
  EXPECT_NE(error.find(where), std::string::npos) << error;
  EXPECT_NE(error.find(what), std::string::npos) << error;
}

// ---- What is refused --------------------------------------------------------------

TEST(ScenarioFile, ErrorsNameFileAndLine) {
  ExpectError(absl::StrCat(kPut, "step { operation { kind: POT } }\n"), "x/test.textproto:3",
              "POT");
  ExpectError(absl::StrCat(kPut, "step { operation { kind: PUT key: \"k\" } }\n"),
              "x/test.textproto:3", "has a value");
  EXPECT_NE(ErrorOf(kPut).find("no description"), std::string::npos);
  EXPECT_NE(ErrorOf(Described("")).find("no steps"), std::string::npos);
}

TEST(ScenarioFile, RefusesWhatCannotBeStaged) {
  const std::string at = "x/test.textproto:2";
  ExpectError("step { }\n", at, "empty");
  ExpectError("step { operation { key: \"k\" via: 4 } }\n", at, "nodes 1 to 3");
  ExpectError("step { operation { key: \"k\" expect: \"good\" } }\n", at, "not applied");
  ExpectError("step { operation { kind: PUT key: \"k\" value: \"a\" reads: \"a\" } }\n", at,
              "only a get");
  ExpectError("step { operation { kind: PUT key: \"k\" value: \"a\" base: \"r\" } }\n", at,
              "\"r\"");
  ExpectError("step { await: \"x\" }\n", at, "no begin");
  ExpectError("step { end: \"x\" }\n", at, "\"x\"");
  ExpectError("step { rule { message: \"Gosip\" } }\n", at, "Gossip");
  ExpectError("step { rule { action: DELAY } }\n", at, "by_ms");
  ExpectError("step { fault { kind: ISOLATE nodes: 1 nodes: 2 } }\n", at, "one node");
  ExpectError("step { fault { kind: CLOCK_JUMP nodes: 1 } }\n", at, "shift_ms");
  ExpectError("step { restart: 9 }\n", at, "nodes 1 to 3");
  ExpectError(absl::StrCat(kPut, kPut), "x/test.textproto:3", "put before");
  ExpectError("step { begin { name: \"b\" key: \"k\" } }\n", "x/test.textproto", "never awaited");
  ExpectError("step { check { node: 4 key: \"k\" holds: \"a\" } }\n", at, "nodes 1 to 3");
  ExpectError("step { check { node: 1 } }\n", at, "looks at nothing");
  ExpectError("step { check { node: 1 hints_min: 1 } }\n", at, "sloppy");
  ExpectError("step { check { node: 1 key: \"k\" } }\n", at, "holds_nothing");
  ExpectError("step { check { node: 1 key: \"k\" holds: \"a\" holds_nothing: true } }\n", at,
              "holds_nothing");
  ExpectError("step { check { node: 1 key: \"k\" holds_nothing: true forgotten: true } }\n", at,
              "forgotten");
  ExpectError("step { operation { key: \"k\" stood_in: 1 } }\n", at, "sloppy");
  ExpectError("step { operation { key: \"k\" ttl_ms: 5 } }\n", at, "ttl_ms");
  const std::string sloppy = "cluster { sloppy: true }\n";
  const std::string below = "x/test.textproto:3";
  ExpectError(sloppy + "step { check { node: 1 hints_min: 2 hints_max: 1 } }\n", below, "above");
  ExpectError(sloppy + "step { check { node: 1 hint_bytes_min: 2 hint_bytes_max: 1 } }\n", below,
              "above");
  ExpectError(sloppy + "step { check { node: 1 hints_min: 1 holds: \"a\" } }\n", below,
              "which key");
  ExpectError("cluster { prune_entries_above: 3 }\n" + std::string(kPut), "x/test.textproto",
              "at least 18");
  ExpectError(absl::StrCat("cluster { w: 4 }\n", kPut), "x/test.textproto", "w is 4");
  ExpectError("step { fault { kind: PAUSE nodes: 1 beyond_budget: true } }\n", at, "disk");
  ExpectError("step { operation { key: \"k\" level: \"two\" } }\n", at, "local_quorum");
  ExpectError("step { operation { key: \"k\" level: \"one\" quorum: 1 } }\n", at, "instead");
  ExpectError(absl::StrCat("cluster { data_centers: 4 }\n", kPut), at, "3 nodes");
  ExpectError(absl::StrCat("claim: \"durable\"\n", kPut), at, "durability");
  ExpectError(absl::StrCat("claim: \"local-quorums\"\n", kPut), at, "one data center");
}

// ---- What decides -----------------------------------------------------------------

TEST(ScenarioRun, IsValidIfAllIsAsExpected) {
  const RunResult result =
      RunText(absl::StrCat(kPut, "step { operation { key: \"k\" via: 2 reads: \"a\" } }\n"));
  EXPECT_EQ(result.verdict, Verdict::kValid) << result.property << "\n" << result.witness;
}

TEST(ScenarioRun, AnUnmetExpectationIsAViolation) {
  const RunResult result =
      RunText(absl::StrCat(kPut, "step { operation { key: \"k\" via: 2 reads_nothing: true } }\n"));
  EXPECT_EQ(result.verdict, Verdict::kViolated);
  EXPECT_NE(result.property.find("x/test.textproto:3"), std::string::npos) << result.property;
  EXPECT_NE(result.witness.find("read {a}"), std::string::npos) << result.witness;
}

TEST(ScenarioRun, ARuleWithoutEffectIsInconclusive) {
  const RunResult result = RunText(absl::StrCat("step { rule { message: \"Forward\" } }\n", kPut));
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_NE(result.property.find("x/test.textproto:2"), std::string::npos) << result.property;
}

TEST(ScenarioRun, AFaultWithoutEffectIsInconclusive) {
  const RunResult result =
      RunText(absl::StrCat("step { fault { name: \"f\" kind: CRASH nodes: 1 amount: 1000000 } }\n",
                           kPut, "step { end: \"f\" }\n"));
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
}

TEST(ScenarioRun, MessagesThatMustNotBeAreAViolation) {
  const RunResult result = RunText(absl::StrCat(
      "step { rule { message: \"ReplicaWrite\" effects_min: 0 effects_max: 0 } }\n", kPut));
  EXPECT_EQ(result.verdict, Verdict::kViolated);
}

TEST(ScenarioRun, TheBudgetAllowsOneWipeAtATime) {
  const std::string wipes =
      "step { fault { kind: WIPED_DISK nodes: 1 } }\n"
      "step { fault { kind: WIPED_DISK nodes: 2 } }\n";
  const RunResult result = RunText(absl::StrCat(kPut, wipes));
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_NE(result.property.find("budget"), std::string::npos) << result.property;
}

TEST(ScenarioRun, WhoGoesBeyondTheBudgetLosesWhatWasAcknowledged) {
  const std::string lost =
      absl::StrCat("step { rule { message: \"ReplicaWrite\" to: 3 times: 0 } }\n", kPut,
                   "step { fault { kind: WIPED_DISK nodes: 1 beyond_budget: true } }\n"
                   "step { fault { kind: WIPED_DISK nodes: 2 beyond_budget: true } }\n");
  const RunResult judged = RunText(lost);
  EXPECT_EQ(judged.verdict, Verdict::kViolated);
  EXPECT_NE(judged.property.find("every acknowledged write"), std::string::npos) << judged.property;
  // A script, too, names what it is judged by.
  const RunResult unjudged = RunText("claim: \"unique-dots\" " + lost);
  EXPECT_EQ(unjudged.verdict, Verdict::kValid) << unjudged.property << "\n" << unjudged.witness;
}

TEST(ScenarioRun, APausedNodeAnswersLater) {
  const RunResult result = RunText(
      "step { fault { kind: PAUSE nodes: 1 for_ms: 500 } }\n"
      "step { operation { kind: PUT key: \"k\" value: \"a\" via: 1 } }\n"
      "step { fault { kind: PAUSE nodes: 1 for_ms: 20000 } }\n"
      "step { operation { kind: GET key: \"k\" via: 1 expect: \"never answered\" } }\n");
  EXPECT_EQ(result.verdict, Verdict::kValid) << result.property << "\n" << result.witness;
  EXPECT_GT(result.fault_effects.at("paused nodes"), 0u);
}

TEST(ScenarioRun, AFullDiskRefusesAndRecovers) {
  const RunResult result = RunText(absl::StrCat(
      kPut, "step { fault { name: \"full\" kind: FULL_DISK nodes: 1 } }\n",
      "step { operation { kind: PUT key: \"x\" value: \"b\" pad_bytes: 60000 expect: \"any\" } }\n",
      "step { operation { kind: PUT key: \"x\" value: \"c\" pad_bytes: 60000 expect: \"any\" } }\n",
      "step { end: \"full\" }\n",
      "step { operation { kind: PUT key: \"x\" value: \"d\" pad_bytes: 60000 via: 2 } }\n"));
  EXPECT_EQ(result.verdict, Verdict::kValid) << result.property << "\n" << result.witness;
}

TEST(ScenarioRun, ALateAnswerIsAViolation) {
  const std::string put =
      "step { operation { kind: PUT key: \"k\" value: \"a\" quorum: 3 within_ms: ";
  EXPECT_EQ(RunText(absl::StrCat(put, "1000 } }\n")).verdict, Verdict::kValid);
  const std::string slow = "step { fault { kind: SLOW_DISK amount: 90000 } }\n";
  const RunResult result = RunText(absl::StrCat(slow, put, "20 } }\n"));
  EXPECT_EQ(result.verdict, Verdict::kViolated);
  EXPECT_NE(result.witness.find("within 20 ms"), std::string::npos) << result.witness;
}

TEST(ScenarioRun, ACheckSeesValuesOfRecordsAndHints) {
  const auto check = [](const std::string& rest) {
    return RunText(absl::StrCat(
        "cluster { nodes: 2 partitions: 1 n: 1 r: 1 w: 1 sloppy: true }\n",
        "step { operation { kind: PUT key: \"x\" value: \"x\" via: 1 stood_in: 0 } }\n",
        "step { fault { kind: CRASH nodes: 1 } }\nstep { wait_ms: 6000 }\n",
        "step { operation { kind: PUT key: \"k\" value: \"a\" pad_bytes: 9 via: 2 } }\n", rest));
  };
  const std::string good = "step { check { node: 2 key: \"k\" hint: true holds: \"a\" ";
  EXPECT_EQ(check(good + "hints_min: 1 hints_max: 1 } }\n").verdict, Verdict::kValid);
  const RunResult bad = check(good + "hints_min: 2 hints_max: 2 } }\n");
  EXPECT_EQ(bad.verdict, Verdict::kViolated);
  EXPECT_NE(bad.property.find("x/test.textproto:7"), std::string::npos) << bad.property;
  EXPECT_NE(bad.witness.find("n2 holds 1 hints"), std::string::npos) << bad.witness;
  // The situation was another: nothing was shown.
  const RunResult other = check("step { check { node: 2 hints_max: 0 staged: true } }\n");
  EXPECT_EQ(other.verdict, Verdict::kUnknown);
  EXPECT_NE(other.property.find("x/test.textproto:7: not staged"), std::string::npos);
  for (const char* const wrong :
       {"node: 2 key: \"k\" hint: true holds: \"b\"", "node: 2 key: \"k\" holds: \"a\"",
        "node: 2 key: \"k\" hint: true holds_nothing: true", "node: 2 hint_bytes_max: 1",
        "node: 2 hints_refused_min: 1", "node: 1 hints_max: 9"}) {
    EXPECT_EQ(check(absl::StrCat("step { check { ", wrong, " } }\n")).verdict, Verdict::kViolated)
        << wrong;
  }
  // It is so later, within the time.
  EXPECT_EQ(check("step { restart: 1 }\nstep { check { node: 1 key: \"k\" holds: \"a\" "
                  "within_ms: 20000 } }\n")
                .verdict,
            Verdict::kValid);
}

TEST(ScenarioRun, StandInsAreCounted) {
  const RunResult result = RunText(
      "cluster { sloppy: true }\n"
      "step { operation { kind: PUT key: \"k\" value: \"a\" stood_in: 1 } }\n");
  EXPECT_EQ(result.verdict, Verdict::kViolated);
  EXPECT_NE(result.witness.find("0 stand-ins"), std::string::npos) << result.witness;
}

TEST(ScenarioRun, IsAFunctionOfTheSeed) {
  const std::string text = absl::StrCat(kPut, "step { operation { key: \"k\" reads: \"a\" } }\n");
  EXPECT_EQ(RunText(text, 5).trace_hash, RunText(text, 5).trace_hash);
  EXPECT_NE(RunText(text, 5).trace_hash, RunText(text, 6).trace_hash);
}

}  // namespace
}  // namespace norn::sim
