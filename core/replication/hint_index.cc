#include "core/replication/hint_index.h"

#include <algorithm>

#include "core/check.h"

namespace norn {

HintIndex::Entry& HintIndex::Enter(const Place& place) {
  const auto [it, is_new] = entries_.try_emplace(place);
  if (is_new && partition_of_ != nullptr) ++counts_[partition_of_(place.second)];
  return it->second;
}

bool HintIndex::Admit(const Place& place, uint64_t record_bytes) {
  if (bytes_ + record_bytes > bytes_max_) return false;
  bytes_ += record_bytes;
  Entry& entry = Enter(place);
  ++entry.writes;
  ++entry.under_way;
  return true;
}

HintIndex::Entry& HintIndex::Settle(const Place& place, uint64_t admitted_bytes) {
  const auto it = entries_.find(place);
  CORE_CHECK(it != entries_.end() && it->second.under_way > 0);
  --it->second.under_way;
  CORE_CHECK(bytes_ >= admitted_bytes);
  bytes_ -= admitted_bytes;
  return it->second;
}

void HintIndex::Stored(const Place& place, uint64_t admitted_bytes, uint64_t record_bytes,
                       int64_t time_us) {
  Entry& entry = Settle(place, admitted_bytes);
  const uint64_t bytes = kOverheadBytes + place.second.size() + record_bytes;
  bytes_ += bytes;
  bytes_ -= entry.bytes;
  entry.bytes = bytes;
  entry.time_us = time_us;
  entry.stored = true;
}

void HintIndex::Refused(const Place& place, uint64_t admitted_bytes) {
  const Entry& entry = Settle(place, admitted_bytes);
  if (!entry.stored && entry.under_way == 0) Erase(entries_.find(place));
}

void HintIndex::Found(const Place& place, uint64_t record_bytes, int64_t time_us) {
  Entry& entry = Enter(place);  // whatever the limit is now: it is here
  ++entry.writes;
  ++entry.under_way;
  Stored(place, 0, record_bytes, time_us);
}

uint64_t HintIndex::WritesOf(const Place& place) const {
  const auto it = entries_.find(place);
  return it == entries_.end() ? 0 : it->second.writes;
}

void HintIndex::Removed(const Place& place, uint64_t writes) {
  const auto it = entries_.find(place);
  if (it == entries_.end() || it->second.writes != writes) return;
  if (it->second.under_way == 0) {
    Erase(it);
  } else {
    it->second.stored = false;  // until the write that is under way says otherwise
  }
}

void HintIndex::Erase(std::map<Place, Entry>::iterator it) {
  CORE_CHECK(bytes_ >= it->second.bytes);
  bytes_ -= it->second.bytes;
  if (partition_of_ != nullptr) {
    const auto count = counts_.find(partition_of_(it->first.second));
    if (--count->second == 0) counts_.erase(count);
  }
  entries_.erase(it);
}

uint64_t HintIndex::CountOf(PartitionId partition) const {
  CORE_CHECK(partition_of_ != nullptr);
  const auto it = counts_.find(partition);
  return it == counts_.end() ? 0 : it->second;
}

const HintIndex::Place* HintIndex::Next(NodeId owner, const std::string& key) const {
  for (auto it = entries_.upper_bound(Place(owner, key)); it != entries_.end(); ++it) {
    if (it->first.first != owner) return nullptr;
    if (it->second.stored) return &it->first;
  }
  return nullptr;
}

NodeId HintIndex::NextOwner(NodeId owner) const {
  if (owner == UINT16_MAX) return kNoNode;
  const auto it = entries_.lower_bound(Place(static_cast<NodeId>(owner + 1), std::string()));
  return it == entries_.end() ? kNoNode : it->first.first;
}

uint64_t HintIndex::BytesOf(const Place& place) const {
  const auto it = entries_.find(place);
  return it == entries_.end() ? 0 : it->second.bytes;
}

int64_t HintIndex::WrittenAt(const Place& place) const {
  const auto it = entries_.find(place);
  return it == entries_.end() ? 0 : it->second.time_us;
}

int64_t HintIndex::Oldest() const {
  int64_t oldest = 0;
  for (const auto& [place, entry] : entries_) {
    if (entry.stored && (oldest == 0 || entry.time_us < oldest)) oldest = entry.time_us;
  }
  return oldest;
}

}  // namespace norn
