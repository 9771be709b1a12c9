// Described runs: what is refused, with file and line; what is made of what is written; and that a
// run of one can be written down and performed again.

#include "sim/environment/environment.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/scenario.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

constexpr char kPath[] = "x/test.textproto";

// The description is in line 1, the rest from line 2 on.
absl::StatusOr<std::shared_ptr<const Scenario>> Parse(const std::string& rest) {
  return ParseScenario("description: \"a test\"\n" + rest, kPath);
}

std::shared_ptr<const Scenario> MustParse(const std::string& rest) {
  auto scenario = Parse(rest);
  EXPECT_TRUE(scenario.ok()) << scenario.status().message();
  return scenario.ok() ? *scenario : nullptr;
}

void ExpectError(const std::string& rest, int line, const std::string& what) {
  const auto scenario = Parse(rest);
  ASSERT_FALSE(scenario.ok()) << rest;
  const std::string error(scenario.status().message());
  EXPECT_EQ(error.find(absl::StrCat(kPath, ":", line)), 0u) << error;
  EXPECT_NE(error.find(what), std::string::npos) << error;
}

constexpr char kTwoCenters[] =
    "cluster { data_center { name: \"east\" nodes: 3 zones: 3 }\n"
    "data_center { name: \"west\" nodes: 2 zones: 2 } n: 5 r: 3 w: 3 r_min: 1 w_min: 1 }\n";

// ---- What is refused --------------------------------------------------------------

TEST(DescribedRun, RefusesAnImpossibleTopology) {
  ExpectError("workload { }\ncluster { nodes: 3\nn: 4 }", 4, "n is 4 and the cluster has 3 nodes");
  ExpectError("workload { }\ncluster { nodes: 3\nzones: 4 }", 4, "zones is 4 of 3 nodes");
  ExpectError("workload { }\ncluster {\ndata_center { name: \"a\"\nnodes: 0 } }", 5, "no nodes");
  ExpectError("workload { }\ncluster { data_center { name: \"a\" nodes: 2\nzones: 3 } }", 4,
              "write 1 to 2");
  ExpectError("workload { }\ncluster { data_center { name: \"a\" }\ndata_center { name: \"a\" } }",
              4, "two data centers");
  ExpectError("workload { }\ncluster { data_center { name: \"a\" }\nnodes: 3 }", 4, "has its own");
  ExpectError("workload { }\ncluster { data_center { name: \"a b\" } }", 3, "is named by letters");
  ExpectError("workload { }\nlink { from: \"z9\" delay_us: 1 }", 3, "z0, z1, z2");
  ExpectError("workload { }\nlink { }", 3, "needs a delay");
  ExpectError("workload { }\ncluster { r: 4 }", 3, "r is 4");
}

TEST(DescribedRun, RefusesClientsThatCannotBe) {
  ExpectError("workload {\nkeys { count: 0 } }", 3, "there are 1 to 100000 keys");
  ExpectError("workload { keys { zipfian {\nexponent: 3.5 } } }", 3, "exponent is 3.5");
  ExpectError("workload { keys { zipfian {\nexponent: 0 } } }", 3, "uniform { }");
  ExpectError("workload { keys { zipfian {\nexponent: nan } } }", 3, "above 0 and at most 3");
  ExpectError("workload { keys { hot_set {\nkeys_per_mille: 0 } } }", 3, "1 to 1000");
  ExpectError("workload {\ngets: 0 puts: 0 deletes: 0 }", 3, "all 0");
  ExpectError("workload {\nsize { weight: 0 max_bytes: 9 } }", 3, "weights of all sizes are 0");
  ExpectError("workload { size {\nmin_bytes: 9 max_bytes: 8 } }", 3, "not above the most");
  ExpectError("workload {\nread_level { weight: 0 } }", 3, "weights of all read_levels");
  ExpectError("workload { read_level {\nlevel: \"some\" } }", 3, "local_quorum");
  ExpectError("workload { read_level {\nlevel: \"one\" } }", 3, "permits 2 to 3");
  ExpectError("workload { read_level {\nlevel: \"local_quorum\" } }", 3, "no data centers");
  ExpectError("workload { clients {\ndata_center: \"north\" } }", 3, "north");
  ExpectError("workload { clients {\ncount: 0 } }", 3, "count is 0");
  ExpectError("workload {\noperations_per_second: 9 think_min_us: 1 }", 3, "either think");
  ExpectError("workload {\ncontext_per_mille: 950 }", 3, "1050 together");
  ExpectError("workload {\nkyes { } }", 3, "kyes");
}

