#include "sim/properties/outcome.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/check.h"
#include "sim/case.h"
#include "sim/case_history.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

// What was asked before the run came to its end.
Operation Asked(const v1::CaseOperation& from) {
  Operation asked;
  asked.id = from.id();
  asked.client = static_cast<int>(from.client());
  asked.node = static_cast<NodeId>(from.via());
  asked.kind = static_cast<ClientRequest::Kind>(from.kind());
  asked.base = static_cast<ClientRequest::Base>(from.base());
  asked.key = from.key();
  if (!from.value().empty()) {
    asked.value = absl::StrCat(from.value(), " ", std::string(from.pad_bytes(), 'x'));
  }
  asked.quorum = static_cast<int>(from.quorum());
  asked.invoked_us = from.at_us();
  return asked;
}

// Null: there is none.
const MintedVersion* FindVersion(const History& history, const std::string& key,
                                 const std::string& value) {
  for (const MintedVersion& version : history.minted) {
    if (!version.tombstone && version.key == key && version.value == value) return &version;
  }
  return nullptr;
}

}  // namespace

const MintedVersion* Outcome::VersionOf(const Operation& put) const {
  return FindVersion(history, put.key, put.value);
}

bool Outcome::Covers(const Operation& answer, const Operation& put) const {
  const MintedVersion* const version = VersionOf(put);
  return version != nullptr && answer.context.Covers(version->dot);
}

bool Outcome::Replaces(const Operation& write, const std::string& value) const {
  const MintedVersion* const version = FindVersion(history, write.key, value);
  return version != nullptr && write.replaces.Covers(version->dot);
}

std::map<NodeId, std::vector<std::string>> Outcome::Held(const std::string& key) const {
  std::map<NodeId, std::vector<std::string>> held;
  const auto copies = replicas.find(MakeRecordKey(BucketOfKey(key), key));
  if (copies == replicas.end()) return held;
  for (const auto& [node, bytes] : copies->second) {
    Record record;
    CORE_CHECK(Record::Decode(bytes, &record));
    for (const Version& version : record.versions()) {
      if (!version.tombstone) held[node].push_back(version.value);
    }
  }
  return held;
}

std::vector<std::vector<const Operation*>> Sessions(const Outcome& outcome) {
  std::map<int, std::vector<const Operation*>> by_client;
  for (const Operation& operation : outcome.history.operations) {
    if (operation.client > 0) by_client[operation.client].push_back(&operation);
  }
  std::vector<std::vector<const Operation*>> sessions;
  for (auto& [client, operations] : by_client) sessions.push_back(std::move(operations));
  return sessions;
}

std::string ShortValue(const std::string& value) { return value.substr(0, value.find(' ')); }

Outcome OutcomeOf(const v1::Case& written, CaseRun run) {
  Outcome outcome;
  outcome.tried = written;
  CORE_CHECK(ReadHistory(run.history, &outcome.history, &outcome.replicas));
  if (!run.recorded.has_outcome() || run.hash.empty()) {
    for (const v1::CaseOperation& each : run.recorded.operation()) {
      outcome.history.operations.push_back(Asked(each));
    }
  }
  std::vector<Operation>& all = outcome.history.operations;
  outcome.last_reads = all.size();
  while (outcome.last_reads > 0 && all[outcome.last_reads - 1].client == 0) --outcome.last_reads;
  outcome.run = std::move(run);
  return outcome;
}

Outcome Perform(const v1::Case& written, const PerformOptions& options) {
  const auto made = MakeCase(NornStore(), written);
  if (!made.ok()) throw std::invalid_argument(std::string(made.status().message()));
  RunOptions run;
  run.replay = *made;
  run.record_history = true;
  run.record_events = options.record_events;
  CaseRunnerOptions running;
  running.limit_ms = options.limit_ms;
  return OutcomeOf(written, CaseRunner(NornStore(), running).Run(run));
}

}  // namespace norn::sim
