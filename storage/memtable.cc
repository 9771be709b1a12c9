#include "storage/memtable.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/random.h"

namespace norn::storage {
namespace {

// The first eight bytes of a key, big-endian, zeros behind a shorter one: where two
// prefixes differ, the keys compare alike.
uint64_t KeyPrefix(absl::string_view key) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t prefix = 0;
  if (key.size() >= 8) {
    std::memcpy(&prefix, key.data(), 8);
    return __builtin_bswap64(prefix);
  }
  for (size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return prefix;
}

}  // namespace

// Followed in memory by its links (`height` of them), the key and the value.
struct Memtable::Node {
  uint64_t prefix;
  uint64_t sequence;
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint32_t height;

  Node** links() { return reinterpret_cast<Node**>(this + 1); }
  Node* next(int level) const { return reinterpret_cast<Node* const*>(this + 1)[level]; }
  const char* bytes() const {
    return reinterpret_cast<const char*>(reinterpret_cast<Node* const*>(this + 1) + height);
  }
  absl::string_view key() const { return absl::string_view(bytes(), key_bytes); }
  absl::string_view value() const { return absl::string_view(bytes() + key_bytes, value_bytes); }
  bool IsBefore(uint64_t other_prefix, absl::string_view other) const {
    return prefix != other_prefix ? prefix < other_prefix : key() < other;
  }
};

Memtable::Memtable(uint64_t seed) : random_(seed) {
  static_assert(sizeof(Node) % alignof(Node*) == 0);
  char* const memory = arena_.Allocate(sizeof(Node) + kHeightMax * sizeof(Node*));
  head_ = new (memory)
      Node{.prefix = 0, .sequence = 0, .key_bytes = 0, .value_bytes = 0, .height = kHeightMax};
  for (int level = 0; level < kHeightMax; ++level) new (head_->links() + level) Node*(nullptr);
}

int Memtable::DrawHeight() {
  // Each level holds a quarter of the one below: two random bits a level.
  uint64_t bits = random_.Next64();
  int height = 1;
  for (; height < kHeightMax && (bits & 3) == 0; ++height) bits >>= 2;
  return height;
}

Memtable::Node* Memtable::SeekNode(absl::string_view key, Node** before) const {
  const uint64_t prefix = KeyPrefix(key);
  Node* node = head_;
  for (int level = height_ - 1;; --level) {
    Node* next = node->next(level);
    while (next != nullptr && next->IsBefore(prefix, key)) {
      node = next;
      next = node->next(level);
    }
    if (before != nullptr) before[level] = node;
    if (level == 0) return next;
  }
}

void Memtable::Add(uint64_t sequence, absl::string_view key, absl::string_view value) {
  CORE_CHECK(sequence > last_sequence_);
  Node* before[kHeightMax];
  // New writes of a key go in front of its older ones.
  SeekNode(key, before);
  const int height = DrawHeight();
  for (; height_ < height; ++height_) before[height_] = head_;
  const size_t links_bytes = static_cast<size_t>(height) * sizeof(Node*);
  char* const memory = arena_.Allocate(sizeof(Node) + links_bytes + key.size() + value.size());
  Node* const node = new (memory) Node{.prefix = KeyPrefix(key),
                                       .sequence = sequence,
                                       .key_bytes = static_cast<uint32_t>(key.size()),
                                       .value_bytes = static_cast<uint32_t>(value.size()),
                                       .height = static_cast<uint32_t>(height)};
  char* const bytes = memory + sizeof(Node) + links_bytes;
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(bytes + key.size(), value.data(), value.size());
  for (int level = 0; level < height; ++level) {
    new (node->links() + level) Node*(before[level]->next(level));
    before[level]->links()[level] = node;
  }
  ++entries_;
  last_sequence_ = sequence;
}

bool Memtable::Find(absl::string_view key, absl::string_view* value, uint64_t* sequence) const {
  const Node* const node = SeekNode(key, nullptr);
  if (node == nullptr || node->key() != key) return false;
  *value = node->value();
  *sequence = node->sequence;
  return true;
}

void MemtableIterator::Seek(absl::string_view key) {
  node_ = memtable_->SeekNode(key, nullptr);
  state_ = node_ == nullptr ? State::kEnd : State::kEntry;
}

void MemtableIterator::Next() {
  node_ = node_->next(0);
  state_ = node_ == nullptr ? State::kEnd : State::kEntry;
}

absl::string_view MemtableIterator::key() const { return node_->key(); }
absl::string_view MemtableIterator::value() const { return node_->value(); }
uint64_t MemtableIterator::sequence() const { return node_->sequence; }

}  // namespace norn::storage
