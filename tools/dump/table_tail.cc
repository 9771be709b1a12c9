#include "tools/dump/table_tail.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/crc32c.h"
#include "storage/block.h"
#include "storage/file_names.h"
#include "storage/table_format.h"
#include "tools/dump/bytes_text.h"

namespace norn::dump {
namespace {

using storage::BlockHandle;
using storage::Footer;
using storage::kBlockTrailerBytes;
using storage::kFooterBytes;
using storage::TableMeta;

constexpr size_t kFormatAt = kFooterBytes - 16;
constexpr size_t kCrcAt = kFooterBytes - 12;
constexpr size_t kFilterLineBytes = 64;
constexpr int kProbesMax = 16;

constexpr char kRemedy[] =
    "the node answers errors for the keys concerned, never \"not found\"; to be rid of it stop the "
    "node, empty its directory, and let it rebuild from its replicas";

// The footer with a checksum that fits, so that its fields can be looked at although a bit
// of it is wrong.
std::optional<Footer> GuessFooter(absl::string_view bytes, uint64_t file_bytes) {
  static const std::string* const kSample = new std::string(storage::EncodeFooter(Footer()));
  std::string repaired(bytes.substr(0, kFormatAt));
  repaired.append(*kSample, kFormatAt, kFooterBytes - kFormatAt);
  StoreFixed32(repaired.data() + kCrcAt, Crc32c(absl::string_view(repaired).substr(0, kCrcAt)));
  const absl::StatusOr<Footer> footer = storage::DecodeFooter(repaired, file_bytes);
  if (!footer.ok()) return std::nullopt;
  return *footer;
}

class TailReader {
 public:
  TailReader(const TableFile& table, const std::optional<TableMeta>& expected)
      : table_(table), expected_(expected), file_bytes_(table.file->Size()) {}

  std::optional<TailContents> Read();

 private:
  bool ReadFooter();
  void CheckIdentity();
  void CheckPlaces();
  void ReadFilter();
  void ReadIndex();
  // Of what ends at `limit`. Nothing: it is bad, which has been reported under `name`.
  std::optional<std::vector<IndexEntry>> ReadIndexBlock(const BlockHandle& handle,
                                                        const std::string& name, uint64_t limit,
                                                        StoredBlock* stored);
  void ReadProperties();
  bool TakeProperties(absl::string_view bytes);
  const Footer& footer() const { return contents_.tail.footer; }

