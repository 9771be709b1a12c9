#include "storage/compaction_picker.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

class CompactionPickerTest : public testing::Test {
 protected:
  void Add(int level, const std::string& smallest, const std::string& largest, uint64_t bytes = 100,
           bool damaged = false) {
    auto table = std::make_shared<LiveTable>();
    table->meta.number = ++number_;
    table->meta.bytes = bytes;
    table->meta.smallest = smallest;
    table->meta.largest = largest;
    table->meta.smallest_sequence = number_ * 10;
    table->meta.largest_sequence = number_ * 10 + 9;
    if (damaged) table->damage = absl::DataLossError("damaged");
    InsertTable(level, std::move(table), &levels_[static_cast<size_t>(level)]);
  }

  // As "level: upper / lower".
  std::string Pick() {
    const std::optional<CompactionChoice> choice = picker_.Pick(levels_);
    if (!choice.has_value()) return "none";
    std::string text = absl::StrCat(choice->level, ":");
    for (const auto& table : choice->upper) absl::StrAppend(&text, " ", table->meta.number);
    absl::StrAppend(&text, " /");
    for (const auto& table : choice->lower) absl::StrAppend(&text, " ", table->meta.number);
    if (choice->IsMove()) absl::StrAppend(&text, " move");
    return text;
  }

  std::array<Level, kLevels> levels_;
  CompactionPicker picker_{CompactionLimits{.level0_tables = 3,
                                            .level0_percent = 50,
                                            .level0_tables_max = 12,
                                            .level1_bytes = 1000,
                                            .level_growth = 10}};
  uint64_t number_ = 0;
};

TEST_F(CompactionPickerTest, WaitsUntilALevelIsFull) {
  EXPECT_EQ(Pick(), "none");
  Add(0, "a", "m");
  Add(0, "a", "m");
  Add(1, "a", "z", 900);
  EXPECT_EQ(Pick(), "none");
}

TEST_F(CompactionPickerTest, Level0WaitsUntilItHoldsItsShare) {
  Add(1, "a", "z", 900);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(Pick(), "none") << i;
    Add(0, "a", "m", 50);
  }
  Add(0, "a", "m", 50);  // 450 of 900
  EXPECT_EQ(Pick().substr(0, 2), "0:");
}

TEST_F(CompactionPickerTest, Level0HasOnlySoManyTables) {
  Add(1, "a", "z", 900);
  for (int i = 0; i < 11; ++i) Add(0, "a", "m", 1);
  EXPECT_EQ(Pick(), "none");
  Add(0, "a", "m", 1);
  EXPECT_EQ(Pick().substr(0, 2), "0:");
}

TEST_F(CompactionPickerTest, TablesThatMeetNoneMoveAsTheyAre) {
  Add(1, "a", "b");
  Add(0, "e", "f");
  Add(0, "c", "d");
  Add(0, "g", "h");
  EXPECT_EQ(Pick(), "0: 4 3 2 / move");
}

TEST_F(CompactionPickerTest, MergesLevel0WithAllThatItsWholeRangeMeets) {
  Add(1, "a", "b");
  Add(1, "f", "g");
  Add(1, "m", "n");
  Add(1, "x", "z");
  Add(0, "b", "c");
  Add(0, "k", "m");
  Add(0, "d", "e");
  // Table 2 too: an output may reach across the gap in which it lies.
  EXPECT_EQ(Pick(), "0: 7 6 5 / 1 2 3");
}

TEST_F(CompactionPickerTest, TakesTheTablesOfALevelInTurn) {
  Add(1, "a", "c", 500);
  Add(1, "d", "f", 500);
  Add(1, "g", "i", 500);
  Add(2, "b", "e");
  EXPECT_EQ(Pick(), "1: 1 / 4");
  EXPECT_EQ(Pick(), "1: 2 / 4");
  EXPECT_EQ(Pick(), "1: 3 / move");
  EXPECT_EQ(Pick(), "1: 1 / 4");
}

TEST_F(CompactionPickerTest, TheFullestLevelGoesFirst) {
  Add(1, "a", "c", 1500);
  for (int i = 0; i < 6; ++i) Add(0, "a", "b", 400);
  EXPECT_EQ(Pick().substr(0, 2), "0:");
  Add(1, "d", "f", 1500);
  EXPECT_EQ(Pick().substr(0, 2), "1:");
}

TEST_F(CompactionPickerTest, NothingGetsBelowADamagedTableThatIsOlder) {
  Add(0, "a", "f", 100, /*damaged=*/true);
  Add(0, "c", "k");  // meets the damaged one
  Add(0, "j", "p");  // meets the one that stays
  Add(0, "q", "r");
  Add(0, "s", "t");
  EXPECT_EQ(Pick(), "none");  // what may move is too little
  Add(0, "q", "z");
  EXPECT_EQ(Pick(), "0: 6 5 4 /");
}

TEST_F(CompactionPickerTest, OlderTablesMayLeaveFromBelowADamagedOne) {
  Add(0, "a", "f");
  Add(0, "a", "f");
  Add(0, "a", "f");
  Add(0, "a", "f", 100, /*damaged=*/true);
  EXPECT_EQ(Pick(), "0: 3 2 1 /");
}

TEST_F(CompactionPickerTest, NothingIsMergedIntoADamagedRange) {
  Add(1, "c", "d", 100, /*damaged=*/true);
  for (int i = 0; i < 3; ++i) Add(0, "a", "f");
  EXPECT_EQ(Pick(), "none");
  for (int i = 0; i < 3; ++i) Add(0, "g", "h");
  EXPECT_EQ(Pick(), "0: 7 6 5 /");
  levels_[0].clear();
  Add(1, "e", "f", 2000);
  Add(2, "f", "f", 100, /*damaged=*/true);
  EXPECT_EQ(Pick(), "none");
}

TEST_F(CompactionPickerTest, TheBottomIsWhereNothingLiesBelow) {
  for (int i = 0; i < 3; ++i) Add(0, "a", "c");
  Add(1, "a", "c");
  EXPECT_TRUE(picker_.Pick(levels_)->reaches_bottom);
  Add(3, "x", "z", 100, /*damaged=*/true);  // whatever it may hold
  EXPECT_FALSE(picker_.Pick(levels_)->reaches_bottom);
  levels_[0].clear();
  levels_[3].clear();
  Add(1, "d", "e", 2000);
  EXPECT_TRUE(picker_.Pick(levels_)->reaches_bottom);
}

}  // namespace
}  // namespace norn::storage
