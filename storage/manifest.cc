#include "storage/manifest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/coding.h"
#include "core/crc32c.h"
#include "storage/record_log.h"

namespace norn::storage {
namespace {

enum QuarantineChange : uint8_t { kAddQuarantine = 0, kLiftQuarantine = 1 };

enum Field : uint8_t {
  kFlushedSequence = 1,
  kNextFileNumber = 2,
  kAddWal = 3,
  kDropWal = 4,
  kAddTable = 5,
  kDropTable = 6,
  kSuspect = 7,
  kLostFrom = 8,
  kGiveUpBlock = 15,
  kQuarantine = 16,
  kAddDrop = 9,
  kSettleDrop = 10,
  kCheckpoint = 11,
};

constexpr absl::string_view kRemedy =
    "; which tables count cannot be told without it: move the directory aside, and let the node "
    "rebuild in an empty one from its replicas";

void AppendTable(const TableMeta& meta, std::string* out) {
  AppendVarint(out, meta.number);
  AppendFixed64(out, meta.file_id);
  AppendVarint(out, meta.bytes);
  AppendVarint(out, meta.entries);
  AppendBytes(out, meta.smallest);
  AppendBytes(out, meta.largest);
  AppendVarint(out, meta.smallest_sequence);
  AppendVarint(out, meta.largest_sequence);
}

TableMeta ReadTable(ByteReader* reader) {
  TableMeta meta;
  meta.number = reader->ReadVarint();
  meta.file_id = reader->ReadFixed64();
  meta.bytes = reader->ReadVarint();
  meta.entries = reader->ReadVarint();
  meta.smallest = std::string(reader->ReadBytes());
  meta.largest = std::string(reader->ReadBytes());
  meta.smallest_sequence = reader->ReadVarint();
  meta.largest_sequence = reader->ReadVarint();
  if (meta.smallest > meta.largest) reader->Fail();
  return meta;
}

void AppendDrop(const RangeDrop& drop, std::string* out) {
  AppendBytes(out, drop.from);
  AppendBytes(out, drop.to);
  AppendVarint(out, drop.sequence);
}

RangeDrop ReadDrop(ByteReader* reader) {
  RangeDrop drop;
  drop.from = std::string(reader->ReadBytes());
  drop.to = std::string(reader->ReadBytes());
  drop.sequence = reader->ReadVarint();
  return drop;
}

int ReadLevel(ByteReader* reader) { return static_cast<int>(reader->ReadVarintUpTo(kLevels - 1)); }

void ReadQuarantine(ByteReader* reader, VersionEdit* edit) {
  const uint8_t change = reader->ReadByte();
  std::string from(reader->ReadBytes());
  std::string until(reader->ReadBytes());
  const uint64_t sequence = reader->ReadVarint();
  if (change == kLiftQuarantine) {
    edit->lifted.push_back(
        {.from = std::move(from), .until = std::move(until), .sequence = sequence});
    return;
  }
  if (change != kAddQuarantine || from >= until) return reader->Fail();
  const uint64_t table = reader->ReadVarint();
  edit->quarantined.push_back({.from = std::move(from),
                               .until = std::move(until),
                               .sequence = sequence,
                               .table = table,
                               .reason = std::string(reader->ReadBytes())});
}

void ReadField(ByteReader* reader, VersionEdit* edit) {
  switch (reader->ReadByte()) {
    case kFlushedSequence:
      edit->flushed_sequence = reader->ReadVarint();
      break;
    case kNextFileNumber:
      edit->next_file_number = reader->ReadVarint();
      break;
    case kAddWal: {
      WalRef wal;
      wal.number = reader->ReadVarint();
      wal.file_id = reader->ReadFixed64();
      wal.first_sequence = reader->ReadVarint();
      edit->added_wals.push_back(wal);
      break;
    }
    case kDropWal:
      edit->dropped_wals.push_back(reader->ReadVarint());
      break;
    case kAddTable: {
      const int level = ReadLevel(reader);
      edit->added_tables.push_back({.level = level, .meta = ReadTable(reader)});
      break;
    }
    case kDropTable: {
      const int level = ReadLevel(reader);
      edit->dropped_tables.push_back({.level = level, .number = reader->ReadVarint()});
      break;
    }
    case kSuspect:
      edit->suspect = reader->ReadByte() != 0;
      break;
    case kLostFrom:
      edit->lost_from = reader->ReadVarint();
      break;
    case kGiveUpBlock: {
      const uint64_t table = reader->ReadVarint();
      edit->given_up.push_back({.table = table, .offset = reader->ReadVarint()});
      break;
    }
    case kQuarantine:
      ReadQuarantine(reader, edit);
      break;
    case kAddDrop:
      edit->added_drops.push_back(ReadDrop(reader));
      break;
    case kSettleDrop:
      edit->settled_drops.push_back(ReadDrop(reader));
      break;
    case kCheckpoint:
      edit->checkpoint = reader->ReadVarint();
      break;
    default:
      reader->Fail();
  }
}

absl::Status NewerFormat(const std::string& path, uint64_t format, uint64_t known) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, " has format ", format, ", newer than ", known,
                   ", the newest that this program reads; run the release that wrote it"));
}

}  // namespace

