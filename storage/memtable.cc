#include "storage/memtable.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/key_prefix.h"

namespace norn::storage {
Memtable::Prefix::Prefix(absl::string_view key)
    : high(KeyPrefix(key)), low(key.size() <= 8 ? 0 : KeyPrefix(key.substr(8))) {}

void Memtable::Add(uint64_t sequence, absl::string_view key, absl::string_view value,
                   EntryKind kind) {
  CORE_CHECK(sequence > last_sequence_);
  CORE_CHECK(kind == EntryKind::kValue ? value.size() < kDeletionSize : value.empty());
  char* const memory = arena_.Allocate(sizeof(Entry) + key.size() + value.size());
  const auto* const entry = new (memory)
      Entry{.sequence = sequence,
            .key_bytes = static_cast<uint32_t>(key.size()),
            .value_bytes =
                kind == EntryKind::kValue ? static_cast<uint32_t>(value.size()) : kDeletionSize};
  char* const bytes = memory + sizeof(Entry);
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
  slots_.insert(slots_.end(), Slot{Prefix(key), entry});
  last_sequence_ = sequence;
}

bool Memtable::Find(absl::string_view key, Write* write) const {
  const auto at = FirstOf(key);
  if (at == slots_.end() || at->entry->key() != key) return false;
  *write = {
      .value = at->entry->value(), .sequence = at->entry->sequence, .kind = at->entry->kind()};
  return true;
}

void MemtableIterator::Settle() {
  seen_entries_ = memtable_->entries();
  const bool end = at_ == memtable_->slots_.end();
  entry_ = end ? nullptr : at_->entry;
  state_ = end ? State::kEnd : State::kEntry;
}

void MemtableIterator::Seek(absl::string_view key) {
  at_ = memtable_->FirstOf(key);
  Settle();
}

void MemtableIterator::Next() {
  if (seen_entries_ == memtable_->entries()) {
    ++at_;
  } else {
    // A key's older entries come behind its newer ones.
    const absl::string_view key = entry_->key();
    at_ = memtable_->slots_.upper_bound(
        Memtable::Target{Memtable::Prefix(key), key, entry_->sequence});
  }
  Settle();
}

absl::string_view MemtableIterator::key() const { return entry_->key(); }
absl::string_view MemtableIterator::value() const { return entry_->value(); }
uint64_t MemtableIterator::sequence() const { return entry_->sequence; }
EntryKind MemtableIterator::kind() const { return entry_->kind(); }

}  // namespace norn::storage
