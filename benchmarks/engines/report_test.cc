#include "benchmarks/engines/report.h"

#include <cstdint>
#include <set>
#include <string>

#include "benchmarks/engines/dataset.h"
#include "benchmarks/engines/histogram.h"
#include "benchmarks/engines/plot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace norn::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HistogramTest, QuantilesAreWithinABucket) {
  Histogram histogram;
  EXPECT_EQ(histogram.QuantileUs(0.5), 0);
  for (int64_t i = 1; i <= 100'000; ++i) histogram.Add(i * 100);
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_NEAR(histogram.QuantileUs(0.5), 5000, 5000 * 0.016);
  EXPECT_NEAR(histogram.QuantileUs(0.999), 9990, 9990 * 0.016);
  histogram.Add(INT64_MAX);
  EXPECT_GE(histogram.QuantileUs(1), 9e15);
}

TEST(DatasetTest, KeysAreOrderedAndValuesAreTheirOwn) {
  const Dataset data(1000, 100);
  std::set<uint32_t> numbers(data.shuffled().begin(), data.shuffled().end());
  EXPECT_EQ(numbers.size(), 1000u);
  std::string key(Dataset::kKeyBytes, '\0');
  std::string missing = key;
  std::string next = key;
  Dataset::Key(41, key.data());
  Dataset::MissingKey(41, missing.data());
  Dataset::Key(42, next.data());
  EXPECT_LT(key, missing);
  EXPECT_LT(missing, next);
  std::string value(100, '\0');
  data.Value(key, 3, value.data());
  data.Check(key, value);
  EXPECT_EXIT(data.Check(next, value), ::testing::ExitedWithCode(1), "WRONG VALUE");
  value.back() ^= 1;
  EXPECT_EXIT(data.Check(key, value), ::testing::ExitedWithCode(1), "WRONG VALUE");
}

TEST(DatasetTest, ZipfianNumbersAreSkewed) {
  const Dataset data(1000, 100);
  const uint32_t hottest = data.shuffled()[0];
  int hits = 0;
  for (const uint32_t number : data.Zipfian(10'000, 1)) hits += number == hottest ? 1 : 0;
  // 1 / (the sum of i^-0.99 up to 1000), that is one in 7.7.
  EXPECT_NEAR(hits, 1300, 150);
}

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() : report_({"norn", "leveldb", "rocksdb"}) {
    for (const double ops : {90.0, 5000.0, 100.0}) {  // one slice was disturbed
      report_.Add("100 B x", "norn", {.ops_per_second = ops, .p99_us = 3}, 0);
    }
    report_.Add("100 B x", "leveldb", {.ops_per_second = 200, .p99_us = 6}, 1.5);
  }

  Report report_;
};

TEST_F(ReportTest, TheMedianCounts) {
  EXPECT_EQ(report_.rows().size(), 2u);
  EXPECT_EQ(report_.rows()[0].Of(0), 100);
  EXPECT_EQ(report_.rows()[0].Of(2), std::nullopt);
}

TEST_F(ReportTest, TheTableSaysWhoIsBehind) {
  const std::string table = report_.Table("100 B x");
  EXPECT_THAT(table, HasSubstr("0.50 <"));
  EXPECT_THAT(table, HasSubstr("up to 1.5 cores"));
  EXPECT_THAT(table, Not(HasSubstr("rocksdb")));
}

TEST_F(ReportTest, JsonLeavesOutWhatWasNotMeasured) {
  EXPECT_EQ(report_.Json(),
            "{\"rows\":[\n"
            "{\"name\":\"100 B x throughput\",\"unit\":\"op/s\",\"better\":\"higher\","
            "\"norn\":100,\"leveldb\":200},\n"
            "{\"name\":\"100 B x p99\",\"unit\":\"us\",\"better\":\"lower\","
            "\"norn\":3,\"leveldb\":6}\n]}\n");
}

TEST_F(ReportTest, ThePlotTurnsRatiosTheRightWay) {
  const std::string svg = RatioPlot(report_, "a < b");
  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
  EXPECT_THAT(svg, HasSubstr(">0.50<"));  // half the throughput
  EXPECT_THAT(svg, HasSubstr(">2.00<"));  // half the latency
}

}  // namespace
}  // namespace norn::benchmarks
