#include "storage/block.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"

namespace norn::storage {
namespace {

struct EntryHead {
  uint64_t shared;
  uint64_t unshared;
  uint64_t value_size;
  uint64_t sequence;
  EntryKind kind;
};

// Returns the first byte behind the head, or null.
const char* LoadEntryHead(const char* from, const char* end, EntryHead* head) {
  // Mostly the first three are a byte each.
  if (end - from >= 4 &&
      ((static_cast<unsigned char>(from[0]) | static_cast<unsigned char>(from[1]) |
        static_cast<unsigned char>(from[2])) &
       0x80) == 0) {
    head->shared = static_cast<unsigned char>(from[0]);
    head->unshared = static_cast<unsigned char>(from[1]);
    head->value_size = static_cast<unsigned char>(from[2]);
    head->kind = EntryKind::kValue;
    from = LoadVarint(from + 3, end, &head->sequence);
    if (from == nullptr) return nullptr;
    const auto left = static_cast<uint64_t>(end - from);
    return head->unshared > left || head->value_size > left - head->unshared ? nullptr : from;
  }
  from = LoadVarint(from, end, &head->shared);
  if (from != nullptr) from = LoadVarint(from, end, &head->unshared);
  if (from != nullptr) from = LoadVarint(from, end, &head->value_size);
  if (from != nullptr) from = LoadVarint(from, end, &head->sequence);
  if (from == nullptr) return nullptr;
  const bool deletion = head->value_size == kDeletionSize;
  head->kind = deletion ? EntryKind::kDeletion : EntryKind::kValue;
  if (deletion) head->value_size = 0;
  const auto left = static_cast<uint64_t>(end - from);
  if (head->unshared > left || head->value_size > left - head->unshared) return nullptr;
  return from;
}

}  // namespace

void BlockBuilder::Add(absl::string_view key, uint64_t sequence, absl::string_view value,
                       EntryKind kind) {
  CORE_CHECK(empty() || absl::string_view(last_key_) < key);
  CORE_CHECK(kind == EntryKind::kValue ? value.size() < kDeletionSize : value.empty());
  size_t shared = 0;
  if (empty() || since_restart_ >= restart_interval_) {
    restarts_.push_back(static_cast<uint32_t>(buffer_.size()));
    since_restart_ = 0;
  } else {
    const size_t most = std::min(key.size(), last_key_.size());
    while (shared < most && key[shared] == last_key_[shared]) ++shared;
  }
  AppendVarint(&buffer_, shared);
  AppendVarint(&buffer_, key.size() - shared);
  AppendVarint(&buffer_, kind == EntryKind::kValue ? value.size() : kDeletionSize);
  AppendVarint(&buffer_, sequence);
  buffer_.append(key.data() + shared, key.size() - shared);
  buffer_.append(value.data(), value.size());
  last_key_.assign(key.data(), key.size());
  ++since_restart_;
  ++entries_;
}

absl::string_view BlockBuilder::Finish() {
  for (const uint32_t restart : restarts_) AppendFixed32(&buffer_, restart);
  AppendFixed32(&buffer_, static_cast<uint32_t>(restarts_.size()));
  return buffer_;
}

void BlockBuilder::Reset() {
  buffer_.clear();
  restarts_.clear();
  last_key_.clear();
  since_restart_ = 0;
  entries_ = 0;
}

std::shared_ptr<const Block> Block::Parse(std::string bytes) {
  std::shared_ptr<Block> block(new Block(std::move(bytes)));
  return block->TakeRestarts() ? block : nullptr;
}

bool Block::TakeRestarts() {
  if (bytes_.size() < 4) return false;
  const uint32_t restarts = LoadFixed32(bytes_.data() + bytes_.size() - 4);
  if (restarts > (bytes_.size() - 4) / 4) return false;
  const size_t entries_bytes = bytes_.size() - 4 - size_t{4} * restarts;
  if ((restarts == 0) != (entries_bytes == 0)) return false;
  restarts_ = restarts;
  for (uint32_t i = 0; i < restarts; ++i) {
    if (restart(i) >= entries_bytes) return false;
    if (i == 0 ? restart(i) != 0 : restart(i) <= restart(i - 1)) return false;
  }
  return true;
}

uint32_t Block::restart(uint32_t i) const {
  return LoadFixed32(bytes_.data() + bytes_.size() - 4 - size_t{4} * (restarts_ - i));
}

std::optional<absl::string_view> Block::RestartKey(uint32_t i) const {
  const absl::string_view all = entries();
  EntryHead head;
  const char* const bytes = LoadEntryHead(all.data() + restart(i), all.data() + all.size(), &head);
  if (bytes == nullptr || head.shared != 0) return std::nullopt;
  return absl::string_view(bytes, static_cast<size_t>(head.unshared));
}

std::optional<Block::WholeEntry> Block::LoneEntry(uint32_t i) const {
  const absl::string_view all = entries();
  EntryHead head;
  const char* const bytes = LoadEntryHead(all.data() + restart(i), all.data() + all.size(), &head);
  if (bytes == nullptr || head.shared != 0) return std::nullopt;
  const WholeEntry entry{
      .key = absl::string_view(bytes, static_cast<size_t>(head.unshared)),
      .value = absl::string_view(bytes + head.unshared, static_cast<size_t>(head.value_size))};
  const char* const next = all.data() + (i + 1 < restarts_ ? restart(i + 1) : all.size());
  if (entry.value.data() + entry.value.size() != next) return std::nullopt;
  return entry;
}

std::optional<size_t> Block::SeekRestart(absl::string_view key) const {
  const absl::string_view all = entries();
  const char* const end = all.data() + all.size();
  uint32_t low = 0;
  uint32_t high = restarts_;
  while (low + 1 < high) {
    const uint32_t middle = low + (high - low) / 2;
    EntryHead head;
    const char* const bytes = LoadEntryHead(all.data() + restart(middle), end, &head);
    if (bytes == nullptr || head.shared != 0) return std::nullopt;
    if (absl::string_view(bytes, static_cast<size_t>(head.unshared)) < key) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return restarts_ == 0 ? 0 : restart(low);
}

Block::Outcome Block::Find(absl::string_view key, absl::string_view* value,
                           uint64_t* sequence) const {
  const std::optional<size_t> start = SeekRestart(key);
  if (!start.has_value()) return Outcome::kDamaged;
  const absl::string_view all = entries();
  const char* at = all.data() + *start;
  const char* const end = all.data() + all.size();
  // Where an entry begins is known only from the one before it: to wait for all of them together
  // is faster than for one after the other.
  for (size_t ahead = 64; ahead <= 1024; ahead += 64) __builtin_prefetch(at + ahead);
  // `common`: how many bytes the last entry's key, which is below `key`, has in common with it.
  // An entry that shares more than those with the last one is below `key`, too; one that shares
  // less is above; only one that shares just as many has to be looked at.
  uint64_t common = 0;
  uint64_t last_size = 0;
  while (at < end) {
    EntryHead head;
    const char* const bytes = LoadEntryHead(at, end, &head);
    if (bytes == nullptr || head.shared > last_size) return Outcome::kDamaged;
    last_size = head.shared + head.unshared;
    at = bytes + head.unshared + head.value_size;
    if (head.shared == 0) common = 0;  // a restart, which shares more than it says
    if (head.shared < common) return Outcome::kAbsent;
    if (head.shared > common) continue;
    const absl::string_view tail(bytes, static_cast<size_t>(head.unshared));
    const absl::string_view sought = key.substr(static_cast<size_t>(common));
    const size_t most = std::min(tail.size(), sought.size());
    size_t same = 0;
    while (same < most && tail[same] == sought[same]) ++same;
    if (same == most) {
      if (tail.size() == sought.size()) {
        *value = absl::string_view(bytes + head.unshared, static_cast<size_t>(head.value_size));
        *sequence = head.sequence;
        return head.kind == EntryKind::kValue ? Outcome::kFound : Outcome::kDeleted;
      }
      if (tail.size() > sought.size()) return Outcome::kAbsent;
    } else if (static_cast<unsigned char>(tail[same]) > static_cast<unsigned char>(sought[same])) {
      return Outcome::kAbsent;
    }
    common += same;
  }
  return Outcome::kAbsent;
}

void BlockCursor::Damaged() {
  damaged_ = true;
  valid_ = false;
}

bool BlockCursor::Decode() {
  const absl::string_view entries = block_->entries();
  valid_ = false;
  if (next_ >= entries.size()) return false;
  const char* const end = entries.data() + entries.size();
  EntryHead head;
  const char* const bytes = LoadEntryHead(entries.data() + next_, end, &head);
  if (bytes == nullptr || head.shared > key_.size()) {
    Damaged();
    return false;
  }
  key_.resize(static_cast<size_t>(head.shared));
  key_.append(bytes, static_cast<size_t>(head.unshared));
  value_ = absl::string_view(bytes + head.unshared, static_cast<size_t>(head.value_size));
  sequence_ = head.sequence;
  kind_ = head.kind;
  next_ = static_cast<size_t>(value_.data() + value_.size() - entries.data());
  valid_ = true;
  return true;
}

void BlockCursor::SeekToFirst() {
  next_ = 0;
  key_.clear();
  damaged_ = false;
  Decode();
}

void BlockCursor::Seek(absl::string_view key) {
  damaged_ = false;
  const std::optional<size_t> start = block_->SeekRestart(key);
  if (!start.has_value()) return Damaged();
  next_ = *start;
  key_.clear();
  while (Decode()) {
    if (absl::string_view(key_) >= key) return;
  }
}

void BlockCursor::Next() {
  CORE_CHECK(valid_);
  Decode();
}

}  // namespace norn::storage
