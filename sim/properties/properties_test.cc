// Guarantees as properties, from the reader's side: whole examples of sim/properties/properties.h.

#include "sim/properties/properties.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "sim/properties/draw_case.h"

namespace norn::sim {
namespace {

using Kind = ClientRequest::Kind;

// ---- Guarantees that hold ---------------------------------------------------------

// With quorums that overlap a client sees what it wrote, or what came in its place.
TEST(Properties, ClientsReadTheirOwnWrites) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kOverlap;
  EXPECT_TRUE(Holds("clients read their own writes", Cases(shape), [](const Outcome& run) {
    for (const auto& session : Sessions(run)) {
      for (size_t i = 0; i < session.size(); ++i) {
        for (size_t j = i + 1; j < session.size(); ++j) {
          const Operation& put = *session[i];
          const Operation& get = *session[j];
          if (put.kind != Kind::kPut || get.kind != Kind::kGet || put.key != get.key) continue;
          if (put.ok() && get.ok()) RC_ASSERT(run.Covers(get, put));
        }
      }
    }
  }));
}

// A property of one's own: what a session has read and then deleted, it does not read again.
TEST(Properties, WhatASessionDeletedStaysDeleted) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kOverlap;
  shape.workload.deletes = 4;
  shape.workload.with_context_per_mille = 900;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kCrash, FaultKind::kLoss};
  const auto with_delete = rc::gen::suchThat(Cases(shape), [](const v1::Case& written) {
    return CountOperations(written, v1::ScenarioOperation::DELETE) > 0;
  });
  EXPECT_TRUE(Holds("what a session deleted stays deleted", with_delete, [](const Outcome& run) {
    for (const auto& session : Sessions(run)) {
      std::map<std::string, std::vector<std::string>> last_read;
      std::set<std::string> deleted;
      for (const Operation* each : session) {
        if (!each->ok()) continue;
        const bool with_context = each->base == ClientRequest::Base::kToken;
        if (each->kind == Kind::kDelete && with_context)
          for (const std::string& value : last_read[each->key]) deleted.insert(value);
        if (each->kind != Kind::kGet) continue;
        for (const std::string& value : each->read) RC_ASSERT(deleted.count(value) == 0u);
        last_read[each->key] = each->read;
      }
    }
  }));
}

// The cluster and what clients do are given; only what goes wrong varies. In RapidCheck's own
// style, with the run's outcome in hand.
TEST(Properties, NoWriteThatWasAcknowledgedIsLost) {
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
  EXPECT_TRUE(rc::check("every acknowledged put is known in the end", [&] {
    const Outcome run = Perform(*CasesWithFaults(base, crashes));
    RC_PRE(!run.inconclusive());
    RC_ASSERT(!run.crashed() && !run.violated());
    for (size_t i = 0; i < run.last_reads; ++i) {
      const Operation& put = run.history.operations[i];
      if (put.kind != Kind::kPut || !put.ok()) continue;
      for (size_t j = run.last_reads; j < run.history.operations.size(); ++j) {
        const Operation& get = run.history.operations[j];
        if (get.key == put.key) RC_ASSERT(run.Covers(get, put));
      }
    }
  }));
}

// ---- What nobody may claim --------------------------------------------------------

// With R + W <= N an old value may come back: found at once, and a few operations show it.
TEST(Properties, ReadsAreNotMonotonicWithSmallQuorums) {
  CaseShape shape;
  shape.topology.quorums = Quorums::kMayMiss;
  shape.workload.deletes = 0;
  shape.faults.kinds = {FaultKind::kIsolate, FaultKind::kHalves};
  shape.faults.count = Range(1, 2);
  HoldsOptions options;
  options.seed = 1;
  options.folder = testing::TempDir();
  const auto monotonic = [](const Outcome& run) {
    const auto violation = CheckMonotonicReads(run.history);
    if (violation.has_value()) RC_FAIL(violation->witness);
  };
  const Checked checked = Check("reads are monotonic", Cases(shape), monotonic, options);
  ASSERT_FALSE(checked.holds);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  const v1::Case& least = checked.smallest->tried;
  std::cout << checked.text;
  EXPECT_LE(least.operation_size(), 4) << checked.text;
  EXPECT_LE(least.fault_size(), 2) << checked.text;
}

// Where the last writer wins, the others have lost: two puts are enough to see it.
TEST(Properties, UpdatesAreLostWhereTheLastWriterWins) {
  CaseShape shape;
  shape.workload.last_writer_per_mille = 1000;
  shape.workload.with_context_per_mille = 0;
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
  const Checked checked = Check("no update is lost", Cases(shape), nothing_lost, options);
  ASSERT_FALSE(checked.holds);
  ASSERT_TRUE(checked.smallest.has_value()) << checked.text;
  std::cout << checked.text;
  EXPECT_EQ(checked.smallest->tried.operation_size(), 2) << checked.text;
  EXPECT_EQ(checked.smallest->tried.fault_size(), 0) << checked.text;
}

}  // namespace
}  // namespace norn::sim
