#include "core/causality/version_vector.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

// The model: what a version vector is, without any thought of speed.
using Model = std::map<Incarnation, uint64_t>;

// Few incarnations and small counters, so that vectors meet.
Model DrawModel() {
  const auto pairs = *rc::gen::container<std::vector<std::pair<Incarnation, uint64_t>>>(
      rc::gen::pair(rc::gen::inRange<Incarnation>(1, 6), rc::gen::inRange<uint64_t>(1, 5)));
  Model model;
  for (const auto& [incarnation, counter] : pairs) model[incarnation] = counter;
  return model;
}

VersionVector Build(const Model& model) {
  VersionVector vector;
  for (const auto& [incarnation, counter] : model) vector.Add({incarnation, counter});
  return vector;
}

Model ModelOf(const VersionVector& vector) {
  Model model;
  for (const VersionVector::Entry& entry : vector.entries()) {
    model[entry.incarnation] = entry.counter;
  }
  return model;
}

RC_GTEST_PROP(VersionVectorProperty, AddRaisesAndNeverLowers, ()) {
  const auto dots = *rc::gen::container<std::vector<std::pair<Incarnation, uint64_t>>>(
      rc::gen::pair(rc::gen::inRange<Incarnation>(1, 6), rc::gen::inRange<uint64_t>(1, 9)));
  VersionVector vector;
  Model model;
  for (const auto& [incarnation, counter] : dots) {
    vector.Add({incarnation, counter});
    model[incarnation] = std::max(model[incarnation], counter);
    RC_ASSERT(ModelOf(vector) == model);
  }
  const auto sorted = [](const auto& a, const auto& b) { return a.incarnation < b.incarnation; };
  RC_ASSERT(std::is_sorted(vector.entries().begin(), vector.entries().end(), sorted));
  RC_ASSERT(vector.size() == model.size());
  RC_ASSERT(vector.empty() == model.empty());
  for (Incarnation incarnation = 0; incarnation < 7; ++incarnation) {
    const uint64_t seen = model.count(incarnation) != 0 ? model[incarnation] : 0;
    RC_ASSERT(vector.Get(incarnation) == seen);
    for (uint64_t counter = 1; counter < 10; ++counter) {
      RC_ASSERT(vector.Covers({incarnation, counter}) == (counter <= seen));
    }
  }
}

RC_GTEST_PROP(VersionVectorProperty, JoinIsTheEntrywiseMaximum, ()) {
  const Model a = DrawModel();
  const Model b = DrawModel();
  Model expected = a;
  for (const auto& [incarnation, counter] : b) {
    expected[incarnation] = std::max(expected[incarnation], counter);
  }
  VersionVector joined = Build(a);
  joined.Join(Build(b));
  RC_ASSERT(ModelOf(joined) == expected);
  VersionVector other_way = Build(b);
  other_way.Join(Build(a));
  RC_ASSERT(joined == other_way);
}

RC_GTEST_PROP(VersionVectorProperty, CoversAllMeansEveryEntry, ()) {
  const Model a = DrawModel();
  const Model b = DrawModel();
  bool expected = true;
  for (const auto& [incarnation, counter] : b) {
    const auto mine = a.find(incarnation);
    if (mine == a.end() || mine->second < counter) expected = false;
  }
  RC_ASSERT(Build(a).CoversAll(Build(b)) == expected);
  VersionVector joined = Build(a);
  joined.Join(Build(b));
  RC_ASSERT(joined.CoversAll(Build(a)));
  RC_ASSERT(joined.CoversAll(Build(b)));
}

TEST(VersionVectorTest, AppendSortedTakesOnlyWhatIsSorted) {
  VersionVector vector;
  EXPECT_TRUE(vector.AppendSorted(5, 1));
  EXPECT_FALSE(vector.AppendSorted(5, 2)) << "twice the same incarnation";
  EXPECT_FALSE(vector.AppendSorted(4, 1)) << "backwards";
  EXPECT_FALSE(vector.AppendSorted(6, 0)) << "counters start at 1";
  EXPECT_TRUE(vector.AppendSorted(6, 9));
  EXPECT_EQ(ModelOf(vector), (Model{{5, 1}, {6, 9}}));
}

TEST(VersionVectorTest, IncarnationNamesItsNode) {
  const Incarnation incarnation = MakeIncarnation(65535, ~uint64_t{0});
  EXPECT_EQ(NodeOf(incarnation), 65535);
  EXPECT_EQ(NodeOf(MakeIncarnation(3, 0)), 3);
  EXPECT_EQ(ToString(Dot{MakeIncarnation(3, 0x9f2c01000000), 17}), "3.9f2c01:17");
}

}  // namespace
}  // namespace norn
