// What a run of a protocol promises to whoever writes one: what is durable, when timers come, that
// a run can be repeated, written down and replayed; and what cases of protocols are refused.

#include "sim/protocol.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/case.h"
#include "sim/protocol_history.h"
#include "sim/protocol_run.h"
#include "sim/subject.h"

namespace norn::sim {
namespace {

// Counts upward in its log, and tells the others. What it was promised is durable must be there
// in the next life, whatever faults there are.
class Counter final : public Process {
 public:
  enum : uint64_t { kTick = 1, kMoved = 2, kCancelled = 3 };

  explicit Counter(Context& context) : context_(context) {}

  void OnStart(const std::vector<std::string>& log) override {
    for (const std::string& record : log) {
      in_order_ = in_order_ && record == absl::StrCat(++last_);
    }
    recovered_ = last_;
    context_.SetTimer(kTick, 30'000);
    context_.SetTimer(kMoved, 10);
    context_.SetTimer(kMoved, 200'000);  // instead
    moved_to_us_ = context_.now_us() + 200'000;
    context_.SetTimer(kCancelled, 50'000);
    context_.CancelTimer(kCancelled);
  }
  void OnTimer(uint64_t token) override {
    if (token == kMoved) timers_right_ = timers_right_ && context_.now_us() >= moved_to_us_;
    if (token == kCancelled) timers_right_ = false;
    if (token != kTick) return;
    context_.SetTimer(kTick, 30'000);
    context_.Append(absl::StrCat(++last_));
    context_.Sync(last_);
    for (int i = 1; i <= context_.nodes(); ++i) {
      // Two, so that there is something to overtake.
      context_.Send(static_cast<NodeId>(i), "Count", "", absl::StrCat(last_), "");
      context_.Send(static_cast<NodeId>(i), "Again", "", absl::StrCat(last_), "");
    }
  }
  void OnSynced(uint64_t token) override { durable_ = std::max(durable_, token); }
  void OnMessage(NodeId, const std::string&) override {}
  void OnRequest(uint64_t request, const ProtocolRequest&) override {
    context_.Reply(request, Answer::kOk, absl::StrCat(last_));
  }

  bool in_order_ = true;
  bool timers_right_ = true;
  uint64_t last_ = 0;
  uint64_t recovered_ = 0;
  uint64_t durable_ = 0;

 private:
  Context& context_;
  int64_t moved_to_us_ = 0;
};

class CounterObserver final : public Observer {
 public:
  std::optional<Violation> After(int64_t, NodeId node, const Process& process) override {
    const auto& counter = static_cast<const Counter&>(process);
    uint64_t& durable = durable_[node];
    if (!counter.in_order_) return Violation{"the log has no gaps", absl::StrCat("n", node)};
    if (!counter.timers_right_) return Violation{"timers come when they are due", ""};
    if (counter.last_ < durable) {
      return Violation{"what was synced is recovered",
                       absl::StrCat("n", node, " had ", durable, ", and has ", counter.last_)};
    }
    durable = std::max({durable, counter.durable_, counter.recovered_});
    return std::nullopt;
  }
  std::string Missing(const std::vector<const Process*>& nodes) override {
    for (const Process* const node : nodes) {
      if (static_cast<const Counter*>(node)->last_ < 10) return "somebody has not counted to 10";
    }
    return "";
  }

 private:
  std::map<NodeId, uint64_t> durable_;
};

class Counting final : public Protocol {
 public:
  std::string Name() const override { return "counting"; }
  std::vector<ProtocolSetting> Settings() const override { return {{"speed", 3, 1, 9, "nothing"}}; }
  std::unique_ptr<Process> MakeProcess(Context& context) const override {
    return std::make_unique<Counter>(context);
  }
  std::unique_ptr<Observer> MakeObserver() const override {
    return std::make_unique<CounterObserver>();
  }
};

const ProtocolSubject& Subject() {
  static const Counting protocol;
  static const ProtocolSubject subject(protocol, "counting");
  return subject;
}

RunOptions Options(uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  options.nodes = 3;
  return options;
}

TEST(Protocol, WhatWasSyncedIsThereAfterAnyFault) {
  uint64_t crashes = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const RunResult result = Subject().Run(Options(seed), nullptr);
    ASSERT_EQ(result.verdict, Verdict::kValid) << "seed " << seed << ": " << result.property << "\n"
                                               << result.witness;
    for (const char* const kind : {"crash", "power cut"}) {
      const auto it = result.fault_effects.find(kind);
      if (it != result.fault_effects.end()) crashes += it->second;
    }
  }
  EXPECT_GT(crashes, 300u);
}

TEST(Protocol, ARunIsAFunctionOfItsSeedAndACaseReplaysIt) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    RunOptions options = Options(seed);
    const RunResult drawn = Subject().Run(options, nullptr);
    EXPECT_EQ(Subject().Run(options, nullptr).trace_hash, drawn.trace_hash);
    v1::CaseReport report;
    options.recorder = [&report](const v1::CaseReport& piece) { report.MergeFrom(piece); };
    EXPECT_EQ(Subject().Run(options, nullptr).trace_hash, drawn.trace_hash)
        << "recording changes it";
    const auto read = ParseCase(Subject(), FormatCase(report.recorded()), "x");
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(FormatCase(*read), FormatCase(report.recorded()));
    RunOptions again;
    again.replay = *MakeCase(Subject(), *read);
    EXPECT_EQ(Subject().Run(again, nullptr).trace_hash, drawn.trace_hash) << "seed " << seed;
  }
}

TEST(Protocol, ListeningDoesNotChangeARun) {
  TraceView view = nullptr;
  uint64_t ups = 0;
  view.listener = [&ups](const RunEvent& event) {
    ups += event.kind == RunEvent::Kind::kUp ? 1 : 0;
  };
  EXPECT_EQ(Subject().Run(Options(3), view).trace_hash,
            Subject().Run(Options(3), nullptr).trace_hash);
  EXPECT_GE(ups, 3u);
}

void ExpectRefused(const std::string& text, const std::string& where, const std::string& why) {
  const auto read = ParseCase(Subject(), text, "x");
  ASSERT_FALSE(read.ok()) << text;
  const std::string said(read.status().message());
  EXPECT_NE(said.find(where), std::string::npos) << said;
  EXPECT_NE(said.find(why), std::string::npos) << said;
}

TEST(Protocol, CasesThatMakeNoSenseAreRefusedByLine) {
  const std::string head = "format: 1\nprotocol: \"counting\" seed: 1 until_us: 2000000\nnode {}\n";
  EXPECT_TRUE(ParseCase(Subject(), head + "knob { name: \"speed\" value: 2 }", "x").ok());
  ExpectRefused("format: 1 seed: 1 until_us: 2 node {}", "x: ", "the case is of Norn's store");
  ExpectRefused("format: 1\nprotocol: \"other\" seed: 1 until_us: 2 node {}", "x:2", "of other");
  ExpectRefused(head + "bucket { n: 3 }", "x:4", "buckets are of Norn's store");
  ExpectRefused(head + "knob { name: \"sped\" value: 2 }", "x:4", "it has speed");
  ExpectRefused(head + "knob { name: \"speed\" value: 10 }", "x:4", "it must be 1 to 9");
  ExpectRefused(head + "knob { name: \"network.delay_min_us\" value: 5000 }", "x:4",
                "the least delay is above");
  ExpectRefused(head + "operation { id: 1 client: 1 via: 1 }", "x:4", "no name");
  ExpectRefused(head + "operation { id: 1 client: 1 via: 1 name: \"a\" kind: PUT }", "x:4",
                "of Norn's store");
  ExpectRefused(head + "fault { id: 1 kind: BAD_BLOCK nodes: 1 end_us: 9 amount: 1 }", "x:4",
                "is not to stand this");
}

// A record of a history: a process asks at `call`, and is answered at `end`, or never (0).
ProtocolRecord Record(int process, const char* kind, const char* value, int64_t call, int64_t end) {
  ProtocolRecord record;
  record.process = record.operation.client = process;
  record.operation.node = 1;
  record.operation.asked.kind = kind;
  record.operation.asked.key = "k";
  const bool read = record.operation.asked.kind == "read";
  (read ? record.value : record.operation.asked.value) = value;
  record.call = call;
  record.end = end;
  record.operation.at_us = call * 1'000;
  record.end_us = end * 1'000;
  record.answer = Answer::kOk;
  return record;
}

TEST(ProtocolHistory, ANewValueAndThenTheOldOneIsNotLinearizable) {
  const std::vector<ProtocolRecord> records = {
      Record(1, "write", "a", 1, 2), Record(2, "write", "b", 3, 0), Record(3, "read", "b", 4, 5),
      Record(1, "read", "b", 6, 7), Record(3, "read", "a", 8, 9)};
  const HistoryJudgement found = JudgeHistory(records, consistency::Model::kRegister);
  EXPECT_EQ(found.verdict, consistency::Verdict::kViolated);
  EXPECT_NE(found.violation.witness.find(DescribeRecord(records[4])), std::string::npos)
      << found.violation.witness;
  // What was never answered may take effect late, or never; what failed never does.
  EXPECT_EQ(JudgeHistory({records[0], records[1], Record(3, "read", "a", 4, 5),
                          Record(1, "read", "b", 6, 7)},
                         consistency::Model::kRegister)
                .verdict,
            consistency::Verdict::kValid);
  ProtocolRecord failed = Record(2, "write", "b", 3, 4);
  failed.answer = Answer::kFailed;
  EXPECT_EQ(JudgeHistory({records[0], failed, Record(3, "read", "b", 5, 6)},
                         consistency::Model::kRegister)
                .verdict,
            consistency::Verdict::kViolated);
  EXPECT_EQ(JudgeHistory({Record(1, "read", "", 1, 2), records[1]}, consistency::Model::kRegister)
                .verdict,
            consistency::Verdict::kValid)
      << "nothing was written yet";
}

}  // namespace
}  // namespace norn::sim
