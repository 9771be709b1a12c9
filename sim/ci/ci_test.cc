// Which seeds are whose, what becomes of failures, and what reports say and survive.

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/ci/ci_report.h"
#include "sim/ci/ci_run.h"
#include "sim/ci/junit.h"
#include "sim/ci/report_folder.h"
#include "sim/ci/report_page.h"
#include "sim/ci/seed_plan.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

bool Never() { return false; }

std::string NewFolder(const std::string& name) {
  const std::string dir = absl::StrCat(testing::TempDir(), "/ci_", name);
  std::filesystem::remove_all(dir);
  EXPECT_TRUE(MakeReportFolder(dir).ok());
  return dir;
}

TEST(SeedPlan, ShardsShareNoSeedAndLeaveNoneOut) {
  for (const uint64_t shards : {1, 3, 8}) {
    std::set<uint64_t> seeds;
    for (uint64_t shard = 1; shard <= shards; ++shard) {
      const SeedPlan plan{"some revision", shard, shards};
      for (uint64_t counter = 0; counter < 100; ++counter) {
        EXPECT_TRUE(seeds.insert(plan.SeedOf(counter)).second);
      }
    }
    EXPECT_EQ(*seeds.rbegin() - *seeds.begin() + 1, 100 * shards);
    // However many shards there are, it is the same range.
    EXPECT_EQ(*seeds.begin(), (SeedPlan{"some revision", 1, 1}).SeedOf(0));
  }
}

TEST(SeedPlan, RevisionsShareNoSeed) {
  const SeedPlan plan{"abc", 2, 3};
  EXPECT_EQ(plan.SeedOf(0), 661810686006919169u);  // the mapping is written down: it stays
  EXPECT_EQ(plan.SeedOf(7), 661810686006919169u + 21);
  const SeedPlan last{"abc", 3, 3};
  EXPECT_EQ(last.SeedOf(last.CounterMax()) >> 32, plan.SeedOf(0) >> 32);
  EXPECT_NE((SeedPlan{"abd", 2, 3}).SeedOf(0) >> 32, plan.SeedOf(0) >> 32);
}

TEST(SeedPlan, EveryClassGetsItsEighth) {
  std::vector<int> counts(kSeedClasses);
  std::set<std::string> names;
  for (uint64_t counter = 0; counter < 8000; ++counter) {
    const uint64_t seed = (SeedPlan{"abc", 1, 1}).SeedOf(counter);
    const int seed_class = ClassOfSeed(seed);
    ++counts[static_cast<size_t>(seed_class)];
    const RunOptions run = RunOfSeed(seed);
    EXPECT_EQ(run.seed, seed);
    const std::string name = NameOfClass(seed_class);
    names.insert(name);
    EXPECT_EQ(run.wipes, absl::StrContains(name, "--wipes"));
    EXPECT_EQ(run.sloppy, absl::StrContains(name, "--sloppy"));
    EXPECT_EQ(run.random_config, absl::StrContains(name, "--random-config"));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kSeedClasses));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

CiFailure Failure(const std::string& property, uint64_t least_bytes) {
  CiFailure failure;
  failure.verdict = "VIOLATED";
  failure.property = property;
  failure.fingerprint = absl::StrCat("VIOLATED: ", property);
  failure.exit_code = kExitViolated;
  failure.runs = 1;
  failure.command = absl::StrCat("command of ", least_bytes);
  failure.folder = FolderOf(failure.fingerprint);
  failure.files = {"case.textproto"};
  failure.least_bytes = least_bytes;
  return failure;
}

CiReport ReportOf(uint64_t shard, uint64_t shards, std::vector<CiFailure> failures) {
  CiReport report;
  report.revision = "abc";
  report.shards = shards;
  report.done = {shard};
  report.real_ms = 1000;
  CiGroup file{absl::StrCat("corpus/", shard), true, 1, 1, {}};
  CiGroup seeds{"--wipes", false, 10 + failures.size(), 10, {}};
  for (const CiFailure& failure : failures) ++seeds.failures[failure.fingerprint];
  report.groups = {file, seeds};
  report.events = 100 * shard;
  report.fault_effects["crash"] = shard;
  report.failures = std::move(failures);
  SortFailures(&report);
  return report;
}

TEST(CiReport, IsReadAsItWasWrittenWhateverBytesAreInIt) {
  const std::string bytes("</script>\"\\\x01\xff\xc3\n]]>&");
  CiFailure failure = Failure("a", 7);
  failure.witness = bytes;
  const CiReport report = ReportOf(2, 3, {failure});
  const auto read = ParseCiReport(ToJson(report), "report.json");
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(ToJson(*read), ToJson(report));
  EXPECT_EQ(read->failures.at(0).witness, "</script>\"\\\\x01\\xff\\xc3\n]]>&");
  EXPECT_EQ(read->ExitCode(), kExitViolated);
  for (const std::string& text : {ToJunit(report), ReportPage(report)}) {
    EXPECT_FALSE(absl::StrContains(text, "</script")) << text;
    EXPECT_FALSE(absl::StrContains(text, "\x01")) << text;
  }
}

