#include "sim/explain/timeline.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace norn::sim {

namespace {

constexpr int64_t kLookUs = 1'000'000;  // at most so much is in view at first
constexpr int64_t kMarginUs = 20'000;
constexpr size_t kFewKeys = 3;  // that are all shown, if the anomaly names none

class Maker {
 public:
  Maker(const CaseRun& run, const Case& written) : run_(run), written_(written) {}

  Timeline Make() {
    timeline_.nodes = written_.nodes;
    if (!run_.events.empty()) timeline_.end_us = run_.events.back().time_us;
    for (const Fault& fault : written_.faults) {
      timeline_.bands.push_back({fault.id, FaultKindName(fault.kind), "", fault.nodes,
                                 std::min(fault.start_us, timeline_.end_us),
                                 std::min(fault.end_us, timeline_.end_us), 0});
      band_of_[fault.id] = timeline_.bands.size() - 1;
    }
    for (const RunEvent& event : run_.events) Take(event);
    for (const auto& [node, outage] : down_) {
      timeline_.outages[outage].up_us = timeline_.end_us;
    }
    for (const auto& [id, arrow] : on_its_way_) {
      if (landed_.count(id) != 0) continue;
      Arrow lost = arrow;
      lost.end_us = timeline_.end_us;
      lost.lost = "the run ended first";
      timeline_.arrows.push_back(std::move(lost));
    }
    for (size_t i = 0; i < timeline_.bands.size(); ++i) {
      Fault fault = written_.faults[i];
      fault.effects = timeline_.bands[i].effects;
      timeline_.bands[i].text = ToString(fault);
    }
    std::stable_sort(timeline_.arrows.begin(), timeline_.arrows.end(),
                     [](const Arrow& a, const Arrow& b) {
                       return std::pair(a.sent_us, a.id) < std::pair(b.sent_us, b.id);
                     });
    std::set<int> clients;
    for (const Bar& bar : timeline_.bars) clients.insert(bar.client);
    timeline_.clients.assign(clients.begin(), clients.end());
    Mark();
    return std::move(timeline_);
  }

 private:
  void Take(const RunEvent& event) {
    using Kind = RunEvent::Kind;
    switch (event.kind) {
      case Kind::kSend:
        Sent(event);
        break;
      case Kind::kReceive:
      case Kind::kLose:
        Landed(event);
        break;
      case Kind::kInvoke: {
        bar_of_[event.id] = timeline_.bars.size();
        Bar bar;
        bar.id = event.id;
        bar.client = event.client;
        bar.via = event.node;
        bar.invoked_us = event.time_us;
        bar.kind = event.name;
        bar.key = event.key;
        bar.outcome = "never answered";
        bar.text = absl::StrCat(event.text, ", never answered");
        timeline_.bars.push_back(std::move(bar));
        break;
      }
      case Kind::kArrive:
      case Kind::kAnswer:
      case Kind::kReturn:
      case Kind::kGiveUp:
        Went(event);
        break;
      case Kind::kUp:
        Up(event);
        break;
      case Kind::kDown:
        down_[event.node] = timeline_.outages.size();
        timeline_.outages.push_back({event.node, event.time_us, timeline_.end_us, event.text});
        break;
      case Kind::kRecord:
        held_[event.node].insert(event.key);
        timeline_.holdings.push_back({event.time_us, event.node, event.key, event.text});
        break;
      case Kind::kFaultBegins:
        if (Band* const band = BandOf(event.id)) band->start_us = event.time_us;
        break;
      case Kind::kFaultEnds:
        if (Band* const band = BandOf(event.id)) band->end_us = event.time_us;
        break;
      case Kind::kFaultEffects:
        if (Band* const band = BandOf(event.id)) band->effects = event.number;
        break;
      case Kind::kHealed:
        healed_us_ = event.time_us;
        break;
    }
  }

  void Sent(const RunEvent& event) {
    Arrow arrow;
    arrow.id = event.id;
    arrow.from = event.node;
    arrow.to = event.other;
    arrow.sent_us = event.time_us;
    arrow.name = event.name;
    arrow.key = event.key;
    arrow.text = event.text;
    if (event.number != 0) {
      // The asker's number; the answer goes the other way and has no key of its own.
      if (!arrow.key.empty()) key_of_[{event.node, event.number}] = arrow.key;
      const auto asked = key_of_.find({event.other, event.number});
      if (arrow.key.empty() && asked != key_of_.end()) arrow.key = asked->second;
    }
    on_its_way_[event.id] = std::move(arrow);
  }

  void Landed(const RunEvent& event) {
    const auto sent = on_its_way_.find(event.id);
    if (sent == on_its_way_.end()) return;
    landed_.insert(event.id);
    Arrow arrow = sent->second;
    arrow.end_us = event.time_us;
    if (event.kind == RunEvent::Kind::kLose) {
      arrow.lost = event.text;
    } else if (down_.count(event.node) != 0) {
      arrow.lost = absl::StrCat("n", event.node, " is down");
    }
    timeline_.arrows.push_back(std::move(arrow));
  }

