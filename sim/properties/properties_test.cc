// Guarantees as properties: the examples of sim/properties/README.md, whole.

#include "sim/properties/properties.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "sim/properties/draw_case.h"

namespace norn::sim {
namespace {

using Kind = ClientRequest::Kind;

// ---- Guarantees that hold ---------------------------------------------------------

TEST(Sessions, ReadTheirOwnWrites) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kOverlap;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves, FaultKind::kCrash};
  EXPECT_TRUE(Holds("clients read their own writes", Cases(shape), [](const Outcome& run) {
    for (const auto& session : Sessions(run)) {
      std::map<std::string, const Operation*> written;  // by key: the client's last put
      for (const Operation* each : session) {
        if (!each->ok()) continue;
        if (each->kind == Kind::kPut) written[each->key] = each;
        const Operation* const put = each->kind == Kind::kGet ? written[each->key] : nullptr;
        if (put != nullptr) RC_ASSERT(run.Covers(*each, *put));
      }
    }
  }));
}

TEST(Sessions, DoNotReadWhatTheyDeleted) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kOverlap;
  shape.workload.deletes = 4;
  shape.workload.with_context_per_mille = 900;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves};
  shape.faults.count = Range(1, 3);
  HoldsOptions options;
  options.where = [](const v1::Case& written) {
    return CountOperations(written, v1::ScenarioOperation::DELETE) > 0;
  };
  const auto stays_away = [](const Outcome& run) {
    for (const auto& session : Sessions(run)) {
      std::vector<const Operation*> deletes;
      for (const Operation* each : session) {
        if (each->ok() && each->kind == Kind::kDelete) deletes.push_back(each);
        if (!each->ok() || each->kind != Kind::kGet) continue;
        for (const Operation* gone : deletes) {
          for (const std::string& value : each->read) RC_ASSERT(!run.Replaces(*gone, value));
        }
      }
    }
  };
  EXPECT_TRUE(Holds("what a session deleted it never reads", Cases(shape), stays_away, options));
}

// The cluster and its clients are given, and only what goes wrong varies. In RapidCheck's own
// style.
RC_GTEST_PROP(Crashes, CostNoWriteThatWasAcknowledged, ()) {
  CaseShape shape;
  shape.topology.nodes = shape.topology.n = Range(3);
  shape.topology.r = shape.topology.w = Range(2);
  shape.workload.operations = Range(12);
  shape.workload.deletes = 0;
  Random random(5);
  const v1::Case base = DrawCase(random, shape, kSizeMost);
  FaultShape crashes;
  crashes.kinds = {FaultKind::kCrash, FaultKind::kPowerCut, FaultKind::kWipedDisk};
  crashes.count = Range(1, 3);

  const Outcome run = Perform(*CasesWithFaults(base, crashes));
  RC_PRE(!run.inconclusive());
  RC_ASSERT(!run.crashed() && !run.violated());
  const std::vector<Operation>& all = run.history.operations;
  for (size_t i = 0; i < run.last_reads; ++i) {
    for (size_t j = run.last_reads; j < all.size(); ++j) {
      const bool put = all[i].kind == Kind::kPut && all[i].ok() && all[i].key == all[j].key;
      if (put && all[j].ok()) RC_ASSERT(run.Covers(all[j], all[i]));
    }
  }
}

// ---- What nobody may claim --------------------------------------------------------

// With R + W <= N an old value may come back: found at once, and a few operations show it.
TEST(NeverClaimed, MonotonicReadsWithSmallQuorums) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kMayMiss;
  shape.workload.deletes = 0;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves};
  shape.faults.count = Range(1, 2);
  HoldsOptions options;
  options.seed = 1;
  const auto monotonic = [](const Outcome& run) {
    const auto violation = CheckMonotonicReads(run.history);
    if (violation.has_value()) RC_FAIL(violation->witness);
  };
  const Checked checked = Check("reads are monotonic", Cases(shape), monotonic, options);
  ASSERT_FALSE(checked.holds);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  const v1::Case& least = checked.smallest->tried;
  EXPECT_LE(least.operation_size(), 3) << checked.text;
  EXPECT_LE(least.fault_size(), 1) << checked.text;
}

// Puts that replace nothing: all of them live on as siblings, and where the last writer wins, one.
TEST(NeverClaimed, ThatTheLastWriterLosesNoUpdate) {
  CaseShape shape;
  shape.workload.with_context_per_mille = 0;
  shape.workload.beside_per_mille = 1000;
  shape.workload.deletes = 0;
  HoldsOptions options;
  options.seed = 1;
  const auto nothing_lost = [](const Outcome& run) {
    for (const Operation& put : run.history.operations) {
      if (put.kind != Kind::kPut || !put.ok()) continue;
      for (const auto& [node, values] : run.Held(put.key)) {
        RC_ASSERT(std::count(values.begin(), values.end(), put.value) == 1);
      }
    }
  };
  EXPECT_TRUE(Holds("no update is lost", Cases(shape), nothing_lost, options));
  shape.workload.last_writer_per_mille = 1000;
  const Checked checked = Check("no update is lost", Cases(shape), nothing_lost, options);
  ASSERT_FALSE(checked.holds);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  EXPECT_EQ(checked.smallest->tried.operation_size(), 2) << checked.text;
  EXPECT_EQ(checked.smallest->tried.fault_size(), 0) << checked.text;
}

// ---- The guide --------------------------------------------------------------------

// Every example of the guide stands in this file, word for word.
TEST(Guide, ShowsWhatIsCompiled) {
  const auto read = [](const std::string& name) {
    std::ifstream file("sim/properties/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  };
  const std::string guide = read("README.md");
  const std::string source = read("properties_test.cc");
  int examples = 0;
  static constexpr char kBegin[] = "```cpp\n";
  for (size_t at = guide.find(kBegin); at != std::string::npos; at = guide.find(kBegin, at)) {
    at += sizeof(kBegin) - 1;
    const std::string example = guide.substr(at, guide.find("```", at) - at);
    EXPECT_NE(source.find(example), std::string::npos) << example;
    ++examples;
  }
  EXPECT_EQ(examples, 4);
}

}  // namespace
}  // namespace norn::sim
