#include "sim/consistency/session_guarantees.h"

#include <map>

#include "gtest/gtest.h"
#include "sim/consistency/testing/histories.h"

namespace norn::consistency {
namespace {

using Places = std::vector<size_t>;

Finding Check(std::vector<Operation> operations) {
  return CheckSessionGuarantees(HistoryOf(std::move(operations)));
}

void ExpectViolated(const Finding& finding, const char* guarantee, const Places& witness) {
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_NE(finding.why.find(guarantee), std::string::npos) << finding.why;
  EXPECT_EQ(finding.witness, witness) << finding.why;
}

TEST(SessionGuaranteesTest, OthersMayBeBehind) {
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(2, 1, 5, 6), Read(2, 2, 7, 8),
                   Read(3, 0, 9, 10)})
                .verdict,
            Verdict::kValid);
}

TEST(SessionGuaranteesTest, ReadYourWrites) {
  ExpectViolated(Check({Write(1, 1, 1, 2), Read(1, 0, 3, 4)}), "read your writes", {0, 1});
  ExpectViolated(Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(1, 1, 5, 6)}),
                 "read your writes", {0, 1, 2});
}

TEST(SessionGuaranteesTest, MonotonicReads) {
  ExpectViolated(Check({Write(1, 1, 1, 2), Read(2, 1, 3, 4), Read(2, 0, 5, 6)}), "monotonic reads",
                 {1, 2});
  ExpectViolated(Check({Write(1, 1, 1, 2), Write(2, 2, 1, 2), Read(3, 1, 3, 4), Read(3, 2, 5, 6),
                        Read(4, 2, 3, 4), Read(4, 1, 5, 6)}),
                 "monotonic reads", {2, 3, 4, 5});
}

TEST(SessionGuaranteesTest, MonotonicWrites) {
  ExpectViolated(Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(2, 2, 5, 6), Read(2, 1, 7, 8)}),
                 "monotonic writes", {0, 1, 2, 3});
}

TEST(SessionGuaranteesTest, WritesFollowReads) {
  ExpectViolated(Check({Write(1, 1, 1, 2), Read(2, 1, 3, 4), Write(2, 2, 5, 6), Read(3, 2, 7, 8),
                        Read(3, 1, 9, 10)}),
                 "writes follow reads", {1, 2, 3, 4});
}

TEST(SessionGuaranteesTest, ACycleThroughThreeSessions) {
  const Finding finding = Check({Write(1, 1, 1, 2), Write(2, 2, 3, 4), Write(3, 3, 5, 6),
                                 Read(1, 2, 7, 8), Read(2, 3, 9, 10), Read(3, 1, 11, 12)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness.size(), 6u);
}

TEST(SessionGuaranteesTest, WritesWithoutAnAnswerMayComeLate) {
  EXPECT_EQ(Check({Write(1, 1, 1, kNever), Read(1, 0, 3, 4), Read(1, 1, 5, 6)}).verdict,
            Verdict::kValid);
}

TEST(SessionGuaranteesTest, ValuesMustBeUniqueWhereTheyAreRead) {
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Write(2, 1, 3, 4), Read(1, 1, 5, 6)}).verdict,
            Verdict::kUnknown);
  // Unread, each write of the same value has its own place.
  EXPECT_EQ(
      Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Write(2, 2, 1, 2), Write(2, 1, 3, 4)}).verdict,
      Verdict::kValid);
}

TEST(SessionGuaranteesTest, ValuesComeFromWritesThatHadBegun) {
  EXPECT_EQ(Check({Read(1, 1, 1, 2)}).verdict, Verdict::kViolated);
  EXPECT_EQ(Check({Read(1, 1, 1, 2), Write(2, 1, 3, 4)}).verdict, Verdict::kViolated);
  EXPECT_EQ(Check({Failed(Write(2, 1, 1, 2)), Read(1, 1, 3, 4)}).verdict, Verdict::kViolated);
}

// Tries every order of the values, by the definitions.
bool SomeOrderFits(const KeyHistory& history) {
  std::vector<ValueId> order;
  for (size_t v = 1; v < history.values.size(); ++v) order.push_back(static_cast<ValueId>(v));
  do {
    std::vector<size_t> rank(history.values.size(), 0);
    for (size_t i = 0; i < order.size(); ++i) rank[static_cast<size_t>(order[i])] = i + 1;
    bool fits = true;
    for (const Operation& first : history.operations) {
      if (!first.ok()) continue;
      for (const Operation& second : history.operations) {
        const bool counts =
            second.ok() || (second.kind == Kind::kWrite && second.outcome == Outcome::kUnknown);
        if (!counts || first.process != second.process || first.call >= second.call) continue;
        const size_t a = rank[static_cast<size_t>(first.value)];
        const size_t b = rank[static_cast<size_t>(second.value)];
        if (second.is_read() ? b < a : b <= a) fits = false;
      }
    }
    if (fits) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

bool ReadsHaveWrites(const KeyHistory& history) {
  for (const Operation& read : history.operations) {
    if (!read.is_read() || !read.ok() || read.value == kInitialValue) continue;
    bool written = false;
    for (const Operation& write : history.operations) {
      written |= write.kind == Kind::kWrite && write.outcome != Outcome::kFailed &&
                 write.value == read.value && write.call < read.end;
    }
    if (!written) return false;
  }
  return true;
}

TEST(SessionGuaranteesPropertyTest, AgreesWithTryingEveryOrderOfTheValues) {
  Random random(3);
  int valid = 0, violated = 0, cycles = 0;
  for (int i = 0; i < 20'000; ++i) {
    DrawOptions options;
    options.operations_max = 12;
    options.values = 4;
    const KeyHistory history = DrawHistory(options, &random);
    const bool fits = ReadsHaveWrites(history) && SomeOrderFits(history);
    const Finding finding = CheckSessionGuarantees(history);
    ASSERT_EQ(finding.verdict, fits ? Verdict::kValid : Verdict::kViolated) << finding.why << "\n"
                                                                            << Show(history);
    ++(fits ? valid : violated);
    cycles += finding.witness.size() > 2;
  }
  EXPECT_GT(valid, 2000);
  EXPECT_GT(violated, 2000);
  EXPECT_GT(cycles, 200);
}

}  // namespace
}  // namespace norn::consistency
