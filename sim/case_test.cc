// Cases: what is written down can be read again and replayed, to the last event; what makes no
// sense is refused, with file and line.

#include "sim/case.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "sim/knobs.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

constexpr char kPath[] = "x/test.case";

// A case of three lines and what the caller adds.
std::string Text(const std::string& rest) {
  return absl::StrCat(
      "format: 1 seed: 3 until_us: 3000000\n"
      "bucket { partitions: 16 n: 3 r: 2 w: 2 }\n"
      "node { zone: \"a\" } node { zone: \"b\" } node { zone: \"c\" }\n",
      rest);
}

void ExpectError(const std::string& text, const std::string& where, const std::string& what) {
  const auto written = ParseCase(NornStore(), text, kPath);
  ASSERT_FALSE(written.ok()) << text;
  const std::string error(written.status().message());
  EXPECT_NE(error.find(where), std::string::npos) << error;
  EXPECT_NE(error.find(what), std::string::npos) << error;
}

RunResult Replay(const v1::Case& written, v1::CaseReport* report = nullptr) {
  const auto made = MakeCase(NornStore(), written);
  EXPECT_TRUE(made.ok()) << made.status().message();
  RunOptions options;
  options.replay = *made;
  if (report != nullptr) {
    options.recorder = [report](const v1::CaseReport& piece) { report->MergeFrom(piece); };
  }
  return RunUniverse(options, nullptr);
}

v1::CaseReport Record(RunOptions options) {
  v1::CaseReport report;
  options.recorder = [&report](const v1::CaseReport& piece) { report.MergeFrom(piece); };
  RunUniverse(options, nullptr);
  return report;
}

TEST(Case, AReplayIsTheRunThatWasWrittenDown) {
  for (const uint64_t seed : {1, 2, 3}) {
    RunOptions options;
    options.seed = seed;
    options.random_config = seed != 1;
    options.wipes = true;
    const RunResult drawn = RunUniverse(options, nullptr);
    const v1::Case recorded = Record(options).recorded();
    EXPECT_EQ(recorded.outcome().hash(), drawn.trace_hash) << "recording changed the run";
    EXPECT_GT(recorded.operation_size(), 20);
    // Through text, and without its seed's configuration.
    const auto read = ParseCase(NornStore(), FormatCase(recorded), kPath);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(FormatCase(*read), FormatCase(recorded));
    v1::CaseReport again;
    const RunResult replayed = Replay(*read, &again);
    EXPECT_EQ(replayed.trace_hash, drawn.trace_hash) << "seed " << seed;
    EXPECT_EQ(FormatCase(again.recorded()), FormatCase(recorded));
  }
}

TEST(Case, WhatIsListedHappensAndNothingElse) {
  const std::string operations =
      "operation { id: 4 at_us: 500000 client: 1 via: 1 kind: PUT key: \"k1\" value: \"a\" }\n"
      "operation { id: 9 at_us: 900000 client: 1 via: 2 key: \"k1\" }\n";
  const auto quiet = ParseCase(NornStore(), Text(operations), kPath);
  ASSERT_TRUE(quiet.ok()) << quiet.status().message();
  const RunResult valid = Replay(*quiet);
  EXPECT_EQ(valid.verdict, Verdict::kValid) << valid.property;
  EXPECT_EQ(valid.outcomes.at("put ok"), 1u);
  // One of the two is the read after healing.
  EXPECT_EQ(valid.outcomes.at("get ok"), 2u);
}

TEST(Case, HarmToOneMessageIsDoneToThatMessage) {
  const std::string put =
      "operation { id: 4 at_us: 500000 client: 1 via: 1 kind: PUT key: \"k1\" value: \"a\" }\n";
  const std::string lost = "message { name: \"ReplicaWrite\" from: 1 to: 2 key: \"k1\" nth: 1 ";
  const auto plain = ParseCase(NornStore(), Text(put), kPath);
  const auto harmed = ParseCase(NornStore(), Text(absl::StrCat(put, lost, "lost: true }")), kPath);
  ASSERT_TRUE(plain.ok() && harmed.ok());
  EXPECT_NE(Replay(*plain).trace_hash, Replay(*harmed).trace_hash);
  EXPECT_EQ(Replay(*harmed).verdict, Verdict::kValid);
  // There are not so many: the harm that was asked for never was.
  const std::string none = absl::StrReplaceAll(lost, {{"nth: 1", "nth: 7777"}});
  const auto missed = ParseCase(NornStore(), Text(absl::StrCat(put, none, "lost: true }")), kPath);
  ASSERT_TRUE(missed.ok());
  const RunResult unstaged = Replay(*missed);
  EXPECT_EQ(unstaged.verdict, Verdict::kUnknown);
  EXPECT_NE(unstaged.property.find("ReplicaWrite number 7777"), std::string::npos);
}