  const TableFile& table_;
  const std::optional<TableMeta>& expected_;
  const uint64_t file_bytes_;
  TailContents contents_;
};

bool TailReader::ReadFooter() {
  if (expected_.has_value() && expected_->bytes != file_bytes_) {
    table_.Damage(0, absl::StrCat("the file has ", file_bytes_, " bytes instead of the ",
                                  expected_->bytes, " that the manifest says"));
  }
  if (file_bytes_ < kFooterBytes) {
    table_.Damage(
        0, absl::StrCat("the file has ", file_bytes_,
                        " bytes: too short for a table, whose footer alone has ", kFooterBytes));
    return false;
  }
  const uint64_t offset = file_bytes_ - kFooterBytes;
  std::string bytes(kFooterBytes, '\0');
  const absl::Status read = table_.file->Read(offset, kFooterBytes, bytes.data());
  if (!read.ok()) {
    table_.Damage(offset, absl::StrCat("the footer cannot be read (", read.ToString(), ")"));
    return false;
  }
  const absl::StatusOr<Footer> decoded = storage::DecodeFooter(bytes, file_bytes_);
  if (absl::IsFailedPrecondition(decoded.status())) {
    table_.report({Gravity::kUnreadable, table_.path, offset,
                   std::string(decoded.status().message()),
                   "use the norn-dump of the release that wrote it"});
    return false;
  }
  contents_.tail.footer_good = decoded.ok();
  if (decoded.ok()) {
    contents_.tail.footer = *decoded;
    return true;
  }
  table_.Damage(offset, std::string(decoded.status().message()));
  std::optional<Footer> guess = GuessFooter(bytes, file_bytes_);
  if (!guess.has_value()) return false;
  if (expected_.has_value()) guess->file_id = expected_->file_id;
  contents_.tail.footer = *guess;
  return true;
}

void TailReader::CheckIdentity() {
  const uint64_t offset = file_bytes_ - kFooterBytes;
  const storage::FileName name =
      storage::ParseFileName(absl::string_view(table_.path).substr(table_.path.rfind('/') + 1));
  if (name.kind == storage::FileKind::kTable && name.number != footer().number) {
    table_.Damage(offset, absl::StrCat("the footer says table ", footer().number,
                                       ": the file was renamed or is a copy of another"));
  }
  if (expected_.has_value() && expected_->file_id != footer().file_id) {
    table_.Damage(offset, absl::StrCat("the table's id is ", HexId(footer().file_id),
                                       " instead of ", HexId(expected_->file_id),
                                       ": it is another table than the manifest names"));
  }
}

// Filter, index, properties and footer lie next to each other.
void TailReader::CheckPlaces() {
  const auto check = [this](uint64_t end, uint64_t next, absl::string_view between) {
    if (end == next) return;
    table_.Damage(end, absl::StrCat("between ", between, " are ", next > end ? "unknown" : "shared",
                                    " bytes, up to offset ", next));
  };
  check(footer().filter.end(), footer().index.offset, "filter and index");
  check(footer().index.end(), footer().properties.offset, "index and properties");
  check(footer().properties.end(), file_bytes_ - kFooterBytes, "properties and footer");
}

void TailReader::ReadFilter() {
  StoredBlock& block = contents_.tail.filter;
  contents_.filter =
      ReadStoredBlock(table_, footer().file_id, footer().filter, "the filter", &block);
  if (!contents_.filter.has_value()) return;
  const std::string& filter = *contents_.filter;
  const bool whole = filter.size() > kFilterLineBytes && filter.size() % kFilterLineBytes == 1;
  contents_.tail.filter_probes = whole ? filter.back() : 0;
  if (contents_.tail.filter_probes < 1 || contents_.tail.filter_probes > kProbesMax) {
    block.state = StoredBlock::State::kMalformed;
    table_.Damage(footer().filter.offset, "the filter is malformed: it passes every key");
  }
}

std::optional<std::vector<IndexEntry>> TailReader::ReadIndexBlock(const BlockHandle& handle,
                                                                  const std::string& name,
                                                                  uint64_t limit,
                                                                  StoredBlock* stored) {
  std::optional<std::string> payload =
      ReadStoredBlock(table_, footer().file_id, handle, name, stored);
  if (!payload.has_value()) return std::nullopt;
  const std::shared_ptr<const storage::Block> block = storage::Block::Parse(std::move(*payload));
  const auto malformed = [&](absl::string_view what) {
    stored->state = StoredBlock::State::kMalformed;
    table_.Damage(handle.offset, absl::StrCat(name, " is malformed: ", what));
    return std::nullopt;
  };
  if (block == nullptr) return malformed("its restarts do not fit");
  std::vector<IndexEntry> entries;
  storage::BlockCursor cursor(block);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    const std::optional<BlockHandle> named = storage::DecodeHandle(cursor.value());
    if (!named.has_value() || named->end() > limit) {
      return malformed("it points outside the data");
    }
    if (!entries.empty() && cursor.key() <= entries.back().separator) {
      return malformed("its keys do not ascend");
    }
    entries.push_back({.separator = std::string(cursor.key()), .handle = *named});
  }
  if (cursor.damaged()) return malformed("an entry is cut");
  stored->entries = entries.size();
  return entries;
}

void TailReader::ReadIndex() {
  std::optional<std::vector<IndexEntry>> upper =
      ReadIndexBlock(footer().index, "the index", footer().filter.offset, &contents_.tail.index);
  // The first block of data is at the file's begin, and no partition is.
  if (!contents_.tail.footer_good && upper.has_value() && !upper->empty() &&
      upper->front().handle.offset > 0) {
    contents_.tail.footer.format = storage::kTableFormat;
  }
  if (!upper.has_value() || !footer().has_partitions()) {
    contents_.index = std::move(upper);
    return;
  }
  std::vector<IndexEntry>& all = contents_.index.emplace();
  for (IndexEntry& partition : *upper) {
    StoredBlock& stored = contents_.tail.partitions.emplace_back();
    const std::string name =
        absl::StrCat("partition ", contents_.tail.partitions.size() - 1, " of the index");
    std::optional<std::vector<IndexEntry>> entries =
        ReadIndexBlock(partition.handle, name, partition.handle.offset, &stored);
    partition.kind =
        entries.has_value() ? IndexEntry::Kind::kPartition : IndexEntry::Kind::kBadPartition;
    if (entries.has_value()) {
      if (entries->empty() || entries->back().separator != partition.separator) {
        table_.Damage(partition.handle.offset,
                      absl::StrCat(name, " does not end with the key that the index says"));
      }
      std::move(entries->begin(), entries->end(), std::back_inserter(all));
    }
    all.push_back(std::move(partition));
  }
}

bool TailReader::TakeProperties(absl::string_view bytes) {
  TableTail& tail = contents_.tail;
  std::set<std::string> wanted = {"entries",  "key_bytes",         "largest",    "largest_sequence",
                                  "smallest", "smallest_sequence", "value_bytes"};
  std::string last_name;
  ByteReader reader(bytes);
  while (!reader.empty() && !reader.failed()) {
    const std::string name(reader.ReadBytes());
    const absl::string_view value = reader.ReadBytes();
    ByteReader number(value);
    if (name <= last_name) return false;
    last_name = name;
    if (wanted.erase(name) == 0) continue;  // of a later release
    if (name == "largest") {
      tail.meta.largest = std::string(value);
    } else if (name == "smallest") {
      tail.meta.smallest = std::string(value);
    } else {
      const uint64_t n = number.ReadVarint();
      if (!number.Done()) return false;
      if (name == "entries") tail.meta.entries = n;
      if (name == "key_bytes") tail.key_bytes = n;
      if (name == "largest_sequence") tail.meta.largest_sequence = n;
      if (name == "smallest_sequence") tail.meta.smallest_sequence = n;
      if (name == "value_bytes") tail.value_bytes = n;
    }
  }
  return reader.Done() && wanted.empty();
}

void TailReader::ReadProperties() {
  TableTail& tail = contents_.tail;
  tail.meta.number = footer().number;
  tail.meta.file_id = footer().file_id;
  tail.meta.bytes = file_bytes_;
  const std::optional<std::string> payload = ReadStoredBlock(
      table_, footer().file_id, footer().properties, "the properties", &tail.properties);
  if (!payload.has_value()) return;
  const uint64_t offset = footer().properties.offset;
  contents_.properties_good = TakeProperties(*payload);
  if (!contents_.properties_good) {
    tail.properties.state = StoredBlock::State::kMalformed;
    table_.Damage(offset, "the properties are malformed, or some are missing");
  } else if (expected_.has_value() && tail.footer_good && !(tail.meta == *expected_)) {
    table_.Damage(offset, "the properties are not what the manifest says");
  }
}

std::optional<TailContents> TailReader::Read() {
  contents_.tail.file_bytes = file_bytes_;
  if (!ReadFooter()) return std::nullopt;
  CheckIdentity();
  CheckPlaces();
  ReadFilter();
  ReadIndex();
  ReadProperties();
  return std::move(contents_);
}

}  // namespace

