#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/types.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/case_runner.h"
#include "sim/explain/explanation.h"
#include "sim/explain/needed.h"
#include "sim/explain/run_page.h"
#include "sim/explain/shiviz.h"
#include "sim/explain/timeline.h"
#include "sim/run_event.h"
#include "sim/store_subject.h"
#include "sim/universe.h"

namespace norn::sim {
namespace {

using Kind = RunEvent::Kind;

RunEvent Event(Kind kind, int64_t time_us, uint64_t id, NodeId node = kNoNode,
               NodeId other = kNoNode) {
  RunEvent event;
  event.kind = kind;
  event.time_us = time_us;
  event.id = id;
  event.node = node;
  event.other = other;
  return event;
}

RunEvent Sent(int64_t time_us, uint64_t id, NodeId from, NodeId to, uint64_t request,
              const std::string& key) {
  RunEvent event = Event(Kind::kSend, time_us, id, from, to);
  event.number = request;
  event.key = key;
  event.name = "M";
  event.text = absl::StrCat("M about ", key);
  return event;
}

RunEvent Invoked(int64_t time_us, uint64_t id, int client, const std::string& key,
                 const std::string& text) {
  RunEvent event = Event(Kind::kInvoke, time_us, id, 1);
  event.client = client;
  event.name = "put";
  event.key = key;
  event.text = text;
  return event;
}

Case ThreeNodes() {
  Case written;
  written.nodes = 3;
  return written;
}

TEST(TimelineTest, PairsWhatWasSentWithWhatArrived) {
  CaseRun run;
  run.events = {Sent(10, 1, 1, 2, 77, "k1"), Sent(11, 2, 1, 3, 0, ""), Sent(12, 3, 1, 3, 0, "")};
  run.events.push_back(Event(Kind::kReceive, 20, 1, 2, 1));
  run.events.push_back(Sent(21, 4, 2, 1, 77, ""));           // the answer to number 1
  run.events.push_back(Event(Kind::kReceive, 25, 1, 2, 1));  // a second copy
  RunEvent lost = Event(Kind::kLose, 26, 2);
  lost.text = "message loss";
  run.events.push_back(lost);
  run.events.push_back(Event(Kind::kReceive, 30, 99, 2, 1));  // of nothing that was sent
  run.events.push_back(Event(Kind::kDown, 31, 0, 1));
  run.events.push_back(Event(Kind::kReceive, 32, 4, 1, 2));
  run.events.push_back(Event(Kind::kUp, 40, 0, 1));
  const Timeline timeline = MakeTimeline(run, ThreeNodes());
  ASSERT_EQ(timeline.arrows.size(), 5u);
  EXPECT_EQ(timeline.arrows[0].end_us, 20);
  EXPECT_EQ(timeline.arrows[0].lost, "");
  EXPECT_EQ(timeline.arrows[1].id, 1u);
  EXPECT_EQ(timeline.arrows[1].end_us, 25);
  EXPECT_EQ(timeline.arrows[2].lost, "message loss");
  EXPECT_EQ(timeline.arrows[3].lost, "the run ended first");
  EXPECT_EQ(timeline.arrows[3].end_us, 40);
  EXPECT_EQ(timeline.arrows[4].key, "k1") << "an answer is about what was asked";
  EXPECT_EQ(timeline.arrows[4].lost, "n1 is down");
  ASSERT_EQ(timeline.outages.size(), 1u);
  EXPECT_EQ(timeline.outages[0].down_us, 31);
  EXPECT_EQ(timeline.outages[0].up_us, 40);
  EXPECT_NE(DownAt(timeline, 1, 39), nullptr);
  EXPECT_EQ(DownAt(timeline, 1, 40), nullptr);
}

TEST(TimelineTest, WhatANodeHoldsEndsWithItsLife) {
  CaseRun run;
  RunEvent record = Event(Kind::kRecord, 5, 0, 2);
  record.key = "k1";
  record.text = "{c1-1}";
  run.events = {Event(Kind::kUp, 0, 0, 2), record, Event(Kind::kDown, 10, 0, 2),
                Event(Kind::kUp, 20, 0, 2)};
  record.time_us = 30;
  record.text = "{c1-2}";
  run.events.push_back(record);
  const Timeline timeline = MakeTimeline(run, ThreeNodes());
  EXPECT_EQ(HeldAt(timeline, 2, "k1", 4), "");
  EXPECT_EQ(HeldAt(timeline, 2, "k1", 5), "{c1-1}");
  EXPECT_EQ(HeldAt(timeline, 2, "k1", 15), "{c1-1}") << "on its disk";
  EXPECT_EQ(HeldAt(timeline, 2, "k1", 20), "") << "its disk had lost it";
  EXPECT_EQ(HeldAt(timeline, 2, "k1", 30), "{c1-2}");
  EXPECT_EQ(HeldAt(timeline, 3, "k1", 30), "");
}

TEST(TimelineTest, MarksWhatTheWitnessNames) {
  CaseRun run;
  run.witness = "client 1: put k1 = c1-1, ok\nand client 3: put k10 = c3-1, never answered";
  run.events = {Invoked(1'000, 1, 1, "k1", "client 1: put k1 = c1-1"),
                Invoked(2'000, 2, 2, "k1", "client 2: put k1 = c2-1")};
  for (uint64_t id = 1; id <= 2; ++id) {
    RunEvent returned = Event(Kind::kReturn, 5'000, id, 1);
    returned.name = "ok";
    returned.text = absl::StrCat("client ", id, ": put k1 = c", id, "-1, ok");
    run.events.push_back(returned);
  }
  run.events.push_back(Invoked(9'000, 3, 3, "k10", "client 3: put k10 = c3-1"));
  run.events.push_back(Event(Kind::kGiveUp, 9'500, 3));
  const Timeline timeline = MakeTimeline(run, ThreeNodes());
  ASSERT_EQ(timeline.bars.size(), 3u);
  EXPECT_EQ(timeline.bars[2].gave_up_us, 9'500);
  EXPECT_TRUE(timeline.bars[0].marked);
  EXPECT_FALSE(timeline.bars[1].marked);
  EXPECT_TRUE(timeline.bars[2].marked);
  EXPECT_EQ(timeline.bars[2].outcome, "never answered");
  EXPECT_EQ(timeline.keys, (std::vector<std::string>{"k1", "k10"}));
  EXPECT_EQ(timeline.moment_us, 9'000);
}

TEST(TimelineTest, AWitnessWithoutOperationsNamesKeysByWholeWords) {
  CaseRun run;
  run.witness = "key k10\nn1 holds nothing";
  run.events = {Invoked(1, 1, 1, "k1", "client 1: put k1"),
                Invoked(2, 2, 2, "k10", "client 2: put k10")};
  run.events.push_back(Event(Kind::kHealed, 50, 0));
  run.events.push_back(Invoked(60, 3, 0, "k10", "client 0: get k10"));
  const Timeline timeline = MakeTimeline(run, ThreeNodes());
  EXPECT_EQ(timeline.keys, std::vector<std::string>{"k10"});
  EXPECT_EQ(timeline.moment_us, 50) << "not what the last reads have repaired";
}

std::vector<size_t> Without(size_t count, const std::vector<size_t>& gone) {
  std::vector<size_t> left;
  for (size_t i = 0; i < count; ++i) {
    if (std::find(gone.begin(), gone.end(), i) == gone.end()) left.push_back(i);
  }
  return left;
}

TEST(NeededTest, FindsWhatTheFailureNeeds) {
  const auto never = [] { return false; };
  // Fails with 2, and 3 or 4.
  const auto without = [](const std::vector<size_t>& gone) -> std::string {
    const std::vector<size_t> left = Without(5, gone);
    const std::set<size_t> has(left.begin(), left.end());
    return has.count(2) && (has.count(3) || has.count(4)) ? "" : "VALID";
  };
  const NeededParts found = FindNeeded(5, without, never);
  EXPECT_EQ(found.parts[0].need, PartNeed::Need::kNotNeeded);
  EXPECT_EQ(found.parts[2].need, PartNeed::Need::kNeeded);
  EXPECT_EQ(found.parts[2].instead, "VALID");
  EXPECT_EQ(found.parts[3].need, PartNeed::Need::kNotNeeded);
  ASSERT_TRUE(found.enough.has_value());
  EXPECT_EQ(*found.enough, (std::vector<size_t>{2, 3}));
}

TEST(NeededTest, KnowsWhatItHadNoTimeFor) {
  int runs = 0;
  const NeededParts found = FindNeeded(
      3, [&](const std::vector<size_t>&) { return ++runs, std::string(); },
      [&] { return runs == 2; });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(found.parts[1].need, PartNeed::Need::kNotNeeded);
  EXPECT_EQ(found.parts[2].need, PartNeed::Need::kNotTried);
  EXPECT_FALSE(found.enough.has_value());
  EXPECT_TRUE(FindNeeded(0, nullptr, [] { return false; }).enough->empty());
}

TEST(RunPageTest, NothingOfTheDataIsMarkup) {
  CaseRun run;
  const std::string evil = "</script><script>alert(1)</script><!-- \"'& \xff\xfe\x01\n";
  run.verdict = evil;
  run.property = evil;
  run.witness = evil;
  run.config = evil;
  run.events = {Sent(1, 1, 1, 2, 0, evil), Invoked(2, 2, 1, evil, evil)};
  const Case written = ThreeNodes();
  const Timeline timeline = MakeTimeline(run, written);
  Explanation explanation;
  explanation.verdict = explanation.property = explanation.witness = explanation.config = evil;
  const std::string page = RunPage(timeline, explanation);
  const std::string begin = "id=\"data\">";
  const size_t at = page.find(begin) + begin.size();
  const std::string data = page.substr(at, page.find("</script>", at) - at);
  EXPECT_TRUE(absl::EndsWith(data, "]}")) << data.substr(data.size() - 80);
  EXPECT_FALSE(absl::StrContains(page, "alert(1)</script>"));
  for (const char c : data) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(byte == '\n' || (byte >= 0x20 && byte < 0x7f)) << int{byte};
    EXPECT_TRUE(c != '<' && c != '>' && c != '&') << c;
  }
  EXPECT_TRUE(absl::StrContains(data, R"(\u00ff\u00fe\u0001\n)")) << data;
}

TEST(RunPageTest, AsksNobodyForAnything) {
  const std::string page = RunPage(Timeline(), Explanation());
  for (const char* word : {"http:", "https:", "src=", "@import", "url(", "innerHTML", "fetch("}) {
    EXPECT_FALSE(absl::StrContains(page, word)) << word;
  }
}

// Each host's own entry rises by one, from 1, and what is received comes after what was sent.
TEST(ShivizTest, ClocksAreThoseOfTheMessages) {
  std::vector<RunEvent> events = {Invoked(1, 9, 4, "k1", "client 4: put\nk1")};
  RunEvent arrived = Event(Kind::kArrive, 2, 9, 1);
  arrived.client = 4;
  events.push_back(arrived);
  events.push_back(Sent(3, 1, 1, 2, 0, "k\xff"));
  events.push_back(Sent(4, 2, 1, 3, 0, ""));
  events.push_back(Event(Kind::kReceive, 5, 1, 2, 1));
  events.push_back(Event(Kind::kLose, 6, 2));
  EXPECT_EQ(ToShiviz(events),
            "client4 {\"client4\":1}\n0.000001 client 4: put\\x0ak1\n"
            "n1 {\"client4\":1,\"n1\":1}\n0.000002 asked by client 4: put\\x0ak1\n"
            "n1 {\"client4\":1,\"n1\":2}\n0.000003 to n2: M about k\\xff\n"
            "n1 {\"client4\":1,\"n1\":3}\n0.000004 to n3: M about \n"
            "n2 {\"client4\":1,\"n1\":2,\"n2\":1}\n0.000005 from n1: M about k\\xff\n");
}

// Whoever listens hears what happened, and changes nothing.
TEST(RunEventTest, ListeningChangesNoHash) {
  for (const uint64_t seed : {uint64_t{3}, uint64_t{8}}) {
    RunOptions options;
    options.seed = seed;
    options.sloppy = options.wipes = options.random_config = true;
    CaseRunner runner(NornStore(), CaseRunnerOptions{});
    const CaseRun silent = runner.Run(options);
    options.record_events = true;
    const CaseRun told = runner.Run(options);
    EXPECT_EQ(silent.hash, told.hash);
    EXPECT_TRUE(silent.events.empty());
    std::map<Kind, int> heard;
    int64_t time_us = 0;
    for (const RunEvent& event : told.events) {
      ++heard[event.kind];
      EXPECT_GE(event.time_us, time_us);
      time_us = event.time_us;
    }
    for (const Kind kind : {Kind::kSend, Kind::kReceive, Kind::kInvoke, Kind::kReturn, Kind::kUp,
                            Kind::kRecord, Kind::kFaultBegins}) {
      EXPECT_GT(heard[kind], 0) << static_cast<int>(kind);
    }
  }
}

}  // namespace
}  // namespace norn::sim