TEST(CiReport, WhatIsNoReportIsRefused) {
  const std::string json = ToJson(ReportOf(1, 2, {Failure("a", 7)}));
  const auto refused = [](const std::string& text) {
    const auto read = ParseCiReport(text, "r.json");
    return read.ok() ? std::string("taken") : std::string(read.status().message());
  };
  const auto with = [&json](const std::string& from, const std::string& to) {
    std::string changed = json;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  EXPECT_EQ(refused(json), "taken");
  EXPECT_THAT(refused(""), testing::HasSubstr("r.json: this is no report of norn-sim ci"));
  EXPECT_THAT(refused(json.substr(0, json.size() / 2)), testing::HasSubstr("or not all of one"));
  EXPECT_THAT(refused(with("\"format\": 1", "\"format\": 2")),
              testing::HasSubstr("r.json: the report has format 2, and this norn-sim reads 1"));
  EXPECT_THAT(refused(with("\"revision\": \"abc\"", "\"revision\": 3")),
              testing::HasSubstr("r.json: report.revision must be there, and text"));
  EXPECT_THAT(refused(with("\"shards\": 2", "\"shards\": 0")), testing::HasSubstr("report."));
  EXPECT_THAT(refused(with("\"valid\": 10", "\"valid\": -1")),
              testing::HasSubstr("group.valid must be there, and a number"));
  EXPECT_THAT(refused(with("case.textproto", "../../x")), testing::HasSubstr("strange name"));
  EXPECT_THAT(refused(with(FolderOf("VIOLATED: a"), "/etc")), testing::HasSubstr("strange name"));
  // At every byte it either is what it was, or is refused, and never worse.
  for (size_t at = 0; at < json.size(); at += 3) {
    std::string damaged = json;
    damaged[at] = '\x7f';
    ParseCiReport(damaged, "r.json").IgnoreError();
  }
}

TEST(MergeReports, AddsUpAndKeepsTheSmallestCase) {
  const std::vector<CiReport> reports = {ReportOf(1, 3, {Failure("a", 70), Failure("b", 0)}),
                                         ReportOf(3, 3, {Failure("b", 9), Failure("a", 80)}),
                                         ReportOf(2, 3, {Failure("a", 60)})};
  std::vector<size_t> from;
  const auto merged = MergeReports(reports, {"one", "three", "two"}, &from);
  ASSERT_TRUE(merged.ok()) << merged.status().message();
  EXPECT_EQ(merged->Gaps(), std::vector<std::string>());
  EXPECT_EQ(merged->Runs(), 38u);
  EXPECT_EQ(merged->Valid(), 33u);
  EXPECT_EQ(merged->events, 600u);
  EXPECT_EQ(merged->real_ms, 3000);
  EXPECT_EQ(merged->fault_effects.at("crash"), 6u);
  ASSERT_EQ(merged->groups.size(), 4u);  // three files, and one class of seeds
  EXPECT_EQ(merged->groups[3].failures.at("VIOLATED: a"), 3u);
  ASSERT_EQ(merged->failures.size(), 2u);
  EXPECT_EQ(merged->failures[0].least_bytes, 60u);
  EXPECT_EQ(merged->failures[0].runs, 3u);
  EXPECT_EQ(merged->failures[0].command, "command of 60");
  EXPECT_EQ(merged->failures[0].others.size(), 2u);
  EXPECT_EQ(merged->failures[1].least_bytes, 9u);
  EXPECT_EQ(from, (std::vector<size_t>{2, 1}));
  EXPECT_EQ(merged->ExitCode(), kExitViolated);
}

TEST(MergeReports, AMissingShardIsNamedAndIsNotSuccess) {
  const CiReport first = ReportOf(1, 4, {});
  const auto merged = MergeReports({first, ReportOf(4, 4, {})}, {"1", "4"}, nullptr);
  ASSERT_TRUE(merged.ok());
  ASSERT_EQ(merged->Gaps().size(), 1u);
  EXPECT_EQ(merged->Gaps()[0], "shards 2, 3 of 4 are missing");
  EXPECT_EQ(merged->ExitCode(), kExitUnknown);
  EXPECT_TRUE(absl::StrContains(ToJunit(*merged), "shards 2, 3 of 4 are missing"));
  // What was merged can be merged with the rest.
  const auto whole =
      MergeReports({*merged, ReportOf(2, 4, {}), ReportOf(3, 4, {})}, {"m", "2", "3"}, nullptr);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->ExitCode(), kExitValid);
  EXPECT_EQ(whole->Runs(), 44u);
}