void TableFile::Damage(uint64_t offset, const std::string& what) const {
  report({Gravity::kDamage, path, offset, what, kRemedy});
}

std::optional<std::string> ReadStoredBlock(const TableFile& table, uint64_t file_id,
                                           const BlockHandle& handle, const std::string& name,
                                           StoredBlock* block) {
  block->handle = handle;
  std::string stored(static_cast<size_t>(handle.size) + kBlockTrailerBytes, '\0');
  const absl::Status read = table.file->Read(handle.offset, stored.size(), stored.data());
  if (!read.ok()) {
    block->state = StoredBlock::State::kUnreadable;
    table.Damage(handle.offset, absl::StrCat(name, " cannot be read (", read.ToString(), ")"));
    return std::nullopt;
  }
  block->compression = static_cast<uint8_t>(stored[static_cast<size_t>(handle.size)]);
  std::optional<std::string> payload = storage::ExtractBlock(stored, file_id, handle.offset);
  if (!payload.has_value()) {
    block->state = StoredBlock::State::kBadChecksum;
    table.Damage(handle.offset,
                 absl::StrCat("the checksum of ", name, " is wrong (", handle.size, " bytes)"));
    return std::nullopt;
  }
  block->payload_bytes = payload->size();
  return payload;
}

std::optional<TailContents> ReadTail(const TableFile& table,
                                     const std::optional<TableMeta>& expected) {
  return TailReader(table, expected).Read();
}

}  // namespace norn::dump
