#include "storage/record_log.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/coding.h"
#include "core/crc32c.h"

namespace norn::storage {
namespace {

constexpr size_t kMagicBytes = 8;

absl::string_view Magic(LogKind kind) { return kind == LogKind::kWal ? "nornwal\n" : "nornman\n"; }

// The CRC of the place, which every CRC of a record starts from.
uint32_t PlaceCrc(uint64_t file_id, uint64_t offset) {
  char place[16];
  StoreFixed64(place, file_id);
  StoreFixed64(place + 8, offset);
  return Crc32c(absl::string_view(place, sizeof(place)));
}

struct Head {
  uint32_t size = 0;
  uint64_t synced = 0;
  uint32_t body_crc = 0;
};

std::optional<Head> ReadHead(absl::string_view file, uint64_t file_id, uint64_t offset) {
  if (offset > file.size() || file.size() - offset < kRecordHeadBytes) return std::nullopt;
  const char* const bytes = file.data() + offset;
  const Head head{.size = LoadFixed32(bytes),
                  .synced = LoadFixed64(bytes + 4),
                  .body_crc = LoadFixed32(bytes + 12)};
  // Cheap and telling: no record vouches for itself or for what comes behind it.
  if (head.synced > offset) return std::nullopt;
  const uint32_t crc = ExtendCrc32c(PlaceCrc(file_id, offset), absl::string_view(bytes, 16));
  if (crc != LoadFixed32(bytes + 16)) return std::nullopt;
  return head;
}

// What a log file may end in (FileSystem::CreateLog). No record begins with zeros only: the CRC
// of its head covers a random id.
bool IsAllZero(absl::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// The body of a record with a good head, unless it is cut or bad.
std::optional<absl::string_view> ReadBody(absl::string_view file, uint64_t file_id, uint64_t offset,
                                          const Head& head) {
  const uint64_t start = offset + kRecordHeadBytes;
  if (file.size() - start < head.size) return std::nullopt;
  const absl::string_view body = file.substr(static_cast<size_t>(start), head.size);
  if (ExtendCrc32c(PlaceCrc(file_id, offset), body) != head.body_crc) return std::nullopt;
  return body;
}

enum class HeaderState { kGood, kBad, kNewer };

HeaderState ReadHeader(LogKind kind, absl::string_view file, LogContents* contents) {
  ByteReader reader(file.substr(0, kLogHeaderBytes));
  const absl::string_view magic = reader.Read(kMagicBytes);
  contents->format = reader.ReadFixed32();
  contents->number = reader.ReadFixed64();
  contents->file_id = reader.ReadFixed64();
  const uint32_t crc = reader.ReadFixed32();
  if (reader.failed() || magic != Magic(kind)) return HeaderState::kBad;
  if (crc != Crc32c(file.substr(0, kLogHeaderBytes - 4))) return HeaderState::kBad;
  return contents->format > kLogFormat ? HeaderState::kNewer : HeaderState::kGood;
}

}  // namespace

void LogEncoder::AppendHeader(std::string* out) {
  CORE_CHECK(offset_ == 0);
  std::string header(Magic(kind_));
  AppendFixed32(&header, kLogFormat);
  AppendFixed64(&header, number_);
  AppendFixed64(&header, file_id_);
  AppendFixed32(&header, Crc32c(header));
  CORE_CHECK(header.size() == kLogHeaderBytes);
  offset_ = header.size();
  out->append(header);
}

void LogEncoder::SealRecord(std::string* record) {
  CORE_CHECK(offset_ >= kLogHeaderBytes);
  CORE_CHECK(record->size() >= kRecordHeadBytes);
  const size_t size = record->size() - kRecordHeadBytes;
  CORE_CHECK(size <= UINT32_MAX);
  const uint32_t place = PlaceCrc(file_id_, offset_);
  char* const head = record->data();
  StoreFixed32(head, static_cast<uint32_t>(size));
  StoreFixed64(head + 4, synced_);
  StoreFixed32(head + 12, ExtendCrc32c(place, absl::string_view(*record).substr(kRecordHeadBytes)));
  StoreFixed32(head + 16, ExtendCrc32c(place, absl::string_view(head, 16)));
  offset_ += record->size();
}

void LogEncoder::AppendRecord(absl::string_view body, std::string* out) {
  std::string record(kRecordHeadBytes, '\0');
  record.append(body.data(), body.size());
  SealRecord(&record);
  out->append(record);
}

LogContents ReadLog(LogKind kind, absl::string_view file, std::optional<uint64_t> expected_id,
                    uint64_t vouched_bytes) {
  LogContents contents;
  const HeaderState header = ReadHeader(kind, file, &contents);
  uint64_t vouched = vouched_bytes;
  uint64_t offset = kLogHeaderBytes;
  // Where the first bad byte is; nothing while all is good.
  std::optional<uint64_t> bad;
  if (header == HeaderState::kNewer) {
    contents.verdict = LogContents::Verdict::kNewer;
    return contents;
  }
  if (header == HeaderState::kBad) {
    if (!expected_id.has_value()) {
      contents.verdict = LogContents::Verdict::kNoLog;
      return contents;
    }
    contents.file_id = *expected_id;
    bad = 0;
  } else if (expected_id.has_value() && *expected_id != contents.file_id) {
    contents.verdict = LogContents::Verdict::kNoLog;
    return contents;
  }
  // Record by record while all is well; byte by byte, in search of the next good head,
  // after something bad.
  while (offset < file.size()) {
    const std::optional<Head> head = ReadHead(file, contents.file_id, offset);
    if (head.has_value()) vouched = std::max(vouched, head->synced);
    const std::optional<absl::string_view> body =
        head.has_value() ? ReadBody(file, contents.file_id, offset, *head) : std::nullopt;
    if (!body.has_value()) {
      if (!bad.has_value() && IsAllZero(file.substr(static_cast<size_t>(offset)))) {
        file = file.substr(0, static_cast<size_t>(offset));
        break;
      }
      if (!bad.has_value()) bad = offset;
      ++offset;
      continue;
    }
    contents.records.push_back({.offset = offset, .body = *body});
    if (!bad.has_value()) contents.records_before_damage = contents.records.size();
    offset += kRecordHeadBytes + body->size();
  }
  if (!bad.has_value() && file.size() < vouched) bad = file.size();
  contents.good_bytes = bad.value_or(file.size());
  if (bad.has_value()) {
    contents.verdict =
        *bad < vouched ? LogContents::Verdict::kDamaged : LogContents::Verdict::kTorn;
  }
  // Behind a torn tail nothing counts: records there are what a crash left of writes
  // that were not ordered with the ones before them.
  if (contents.verdict == LogContents::Verdict::kTorn) {
    contents.records.resize(contents.records_before_damage);
  }
  return contents;
}

}  // namespace norn::storage
