#include "storage/record_cache.h"

#include <cstring>
#include <new>

namespace norn::storage {

// Head and bytes in one allocation. The record has room to grow a little in place, since a
// hot key is mostly overwritten by records of its own size.
struct RecordCache::Entry {
  uint64_t sequence;
  size_t place;  // in ring_
  uint32_t key_bytes;
  uint32_t record_bytes;
  uint32_t record_room;
  bool used;  // since the hand last came by

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  absl::string_view key() const { return absl::string_view(bytes(), key_bytes); }
  absl::string_view record() const { return absl::string_view(bytes() + key_bytes, record_bytes); }
  void SetRecord(absl::string_view record) {
    record_bytes = static_cast<uint32_t>(record.size());
    std::memcpy(bytes() + key_bytes, record.data(), record.size());
  }
};

RecordCache::~RecordCache() { Clear(); }

RecordCache::Entry* RecordCache::NewEntry(absl::string_view key, absl::string_view record) {
  const size_t room = record.size() + record.size() / 8 + 16;
  Entry* const entry = new (::operator new(sizeof(Entry) + key.size() + room)) Entry{};
  entry->key_bytes = static_cast<uint32_t>(key.size());
  entry->record_room = static_cast<uint32_t>(room);
  std::memcpy(entry->bytes(), key.data(), key.size());
  entry->SetRecord(record);
  return entry;
}

void RecordCache::Delete(Entry* entry) { ::operator delete(entry); }

size_t RecordCache::CostOf(const Entry& entry) {
  constexpr size_t kIndexBytes = 48;  // its share of the index and the ring, roughly
  return sizeof(Entry) + kIndexBytes + entry.key_bytes + entry.record_room;
}

bool RecordCache::Find(absl::string_view key, Found* found) {
  if (bytes_max_ == 0) return false;
  const auto at = index_.find(key);
  if (at == index_.end()) {
    ++misses_;
    return false;
  }
  ++hits_;
  Entry& entry = *at->second;
  entry.used = true;
  found->record = entry.record();
  found->sequence = entry.sequence;
  return true;
}

void RecordCache::Put(absl::string_view key, absl::string_view record, uint64_t sequence) {
  if (bytes_max_ == 0) return;
  const auto at = index_.find(key);
  if (at != index_.end() && record.size() <= at->second->record_room) {
    at->second->SetRecord(record);
    at->second->sequence = sequence;
    at->second->used = true;
    return;
  }
  Entry* const entry = NewEntry(key, record);
  entry->sequence = sequence;
  bytes_ += CostOf(*entry);
  if (at != index_.end()) {
    // In the old one's place; the index's key must point into the new one.
    Entry* const old = at->second;
    index_.erase(at);
    entry->place = old->place;
    entry->used = true;
    ring_[old->place] = entry;
    bytes_ -= CostOf(*old);
    Delete(old);
  } else {
    entry->place = ring_.size();
    ring_.push_back(entry);
  }
  index_.emplace(entry->key(), entry);
  while (bytes_ > bytes_max_ && ring_.size() > 1) EvictOne();
}

void RecordCache::EvictOne() {
  for (;;) {
    if (hand_ >= ring_.size()) hand_ = 0;
    Entry* const entry = ring_[hand_];
    // The newest is last; it may be unused, and is not to go at once.
    if (!entry->used && hand_ + 1 < ring_.size()) break;
    entry->used = false;
    ++hand_;
  }
  // The newest takes its place and so is looked at a whole round from now.
  TakeOut(hand_);
  ++hand_;
}

void RecordCache::TakeOut(size_t place) {
  Entry* const gone = ring_[place];
  ring_[place] = ring_.back();
  ring_[place]->place = place;
  ring_.pop_back();
  index_.erase(gone->key());
  bytes_ -= CostOf(*gone);
  Delete(gone);
}

void RecordCache::Erase(absl::string_view key) {
  const auto at = index_.find(key);
  if (at != index_.end()) TakeOut(at->second->place);
}

void RecordCache::Clear() {
  index_.clear();
  for (Entry* const entry : ring_) Delete(entry);
  ring_.clear();
  bytes_ = 0;
  hand_ = 0;
}

}  // namespace norn::storage
