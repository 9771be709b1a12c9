#include "sim/explain/explanation.h"

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/json_string.h"
#include "core/types.h"

namespace norn::sim {

namespace {

constexpr size_t kMomentsMax = 4;  // more would hide the rest

std::string Milliseconds(int64_t time_us) {
  return absl::StrFormat("%d.%03d ms", time_us / 1000, time_us % 1000);
}

template <typename Things>
std::string List(const Things& things, const std::function<std::string(size_t)>& one) {
  std::string json = "[";
  for (size_t i = 0; i < things.size(); ++i) absl::StrAppend(&json, i == 0 ? "" : ",", one(i));
  return json + "]";
}

const char* Bool(bool value) { return value ? "true" : "false"; }

}  // namespace

Explanation Explain(const CaseRun& run, const Case& written, const Timeline& timeline) {
  Explanation found;
  found.verdict = run.verdict;
  found.property = run.property;
  found.witness = run.witness;
  found.config = run.config;
  found.hash = run.hash;
  found.fails = run.exit_code != 0 && run.verdict != "UNKNOWN";
  found.held_when_down = written.held_when_down;
  found.keys = timeline.keys;
  std::set<int64_t> moments;
  for (const Bar& bar : timeline.bars) {
    if (!bar.marked) continue;
    found.operations.push_back(bar);
    moments.insert(bar.returned_us == kNever ? bar.invoked_us : bar.returned_us);
  }
  moments.insert(timeline.found_us);
  // The first and the last say most.
  while (moments.size() > kMomentsMax) moments.erase(std::prev(std::prev(moments.end())));
  for (const int64_t time_us : moments) {
    for (const std::string& key : timeline.keys) {
      const std::vector<NodeId> replicas = written.ReplicasOf(key);
      for (int i = 1; i <= written.nodes; ++i) {
        HeldThen held;
        held.time_us = time_us;
        held.key = key;
        held.node = static_cast<NodeId>(i);
        held.replica = replicas.empty() ||
                       std::find(replicas.begin(), replicas.end(), held.node) != replicas.end();
        held.down = DownAt(timeline, held.node, time_us) != nullptr;
        held.text = HeldAt(timeline, held.node, key, time_us);
        if (held.replica || !held.text.empty()) found.held.push_back(std::move(held));
      }
    }
  }
  return found;
}

std::string ToText(const Explanation& explanation) {
  std::string text =
      absl::StrCat(explanation.config, explanation.config.empty() ? "" : "\n", explanation.verdict,
                   explanation.property.empty() ? "" : ": ", explanation.property, "\n");
  if (!explanation.witness.empty()) {
    absl::StrAppend(&text, "  ", absl::StrReplaceAll(explanation.witness, {{"\n", "\n  "}}), "\n");
  }
  if (!explanation.fails) {
    absl::StrAppend(&text, "\nNothing went wrong that could be explained.\n");
    return text;
  }
  if (!explanation.operations.empty()) {
    absl::StrAppend(&text, "\nThe operations that show it:\n");
    for (const Bar& bar : explanation.operations) absl::StrAppend(&text, "  ", bar.text, "\n");
  } else if (!explanation.keys.empty()) {
    absl::StrAppend(&text, "\nIt is about ", absl::StrJoin(explanation.keys, ", "), ".\n");
  }
  int64_t moment_us = -1;
  std::string key;
  for (const HeldThen& held : explanation.held) {
    if (held.time_us != moment_us || held.key != key) {
      absl::StrAppend(&text, "\nWhat was held of ", held.key, " at ", Milliseconds(held.time_us),
                      ":\n");
      moment_us = held.time_us;
      key = held.key;
    }
    absl::StrAppend(&text, "  n", held.node, held.replica ? "" : " (no replica)",
                    held.down ? absl::StrCat(" (down; ", explanation.held_when_down, ")") : "",
                    ": ", held.text.empty() ? "nothing" : held.text, "\n");
  }
  if (explanation.causes.empty()) {
    absl::StrAppend(&text, "\nThe case has no faults: it fails without any.\n");
    return text;
  }
  absl::StrAppend(&text, "\nRepeated without each fault:\n");
  for (const CausePart& cause : explanation.causes) {
    absl::StrAppendFormat(&text, "  %-10s  %s", NeedName(cause.need.need), cause.text);
    if (!cause.need.instead.empty()) {
      absl::StrAppend(&text, "\n              without it: ", cause.need.instead);
    }
    text += "\n";
  }
  if (!explanation.enough.has_value()) {
    absl::StrAppend(&text, "There was no time to find out which are enough: see --budget.\n");
  } else if (explanation.enough->empty()) {
    absl::StrAppend(&text, "It fails without any of them.\n");
  } else {
    absl::StrAppend(&text, "These alone are enough, and none of them can go:\n");
    for (const size_t i : *explanation.enough) {
      absl::StrAppend(&text, "  ", explanation.causes[i].text, "\n");
    }
  }
  return text;
}

std::string ToJson(const Explanation& explanation) {
  const auto operation = [&](size_t i) {
    const Bar& bar = explanation.operations[i];
    return absl::StrCat(
        "{\"id\":", bar.id, ",\"client\":", bar.client, ",\"node\":", bar.via,
        ",\"kind\":", JsonString(bar.kind), ",\"key\":", JsonString(bar.key),
        ",\"invoked_us\":", bar.invoked_us, ",\"returned_us\":",
        bar.returned_us == kNever ? std::string("null") : absl::StrCat(bar.returned_us),
        ",\"outcome\":", JsonString(bar.outcome), ",\"text\":", JsonString(bar.text), "}");
  };
  const auto held = [&](size_t i) {
    const HeldThen& then = explanation.held[i];
    return absl::StrCat("{\"time_us\":", then.time_us, ",\"key\":", JsonString(then.key),
                        ",\"node\":", then.node, ",\"replica\":", Bool(then.replica),
                        ",\"down\":", Bool(then.down), ",\"text\":", JsonString(then.text), "}");
  };
  const auto cause = [&](size_t i) {
    const CausePart& part = explanation.causes[i];
    return absl::StrCat("{\"fault\":", part.fault, ",\"text\":", JsonString(part.text),
                        ",\"need\":", JsonString(NeedName(part.need.need)),
                        ",\"instead\":", JsonString(part.need.instead), "}");
  };
  return absl::StrCat(
      "{\"verdict\":", JsonString(explanation.verdict),
      ",\"property\":", JsonString(explanation.property),
      ",\"witness\":", JsonString(explanation.witness),
      ",\"config\":", JsonString(explanation.config), ",\"hash\":", JsonString(explanation.hash),
      ",\"keys\":",
      List(explanation.keys, [&](size_t i) { return JsonString(explanation.keys[i]); }),
      ",\"operations\":", List(explanation.operations, operation),
      ",\"held\":", List(explanation.held, held), ",\"causes\":", List(explanation.causes, cause),
      ",\"enough\":",
      explanation.enough.has_value()
          ? absl::StrCat("[", absl::StrJoin(*explanation.enough, ","), "]")
          : std::string("null"),
      "}");
}

}  // namespace norn::sim
