// Keys by their distributions, and how clients fared: against what can be reckoned by hand.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/json_string.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/environment/key_chooser.h"
#include "sim/environment/measure_phases.h"

namespace norn::sim {
namespace {

std::vector<int> Counts(const KeyChooser& chooser, int draws) {
  std::vector<int> counts(chooser.count());
  Random random(3);
  for (int i = 0; i < draws; ++i) ++counts[chooser.Draw(random)];
  return counts;
}

TEST(KeyChooser, WeightsAreThoseOfZipfsLaw) {
  for (const uint64_t exponent : {1, 500, 990, 1000, 2000, 3000}) {
    for (const uint64_t rank : {1, 2, 3, 7, 10, 1000, 1024, 99'999}) {
      const double exact = std::ldexp(
          std::pow(static_cast<double>(rank), -static_cast<double>(exponent) / 1000), 32);
      const auto weight = static_cast<double>(ZipfianWeight(rank, exponent));
      EXPECT_NEAR(weight, exact, exact / 1'000'000 + 2) << rank << " to -" << exponent;
    }
  }
}

TEST(KeyChooser, ZipfianDrawsInProportion) {
  const std::vector<int> counts = Counts(KeyChooser::Zipfian(100, 1000), 100'000);
  double sum = 0;
  for (int rank = 1; rank <= 100; ++rank) sum += 1.0 / rank;
  for (const int rank : {1, 2, 5, 50}) {
    const double expected = 100'000 / sum / rank;
    EXPECT_NEAR(counts[static_cast<size_t>(rank) - 1], expected, 5 * std::sqrt(expected));
  }
}

TEST(KeyChooser, UniformAndHotSet) {
  for (const int count : Counts(KeyChooser::Uniform(10), 10'000)) EXPECT_NEAR(count, 1'000, 150);
  const std::vector<int> counts = Counts(KeyChooser::HotSet(10, 2, 800), 10'000);
  for (size_t i = 0; i < counts.size(); ++i) EXPECT_NEAR(counts[i], i < 2 ? 4'000 : 250, 200);
  for (const int count : Counts(KeyChooser::HotSet(4, 4, 0), 4'000)) EXPECT_NEAR(count, 1'000, 150);
}

TEST(LatencyHistogram, PercentilesAreAtMostASixteenthTooHigh) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Percentile(5'000), 0);
  std::vector<int64_t> sorted;
  for (int64_t i = 0; i < 2'000; ++i) sorted.push_back(i * i);
  for (const int64_t latency_us : sorted) histogram.Add(latency_us);
  EXPECT_EQ(histogram.count(), 2'000u);
  for (const uint64_t part : {5'000, 9'000, 9'900, 10'000}) {
    const int64_t exact = sorted[part * 2'000 / 10'000 - 1];
    EXPECT_GE(histogram.Percentile(part), exact);
    EXPECT_LE(histogram.Percentile(part), exact + exact / 16 + 1);
  }
  LatencyHistogram small;
  for (int64_t i = 0; i < 32; ++i) small.Add(i);
  EXPECT_EQ(small.Percentile(5'000), 15);
  EXPECT_EQ(small.Percentile(10'000), 31);
}

Operation Get(int64_t due_us, int64_t completed_us,
              ClientReply::Outcome outcome = ClientReply::Outcome::kOk) {
  Operation operation;
  operation.client = 1;
  operation.due_us = due_us;
  operation.invoked_us = due_us + 5;
  operation.completed_us = completed_us;
  operation.outcome = outcome;
  return operation;
}

TEST(RunPhases, CountsByWhenAnOperationFellDue) {
  const PhaseTimes times{1'000'000, 2'000'000, 3'000'000, 4'000'000};
  History history;
  history.operations = {Get(999'999, 1'500'000),
                        Get(1'000'000, 1'000'010),
                        Get(1'999'999, 2'500'000),
                        Get(2'000'000, kNever, ClientReply::Outcome::kUnavailable),
                        Get(2'999'999, 3'000'000, ClientReply::Outcome::kUnavailable),
                        Get(2'500'000, 2'500'020),
                        Get(3'000'000, 3'000'007)};
  history.operations.push_back(Get(3'500'000, 3'500'001));
  history.operations.back().kind = ClientRequest::Kind::kDelete;
  history.operations.push_back(Get(9'000'000, 9'000'001));
  history.operations.back().client = 0;  // one of the last reads
  const RunPhases measured = MeasurePhases(history, times);
  ASSERT_EQ(measured.phases.size(), 3u);
  EXPECT_EQ(measured.phases[0].gets.ok, 2u);  // not the one of the warm-up
  EXPECT_EQ(measured.phases[1].gets.requests, 3u);
  EXPECT_EQ(measured.phases[1].gets.unanswered, 1u);
  EXPECT_EQ(measured.phases[1].gets.AvailablePerTenThousand(), 3'333u);
  EXPECT_EQ(measured.phases[1].gets.latencies.Percentile(10'000), 20);  // from when it was due
  EXPECT_EQ(measured.phases[2].gets.requests, 1u);
  EXPECT_EQ(measured.phases[2].writes.requests, 1u);
  ASSERT_EQ(measured.seconds.size(), 4u);
  EXPECT_EQ(measured.seconds[0].gets.requests, 1u);
  EXPECT_EQ(measured.seconds[2].gets.requests, 3u);
}

TEST(RunPhases, RunsAddUpAndSurviveThePipe) {
  History history;
  history.operations = {Get(10, 20), Get(1'500'000, 1'500'100)};
  const PhaseTimes times{0, 1'000'000, 2'000'000, 3'000'000};
  RunPhases sum = DecodePhases(Encode(MeasurePhases(history, times)));
  sum.Add(MeasurePhases(history, times));
  EXPECT_EQ(sum.phases[0].gets.requests, 2u);
  EXPECT_EQ(sum.phases[1].gets.latencies.count(), 2u);
  EXPECT_EQ(sum.phases[0].name, "before");
  const std::string json = ToJson(sum);
  EXPECT_NE(json.find("{\"phases\":[{\"name\":\"before\",\"gets\":{\"requests\":2,\"ok\":2,"
                      "\"unanswered\":0,\"p50_us\":10,"),
            std::string::npos)
      << json;
  EXPECT_NE(ToText(sum).find("before  gets            2    100.00%"), std::string::npos)
      << ToText(sum);
}

}  // namespace
}  // namespace norn::sim