TEST(MergeReports, RefusesWhatIsNotOneCampaign) {
  const CiReport first = ReportOf(1, 2, {});
  CiReport other = ReportOf(2, 2, {});
  const auto refused = [&] {
    const auto merged = MergeReports({first, other}, {"a", "b"}, nullptr);
    return merged.ok() ? std::string("merged") : std::string(merged.status().message());
  };
  EXPECT_EQ(refused(), "merged");
  other.revision = "abd";
  EXPECT_THAT(refused(), testing::HasSubstr("b is of revision \"abd\" and a of \"abc\""));
  other = ReportOf(2, 3, {});
  EXPECT_THAT(refused(), testing::HasSubstr("b is of 3 shards and a of 2"));
  other = ReportOf(1, 2, {});
  EXPECT_THAT(refused(), testing::HasSubstr("shard 1 is in a and in b"));
}

// Without exchanges one write misses a replica, which stays apart: it fails, and can be cut down.
std::shared_ptr<const Case> FailingCase() {
  std::string text =
      "format: 1 seed: 3 until_us: 3000000 bucket { partitions: 16 n: 3 r: 2 w: 2 }\n"
      "node { zone: \"a\" } node { zone: \"b\" } node { zone: \"c\" }\n"
      "knob { name: \"node.exchange_interval_us\" value: 86400000000 }\n"
      "fault { id: 2 kind: LOSS start_us: 1200000 end_us: 2900000 amount: 200 }\n";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&text, "operation { id: ", i + 1, " at_us: ", 500'000 + i * 100'000,
                    " client: 1 via: 1 kind: PUT key: \"k", i % 5, "\" value: \"v", i, "\" }\n");
  }
  const auto written = ParseCase(NornStore(), text, "test");
  EXPECT_TRUE(written.ok()) << written.status().message();
  const auto made = MakeCase(NornStore(), *written);
  EXPECT_TRUE(made.ok()) << made.status().message();
  return *made;
}

TEST(RunCi, FindsOneOfEachKindAndWritesItDown) {
  const std::shared_ptr<const Case> failing = FailingCase();
  CiOptions options;
  options.plan = {"abc", 1, 1};
  options.budget_ms = 8'000;
  options.jobs = 2;
  options.report = NewFolder("kinds");
  const auto run_of = [&failing](uint64_t seed) {
    RunOptions run = RunOfSeed(seed);
    if (seed % 3 == 0) run.replay = failing;  // is violated
    if (seed % 3 == 1) {
      run = RunOptions();
      run.nodes = 0;  // fails an assertion
    }
    return run;
  };
  const auto began = std::chrono::steady_clock::now();
  const auto report = RunCi(options, {}, run_of, Never);
  const auto took = std::chrono::steady_clock::now() - began;
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_LT(took, std::chrono::seconds(8 + 4));
  EXPECT_EQ(report->ExitCode(), kExitViolated);
  EXPECT_GT(report->Valid(), 0u);
  ASSERT_EQ(report->failures.size(), 2u);
  const CiFailure& violated = report->failures[0];
  EXPECT_EQ(violated.verdict, "VIOLATED");
  EXPECT_GT(violated.runs, 1u);
  EXPECT_EQ(violated.others.size(), std::min<uint64_t>(violated.runs - 1, kOthersMax));
  EXPECT_EQ(violated.files,
            (std::vector<std::string>{"case.textproto", "least.textproto", "why.html", "why.txt"}));
  EXPECT_LT(violated.least_operations, 20u);  // how far depends on the machine
  const auto least =
      LoadCase(NornStore(), absl::StrCat(options.report, "/", violated.folder, "/least.textproto"));
  ASSERT_TRUE(least.ok()) << least.status().message();
  EXPECT_EQ(least->operation_size(), static_cast<int>(violated.least_operations));
  const CiFailure& crashed = report->failures[1];
  EXPECT_EQ(crashed.exit_code, kExitCrashed);
  EXPECT_EQ(crashed.property.find("check failed: "), 0u) << crashed.property;
  EXPECT_EQ(report->Runs() - report->Valid(), violated.runs + crashed.runs);
}

TEST(RunCi, ARunThatHangsIsKilledAndASignalEndsAll) {
  CiOptions options;
  options.plan = {"abc", 1, 1};
  options.budget_ms = 60'000;
  options.limit_ms = 1;  // no run is that fast
  options.jobs = 2;
  options.report = NewFolder("hang");
  const auto began = std::chrono::steady_clock::now();
  const auto interrupted = [began] {
    return std::chrono::steady_clock::now() - began > std::chrono::seconds(1);
  };
  const auto report = RunCi(options, {}, RunOfSeed, interrupted);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(6));
  ASSERT_EQ(report->failures.size(), 1u);
  EXPECT_EQ(report->failures[0].verdict, "STOPPED");
  EXPECT_GT(report->failures[0].runs, 1u);
  EXPECT_TRUE(report->interrupted);
  EXPECT_EQ(report->ExitCode(), kExitCrashed);
}

TEST(RunCi, WithoutTimeForASeedItIsNoSuccess) {
  CiOptions options;
  options.plan = {"abc", 1, 1};
  options.report = NewFolder("none");
  const auto report = RunCi(options, {}, RunOfSeed, [] { return true; });
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->Runs(), 0u);
  EXPECT_EQ(report->ExitCode(), kExitUnknown);
}

}  // namespace
}  // namespace norn::sim