TEST(DescribedRun, RefusesALevelThatTheBucketDoesNotPermitThere) {
  const std::string three =
      "cluster { data_center { name: \"east\" nodes: 3 zones: 3 }\n"
      "data_center { name: \"west\" nodes: 3 zones: 3 } n: 6 r: 4 w: 4 }\n";
  ExpectError(three + "workload { write_level {\nlevel: \"local_quorum\" } }", 5, "set w_min: 2");
  // Three replicas in seven zones: some keys have none in one of the data centers.
  ExpectError(
      "cluster { data_center { name: \"east\" nodes: 3 zones: 3 }\n"
      "data_center { name: \"west\" nodes: 3 zones: 3 }\n"
      "data_center { name: \"north\" nodes: 1 } n: 3 r: 2 w: 2 r_min: 1 w_min: 1 }\n"
      "workload { read_level {\nlevel: \"local_quorum\" } }",
      6, "no replica in data center north");
}

TEST(DescribedRun, RefusesFaultsThatCannotBefall) {
  const std::string run = "workload { }\nphases { faults_ms: 5000 }\n";  // from 3 s to 8 s
  ExpectError(run + "fault { kind: CRASH\nnodes: 4 at_ms: 3000 }", 5, "nodes 1 to 3");
  ExpectError(run + "fault { kind: CRASH nodes: 70001 at_ms: 3000 }", 4, "nodes is 70001");
  ExpectError(run + "fault { kind: CRASH nodes: 1 }", 4, "write at_ms");
  ExpectError(run + "fault { kind: PAUSE\nat_ms: 2999 }", 5, "the faulty phase is from 3000");
  ExpectError(run + "fault { kind: PAUSE\nat_ms: 7000 for_ms: 1001 }", 5, "raise faults_ms");
  ExpectError(run + "fault { kind: CRASH nodes: 1\nat_ms: 7800 }", 5, "until its node is back");
  ExpectError(run + "fault { kind: HALVES\nin: \"north\" at_ms: 3000 }", 5, "north");
  ExpectError(run + "fault { kind: CRASH at_ms: 3000 }", 4, "is of one node");
  ExpectError(run + "fault { kind: CLOCK_JUMP at_ms: 3000 }", 4, "shift_ms");
  ExpectError(run + "fault { kind: PAUSE at_ms: 3000\ntimes: 3 }", 5, "every_ms");
  ExpectError(run + "fault { kind: PAUSE at_ms: 3000\neffects_min: 0 }", 5, "is none");
  const std::string first = "fault { kind: CRASH nodes: 1 at_ms: 3000 back_after_ms: 2000 }\n";
  ExpectError(run + first + "fault { kind: POWER_CUT nodes: [1, 2] at_ms: 4000 }", 5,
              "goes down while it is down");
  const std::string ill = "fault { kind: READ_ERROR nodes: 1 amount: 9 at_ms: 3000 }\n";
  ExpectError(run + ill + "fault { kind: BAD_BLOCK nodes: 2 amount: 9 at_ms: 4000 }", 5,
              "some record might have no replica");
  ExpectError(
      "workload {\nexpiring_per_mille: 9 }\nfault { kind: CLOCK_JUMP shift_ms: 5 at_ms: 3000 }", 3,
      "one clock");
  ExpectError("workload { }\nfaults { kind { kind: HALVES\nweight: 0 } }", 3, "all kinds are 0");
  ExpectError("workload { }\nfaults { }", 3, "no kind");
  ExpectError("workload { }\nfaults {\nper_minute: 0 kind { kind: LOSS } }", 4, "per_minute is 0");
}

