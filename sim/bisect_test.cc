// Where two runs part: found by the hashes of a told trace, to the event.

#include "sim/bisect.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace norn::sim {
namespace {

// A run of `events` events, which is another one from event `odd_from` on. Its program's name
// says so: "EVENTS/ODD_FROM".
absl::StatusOr<std::vector<std::string>> Tell(const BisectSide& side,
                                              const std::vector<std::string>& words) {
  uint64_t events = 0;
  uint64_t odd_from = 0;
  const std::vector<std::string> sizes = absl::StrSplit(side.program, '/');
  if (sizes.size() != 2 || !absl::SimpleAtoi(sizes[0], &events) ||
      !absl::SimpleAtoi(sizes[1], &odd_from)) {
    return absl::InvalidArgumentError(absl::StrCat(side.program, ": cannot be run"));
  }
  const auto hash = [odd_from](uint64_t event) {
    return absl::StrCat(event >= odd_from ? "odd" : "even", event);
  };
  std::vector<std::string> lines;
  if (words[0] == "--checkpoints") {
    uint64_t every = 0;
    EXPECT_TRUE(absl::SimpleAtoi(words[1], &every));
    for (uint64_t i = every; i <= events; i += every)
      lines.push_back(absl::StrCat(i, " ", hash(i)));
    lines.push_back(absl::StrCat(events, " ", hash(events)));
    return lines;
  }
  EXPECT_EQ(words[1], "--events");
  const std::vector<std::string> window = absl::StrSplit(words[2], "..");
  uint64_t first = 0;
  uint64_t last = 0;
  EXPECT_TRUE(absl::SimpleAtoi(window[0], &first) && absl::SimpleAtoi(window[1], &last));
  for (uint64_t i = first; i <= std::min(last, events); ++i) {
    lines.push_back(absl::StrCat("  about ", i));
    lines.push_back(absl::StrCat("event ", i, " ", hash(i), " what happens"));
  }
  lines.push_back("VALID");
  return lines;
}

Parting PartingOf(const std::string& left, const std::string& right) {
  const auto parting = FindParting({left, {}}, {right, {}}, Tell);
  EXPECT_TRUE(parting.ok()) << parting.status().message();
  return *parting;
}

TEST(Bisect, FindsTheFirstEventThatDiffers) {
  for (const uint64_t odd : {1, 2, 3, 999, 1000, 1001, 1002, 2500, 3456, 3457}) {
    const Parting parting = PartingOf("3457/9999", absl::StrCat("3457/", odd));
    EXPECT_TRUE(parting.part);
    EXPECT_EQ(parting.common_events, odd - 1);
    const std::vector<std::string> first = {absl::StrCat("  about ", odd),
                                            absl::StrCat("event ", odd, " what happens")};
    EXPECT_EQ(parting.left, first);
    EXPECT_EQ(parting.right, first);
    EXPECT_EQ(parting.common.size(), 2 * std::min<uint64_t>(3, odd - 1));
    if (odd > 1 && !parting.common.empty()) {
      EXPECT_EQ(parting.common.back(), absl::StrCat("event ", odd - 1, " what happens"));
    }
  }
}

TEST(Bisect, ARunThatEndsEarlierPartsAtItsEnd) {
  for (const uint64_t events : {5, 1000, 1999, 2000, 2001}) {
    const Parting parting = PartingOf("3000/9999", absl::StrCat(events, "/9999"));
    EXPECT_TRUE(parting.part);
    EXPECT_EQ(parting.common_events, events);
    EXPECT_TRUE(parting.right.empty());
    ASSERT_FALSE(parting.left.empty());
    EXPECT_EQ(parting.left.back(), absl::StrCat("event ", events + 1, " what happens"));
  }
}

TEST(Bisect, EqualRunsDoNotPart) {
  const Parting parting = PartingOf("3457/9999", "3457/9999");
  EXPECT_FALSE(parting.part);
  EXPECT_EQ(parting.common_events, 3457u);
  EXPECT_FALSE(FindParting({"3457/9999", {}}, {"nothing", {}}, Tell).ok());
}

}  // namespace
}  // namespace norn::sim
