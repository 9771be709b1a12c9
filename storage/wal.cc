#include "storage/wal.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"
#include "storage/record_log.h"

namespace norn::storage {
namespace {

constexpr uint8_t kOpening = 1;
constexpr uint8_t kGroup = 2;
constexpr char kLazy = 1;
constexpr size_t kGroupPrefixBytes = 13;

}  // namespace

std::string EncodeWalOpening(const WalOpening& opening) {
  std::string body(1, static_cast<char>(kOpening));
  AppendVarint(&body, opening.first_sequence);
  AppendVarint(&body, opening.previous_number);
  AppendVarint(&body, opening.previous_bytes);
  if (opening.lazy) body.push_back(kLazy);
  return body;
}

std::optional<WalOpening> DecodeWalOpening(absl::string_view body) {
  ByteReader reader(body);
  const uint8_t tag = reader.ReadByte();
  WalOpening opening;
  opening.first_sequence = reader.ReadVarint();
  opening.previous_number = reader.ReadVarint();
  opening.previous_bytes = reader.ReadVarint();
  opening.lazy = !reader.empty();
  if (opening.lazy && reader.ReadByte() != kLazy) return std::nullopt;
  if (tag != kOpening || !reader.Done()) return std::nullopt;
  return opening;
}

WalGroup::WalGroup(uint64_t first_sequence)
    : first_sequence_(first_sequence), record_(kRecordHeadBytes + kGroupPrefixBytes, '\0') {
  record_[kRecordHeadBytes] = static_cast<char>(kGroup);
  StoreFixed64(record_.data() + kRecordHeadBytes + 1, first_sequence);
}

void WalGroup::Add(absl::string_view key, absl::string_view value, EntryKind kind) {
  AppendBytes(&record_, key);
  if (kind == EntryKind::kValue) {
    CORE_CHECK(value.size() < kDeletionSize);
    AppendBytes(&record_, value);
  } else {
    CORE_CHECK(value.empty());
    AppendVarint(&record_, kDeletionSize);
  }
  ++count_;
}

const std::string& WalGroup::Seal(LogEncoder* encoder) {
  CORE_CHECK(count_ > 0);
  StoreFixed32(record_.data() + kRecordHeadBytes + 9, count_);
  encoder->SealRecord(&record_);
  return record_;
}

WalGroupReader::WalGroupReader(absl::string_view body) : reader_(body) {
  if (reader_.ReadByte() != kGroup) reader_.Fail();
  first_sequence_ = reader_.ReadFixed64();
  count_ = reader_.ReadFixed32();
  // The last sequence must not wrap around.
  if (count_ == 0 || first_sequence_ == 0 || first_sequence_ + count_ < first_sequence_) {
    reader_.Fail();
  }
}

bool WalGroupReader::Next() {
  if (reader_.failed()) return false;
  if (taken_ == count_) {
    if (!reader_.empty()) reader_.Fail();
    return false;
  }
  key_ = reader_.ReadBytes();
  const uint64_t size = reader_.ReadVarint();
  kind_ = size == kDeletionSize ? EntryKind::kDeletion : EntryKind::kValue;
  value_ = reader_.Read(kind_ == EntryKind::kDeletion ? 0 : static_cast<size_t>(size));
  if (reader_.failed()) return false;
  ++taken_;
  return true;
}

}  // namespace norn::storage