  void Went(const RunEvent& event) {
    const auto it = bar_of_.find(event.id);
    if (it == bar_of_.end()) return;
    Bar& bar = timeline_.bars[it->second];
    if (event.kind == RunEvent::Kind::kArrive) {
      bar.arrived_us = event.time_us;
    } else if (event.kind == RunEvent::Kind::kAnswer) {
      bar.answered_us = event.time_us;
    } else if (event.kind == RunEvent::Kind::kGiveUp) {
      bar.gave_up_us = event.time_us;
    } else {
      bar.returned_us = event.time_us;
      bar.outcome = event.name;
      bar.text = event.text;
    }
  }

  // It may have lost anything: what it still holds is told next.
  void Up(const RunEvent& event) {
    if (const auto it = down_.find(event.node); it != down_.end()) {
      timeline_.outages[it->second].up_us = event.time_us;
      down_.erase(it);
    }
    for (const std::string& key : held_[event.node]) {
      timeline_.holdings.push_back({event.time_us, event.node, key, ""});
    }
    held_[event.node].clear();
  }

  Band* BandOf(uint64_t id) {
    const auto it = band_of_.find(id);
    return it == band_of_.end() ? nullptr : &timeline_.bands[it->second];
  }

  // Whether the text has this word, and not as a part of another.
  static bool Names(const std::string& text, const std::string& word) {
    const auto part = [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    };
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      const size_t end = at + word.size();
      if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) return true;
    }
    return false;
  }

  void Mark() {
    const std::string said = absl::StrCat(run_.property, "\n", run_.witness);
    std::set<std::string> all;
    std::set<std::string> keys;
    int64_t first_us = kNever;
    int64_t last_us = 0;
    for (Bar& bar : timeline_.bars) {
      all.insert(bar.key);
      if (run_.witness.empty() || !absl::StrContains(run_.witness, bar.text)) continue;
      bar.marked = true;
      keys.insert(bar.key);
      first_us = std::min(first_us, bar.invoked_us);
      last_us = std::max(last_us, bar.returned_us == kNever ? bar.invoked_us : bar.returned_us);
    }
    if (keys.empty() && !run_.witness.empty()) {
      for (const std::string& key : all) {
        if (!key.empty() && Names(said, key)) keys.insert(key);
      }
      // A protocol may call what its nodes hold "role" and "vote", and no witness says so.
      std::set<std::string> held;
      for (const Holding& holding : timeline_.holdings) held.insert(holding.key);
      if (keys.empty() && held.size() <= kFewKeys) keys = std::move(held);
    }
    timeline_.keys.assign(keys.begin(), keys.end());
    timeline_.found_us = std::min(timeline_.end_us, healed_us_);
    if (first_us == kNever) {
      // What is no operation's is about the state after healing, or ended the run.
      timeline_.moment_us = timeline_.found_us;
      // The last write of one of its keys says more than the end of a long silence.
      int64_t look_us = timeline_.moment_us;
      for (const Bar& bar : timeline_.bars) {
        if (keys.count(bar.key) != 0 && bar.kind != "get" && bar.kind != "read")
          look_us = bar.invoked_us;
      }
      timeline_.from_us = std::max<int64_t>(0, look_us - kLookUs / 2);
      timeline_.to_us = look_us + kLookUs / 2;
      return;
    }
    timeline_.moment_us = last_us;
    timeline_.from_us = std::max<int64_t>(0, first_us - kMarginUs);
    timeline_.to_us = std::min(last_us, first_us + kLookUs) + kMarginUs;
  }

  const CaseRun& run_;
  const Case& written_;
  Timeline timeline_;
  std::map<uint64_t, Arrow> on_its_way_;
  std::set<uint64_t> landed_;  // at least one copy
  int64_t healed_us_ = kNever;
  std::map<std::pair<NodeId, uint64_t>, std::string> key_of_;  // by asker and request
  std::map<uint64_t, size_t> bar_of_;
  std::map<uint64_t, size_t> band_of_;
  std::map<NodeId, size_t> down_;
  std::map<NodeId, std::set<std::string>> held_;
};

}  // namespace

Timeline MakeTimeline(const CaseRun& run, const Case& written) {
  return Maker(run, written).Make();
}

std::string HeldAt(const Timeline& timeline, NodeId node, const std::string& key, int64_t time_us) {
  std::string held;
  for (const Holding& holding : timeline.holdings) {
    if (holding.time_us > time_us) break;
    if (holding.node == node && holding.key == key) held = holding.text;
  }
  return held;
}

const Outage* DownAt(const Timeline& timeline, NodeId node, int64_t time_us) {
  for (const Outage& outage : timeline.outages) {
    if (outage.node == node && outage.down_us <= time_us && time_us < outage.up_us) return &outage;
  }
  return nullptr;
}

}  // namespace norn::sim