std::string EncodeEdit(const VersionEdit& edit) {
  std::string out;
  const auto tag = [&out](Field field) { out.push_back(static_cast<char>(field)); };
  const auto number = [&](Field field, const std::optional<uint64_t>& value) {
    if (!value.has_value()) return;
    tag(field);
    AppendVarint(&out, *value);
  };
  number(kFlushedSequence, edit.flushed_sequence);
  number(kNextFileNumber, edit.next_file_number);
  for (const uint64_t wal : edit.dropped_wals) number(kDropWal, wal);
  for (const WalRef& wal : edit.added_wals) {
    tag(kAddWal);
    AppendVarint(&out, wal.number);
    AppendFixed64(&out, wal.file_id);
    AppendVarint(&out, wal.first_sequence);
  }
  for (const VersionEdit::DroppedTable& dropped : edit.dropped_tables) {
    tag(kDropTable);
    AppendVarint(&out, static_cast<uint64_t>(dropped.level));
    AppendVarint(&out, dropped.number);
  }
  for (const VersionEdit::AddedTable& added : edit.added_tables) {
    tag(kAddTable);
    AppendVarint(&out, static_cast<uint64_t>(added.level));
    AppendTable(added.meta, &out);
  }
  if (edit.suspect.has_value()) {
    tag(kSuspect);
    out.push_back(*edit.suspect ? 1 : 0);
  }
  number(kLostFrom, edit.lost_from);
  for (const VersionEdit::GivenUpBlock& block : edit.given_up) {
    number(kGiveUpBlock, block.table);
    AppendVarint(&out, block.offset);
  }
  for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
    tag(kQuarantine);
    out.push_back(static_cast<char>(kLiftQuarantine));
    AppendBytes(&out, lift.from);
    AppendBytes(&out, lift.until);
    AppendVarint(&out, lift.sequence);
  }
  for (const Quarantine& quarantine : edit.quarantined) {
    tag(kQuarantine);
    out.push_back(static_cast<char>(kAddQuarantine));
    AppendBytes(&out, quarantine.from);
    AppendBytes(&out, quarantine.until);
    AppendVarint(&out, quarantine.sequence);
    AppendVarint(&out, quarantine.table);
    AppendBytes(&out, quarantine.reason);
  }
  for (const RangeDrop& drop : edit.settled_drops) {
    tag(kSettleDrop);
    AppendDrop(drop, &out);
  }
  for (const RangeDrop& drop : edit.added_drops) {
    tag(kAddDrop);
    AppendDrop(drop, &out);
  }
  number(kCheckpoint, edit.checkpoint);
  return out;
}

std::optional<VersionEdit> DecodeEdit(absl::string_view body) {
  ByteReader reader(body);
  VersionEdit edit;
  while (!reader.failed() && !reader.empty()) ReadField(&reader, &edit);
  if (!reader.Done()) return std::nullopt;
  return edit;
}

bool VersionState::Apply(const VersionEdit& edit) {
  for (const uint64_t number : edit.dropped_wals) {
    const auto wal = std::find_if(wals.begin(), wals.end(),
                                  [&](const WalRef& ref) { return ref.number == number; });
    if (wal == wals.end()) return false;
    wals.erase(wal);
  }
  for (const WalRef& added : edit.added_wals) {
    if (!wals.empty() && wals.back().number >= added.number) return false;
    wals.push_back(added);
  }
  for (const VersionEdit::DroppedTable& dropped : edit.dropped_tables) {
    std::vector<TableMeta>& level = levels[static_cast<size_t>(dropped.level)];
    const auto table = std::find_if(level.begin(), level.end(), [&](const TableMeta& meta) {
      return meta.number == dropped.number;
    });
    if (table == level.end()) return false;
    level.erase(table);
  }
  for (const VersionEdit::AddedTable& added : edit.added_tables) {
    for (const std::vector<TableMeta>& level : levels) {
      for (const TableMeta& meta : level) {
        if (meta.number == added.meta.number) return false;
      }
    }
    levels[static_cast<size_t>(added.level)].push_back(added.meta);
  }
  for (const RangeDrop& settled : edit.settled_drops) {
    const auto drop = std::find(drops.begin(), drops.end(), settled);
    if (drop == drops.end()) return false;
    drops.erase(drop);
  }
  drops.insert(drops.end(), edit.added_drops.begin(), edit.added_drops.end());
  if (edit.checkpoint.has_value()) checkpoint = edit.checkpoint;
  flushed_sequence = edit.flushed_sequence.value_or(flushed_sequence);
  next_file_number = edit.next_file_number.value_or(next_file_number);
  suspect = edit.suspect.value_or(suspect);
  lost_from = edit.lost_from.value_or(lost_from);
  ApplyDamage(edit);
  return true;
}

