#include "sim/consistency/zones.h"

#include "gtest/gtest.h"
#include "sim/consistency/testing/histories.h"

namespace norn::consistency {
namespace {

using Places = std::vector<size_t>;

Finding Check(std::vector<Operation> operations) {
  const auto finding = CheckZones(HistoryOf(std::move(operations)));
  EXPECT_TRUE(finding.has_value());
  return finding.value_or(Finding{Verdict::kUnknown, "not unique", {}});
}

TEST(ZonesTest, ConcurrentReadsMaySeeTheOldOrTheNewValue) {
  EXPECT_EQ(
      Check({Write(1, 1, 1, 2), Write(1, 2, 3, 8), Read(2, 2, 4, 5), Read(2, 2, 6, 7)}).verdict,
      Verdict::kValid);
  EXPECT_EQ(
      Check({Write(1, 1, 1, 2), Write(1, 2, 3, 8), Read(2, 1, 4, 5), Read(2, 2, 6, 7)}).verdict,
      Verdict::kValid);
}

TEST(ZonesTest, NewThenOldIsAnInversion) {
  const Finding finding =
      Check({Write(1, 1, 1, 2), Write(1, 2, 3, 8), Read(2, 2, 4, 5), Read(2, 1, 6, 7)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness, (Places{0, 2, 3})) << finding.why;  // the write of 2 says nothing
}

TEST(ZonesTest, AStaleReadHasAWitnessOfThree) {
  const Finding finding = Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(3, 2, 5, 6),
                                 Read(2, 1, 7, 8), Read(3, 1, 9, 10)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_LE(finding.witness.size(), 4u);
}

TEST(ZonesTest, AnUnreadWriteIsInTheWay) {
  const Finding finding = Check({Write(1, 1, 1, 2), Write(1, 2, 3, 4), Read(2, 1, 5, 6)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness, (Places{0, 1, 2}));
  // Unless it may have had no effect, or had none.
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Write(1, 2, 3, kNever), Read(2, 1, 5, 6)}).verdict,
            Verdict::kValid);
  EXPECT_EQ(Check({Write(1, 1, 1, 2), Failed(Write(1, 2, 3, 4)), Read(2, 1, 5, 6)}).verdict,
            Verdict::kValid);
}

TEST(ZonesTest, TwoForwardZonesThatOverlap) {
  const Finding finding =
      Check({Write(1, 1, 1, 2), Write(2, 2, 3, 4), Read(1, 1, 5, 6), Read(2, 2, 7, 8)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness, (Places{0, 1, 2, 3}));
}

TEST(ZonesTest, TheInitialValueIsThereBeforeTheFirstWriteOnly) {
  EXPECT_EQ(Check({Read(1, 0, 1, 2), Write(1, 1, 3, 6), Read(2, 0, 4, 5)}).verdict,
            Verdict::kValid);
  const Finding finding = Check({Write(1, 1, 1, 2), Read(2, 0, 3, 4)});
  EXPECT_EQ(finding.verdict, Verdict::kViolated);
  EXPECT_EQ(finding.witness, (Places{0, 1}));
}

TEST(ZonesTest, AnUnansweredWriteMayTakeEffectLongAfter) {
  EXPECT_EQ(Check({Write(1, 1, 1, kNever), Read(2, 0, 2, 3), Read(2, 1, 4, 5)}).verdict,
            Verdict::kValid);
  EXPECT_EQ(Check({Write(1, 1, 1, kNever), Read(2, 1, 2, 3), Read(2, 0, 4, 5)}).verdict,
            Verdict::kViolated);
}

TEST(ZonesTest, ValuesComeFromWritesThatHadBegun) {
  EXPECT_EQ(Check({Read(1, 1, 1, 2)}).witness, (Places{0}));
  EXPECT_EQ(Check({Read(1, 1, 1, 2), Write(2, 1, 3, 4)}).witness, (Places{0, 1}));
  const Finding failed = Check({Failed(Write(1, 1, 1, 2)), Read(2, 1, 3, 4)});
  EXPECT_EQ(failed.verdict, Verdict::kViolated);
  EXPECT_EQ(failed.witness, (Places{0, 1}));
}

TEST(ZonesTest, ValuesThatAreNotUniqueAreNotJudged) {
  EXPECT_FALSE(
      CheckZones(HistoryOf({Write(1, 1, 1, 2), Write(1, 1, 3, 4), Read(1, 1, 5, 6)})).has_value());
  EXPECT_FALSE(CheckZones(HistoryOf({Write(1, 0, 1, 2), Read(1, 0, 5, 6)})).has_value());
  // Where nobody read them it does not matter.
  EXPECT_EQ(
      Check({Write(1, 1, 1, 2), Write(1, 1, 3, 4), Read(1, 2, 5, 6), Write(2, 2, 4, 7)}).verdict,
      Verdict::kValid);
}

}  // namespace
}  // namespace norn::consistency
