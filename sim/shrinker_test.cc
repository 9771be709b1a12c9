// Runs in child processes, and what the shrinker makes of them: crashes and endless runs are
// outcomes, the first candidate wins whichever ends first, and what is not needed goes.

#include "sim/shrinker.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

v1::Case Parse(const std::string& rest) {
  const auto written =
      ParseCase(NornStore(),
                absl::StrCat("format: 1 seed: 3 bucket { partitions: 16 n: 3 r: 2 w: 2 }\n"
                             "node { zone: \"a\" } node { zone: \"b\" } node { zone: \"c\" }\n",
                             rest),
                "test");
  EXPECT_TRUE(written.ok()) << written.status().message();
  return *written;
}

// With a claim that is wrong: without exchanges the replicas agree all the same. One write of
// many misses a replica, which stays apart.
v1::Case WithoutExchanges(const std::string& rest) {
  std::string text =
      "until_us: 3000000 knob { name: \"node.exchange_interval_us\" value: 86400000000 }\n"
      "knob { name: \"node.lease_counters\" value: 7 }\n";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&text, "operation { id: ", i + 1, " at_us: ", 500'000 + i * 100'000,
                    " client: ", i % 4 + 1, " via: ", i % 3 + 1, " kind: PUT key: \"k", i % 5,
                    "\" value: \"v", i, "\" pad_bytes: ", i, " }\n");
  }
  return Parse(text + rest);
}

constexpr char kLost[] =
    "fault { id: 1 kind: SLOW start_us: 600000 end_us: 2900000 amount: 900 }\n"
    "fault { id: 2 kind: LOSS start_us: 1200000 end_us: 2900000 amount: 200 }\n"
    "fault { id: 3 kind: SLOW_DISK start_us: 700000 end_us: 2900000 amount: 500 }\n";

CaseRun RunOf(const v1::Case& written, CaseRunner* runner) {
  RunOptions options;
  options.replay = *MakeCase(NornStore(), written);
  return runner->Run(options);
}

bool Never() { return false; }

TEST(CaseRunner, TellsWhatARunCameTo) {
  CaseRunner runner(NornStore(), {1, 60'000});
  const v1::Case written = WithoutExchanges("");
  const CaseRun run = RunOf(written, &runner);
  EXPECT_EQ(run.exit_code, kExitValid) << run.property;
  EXPECT_EQ(run.verdict, "VALID");
  EXPECT_EQ(run.recorded.operation_size(), written.operation_size());
  EXPECT_EQ(run.recorded.outcome().hash(), run.hash);
  EXPECT_EQ(run.hash.size(), 32u);
}

TEST(CaseRunner, ACrashIsAnOutcome) {
  RunOptions impossible;
  impossible.nodes = 0;
  const CaseRun run = CaseRunner(NornStore(), {1, 60'000}).Run(impossible);
  EXPECT_EQ(run.exit_code, kExitCrashed);
  EXPECT_EQ(run.verdict, "CRASHED");
  EXPECT_EQ(run.property.find("check failed: "), 0u) << run.property;
  EXPECT_FALSE(run.stopped);
  EXPECT_TRUE(run.hash.empty());
}

TEST(CaseRunner, ARunThatTakesTooLongIsStopped) {
  // A day of clients and gossip.
  v1::Case endless = WithoutExchanges("");
  endless.set_until_us(int64_t{86'400} * 1'000'000);
  const CaseRun run = CaseRunner(NornStore(), {1, 200}).Run([&endless] {
    RunOptions options;
    options.replay = *MakeCase(NornStore(), endless);
    return options;
  }());
  EXPECT_TRUE(run.stopped);
  EXPECT_EQ(run.verdict, "STOPPED");
  EXPECT_EQ(run.exit_code, kExitCrashed);
  EXPECT_EQ(run.recorded.operation_size(), endless.operation_size());  // as far as it came
}

TEST(CaseRunner, TheFirstCandidateWinsThoughALaterOneEndsEarlier) {
  CaseRunner runner(NornStore(), {2, 60'000});
  v1::Case slow = WithoutExchanges("");
  slow.set_until_us(60'000'000);
  v1::Case senseless = slow;
  senseless.set_format(9);
  const std::vector<v1::Case> candidates = {senseless, slow, WithoutExchanges("")};
  const auto at = [&candidates](size_t i) { return candidates[i]; };
  const auto valid = [](const CaseRun& run) { return run.exit_code == kExitValid; };
  CaseRun run;
  EXPECT_EQ(runner.First(3, at, valid, Never, &run), 1u);
  EXPECT_EQ(run.recorded.until_us(), 60'000'000);
  EXPECT_EQ(runner.First(1, at, valid, Never, nullptr), std::nullopt);
}

TEST(Shrinker, LeavesWhatIsNeededAndTheSameHoweverManyRunAtOnce) {
  const v1::Case written = WithoutExchanges(kLost);
  std::vector<std::string> smallest;
  for (const int jobs : {1, 2}) {
    CaseRunner runner(NornStore(), {jobs, 60'000});
    const CaseRun first = RunOf(written, &runner);
    ASSERT_EQ(first.exit_code, kExitViolated) << first.property;
    ShrinkOptions options;
    options.enough = Never;
    const ShrinkResult result = Shrink(written, first, options, &runner);
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.run.Fingerprint(), first.Fingerprint());
    const v1::Case& least = result.smallest;
    EXPECT_EQ(least.operation_size(), 1) << FormatCase(least);
    EXPECT_EQ(least.operation(0).pad_bytes(), 0u);
    EXPECT_EQ(least.fault_size(), 0) << FormatCase(least);  // a lost message is named instead
    EXPECT_LE(least.message_size(), 1) << FormatCase(least);
    EXPECT_EQ(least.knob_size(), 1) << FormatCase(least);
    EXPECT_LT(least.until_us(), 3'000'000);
    // What was written last is what it comes to.
    EXPECT_EQ(RunOf(least, &runner).hash, least.outcome().hash());
    smallest.push_back(FormatCase(least));
  }
  EXPECT_EQ(smallest[0], smallest[1]);
}

TEST(Shrinker, StopsWhenItIsEnough) {
  const v1::Case written = WithoutExchanges(kLost);
  CaseRunner runner(NornStore(), {1, 60'000});
  const CaseRun first = RunOf(written, &runner);
  ShrinkOptions options;
  options.enough = [&runner] { return runner.runs() >= 4; };
  const ShrinkResult result = Shrink(written, first, options, &runner);
  EXPECT_FALSE(result.finished);
  EXPECT_LE(runner.runs(), 4u);
  EXPECT_EQ(result.run.Fingerprint(), first.Fingerprint());
}

}  // namespace
}  // namespace norn::sim
