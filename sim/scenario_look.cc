#include "sim/scenario_look.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"
#include "sim/history.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

// The entry of the engine under exactly this key; empty: there is none.
absl::StatusOr<std::string> ReadEntry(const std::string& key, storage::Engine& engine) {
  std::vector<storage::Engine::Entry> entries;
  std::string next;
  const absl::Status status =
      engine.Scan(key, key + std::string(1, '\0'), 1, UINT32_MAX, &entries, &next);
  if (!status.ok()) return status;
  return entries.empty() ? std::string() : std::move(entries.front().value);
}

// Sorted.
absl::StatusOr<std::vector<std::string>> ValuesOf(const v1::ScenarioCheck& check,
                                                  const Layout& layout, SimNode& node) {
  const std::string key = MakeRecordKey(BucketOfKey(check.key()), check.key());
  const PartitionId partition = check.hint() ? kHintSpace : layout.PartitionOf(key);
  absl::StatusOr<std::string> entry =
      ReadEntry(storage::MakeEngineKey(partition, key), *node.engine());
  if (!entry.ok()) return entry.status();
  HintView hint;
  if (check.hint() && !HintView::Parse(*entry, &hint)) return absl::DataLossError("no hint");
  Record record;
  if (!Record::Decode(check.hint() ? hint.record : absl::string_view(*entry), &record)) {
    return absl::DataLossError("no record");
  }
  std::vector<std::string> values;
  for (const Version& version : record.versions()) {
    if (!version.tombstone) values.push_back(NameOfValue(version.value));
    if (version.tombstone && check.forgotten()) values.push_back("a tombstone");
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::string CompareHints(const v1::ScenarioCheck& check, const NodeStatus& status) {
  if (status.hints_held < check.hints_min() ||
      (check.has_hints_max() && status.hints_held > check.hints_max())) {
    return absl::StrCat("holds ", status.hints_held, " hints");
  }
  if (status.hint_bytes < check.hint_bytes_min() ||
      (check.has_hint_bytes_max() && status.hint_bytes > check.hint_bytes_max())) {
    return absl::StrCat("holds ", status.hint_bytes, " bytes of hints");
  }
  if (status.hints_refused < check.hints_refused_min()) {
    return absl::StrCat("has refused ", status.hints_refused, " hints");
  }
  return "";
}

std::string CompareWork(const v1::ScenarioCheck& check, const NodeStatus& status) {
  if (status.replica_work_refused < check.replica_work_refused_min()) {
    return absl::StrCat("has refused ", status.replica_work_refused, " requests of others");
  }
  if (status.replica_work_expired < check.replica_work_expired_min()) {
    return absl::StrCat("has given up ", status.replica_work_expired, " requests of others");
  }
  if (check.has_replica_work_waiting_max() &&
      status.replica_work_waiting > check.replica_work_waiting_max()) {
    return absl::StrCat("has ", status.replica_work_waiting, " requests of others waiting");
  }
  return "";
}

std::string CompareDamage(const v1::ScenarioCheck& check, SimNode& node) {
  uint64_t damaged = 0;
  for (const storage::DamagedRange& range : node.engine()->damaged_ranges()) {
    damaged += range.settled ? 1 : 0;
  }
  if (damaged < check.damaged_min() || (check.has_damaged_max() && damaged > check.damaged_max())) {
    return absl::StrCat("cannot read ", damaged, " ranges of keys");
  }
  const uint64_t mended = node.node()->Status().damage_mended;
  if (mended < check.mended_min()) return absl::StrCat("has mended ", mended, " ranges of keys");
  return "";
}

}  // namespace

std::string NameOfValue(const std::string& value) { return value.substr(0, value.find(' ')); }

std::string FindOtherwise(const v1::ScenarioCheck& check, const Layout& layout, SimNode& node) {
  const std::string name = absl::StrCat("n", node.id(), " ");
  if (!node.up()) return name + "is down";
  if (std::string other = CompareHints(check, node.node()->Status()); !other.empty()) {
    return name + other;
  }
  if (std::string other = CompareWork(check, node.node()->Status()); !other.empty()) {
    return name + other;
  }
  if (std::string other = CompareDamage(check, node); !other.empty()) return name + other;
  if (check.key().empty()) return "";
  const absl::StatusOr<std::vector<std::string>> values = ValuesOf(check, layout, node);
  if (!values.ok()) return absl::StrCat(name, absl::string_view(values.status().message()));
  std::vector<std::string> wanted(check.holds().begin(), check.holds().end());
  std::sort(wanted.begin(), wanted.end());
  if (*values == wanted) return "";
  return absl::StrCat(name, "holds ", check.hint() ? "a hint of " : "of ", check.key(), ": {",
                      absl::StrJoin(*values, ", "), "}");
}

}  // namespace norn::sim
