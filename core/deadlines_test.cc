#include "core/deadlines.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/random.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

RC_GTEST_PROP(DeadlinesProperty, LeaveInOrderAndOnlyWhenDue, (uint64_t seed)) {
  Random random(seed);
  Deadlines deadlines;
  std::vector<std::pair<int64_t, uint64_t>> model;  // sorted
  int64_t now_us = 0;
  for (int step = 0; step < 300; ++step) {
    if (random.Chance(2, 3)) {
      const std::pair<int64_t, uint64_t> entry(now_us + random.Between(-2, 20), random.Below(5));
      deadlines.Add(entry.first, entry.second);
      model.insert(std::lower_bound(model.begin(), model.end(), entry), entry);
    } else {
      now_us += random.Between(0, 10);
      uint64_t id = 0;
      while (!model.empty() && model.front().first <= now_us) {
        RC_ASSERT(deadlines.PopDue(now_us, &id));
        RC_ASSERT(id == model.front().second);
        model.erase(model.begin());
      }
      RC_ASSERT(!deadlines.PopDue(now_us, &id));
    }
    RC_ASSERT(deadlines.Next() == (model.empty() ? kNever : model.front().first));
  }
}

}  // namespace
}  // namespace norn