TEST(DescribedRun, RefusesWhatNobodyCanClaim) {
  const std::string loose = "workload { }\ncluster { r: 1 w: 1 }\n";
  ExpectError(loose + "claim: \"monotonic-reads\"", 4, "R + W may be 2 and N is 3");
  ExpectError(loose + "claim: \"reads-cover-writes\"", 4, "above N together");
  ExpectError("workload { }\ncluster { sloppy: true }\nclaim: \"read-your-writes\"", 4,
              "stand-ins");
  ExpectError("workload { }\ncluster { prune_entries_above: 18 }\nclaim: \"exact-siblings\"", 4,
              "pruned");
  ExpectError("workload { }\nclaim: \"local-quorums\"", 3, "one data center");
  ExpectError("workload { }\nclaim: \"linearizable\"", 3, "durability");
  ExpectError("workload { }\nclaim: \"expiry\"", 3, "expires");
}

TEST(DescribedRun, RefusesWhatIsHalfAScript) {
  ExpectError("workload { }\nstep { wait_ms: 1 }", 3, "scripted");
  ExpectError("step { wait_ms: 1 }\nphases { }", 3, "add workload");
  ExpectError("step { fault { kind: PAUSE at_ms: 4 } }", 2, "for described runs");
  ExpectError("workload { }\nknob { name: \"node.sped\" value: 1 }", 3, "is no setting");
  ExpectError("workload { }\nphases {\nbefore_ms: 99999999 }", 4, "at most");
}

// ---- What is made of it -----------------------------------------------------------

TEST(DescribedRun, TheLastLinkThatMatchesHolds) {
  const auto scenario = MustParse(absl::StrCat(
      kTwoCenters,
      "link { delay_us: 100 jitter_us: 10 }\n"
      "link { from: \"east\" to: \"west\" delay_us: 30000 }\n"
      "link { from: \"west\" to: \"east\" delay_us: 50000 jitter_us: 1000 one_way: true }\n"
      "link { from: \"east/2\" to: \"east/3\" delay_us: 700 }\n"
      "workload { }"));
  ASSERT_NE(scenario, nullptr);
  std::map<std::pair<NodeId, NodeId>, std::pair<int64_t, int64_t>> delays;
  for (const LinkDelay& link : scenario->environment->config.links) {
    delays[{link.from, link.to}] = {link.min_us, link.max_us};
  }
  EXPECT_EQ(delays.size(), 20u);
  const auto expect = [&delays](NodeId from, NodeId to, int64_t min_us, int64_t max_us) {
    EXPECT_EQ(delays.at({from, to}), std::make_pair(min_us, max_us)) << from << " to " << to;
  };
  expect(1, 2, 100, 110);
  expect(2, 3, 700, 700);
  expect(3, 2, 700, 700);
  expect(1, 4, 30'000, 30'000);
  expect(5, 3, 50'000, 51'000);
}

TEST(DescribedRun, FaultsAreRepeatedAndTakeTurns) {
  const auto scenario = MustParse(
      "workload { }\nphases { faults_ms: 20000 }\n"
      "fault { kind: CRASH in_turn: true times: 2 at_ms: 4000 every_ms: 2000 effects_min: 3 }");
  ASSERT_NE(scenario, nullptr);
  const std::vector<Fault> plan = DrawPlan(*scenario->environment, KeyedSeed(1));
  ASSERT_EQ(plan.size(), 6u);
  for (size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].nodes, (std::vector<NodeId>{static_cast<NodeId>(i % 3 + 1)}));
    EXPECT_EQ(plan[i].start_us, 4'000'000 + 2'000'000 * static_cast<int64_t>(i));
    EXPECT_EQ(plan[i].effects_min, 3u);
    EXPECT_FALSE(plan[i].staged());
  }
}

constexpr char kStorm[] =
    "cluster { nodes: 6 }\nworkload { }\nphases { faults_ms: 30000 }\n"
    "faults { per_minute: 120 at_once_max: 2\n"
    "kind { kind: CRASH weight: 2 } kind { kind: HALVES } kind { kind: BAD_BLOCK }\n"
    "kind { kind: READ_ERROR in: \"z1\" } kind { kind: RING } kind { kind: ZONE_OUTAGE }\n"
    "kind { kind: LOSS weight: 0 } }";

