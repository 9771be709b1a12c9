#include "core/replication/replay_window.h"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

// The model remembers everything. The window must let through what it has never seen,
// unless it is too old to tell; and nothing twice, ever.
RC_GTEST_PROP(ReplayWindowProperty, LetsEachThroughOnce, (uint64_t seed)) {
  Random random(seed);
  ReplayWindow window;
  std::set<std::pair<Generation, uint64_t>> seen;
  Generation newest_generation = 0;
  uint64_t newest = 0;
  std::vector<std::pair<Generation, uint64_t>> sent;
  for (int step = 0; step < 2000; ++step) {
    Generation generation = newest_generation == 0 ? 1 : newest_generation;
    uint64_t sequence = newest + 1;
    switch (random.Below(8)) {
      case 0:
        sequence = newest + 1 + random.Below(2 * ReplayWindow::kSize);
        break;
      case 1:
        sequence = newest - random.Below(newest + 1);
        break;
      case 2:
        sequence = newest - random.Below(std::min(newest, ReplayWindow::kSize) + 1);
        break;
      case 3:
        if (random.Chance(1, 50)) generation += random.Below(3);
        sequence = 1 + random.Below(10);
        break;
      case 4:
      case 5:
        if (!sent.empty()) {
          generation = sent[random.Below(sent.size())].first;
          sequence = sent[random.Below(sent.size())].second;
        }
        break;
      default:
        break;  // the next one, as usual
    }
    sent.emplace_back(generation, sequence);
    if (generation > newest_generation) {
      newest_generation = generation;
      newest = 0;
    }
    const bool fresh = seen.count({generation, sequence}) == 0;
    const bool in_reach = generation == newest_generation && sequence != 0 &&
                          (sequence > newest || newest - sequence < ReplayWindow::kSize);
    RC_ASSERT(window.Accept(generation, sequence) == (fresh && in_reach));
    if (fresh && in_reach) {
      seen.insert({generation, sequence});
      newest = std::max(newest, sequence);
    }
  }
}

TEST(ReplayWindowTest, ItsEdges) {
  ReplayWindow window;
  EXPECT_FALSE(window.Accept(1, 0)) << "sequences start at 1";
  EXPECT_TRUE(window.Accept(1, ReplayWindow::kSize));
  EXPECT_TRUE(window.Accept(1, 1)) << "the oldest that fits";
  EXPECT_FALSE(window.Accept(1, 1));
  EXPECT_TRUE(window.Accept(1, ReplayWindow::kSize + 1));
  EXPECT_FALSE(window.Accept(1, 1)) << "too old to tell";
  EXPECT_TRUE(window.Accept(1, 2)) << "just young enough";
  EXPECT_TRUE(window.Accept(1, 3 * ReplayWindow::kSize + 5)) << "a leap beyond the window";
  EXPECT_FALSE(window.Accept(1, ReplayWindow::kSize + 1));
  EXPECT_TRUE(window.Accept(2, 1)) << "a new generation starts anew";
  EXPECT_FALSE(window.Accept(1, 4 * ReplayWindow::kSize)) << "the old one is closed";
}

}  // namespace
}  // namespace norn
