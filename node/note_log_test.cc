#include "node/note_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace norn::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SetClock : public norn::Clock {
 public:
  Now Read() override { return now; }
  Now now{.monotonic_us = 10'000'000};
};

class NoteLogTest : public ::testing::Test {
 protected:
  SetClock clock_;
  std::vector<std::string> lines_;
  NoteLog log_{clock_, 2, [this](Note::Level, const std::string& line) { lines_.push_back(line); }};
};

TEST_F(NoteLogTest, WritesSoManyASecondAndCountsTheRest) {
  for (int i = 0; i < 5; ++i) log_.Write({Note::Level::kInfo, absl::StrCat("note ", i)});
  EXPECT_THAT(lines_, ElementsAre("note 0", "note 1"));
  EXPECT_EQ(log_.suppressed(), 3u);
  clock_.now.monotonic_us += 1'000'000;
  log_.Write({Note::Level::kInfo, "later"});
  EXPECT_THAT(lines_, ElementsAre("note 0", "note 1", HasSubstr("3 notes were left out"), "later"));
}

TEST_F(NoteLogTest, AFloodOfRemarksHidesNoError) {
  for (int i = 0; i < 5; ++i) log_.Write({Note::Level::kInfo, "flood"});
  log_.Write({Note::Level::kError, "the disk is gone"});
  EXPECT_THAT(lines_, ElementsAre("flood", "flood", "the disk is gone"));
}

TEST_F(NoteLogTest, ANoteIsOneLineWhateverIsInIt) {
  EXPECT_EQ(OneLine("key \"a\nb\x01\""), "key \\\"a\\nb\\x01\\\"");
  EXPECT_THAT(OneLine(std::string(5000, 'x')), HasSubstr("x... (5000 bytes)"));
}

}  // namespace
}  // namespace norn::node
