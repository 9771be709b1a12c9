#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/json_string.h"
#include "sim/consistency/check_history.h"

namespace norn::consistency {
namespace {

const std::string& Value(const KeyHistory& key, ValueId value) {
  return key.values[static_cast<size_t>(value)];
}

std::string Action(const KeyHistory& key, const Operation& operation) {
  const std::string& value = Value(key, operation.value);
  if (operation.kind == Kind::kRead) return absl::StrCat("read ", value);
  if (operation.kind == Kind::kWrite) return absl::StrCat("write ", value);
  return absl::StrCat("cas ", Value(key, operation.expected), " to ", value);
}

const char* OutcomeName(Outcome outcome) {
  return outcome == Outcome::kOk ? "ok" : outcome == Outcome::kFailed ? "fail" : "info";
}

std::string Moment(int64_t line, int64_t time) {
  if (line == 0) return "never";
  return time == kNoTime ? absl::StrCat("line ", line)
                         : absl::StrCat("line ", line, ", time ", time);
}

using Row = std::array<std::string, 5>;

std::string Table(const std::vector<Row>& rows) {
  std::array<size_t, 5> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = " ";
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, " ", row[i], std::string(widths[i] - row[i].size() + 1, ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string Witness(const History& history, const KeyHistory& key, const Finding& finding) {
  if (finding.witness.empty()) return "";
  std::vector<Row> rows = {{"process", "operation", "outcome", "called", "ended"}};
  for (const size_t index : finding.witness) {
    const Operation& o = key.operations[index];
    rows.push_back({history.processes[static_cast<size_t>(o.process)], Action(key, o),
                    OutcomeName(o.outcome), Moment(o.call_line, o.call_time),
                    Moment(o.end_line, o.end_time)});
  }
  return Table(rows);
}

std::string OperationJson(const History& history, const KeyHistory& key, const Operation& o) {
  const char* f = o.kind == Kind::kRead ? "read" : o.kind == Kind::kWrite ? "write" : "cas";
  std::string json =
      absl::StrCat("{\"process\":", JsonString(history.processes[static_cast<size_t>(o.process)]),
                   ",\"f\":\"", f, "\",\"value\":", JsonString(Value(key, o.value)));
  if (o.kind == Kind::kCas) {
    absl::StrAppend(&json, ",\"expected\":", JsonString(Value(key, o.expected)));
  }
  absl::StrAppend(&json, ",\"type\":\"", OutcomeName(o.outcome), "\",\"call_line\":", o.call_line,
                  ",\"end_line\":", o.end_line == 0 ? "null" : absl::StrCat(o.end_line));
  if (o.call_time != kNoTime) absl::StrAppend(&json, ",\"call_time\":", o.call_time);
  if (o.end_time != kNoTime) absl::StrAppend(&json, ",\"end_time\":", o.end_time);
  return json + "}";
}

}  // namespace

std::string DescribeResult(const History& history, Model model, const CheckResult& result) {
  std::string text = absl::StrFormat(
      "%s: %s, %d operations (%d of them ok) on %d keys by %d processes\n",
      VerdictName(result.verdict), ModelName(model), history.operations, history.completed,
      static_cast<int64_t>(history.keys.size()), static_cast<int64_t>(history.processes.size()));
  if (!result.why.empty()) absl::StrAppend(&text, result.why, "\n");
  for (const KeyFinding& found : result.findings) {
    const KeyHistory& key = history.keys[found.key];
    absl::StrAppend(&text, "\n", key.key.empty() ? "" : absl::StrCat("key ", key.key, ": "),
                    VerdictName(found.finding.verdict), ": ", found.finding.why, "\n",
                    Witness(history, key, found.finding));
  }
  const int64_t more =
      result.keys_violated + result.keys_unknown - static_cast<int64_t>(result.findings.size());
  if (more > 0) {
    absl::StrAppend(&text, "\nin all ", result.keys_violated, " keys violated, ",
                    result.keys_unknown, " not decided\n");
  }
  return text;
}

std::string ResultJson(const History& history, Model model, const CheckResult& result) {
  std::vector<std::string> findings;
  for (const KeyFinding& found : result.findings) {
    const KeyHistory& key = history.keys[found.key];
    std::vector<std::string> witness;
    for (const size_t index : found.finding.witness) {
      witness.push_back(OperationJson(history, key, key.operations[index]));
    }
    findings.push_back(absl::StrCat("{\"key\":", JsonString(key.key), ",\"verdict\":\"",
                                    VerdictName(found.finding.verdict),
                                    "\",\"why\":", JsonString(found.finding.why), ",\"witness\":[",
                                    absl::StrJoin(witness, ","), "]}"));
  }
  return absl::StrCat(
      "{\"verdict\":\"", VerdictName(result.verdict), "\",\"model\":\"", ModelName(model),
      "\",\"operations\":", history.operations, ",\"completed\":", history.completed,
      ",\"keys\":", history.keys.size(), ",\"keys_violated\":", result.keys_violated,
      ",\"keys_unknown\":", result.keys_unknown, ",\"why\":", JsonString(result.why),
      ",\"findings\":[", absl::StrJoin(findings, ","), "]}");
}

}  // namespace norn::consistency