TEST(DescribedRun, DrawnFaultsObeyTheirBounds) {
  const auto scenario = MustParse(kStorm);
  ASSERT_NE(scenario, nullptr);
  std::map<FaultKind, int> kinds;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::vector<Fault> plan = DrawPlan(*scenario->environment, KeyedSeed(seed));
    EXPECT_GE(plan.size(), 5u);
    std::set<NodeId> unreadable;
    for (size_t i = 0; i < plan.size(); ++i) {
      const Fault& fault = plan[i];
      ++kinds[fault.kind];
      EXPECT_EQ(fault.id, i + 1);
      EXPECT_GE(fault.start_us, 3'000'000);
      EXPECT_LE(OverUs(fault), 33'000'000);
      if (OfDisk(fault.kind)) unreadable.insert(fault.nodes.begin(), fault.nodes.end());
      if (fault.kind == FaultKind::kReadError) {
        EXPECT_EQ(fault.nodes.front() % 3, 1);
      }
      if (fault.kind == FaultKind::kRing) {
        EXPECT_GE(fault.nodes.size(), 4u);
      }
      if (fault.kind == FaultKind::kZoneOutage) {
        ASSERT_EQ(fault.nodes.size(), 2u);
        EXPECT_EQ(fault.nodes[0] % 3, fault.nodes[1] % 3);
      }
      for (size_t j = 0; j < i; ++j) EXPECT_EQ(Clash(plan[j], fault), "");
      size_t at_once = 0;
      for (const Fault& other : plan) {
        at_once += other.start_us <= fault.start_us && fault.start_us < OverUs(other) ? 1 : 0;
      }
      EXPECT_LE(at_once, 2u);
    }
    EXPECT_LE(unreadable.size(), 1u);
  }
  EXPECT_EQ(kinds.size(), 6u) << "some kind is never drawn, or one whose weight is 0 is";
  EXPECT_GT(kinds[FaultKind::kCrash], kinds[FaultKind::kHalves]);
}

TEST(DescribedRun, ClientsAskForWhatTheirSharesSay) {
  const auto scenario = MustParse(absl::StrCat(
      kTwoCenters,
      "workload { clients { count: 2 data_center: \"west\" } clients { }\n"
      "gets: 1 puts: 3 deletes: 0 context_per_mille: 0 blind_per_mille: 1000\n"
      "keys { count: 10 last_writer_per_mille: 300 }\n"
      "size { weight: 1 min_bytes: 100 max_bytes: 200 } size { weight: 3 max_bytes: 10 }\n"
      "read_level { level: \"local_quorum\" } write_level { level: \"2\" } }"));
  ASSERT_NE(scenario, nullptr);
  const WorkloadOptions& workload = scenario->environment->config.workload;
  const OperationMix& mix = *workload.mix;
  EXPECT_EQ(workload.clients, 3);
  EXPECT_EQ(mix.homes[1], (std::vector<NodeId>{4, 5}));
  EXPECT_EQ(mix.homes[2].size(), 5u);
  Random random(7);
  int gets = 0, large = 0, last = 0;
  constexpr int kDraws = 4'000;
  for (int i = 0; i < kDraws; ++i) {
    const MixedOperation operation = DrawOperation(random, mix);
    last += operation.key.front() == 'l' ? 1 : 0;
    if (operation.kind == ClientRequest::Kind::kGet) {
      ++gets;
      EXPECT_EQ(operation.level, Level::kLocalQuorum);
      continue;
    }
    EXPECT_EQ(operation.kind, ClientRequest::Kind::kPut);
    EXPECT_EQ(operation.quorum, 2);
    EXPECT_EQ(operation.base, ClientRequest::Base::kNothing);
    EXPECT_LE(operation.value_bytes, 200u);
    EXPECT_TRUE(operation.value_bytes <= 10 || operation.value_bytes >= 100);
    large += operation.value_bytes >= 100 ? 1 : 0;
  }
  EXPECT_NEAR(gets, kDraws / 4, 150);
  EXPECT_NEAR(large, kDraws * 3 / 16, 150);
  EXPECT_NEAR(last, kDraws * 3 / 10, 150);
}

