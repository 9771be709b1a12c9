#include "sim/replica_watch.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"
#include "core/replication/record_ops.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

std::string DescribeRecord(absl::string_view bytes) {
  RecordView record;
  if (!RecordView::Parse(bytes, &record)) return "damaged";
  std::vector<std::string> versions;
  for (const VersionView& version : record.versions) {
    // Values carry padding behind their name.
    const absl::string_view name = version.value.substr(0, version.value.find(' '));
    versions.push_back(absl::StrCat(version.tombstone ? "deleted" : name, " @",
                                    ToString(version.dot),
                                    version.expires_us != 0 ? " (expires)" : ""));
  }
  std::vector<std::string> seen;
  for (const VersionVector::Entry& entry : record.context.entries()) {
    seen.push_back(ToString(Dot{entry.incarnation, entry.counter}));
  }
  return absl::StrCat("{", absl::StrJoin(versions, ", "), "} seen {", absl::StrJoin(seen, ", "),
                      "}");
}

}  // namespace

std::string DescribeStored(const std::string& engine_key, const std::string& bytes) {
  if (bytes.empty()) return "";
  HintView hint;
  if (storage::PartitionIn(engine_key) != kHintSpace || !HintView::Parse(bytes, &hint)) {
    return DescribeRecord(bytes);
  }
  return absl::StrCat("hint for n", absl::StrJoin(hint.owners, ", n"), ": ",
                      DescribeRecord(hint.record));
}

void ReplicaWatch::Begin() {
  held_.clear();
  under_way_.clear();
  excising_.clear();
  RunEvent event;
  event.kind = RunEvent::Kind::kUp;
  event.time_us = scheduler_.now_us();
  event.node = node_;
  trace_.Tell(event);
  Look();
}

void ReplicaWatch::Look() {
  std::map<std::string, std::string> now = snapshot_();
  const std::map<std::string, std::string> before = held_;
  for (const auto& [key, bytes] : before) {
    if (now.count(key) == 0) Set(key, "");
  }
  for (auto& [key, bytes] : now) {
    const auto had = before.find(key);
    if (had == before.end() || had->second != bytes) Set(key, std::move(bytes));
  }
}

void ReplicaWatch::Set(const std::string& engine_key, std::string bytes) {
  RunEvent event;
  event.kind = RunEvent::Kind::kRecord;
  event.time_us = scheduler_.now_us();
  event.node = node_;
  event.key = std::string(ClientKeyOf(engine_key.substr(storage::kEngineKeyPrefixBytes)));
  event.text = DescribeStored(engine_key, bytes);
  if (bytes.empty()) {
    held_.erase(engine_key);
  } else {
    held_[engine_key] = std::move(bytes);
  }
  trace_.Tell(event);
}

void ReplicaWatch::Submitted(const StoreRequest& request) {
  if (const auto* const update = std::get_if<StoreUpdate>(&request)) {
    under_way_[update->ticket] = *update;
  } else if (const auto* const excise = std::get_if<StoreExcise>(&request)) {
    excising_[excise->ticket] = true;
  }
}

void ReplicaWatch::Replied(const StoreReply& reply) {
  if (excising_.erase(reply.ticket) != 0) return Look();
  const auto it = under_way_.find(reply.ticket);
  if (it == under_way_.end()) return;
  const StoreUpdate update = std::move(it->second);
  under_way_.erase(it);
  if (!reply.change.has_value()) return;
  const std::string key = storage::MakeEngineKey(update.partition, update.key);
  const auto held = held_.find(key);
  std::string next;
  const absl::Status done =
      ApplyOp(update.op, held == held_.end() ? std::string() : held->second, &next);
  if (done.ok() && hasher_.Hash(update.key, next) == reply.change->after) {
    Set(key, std::move(next));
  } else {
    Look();  // a change whose reply was an error went before, or a record had rotted
  }
}

}  // namespace norn::sim
