#include "sim/consistency/linearization.h"

#include "gtest/gtest.h"
#include "sim/consistency/testing/histories.h"
#include "sim/consistency/zones.h"

namespace norn::consistency {
namespace {

using Places = std::vector<size_t>;

Finding Check(std::vector<Operation> operations) {
  return CheckLinearization(HistoryOf(std::move(operations)), kConfigurationsMax);
}

// Tries every order: nothing of the search under test is in it.
bool CanBeOrdered(const std::vector<Operation>& operations, std::vector<bool>* taken,
                  ValueId state) {
  int64_t horizon = kNever;
  bool all = true;
  for (size_t i = 0; i < operations.size(); ++i) {
    if ((*taken)[i] || !operations[i].ok()) continue;
    all = false;
    horizon = std::min(horizon, operations[i].end);
  }
  if (all) return true;
  for (size_t i = 0; i < operations.size(); ++i) {
    const Operation& o = operations[i];
    if ((*taken)[i] || o.outcome == Outcome::kFailed || o.call > horizon) continue;
    if (o.is_read() && (!o.ok() || o.value != state)) continue;
    if (o.kind == Kind::kCas && o.expected != state) continue;
    (*taken)[i] = true;
    if (CanBeOrdered(operations, taken, o.is_read() ? state : o.value)) return true;
    (*taken)[i] = false;
  }
  return false;
}

bool BruteForce(const KeyHistory& history) {
  std::vector<bool> taken(history.operations.size());
  return CanBeOrdered(history.operations, &taken, kInitialValue);
}

TEST(LinearizationTest, CompareAndSetInTurn) {
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Cas(2, 1, 2, 3, 4), Read(1, 2, 5, 6)}).verdict,
            Verdict::kValid);
}

TEST(LinearizationTest, OnlyOneOfTwoCanReplaceAValue) {
  const Finding finding =
      Check({Write(1, 1, 1, 2), Cas(2, 1, 2, 3, 6), Cas(3, 1, 3, 4, 5), Read(1, 3, 7, 8)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness, (Places{1, 2})) << finding.why;  // 1 was written once
  // One whose outcome is not known may have failed.
  EXPECT_EQ(
      Check({Write(1, 1, 1, 2), Cas(2, 1, 2, 3, kNever), Cas(3, 1, 3, 4, 5), Read(1, 3, 7, 8)})
          .verdict,
      Verdict::kValid);
}

TEST(LinearizationTest, UnansweredOperationsMayBeNeeded) {
  EXPECT_EQ(Check({Write(1, 1, 1, kNever), Cas(2, 1, 2, 2, kNever), Read(3, 2, 3, 4)}).verdict,
            Verdict::kValid);
  EXPECT_EQ(Check({Write(1, 1, 1, kNever), Cas(2, 3, 2, 2, kNever), Read(3, 2, 3, 4)}).verdict,
            Verdict::kViolated);
}

TEST(LinearizationTest, UnansweredOperationsThatAreAlikeMayAllBeNeeded) {
  std::vector<Operation> operations = {Write(1, 1, 1, kNever), Write(2, 1, 2, kNever),
                                       Read(3, 1, 3, 4),       Write(3, 2, 5, 6),
                                       Read(3, 1, 7, 8),       Write(3, 3, 9, 10)};
  EXPECT_EQ(Check(operations).verdict, Verdict::kValid);
  operations.push_back(Read(3, 1, 11, 12));  // there were two of them, not three
  EXPECT_EQ(Check(operations).verdict, Verdict::kViolated);
}

TEST(LinearizationTest, AFailedCompareAndSetHadNoEffect) {
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Failed(Cas(2, 1, 2, 3, 4)), Read(3, 2, 5, 6)}).verdict,
            Verdict::kViolated);
}

