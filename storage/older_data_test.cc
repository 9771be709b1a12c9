#include "storage/older_data.h"

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

std::shared_ptr<LiveTable> TableOf(uint64_t number, const std::string& smallest,
                                   const std::string& largest) {
  auto table = std::make_shared<LiveTable>();
  table->meta.number = number;
  table->meta.smallest = smallest;
  table->meta.largest = largest;
  return table;
}

TEST(OlderDataTest, KnowsWhatLiesBelowTheOutput) {
  std::array<Level, kLevels> levels;
  levels[0] = {TableOf(1, "a", "z")};
  levels[1] = {TableOf(2, "b", "d"), TableOf(3, "m", "o")};
  levels[2] = {TableOf(4, "c", "c")};
  levels[5] = {TableOf(5, "n", "p"), TableOf(6, "x", "y")};
  levels[2].front()->damage.whole = Flaw{.status = absl::DataLossError("cannot be opened")};
  auto quarantine = std::make_shared<QuarantineSet>();
  quarantine->Add({.from = "q", .until = "qq", .sequence = 1, .table = 9, .reason = "rot"});
  CompactionChoice choice{.level = 0, .upper = levels[0], .lower = {levels[1][0]}};
  OlderData older(levels, quarantine, choice);
  EXPECT_FALSE(older.empty());
  // Of level 1 the inputs alone may be covered; of deeper levels nothing, damaged or not.
  std::string held;
  for (const char* key :
       {"a", "b", "bb", "c", "cc", "d", "l", "m", "n", "o", "oo", "p", "q", "x", "xx", "y", "z"}) {
    if (older.MayHold(key)) held += std::string(key) + " ";
  }
  EXPECT_EQ(held, "c m n o oo p q x xx y ");
  choice = {.level = 4, .upper = {TableOf(7, "a", "z")}, .lower = levels[5]};
  OlderData last(levels, std::make_shared<QuarantineSet>(), choice);
  EXPECT_TRUE(last.empty());
  EXPECT_FALSE(last.MayHold("n"));
}

}  // namespace
}  // namespace norn::storage