void VersionState::ApplyDamage(const VersionEdit& edit) {
  for (const VersionEdit::GivenUpBlock& block : edit.given_up) {
    std::vector<uint64_t>& offsets = given_up[block.table];
    const auto place = std::lower_bound(offsets.begin(), offsets.end(), block.offset);
    if (place == offsets.end() || *place != block.offset) offsets.insert(place, block.offset);
  }
  // Only of tables that are still there (a move drops one and adds it again).
  std::erase_if(given_up, [this](const auto& table) {
    return std::none_of(levels.begin(), levels.end(), [&](const std::vector<TableMeta>& level) {
      return std::any_of(level.begin(), level.end(),
                         [&](const TableMeta& meta) { return meta.number == table.first; });
    });
  });
  for (const VersionEdit::LiftedQuarantine& lift : edit.lifted) {
    quarantine.Lift(lift.from, lift.until, lift.sequence);
  }
  for (const Quarantine& added : edit.quarantined) quarantine.Add(added);
}

absl::StatusOr<VersionState> ReadManifest(const std::string& path, absl::string_view bytes) {
  const LogContents contents = ReadLog(LogKind::kManifest, bytes, std::nullopt, 0);
  switch (contents.verdict) {
    case LogContents::Verdict::kNewer:
      return NewerFormat(path, contents.format, kLogFormat);
    case LogContents::Verdict::kNoLog:
      return absl::DataLossError(absl::StrCat("manifest ", path, ": the header is bad", kRemedy));
    case LogContents::Verdict::kDamaged:
      return absl::DataLossError(absl::StrCat("manifest ", path, " at offset ", contents.good_bytes,
                                              ": a record that was synced ", "is bad", kRemedy));
    case LogContents::Verdict::kClean:
    case LogContents::Verdict::kTorn:
      break;
  }
  // The snapshot was synced before CURRENT named the file.
  if (contents.records.empty()) {
    return absl::DataLossError(absl::StrCat("manifest ", path, ": the snapshot is bad", kRemedy));
  }
  VersionState state;
  for (const LogContents::Record& record : contents.records) {
    const std::optional<VersionEdit> edit = DecodeEdit(record.body);
    if (!edit.has_value() || !state.Apply(*edit)) {
      return absl::DataLossError(absl::StrCat("manifest ", path, " at offset ", record.offset,
                                              ": an edit does not fit those before it", kRemedy));
    }
  }
  return state;
}

std::string EncodeCurrent(const Current& current) {
  std::string text =
      absl::StrCat("norn storage\nformat ", kStorageFormat, "\nowner ",
                   absl::CEscape(current.owner), "\nmanifest ", current.manifest, "\n");
  absl::StrAppend(&text, "crc ", absl::Hex(Crc32c(text), absl::kZeroPad8), "\n");
  return text;
}

absl::StatusOr<Current> DecodeCurrent(const std::string& path, absl::string_view bytes) {
  const absl::Status damaged =
      absl::DataLossError(absl::StrCat(path, " is not what this program writes", kRemedy));
  const size_t crc_at = bytes.rfind("crc ");
  if (crc_at == absl::string_view::npos) return damaged;
  const absl::string_view checked = bytes.substr(0, crc_at);
  if (bytes.substr(crc_at) !=
      absl::StrCat("crc ", absl::Hex(Crc32c(checked), absl::kZeroPad8), "\n")) {
    return damaged;
  }
  absl::string_view rest = checked;
  const auto line = [&rest](absl::string_view name) -> std::optional<absl::string_view> {
    const size_t end = rest.find('\n');
    if (end == absl::string_view::npos || !absl::ConsumePrefix(&rest, name)) return std::nullopt;
    const absl::string_view value = rest.substr(0, end - name.size());
    rest.remove_prefix(value.size() + 1);
    return value;
  };
  uint64_t format = 0;
  if (!line("norn storage").has_value()) return damaged;
  if (!absl::SimpleAtoi(line("format ").value_or(""), &format)) return damaged;
  if (format > kStorageFormat) return NewerFormat(path, format, kStorageFormat);
  if (format < kStorageFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": the directory has format ", format, ", whose keys are in another order, and this ",
        "program reads format ", kStorageFormat, ": move the directory away and start the node ",
        "with an empty one, one node after the other, so that it is filled by its replicas"));
  }
  Current current;
  const std::optional<absl::string_view> owner = line("owner ");
  if (!owner.has_value() || !absl::CUnescape(*owner, &current.owner)) return damaged;
  if (!absl::SimpleAtoi(line("manifest ").value_or(""), &current.manifest)) return damaged;
  return current;
}

}  // namespace norn::storage