TEST(CaseFile, ErrorsNameFileAndLine) {
  const std::string at = "x/test.case:4";
  ExpectError("# a case\nformat: 2\nnew_field: 3\n", "x/test.case:2", "format 2");
  ExpectError("seed: 3", "x/test.case", "format: 1");
  ExpectError(Text("speed: 3"), at, "speed");
  ExpectError(Text("fault { id: 1 kind: HALVES nodes: 4 end_us: 10 }"), at, "nodes 1 to 3");
  ExpectError(Text("fault { id: 1 kind: FIRE end_us: 10 }"), at, "FIRE");
  ExpectError(Text("fault { kind: SLOW end_us: 10 }"), at, "id");
  ExpectError(Text("fault { id: 1 kind: SLOW start_us: 10 end_us: 10 }"), at, "must last");
  ExpectError(Text("fault { id: 1 kind: SLOW end_us: 3000001 }"), at, "until_us");
  ExpectError(Text("fault { id: 1 kind: CRASH end_us: 10 amount: 1 }"), at, "one node");
  ExpectError(Text("fault { id: 1 kind: SLOW end_us: 9 }\nfault { id: 1 kind: LOSS end_us: 9 }"),
              "x/test.case:5", "no other fault's");
  ExpectError(Text("knob { name: \"node.speed\" value: 3 }"), at, "node.request_timeout_us");
  ExpectError(Text("knob { name: \"node.lease_counters\" value: 0 }"), at, "must be 1 to");
  ExpectError(Text("knob { name: \"node.lease_counters\" value: 3 only_node: 2 }"), at, "itself");
  ExpectError(Text("knob { name: \"engine.block_bytes\" value: 99 only_node: 4 }"), at, "1 to 3");
  ExpectError(Text("message { name: \"Letter\" from: 1 to: 2 nth: 1 lost: true }"), at, "Letter");
  ExpectError(Text("message { name: \"Gossip\" from: 1 to: 2 nth: 1 }"), at, "nothing befalls");
  ExpectError(Text("operation { id: 1 client: 1 via: 4 key: \"k\" }"), at, "nodes 1 to 3");
  ExpectError(Text("operation { id: 1 client: 1 via: 1 kind: PUT key: \"k\" }"), at, "value");
  ExpectError(Text("operation { id: 1 client: 1 via: 1 key: \"k\" at_us: 23000000 }"), at, "below");
  ExpectError(absl::StrReplaceAll(Text(""), {{"r: 2", "r: 9"}}), "x/test.case:2", "");
  const auto none = LoadCase(NornStore(), "/nowhere/x.case");
  EXPECT_NE(none.status().message().find("/nowhere/x.case: no such case"), std::string::npos);
}

TEST(Knobs, AllCanBeReadAndSetAgain) {
  RunOptions options;
  UniverseConfig drawn = DrawUniverseConfig(KeyedSeed(7), options);
  Fault ill;
  ill.kind = FaultKind::kFullDisk;
  ill.nodes = {2};
  AdaptToFaults({ill}, &drawn);
  const std::vector<Knob> knobs = KnobsOf(drawn);
  EXPECT_EQ(knobs.back().only_node, 2);
  UniverseConfig set;
  SetUsualOptions(&set);
  for (const Knob& knob : knobs) ASSERT_TRUE(SetKnob(knob, &set).ok()) << knob.name;
  const std::vector<Knob> again = KnobsOf(set);
  ASSERT_EQ(again.size(), knobs.size());
  for (size_t i = 0; i < knobs.size(); ++i) {
    EXPECT_EQ(again[i].name, knobs[i].name);
    EXPECT_EQ(again[i].value, knobs[i].value) << knobs[i].name;
    EXPECT_EQ(again[i].only_node, knobs[i].only_node);
  }
}

}  // namespace
}  // namespace norn::sim
