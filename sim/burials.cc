#include "sim/burials.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/causality/record.h"
#include "core/replication/record_ops.h"
#include "core/types.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

bool MayBeRemoved(absl::string_view record) {
  RecordView view;
  if (!RecordView::Parse(record, &view) || view.versions.empty()) return false;
  return std::all_of(view.versions.begin(), view.versions.end(), [](const VersionView& version) {
    return version.tombstone || version.expires_us != 0;
  });
}

}  // namespace

FinalState WithoutDead(const FinalState& state) {
  FinalState left;
  for (const auto& [key, copies] : state) {
    for (const auto& [node, record] : copies) {
      if (!MayBeRemoved(record)) left[key][node] = record;
    }
  }
  return left;
}

void Burials::Found(absl::string_view record_key, absl::string_view record) {
  if (!MayBeRemoved(record)) return;
  const RecordHash hash = HashOf(record);
  found_[{std::string(record_key), {hash.high, hash.low}}] = std::string(record);
}

std::optional<Violation> Burials::Removed(History* history, absl::string_view record_key,
                                          const RecordHash& hash, int64_t now_us) {
  const Name name(std::string(record_key), {hash.high, hash.low});
  if (!removed_.insert(name).second) return std::nullopt;
  const std::string key(ClientKeyOf(record_key));
  const auto found = found_.find(name);
  if (found == found_.end()) {
    return Violation{"only what is dead is removed",
                     absl::StrCat("at ", now_us / 1000, " ms a record of ", key,
                                  " is removed that nobody found to be dead")};
  }
  Record record;
  if (!Record::Decode(found->second, &record)) return std::nullopt;
  Burial burial;
  burial.key = key;
  burial.at_us = now_us;
  burial.context = record.context();
  for (const Version& version : record.versions()) burial.versions.push_back(version.dot);
  history->burials.push_back(std::move(burial));
  return std::nullopt;
}

namespace {

// Of reads that were under way at the time, who found what had been covered saw what was before.
bool SawBefore(const Operation& read, const Burial& burial, const MintedIndex& index) {
  return std::any_of(read.read.begin(), read.read.end(), [&](const std::string& value) {
    const auto& versions = index.OfValue(value);
    return std::any_of(versions.begin(), versions.end(), [&](const MintedVersion* version) {
      return burial.context.Covers(version->dot);
    });
  });
}

}  // namespace

void AddBurials(History* history) {
  const MintedIndex index(*history);
  std::map<absl::string_view, std::vector<const Burial*>> by_key;
  for (const Burial& burial : history->burials) by_key[burial.key].push_back(&burial);
  for (Operation& operation : history->operations) {
    if (!operation.ok() || operation.kind != ClientRequest::Kind::kGet) continue;
    const auto of_key = by_key.find(operation.key);
    if (of_key == by_key.end()) continue;
    // In the order in which they were removed: who saw what was before one saw none of the later.
    for (const Burial* burial : of_key->second) {
      if (burial->at_us > operation.completed_us) break;
      if (burial->at_us > operation.invoked_us && SawBefore(operation, *burial, index)) break;
      operation.context.Join(burial->context);
    }
  }
}

}  // namespace norn::sim
