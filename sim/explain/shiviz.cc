#include "sim/explain/shiviz.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace norn::sim {

namespace {

using Clock = std::map<std::string, uint64_t>;

std::string OneLine(absl::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      line.push_back(c);
    } else {
      absl::StrAppendFormat(&line, "\\x%02x", static_cast<unsigned>(byte));
    }
  }
  return line;
}

class Writer {
 public:
  std::string Write(const std::vector<RunEvent>& events) {
    for (const RunEvent& event : events) Take(event);
    return std::move(log_);
  }

 private:
  void Take(const RunEvent& event) {
    using Kind = RunEvent::Kind;
    const std::string node = absl::StrCat("n", event.node);
    const std::string client = absl::StrCat("client", event.client);
    switch (event.kind) {
      case Kind::kSend:
        sent_[event.id] = {
            Add(node, nullptr, event, absl::StrCat("to n", event.other, ": ", event.text)),
            event.text};
        break;
      case Kind::kReceive: {
        if (down_.count(event.node) != 0) break;
        const auto sent = sent_.find(event.id);
        if (sent == sent_.end()) break;
        Add(node, &sent->second.first, event,
            absl::StrCat("from n", event.other, ": ", sent->second.second));
        break;
      }
      case Kind::kInvoke:
        asked_[event.id] = {Add(client, nullptr, event, event.text), event.text};
        break;
      case Kind::kArrive: {
        const auto asked = asked_.find(event.id);
        if (down_.count(event.node) != 0 || asked == asked_.end()) break;
        Add(node, &asked->second.first, event, absl::StrCat("asked by ", asked->second.second));
        break;
      }
      case Kind::kAnswer:
        answered_[event.id] =
            Add(node, nullptr, event, absl::StrCat("answers client ", event.client));
        break;
      case Kind::kReturn: {
        const auto answered = answered_.find(event.id);
        Add(client, answered == answered_.end() ? nullptr : &answered->second, event, event.text);
        break;
      }
      case Kind::kGiveUp:
        Add(client, nullptr, event, "waits no longer");
        break;
      case Kind::kUp:
        down_.erase(event.node);
        Add(node, nullptr, event, "starts");
        break;
      case Kind::kDown:
        down_.insert(event.node);
        Add(node, nullptr, event, absl::StrCat("is down ", event.text));
        break;
      case Kind::kRecord:
        Add(node, nullptr, event,
            absl::StrCat("holds of ", event.key, ": ",
                         event.text.empty() ? "nothing" : event.text));
        break;
      case Kind::kLose:
      case Kind::kFaultBegins:
      case Kind::kFaultEnds:
      case Kind::kHealed:
      case Kind::kFaultEffects:
        break;  // nobody sees these happen
    }
  }

  const Clock& Add(const std::string& host, const Clock* cause, const RunEvent& event,
                   absl::string_view text) {
    Clock& clock = clocks_[host];
    if (cause != nullptr) {
      for (const auto& [other, count] : *cause) clock[other] = std::max(clock[other], count);
    }
    ++clock[host];
    absl::StrAppend(&log_, host, " {");
    const char* comma = "";
    for (const auto& [other, count] : clock) {
      absl::StrAppend(&log_, comma, "\"", other, "\":", count);
      comma = ",";
    }
    absl::StrAppendFormat(&log_, "}\n%d.%06d ", event.time_us / 1'000'000,
                          event.time_us % 1'000'000);
    absl::StrAppend(&log_, OneLine(text), "\n");
    return clock;
  }

  std::string log_;
  std::map<std::string, Clock> clocks_;
  std::map<uint64_t, std::pair<Clock, std::string>> sent_;
  std::map<uint64_t, std::pair<Clock, std::string>> asked_;
  std::map<uint64_t, Clock> answered_;
  std::set<NodeId> down_;
};

}  // namespace

std::string ToShiviz(const std::vector<RunEvent>& events) { return Writer().Write(events); }

}  // namespace norn::sim