TEST(LinearizationTest, WhatComesAfterTheContradictionIsNotInTheWitness) {
  std::vector<Operation> operations = {Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(2, 1, 5, 6)};
  for (int64_t i = 0; i < 40; ++i) operations.push_back(Write(1, 2, 7 + 2 * i, 8 + 2 * i));
  EXPECT_EQ(Check(operations).witness, (Places{0, 1, 2}));
}

TEST(LinearizationTest, TheLimitMeansUnknown) {
  // Thirty writes at once, and then a read of what nobody wrote: each subset is a configuration.
  std::vector<Operation> operations;
  for (int i = 0; i < 30; ++i) operations.push_back(Write(i, 1 + i, 1 + i, 100 + i));
  operations.push_back(Read(40, 40, 200, 201));
  const Finding finding = CheckLinearization(HistoryOf(operations), 10'000);
  EXPECT_EQ(finding.verdict, Verdict::kUnknown);
  EXPECT_NE(finding.why.find("10000"), std::string::npos) << finding.why;
}

TEST(LinearizationTest, ALongHistoryTakesAboutOneConfigurationForEachOperation) {
  std::vector<Operation> operations;
  for (int64_t i = 0; i < 20'000; ++i) {
    const auto value = static_cast<ValueId>(i % 7);
    operations.push_back(i % 2 == 0
                             ? Write(static_cast<int>(i % 10), value, 1 + 10 * i, 35 + 10 * i)
                             : Read(static_cast<int>(i % 10), static_cast<ValueId>((i - 1) % 7),
                                    1 + 10 * i, 34 + 10 * i));
  }
  const Search search = SearchLinearization(HistoryOf(operations).operations, 100'000);
  EXPECT_EQ(search.verdict, Verdict::kValid);
  EXPECT_LT(search.configurations, 40'000u);
}

// What the header promises of a witness: with any one of its results left open, there is an order.
void ExpectMinimal(const KeyHistory& history, const Finding& finding) {
  for (const size_t left_out : finding.witness) {
    KeyHistory rest = history;
    for (size_t i = 0; i < rest.operations.size(); ++i) {
      const bool kept =
          i != left_out && std::count(finding.witness.begin(), finding.witness.end(), i);
      if (!kept && rest.operations[i].ok()) rest.operations[i].outcome = Outcome::kUnknown;
    }
    ASSERT_TRUE(BruteForce(rest)) << "without " << left_out << ":\n" << Show(history);
  }
}

TEST(LinearizationPropertyTest, AgreesWithTryingEveryOrder) {
  Random random(7);
  int valid = 0, violated = 0;
  for (int i = 0; i < 20'000; ++i) {
    DrawOptions options;
    options.unique = random.Chance(1, 2);
    options.cas = random.Chance(1, 2);
    const KeyHistory history = DrawHistory(options, &random);
    const bool can = BruteForce(history);
    const Finding finding = CheckLinearization(history, kConfigurationsMax);
    ASSERT_EQ(finding.verdict, can ? Verdict::kValid : Verdict::kViolated) << Show(history);
    ++(can ? valid : violated);
    if (can) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectMinimal(history, finding));
  }
  EXPECT_GT(valid, 4000);
  EXPECT_GT(violated, 4000);
}

TEST(LinearizationPropertyTest, ZonesAgreeWithTheSearch) {
  Random random(11);
  int valid = 0, violated = 0;
  for (int i = 0; i < 50'000; ++i) {
    DrawOptions options;
    options.operations_max = 12;
    options.processes = 4;
    options.values = 5;
    const KeyHistory history = DrawHistory(options, &random);
    const auto zones = CheckZones(history);
    ASSERT_TRUE(zones.has_value());
    const Search search = SearchLinearization(history.operations, kConfigurationsMax);
    ASSERT_EQ(zones->verdict, search.verdict) << zones->why << "\n" << Show(history);
    ASSERT_LE(zones->witness.size(), 4u);
    ++(search.verdict == Verdict::kValid ? valid : violated);
  }
  EXPECT_GT(valid, 5000);
  EXPECT_GT(violated, 5000);
}

}  // namespace
}  // namespace norn::consistency