// ---- Runs -------------------------------------------------------------------------

constexpr char kShortRun[] =
    "link { from: \"east\" to: \"west\" delay_us: 20000 jitter_us: 5000 }\n"
    "phases { warm_up_ms: 500 before_ms: 500 faults_ms: 2000 after_ms: 500 }\n"
    "fault { kind: HALVES in: \"west\" at_ms: 1100 for_ms: 900 }\n";

RunResult RunIt(std::shared_ptr<const Scenario> scenario, v1::CaseReport* report = nullptr) {
  RunOptions options;
  options.seed = 5;
  options.scenario = std::move(scenario);
  if (report != nullptr) {
    options.recorder = [report](const v1::CaseReport& piece) { report->MergeFrom(piece); };
  }
  return RunUniverse(options, nullptr);
}

TEST(DescribedRun, IsWrittenDownAndPerformedAgain) {
  const auto scenario = MustParse(
      absl::StrCat(kTwoCenters, kShortRun,
                   "workload { operations_per_second: 150 read_level { level: \"local_quorum\" }\n"
                   "write_level { level: \"each_quorum\" } write_level { level: \"all\" } }\n"
                   "claim: \"durability\" claim: \"local-quorums\""));
  ASSERT_NE(scenario, nullptr);
  v1::CaseReport report;
  const RunResult first = RunIt(scenario, &report);
  EXPECT_EQ(first.verdict, Verdict::kValid) << first.property << first.witness;
  EXPECT_EQ(RunIt(scenario).trace_hash, first.trace_hash) << "recording changed the run";
  EXPECT_EQ(report.recorded().link_size(), 12);
  EXPECT_EQ(report.recorded().claim_size(), 2);
  const auto read = ParseCase(NornStore(), FormatCase(report.recorded()), "case");
  ASSERT_TRUE(read.ok()) << read.status().message();
  const auto made = MakeCase(NornStore(), *read);
  ASSERT_TRUE(made.ok()) << made.status().message();
  RunOptions options;
  options.replay = *made;
  const RunResult again = RunUniverse(options, nullptr);
  EXPECT_EQ(again.trace_hash, first.trace_hash);
  EXPECT_EQ(again.verdict, first.verdict);
}

TEST(DescribedRun, MessagesTakeAsLongAsTheirLinks) {
  const std::string workload =
      "workload { operations_per_second: 100 clients { count: 9 data_center: \"east\" }\n"
      "keys { count: 5 } read_level { level: \"LEVEL\" } write_level { level: \"LEVEL\" } }";
  const auto p90_of = [&workload](const std::string& level) {
    std::string text = workload;
    for (size_t at; (at = text.find("LEVEL")) != std::string::npos;) text.replace(at, 5, level);
    const auto scenario = MustParse(
        absl::StrCat(kTwoCenters, "link { from: \"east\" to: \"west\" delay_us: 20000 }\n", text));
    const RunResult result = RunIt(scenario);
    EXPECT_EQ(result.verdict, Verdict::kValid) << result.property << result.witness;
    return result.phases.phases[0].gets.latencies.Percentile(9'000);
  };
  EXPECT_LT(p90_of("local_quorum"), 20'000);
  const int64_t all_us = p90_of("all");
  EXPECT_GE(all_us, 40'000);
  EXPECT_LT(all_us, 100'000);
}

TEST(DescribedRun, AFaultWithFewerEffectsThanAskedForWasNotStaged) {
  const std::string text = absl::StrCat(kTwoCenters, kShortRun, "workload { }\n");
  EXPECT_EQ(RunIt(MustParse(text)).verdict, Verdict::kValid);
  const RunResult result = RunIt(MustParse(absl::StrCat(
      text, "fault { kind: PAUSE nodes: 1 at_ms: 2500 for_ms: 100 effects_min: 100000 }")));
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_NE(result.property.find("fewer than 100000 effects"), std::string::npos)
      << result.property;
}

}  // namespace
}  // namespace norn::sim
