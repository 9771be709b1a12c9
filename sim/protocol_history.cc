#include "sim/protocol_history.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::sim {

namespace {

namespace history = ::norn::consistency;

class Maker {
 public:
  history::History Make(const std::vector<ProtocolRecord>& records) {
    for (size_t i = 0; i < records.size(); ++i) Take(records[i], i);
    return std::move(made_);
  }

  // Which record the operation of a key was made of.
  size_t RecordOf(size_t key, size_t operation) const { return places_[key][operation]; }

 private:
  void Take(const ProtocolRecord& record, size_t place) {
    const ProtocolRequest& asked = record.operation.asked;
    const size_t index = KeyIndex(asked.key);
    history::KeyHistory& key = made_.keys[index];
    history::Operation operation;
    operation.process = record.process;
    operation.call = operation.call_line = record.call;
    operation.call_time = record.operation.at_us;
    if (asked.kind == "read") {
      operation.kind = history::Kind::kRead;
      if (record.ok()) operation.value = ValueOf(record.value, index);
    } else {
      CORE_CHECK(asked.kind == "write" || asked.kind == "cas");  // of a register's history
      operation.kind = asked.kind == "cas" ? history::Kind::kCas : history::Kind::kWrite;
      operation.value = ValueOf(asked.value, index);
      if (asked.kind == "cas") operation.expected = ValueOf(asked.expected, index);
    }
    if (record.end != 0 && record.answer != Answer::kUnknown) {
      operation.outcome = record.ok() ? history::Outcome::kOk : history::Outcome::kFailed;
      operation.end = operation.end_line = record.end;
      operation.end_time = record.end_us;
      made_.completed += record.ok() ? 1 : 0;
    }
    while (made_.processes.size() <= static_cast<size_t>(record.process)) {
      made_.processes.push_back(absl::StrCat(made_.processes.size()));
    }
    ++made_.operations;
    key.operations.push_back(operation);
    places_[index].push_back(place);
  }

  size_t KeyIndex(const std::string& key) {
    const auto [it, added] = keys_.emplace(key, made_.keys.size());
    if (added) {
      made_.keys.emplace_back();
      made_.keys.back().key = key;
      made_.keys.back().values.emplace_back();
      values_.emplace_back();
      values_.back()[""] = history::kInitialValue;
      places_.emplace_back();
    }
    return it->second;
  }

  history::ValueId ValueOf(const std::string& value, size_t key) {
    std::vector<std::string>& known = made_.keys[key].values;
    const auto [it, added] =
        values_[key].emplace(value, static_cast<history::ValueId>(known.size()));
    if (added) known.push_back(value);
    return it->second;
  }

  history::History made_;
  std::map<std::string, size_t> keys_;
  std::vector<std::map<std::string, history::ValueId>> values_;
  std::vector<std::vector<size_t>> places_;
};

const char* ClaimOf(history::Model model) {
  switch (model) {
    case history::Model::kRegister:
      return "reads and writes of every key are linearizable";
    case history::Model::kCasRegister:
      return "reads, writes and compare-and-set of every key are linearizable";
    case history::Model::kSessions:
      return "every client sees what it has seen and written, in its order";
  }
  return "?";
}

}  // namespace

HistoryJudgement JudgeHistory(const std::vector<ProtocolRecord>& records, history::Model model) {
  Maker maker;
  const history::History made = maker.Make(records);
  const history::CheckResult result = history::CheckHistory(made, model);
  HistoryJudgement judgement;
  judgement.verdict = result.verdict;
  if (result.verdict == history::Verdict::kUnknown) {
    judgement.violation.property =
        result.findings.empty() ? result.why : result.findings.front().finding.why;
  }
  if (result.verdict != history::Verdict::kViolated) return judgement;
  const auto found = std::find_if(result.findings.begin(), result.findings.end(),
                                  [](const history::KeyFinding& finding) {
                                    return finding.finding.verdict == history::Verdict::kViolated;
                                  });
  judgement.violation.property = ClaimOf(model);
  if (found == result.findings.end()) return judgement;  // of a key behind the first few
  judgement.violation.witness = absl::StrCat("No order of these explains what was answered (key ",
                                             made.keys[found->key].key, "):");
  for (const size_t operation : found->finding.witness) {
    absl::StrAppend(&judgement.violation.witness, "\n",
                    DescribeRecord(records[maker.RecordOf(found->key, operation)]));
  }
  return judgement;
}

}  // namespace norn::sim
