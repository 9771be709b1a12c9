// Virtual time and the trace.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace norn::sim {
namespace {

// ---- Scheduler --------------------------------------------------------------------

TEST(Scheduler, DoesThingsInTheOrderOfTime) {
  Scheduler scheduler;
  std::vector<int64_t> done;
  for (const int64_t time_us : {50, 10, 40, 20, 30}) {
    scheduler.At(time_us, [&scheduler, &done] { done.push_back(scheduler.now_us()); });
  }
  scheduler.RunUntil(100);
  EXPECT_EQ(done, (std::vector<int64_t>{10, 20, 30, 40, 50}));
  EXPECT_EQ(scheduler.now_us(), 100);
  EXPECT_EQ(scheduler.events(), 5u);
}

TEST(Scheduler, OneMomentKeepsTheOrderOfScheduling) {
  Scheduler scheduler;
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) scheduler.At(7, [&done, i] { done.push_back(i); });
  scheduler.RunUntil(7);
  ASSERT_EQ(done.size(), 100u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(Scheduler, LeavesTheFutureAlone) {
  Scheduler scheduler;
  int done = 0;
  scheduler.At(10, [&done] { ++done; });
  scheduler.At(11, [&done] { ++done; });
  scheduler.RunUntil(10);
  EXPECT_EQ(done, 1);
  scheduler.RunUntil(11);
  EXPECT_EQ(done, 2);
}

TEST(Scheduler, AnActionMaySchedule) {
  Scheduler scheduler;
  std::vector<std::string> done;
  scheduler.At(10, [&] {
    done.push_back("first");
    scheduler.After(0, [&done] { done.push_back("third"); });
    scheduler.After(5, [&done] { done.push_back("fourth"); });
  });
  scheduler.At(10, [&done] { done.push_back("second"); });
  scheduler.RunUntil(20);
  EXPECT_EQ(done, (std::vector<std::string>{"first", "second", "third", "fourth"}));
}

TEST(SchedulerDeathTest, ThePastIsClosed) {
  Scheduler scheduler;
  scheduler.RunUntil(10);
  EXPECT_DEATH(scheduler.At(9, [] {}), "check failed");
}

// ---- Trace ------------------------------------------------------------------------

std::string HashOf(int64_t time_us, NodeId node, absl::string_view what,
                   absl::string_view content) {
  Trace trace(nullptr);
  trace.Record(time_us, node, what, content);
  return trace.Hash();
}

TEST(Trace, TheHashDependsOnEveryPartOfAnEvent) {
  const std::set<std::string> hashes = {HashOf(1, 2, "send", "abc"), HashOf(2, 2, "send", "abc"),
                                        HashOf(1, 3, "send", "abc"), HashOf(1, 2, "sent", "abc"),
                                        HashOf(1, 2, "send", "abd"), HashOf(1, 2, "send", "")};
  EXPECT_EQ(hashes.size(), 6u);
  for (const std::string& hash : hashes) {
    EXPECT_EQ(hash.size(), 32u);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos) << hash;
  }
}

TEST(Trace, TheHashDependsOnTheOrder) {
  Trace one(nullptr);
  one.Record(1, 1, "a", "");
  one.Record(1, 1, "b", "");
  Trace other(nullptr);
  other.Record(1, 1, "b", "");
  other.Record(1, 1, "a", "");
  EXPECT_NE(one.Hash(), other.Hash());
  EXPECT_EQ(one.events(), 2u);
}

TEST(Trace, AWindowShowsItsEventsWithTheirHashes) {
  std::vector<std::string> lines;
  TraceView view([&lines](const std::string& line) { lines.push_back(line); });
  view.first = 2;
  view.last = 3;
  view.numbered = true;
  view.checkpoint_every = 2;
  std::vector<std::string> checkpoints;
  view.checkpoint = [&checkpoints](uint64_t events, const std::string& hash) {
    checkpoints.push_back(std::to_string(events) + hash);
  };
  Trace trace(view);
  std::vector<std::string> hashes;
  for (int i = 1; i <= 5; ++i) {
    trace.Record(i, 1, "send", std::to_string(i));
    hashes.push_back(trace.Hash());
  }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find("event 2 " + hashes[1] + " "), 0u) << lines[0];
  EXPECT_EQ(lines[1].find("event 3 " + hashes[2] + " "), 0u) << lines[1];
  EXPECT_EQ(checkpoints, (std::vector<std::string>{"2" + hashes[1], "4" + hashes[3]}));
}

TEST(Trace, PrintingAndExplainingLeaveTheHashAlone) {
  std::vector<std::string> lines;
  Trace loud(TraceView([&lines](const std::string& line) { lines.push_back(line); }));
  Trace quiet(nullptr);
  for (Trace* trace : {&loud, &quiet}) {
    trace->Record(1'500'000, 3, "receive", "abc");
    trace->Explain(1'500'001, 3, "a word to the reader");
  }
  EXPECT_EQ(loud.Hash(), quiet.Hash());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("1.500000 n3"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("receive"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("a word to the reader"), std::string::npos) << lines[1];
}

// It must not differ between compilers, optimisation levels and machines.
TEST(Trace, TheHashOfAKnownTraceStays) {
  Trace empty(nullptr);
  EXPECT_EQ(empty.Hash(), "00000000000000000000000000000000");
  EXPECT_EQ(HashOf(1, 2, "send", "abc"), "baea58a3f5f349ea325258a95b372646");
}

// ---- Scheduler --------------------------------------------------------------------

TEST(Scheduler, RanksComeFirstInTheirMoment) {
  Scheduler scheduler;
  std::string order;
  scheduler.At(5, [&order] { order += 'x'; });
  scheduler.AtRank(5, 2, [&order] { order += 'b'; });
  scheduler.At(4, [&order] { order += 'w'; });
  scheduler.AtRank(5, 1, [&order] { order += 'a'; });
  scheduler.RunUntil(9);
  EXPECT_EQ(order, "wabx");
}

}  // namespace
}  // namespace norn::sim
