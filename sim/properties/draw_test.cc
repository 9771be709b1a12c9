// What is drawn makes sense, is of its shape and covers it; what it shrinks to is smaller, and
// makes sense too.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "sim/case.h"
#include "sim/properties/draw_case.h"
#include "sim/properties/generators.h"
#include "sim/properties/smaller_cases.h"
#include "sim/store_subject.h"

namespace norn::sim {
namespace {

// All that can be drawn at once.
CaseShape Anything() {
  CaseShape shape;
  shape.topology.nodes = Range(1, 6);
  shape.topology.zones = Range(1, 4);
  shape.topology.sloppy = StandIns::kEither;
  shape.workload.clients = Range(1, 5);
  shape.workload.keys = Range(1, 4);
  shape.workload.operations = Range(1, 40);
  shape.workload.own_quorum_per_mille = 200;
  shape.workload.last_writer_per_mille = 300;
  shape.workload.expiring_per_mille = 200;
  shape.workload.pad_bytes = Range(0, 100);
  shape.faults.count = Range(0, 6);
  return shape;
}

std::string Wrong(const v1::Case& written) {
  const auto made = MakeCase(NornStore(), written);
  return made.ok() ? "" : std::string(made.status().message()) + "\n" + FormatCase(written);
}

v1::Case DrawNth(uint64_t n, const CaseShape& shape) {
  Random random(n);
  return DrawCase(random, shape, static_cast<int>(n % (kSizeMost + 1)));
}

TEST(DrawCase, MakesSenseAndIsOfItsShape) {
  CaseShape few;
  few.topology.nodes = few.topology.n = Range(3);
  few.topology.quorums = Quorums::kMayMiss;
  few.workload.clients = Range(2);
  few.workload.keys = Range(2);
  few.workload.operations = Range(4, 9);
  few.faults.kinds = {FaultKind::kIsolate, FaultKind::kCrash};
  few.faults.count = Range(1, 2);
  for (uint64_t n = 0; n < 1000; ++n) {
    for (const CaseShape& shape : {Anything(), few}) {
      const v1::Case drawn = DrawNth(n, shape);
      ASSERT_EQ(Wrong(drawn), "");
      ASSERT_TRUE(Fits(shape, drawn)) << FormatCase(drawn);
    }
  }
}

TEST(DrawCase, CoversTheShape) {
  std::map<int, int> kinds;
  std::set<uint32_t> nodes;
  std::set<std::string> seen;
  for (uint64_t n = 0; n < 1000; ++n) {
    const v1::Case drawn = DrawNth(n, Anything());
    nodes.insert(static_cast<uint32_t>(drawn.node_size()));
    for (const v1::CaseFault& fault : drawn.fault()) ++kinds[static_cast<int>(fault.kind())];
    seen.insert(Overlapping(drawn) ? "overlapping" : "not overlapping");
    seen.insert(drawn.bucket().sloppy() ? "sloppy" : "strict");
    for (const v1::CaseOperation& each : drawn.operation()) {
      seen.insert(v1::ScenarioOperation::Kind_Name(each.kind()));
      seen.insert(v1::CaseOperation::Base_Name(each.base()));
      seen.insert(each.key().substr(0, 1));
      if (each.has_quorum()) seen.insert("own quorum");
      if (each.has_ttl_us()) seen.insert("expires");
    }
  }
  EXPECT_EQ(nodes, (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(seen, (std::set<std::string>{"overlapping", "not overlapping", "sloppy", "strict",
                                         "GET", "PUT", "DELETE", "CURRENT", "READ", "NOTHING", "k",
                                         "l", "own quorum", "expires"}));
  // 1,500 faults or so: of each kind about a kFaultKindCount-th.
  for (int kind = 0; kind < kFaultKindCount; ++kind) {
    EXPECT_GE(kinds[kind], 10) << FaultKindName(static_cast<FaultKind>(kind));
  }
}

TEST(DrawCase, TheSameNumbersMakeTheSameCase) {
  for (uint64_t n = 0; n < 50; ++n) {
    EXPECT_EQ(FormatCase(DrawNth(n, Anything())), FormatCase(DrawNth(n, Anything())));
  }
  EXPECT_NE(FormatCase(DrawNth(50, Anything())), FormatCase(DrawNth(151, Anything())));
}

TEST(DrawCase, SmallSizesMakeSmallCases) {
  for (uint64_t n = 0; n < 100; ++n) {
    Random random(n);
    const v1::Case drawn = DrawCase(random, Anything(), 0);
    EXPECT_EQ(drawn.operation_size(), 1);
    EXPECT_EQ(drawn.fault_size(), 0);
  }
}

TEST(DrawCase, SaysWhatIsImpossible) {
  CaseShape shape;
  EXPECT_EQ(FindContradiction(shape), "");
  shape.topology.nodes = Range(2);
  shape.topology.n = Range(3);
  EXPECT_EQ(FindContradiction(shape),
            "topology: up to 2 nodes, N 3 to 3, R 1 to 5, W 1 to 5: there are no such quorums");
  shape = {};
  shape.faults.count = Range(3, 1);
  EXPECT_EQ(FindContradiction(shape),
            "faults.count is 3 to 1: it must rise, and lie within 0 to 100");
  EXPECT_THROW(Cases(shape)(rc::Random(1), 50).value(), std::invalid_argument);
}

TEST(DrawFaults, LeavesAllElseAsItIs) {
  v1::Case base = DrawNth(99, Anything());
  base.clear_fault();
  SetUpIllDisks(&base);
  FaultShape faults;
  faults.count = Range(1, 4);
  bool any_ill = false;
  for (uint64_t n = 0; n < 200; ++n) {
    Random random(n);
    v1::Case drawn = DrawFaults(random, base, faults, 100);
    ASSERT_EQ(Wrong(drawn), "");
    ASSERT_GE(drawn.fault_size(), 1);
    any_ill = any_ill || drawn.knob_size() != base.knob_size();
    drawn.clear_fault();
    SetUpIllDisks(&drawn);
    drawn.set_until_us(base.until_us());
    ASSERT_EQ(FormatCase(drawn), FormatCase(base));
  }
  EXPECT_TRUE(any_ill);
}

// Follows the first, the last, or some candidate each time, down to where there are no more.
TEST(SmallerCases, AreSmallerAndMakeSenseAndComeToAnEnd) {
  const auto shape = std::make_shared<const CaseShape>(Anything());
  for (uint64_t n = 0; n < 60; ++n) {
    auto at = std::make_shared<const v1::Case>(DrawNth(n * 7 + 100, *shape));
    SmallerCases::Place place;
    Random random(n);
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 2'000);
      SmallerCases smaller(at, shape, {}, place);
      const uint64_t pick = n % 3 == 0 ? 0 : random.Below(n % 3 == 1 ? 4 : 40);
      std::optional<SmallerCases::Candidate> chosen;
      for (uint64_t i = 0; i <= pick; ++i) {
        auto candidate = smaller.Next();
        if (!candidate.has_value()) break;
        ASSERT_LT(SizeOf(candidate->written), SizeOf(*at));
        ASSERT_EQ(Wrong(candidate->written), "");
        ASSERT_TRUE(Fits(*shape, candidate->written));
        chosen = std::move(candidate);
      }
      if (!chosen.has_value()) break;
      place = chosen->next;
      at = std::make_shared<const v1::Case>(std::move(chosen->written));
    }
    // Nothing holds on to anything: one plain operation on one node is left.
    EXPECT_EQ(at->node_size(), 1) << FormatCase(*at);
    EXPECT_EQ(at->operation_size(), 1) << FormatCase(*at);
    EXPECT_EQ(at->fault_size(), 0) << FormatCase(*at);
  }
}

// Shrinks as RapidCheck does, with a condition instead of a run.
v1::Case Least(const rc::Gen<v1::Case>& cases, uint64_t seed,
               const std::function<bool(const v1::Case&)>& fails, int* tried) {
  rc::Shrinkable<v1::Case> at = cases(rc::Random(seed), 100);
  EXPECT_TRUE(fails(at.value()));
  for (bool found = true; found;) {
    found = false;
    auto shrinks = at.shrinks();
    for (auto next = shrinks.next(); next && !found; ++*tried) {
      if (fails(next->value())) {
        at = *next;
        found = true;
      } else {
        next = shrinks.next();
      }
    }
  }
  return at.value();
}

TEST(Generators, ShrinkToWhatAConditionNeeds) {
  const auto fails = [](const v1::Case& written) {
    return CountOperations(written, v1::ScenarioOperation::DELETE) >= 1 &&
           CountOperations(written, v1::ScenarioOperation::PUT) >= 2 &&
           CountFaults(written, FaultKind::kIsolate) + CountFaults(written, FaultKind::kHalves) >=
               1 &&
           written.bucket().w() > 1;
  };
  CaseShape shape = Anything();
  shape.topology.nodes = Range(2, 6);
  shape.topology.w = Range(2, 5);
  shape.workload.deletes = 3;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves, FaultKind::kCrash};
  shape.faults.count = Range(1, 6);
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    if (!fails(Cases(shape)(rc::Random(seed), 100).value())) continue;
    ++found;
    int tried = 0;
    const v1::Case least = Least(Cases(shape), seed, fails, &tried);
    EXPECT_EQ(least.operation_size(), 3) << FormatCase(least);
    EXPECT_EQ(least.fault_size(), 1) << FormatCase(least);
    EXPECT_EQ(least.node_size(), 2) << FormatCase(least);
    EXPECT_EQ(least.bucket().w(), 2u);
    EXPECT_EQ(least.bucket().r(), 1u);
    EXPECT_LE(tried, 700);
  }
  EXPECT_GE(found, 10);
}

TEST(Generators, KeepWhatIsFixedWhileTheyShrink) {
  const v1::Case base = DrawNth(99, Anything());
  FaultShape faults;
  faults.count = Range(2, 6);
  const auto all = [](const v1::Case&) { return true; };
  int tried = 0;
  const v1::Case least = Least(CasesWithFaults(base, faults), 4, all, &tried);
  EXPECT_EQ(least.fault_size(), 2);
  EXPECT_EQ(least.operation_size(), base.operation_size());
  EXPECT_EQ(least.node_size(), base.node_size());
  EXPECT_EQ(least.bucket().n(), base.bucket().n());

  WorkloadShape workload;
  workload.operations = Range(3, 20);
  const v1::Case other = Least(CasesWithWorkload(base, workload), 4, all, &tried);
  EXPECT_EQ(other.fault_size(), base.fault_size());
  EXPECT_EQ(other.operation_size(), 3);
  EXPECT_EQ(other.node_size(), base.node_size());
}

TEST(Generators, TheSameSeedDrawsAndShrinksTheSame) {
  const auto text = [](uint64_t seed) {
    const rc::Shrinkable<v1::Case> drawn = Cases(Anything())(rc::Random(seed), 60);
    std::string all = FormatCase(drawn.value());
    auto shrinks = drawn.shrinks();
    for (auto next = shrinks.next(); next; next = shrinks.next()) all += FormatCase(next->value());
    return all;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(Generators, PrintTheCase) {
  const v1::Case drawn = DrawNth(7, Anything());
  EXPECT_EQ(rc::toString(drawn), "\n" + FormatCase(drawn));
}

}  // namespace
}  // namespace norn::sim
