#include "storage/recovery.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
#include "core/check.h"
#include "storage/background_jobs.h"
#include "storage/engine_impl.h"
#include "storage/file_names.h"
#include "storage/memtable.h"
#include "storage/record_log.h"
#include "storage/table.h"
#include "storage/table_writer.h"
#include "storage/wal.h"

namespace norn::storage {
namespace {

// A WAL as it was found.
struct FoundWal {
  WalRef ref;
  std::string path;
  std::optional<std::string> bytes = std::nullopt;  // the file is missing
  std::optional<WalOpening> opening = std::nullopt;
};

// The device cannot read `path` now. It may read it later: nothing is given up for it.
absl::Status CannotRead(const std::string& path, const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat(path, " cannot be read now (", status.message(),
                   "); nothing was changed: start again once the device can read it. If it never "
                   "will, move the directory aside, and let the node rebuild in an empty one from "
                   "its replicas"));
}

class Recovery {
 public:
  Recovery(FileSystem* file_system, const EngineOptions& options, RecoveryReport* report)
      : file_system_(file_system), options_(options), report_(report) {}

  absl::StatusOr<RecoveredState> Run();

 private:
  absl::Status LookAround();
  absl::Status ReadVersion();
  absl::Status OpenTables();
  absl::Status ReadSlots();
  absl::Status FindUnnamedLogs(std::vector<FoundWal>* wals);
  absl::Status ReplayLogs();
  absl::StatusOr<FoundWal> FindWal(const WalRef& ref);
  absl::Status ReplayLog(const FoundWal& wal, const FoundWal* next);
  absl::Status ReplayGroup(const FoundWal& wal, absl::string_view body);
  absl::Status FlushMemtable();
  absl::Status StartFiles();
  void RemoveOrphans();

  uint64_t NewFileNumber() { return state_.next_file_number++; }
  void Suspect(std::string note);

  FileSystem* file_system_;
  const EngineOptions& options_;
  RecoveryReport* report_;
  std::vector<std::string> names_;  // of all files in the directory
  VersionState version_;
  RecoveredState state_;
  std::unique_ptr<Memtable> memtable_;
  uint64_t expected_ = 0;  // the sequence that the log goes on with; 0: any
};

void Recovery::Suspect(std::string note) {
  report_->suspect = true;
  report_->notes.push_back(std::move(note));
}

absl::StatusOr<RecoveredState> Recovery::Run() {
  *report_ = RecoveryReport();
  absl::Status status = file_system_->CreateDir(options_.dir);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = file_system_->LockDir(options_.dir);
  if (!lock.ok()) return lock.status();
  state_.lock = *std::move(lock);
  using Stage = absl::Status (Recovery::*)();
  for (const Stage stage : {&Recovery::LookAround, &Recovery::ReadVersion, &Recovery::OpenTables,
                            &Recovery::ReadSlots, &Recovery::ReplayLogs, &Recovery::StartFiles}) {
    status = (this->*stage)();
    if (!status.ok()) return status;
  }
  RemoveOrphans();
  report_->last_sequence = state_.last_sequence;
  return std::move(state_);
}

absl::Status Recovery::LookAround() {
  absl::StatusOr<std::vector<std::string>> names = file_system_->List(options_.dir);
  if (!names.ok()) return names.status();
  names_ = *std::move(names);
  for (const std::string& name : names_) {
    // Numbers of files that a crash left behind are not used again either.
    state_.next_file_number = std::max(state_.next_file_number, ParseFileName(name).number + 1);
  }
  return absl::OkStatus();
}

absl::Status Recovery::ReadVersion() {
  const std::string path = CurrentPath(options_.dir);
  const absl::StatusOr<std::string> bytes = file_system_->ReadFile(path);
  if (absl::IsNotFound(bytes.status())) {
    for (const std::string& name : names_) {
      const FileKind kind = ParseFileName(name).kind;
      // A creation that was cut short leaves neither.
      if (kind == FileKind::kTable || kind == FileKind::kSlot) {
        return absl::DataLossError(absl::StrCat(
            path, " is missing although there is ", name,
            " (an unfinished checkpoint looks like this; take another one); move the directory "
            "aside, and let the node rebuild in an empty one from its replicas"));
      }
    }
    report_->created = true;
    // The directory itself must survive, too.
    return file_system_->SyncDir(ParentDirectory(options_.dir));
  }
  if (!bytes.ok()) return CannotRead(path, bytes.status());
  const absl::StatusOr<Current> current = DecodeCurrent(path, *bytes);
  if (!current.ok()) return current.status();
  if (current->owner != options_.owner) {
    return absl::FailedPreconditionError(absl::StrCat(
        "directory ", options_.dir, " belongs to \"", current->owner, "\", not to \"",
        options_.owner, "\"; give this node a directory of its own, or the owner's name"));
  }
  const std::string manifest_path = ManifestPath(options_.dir, current->manifest);
  const absl::StatusOr<std::string> manifest = file_system_->ReadFile(manifest_path);
  if (absl::IsNotFound(manifest.status())) {
    return absl::DataLossError(
        absl::StrCat("manifest ", manifest_path, " is missing although ", path,
                     " names it; which tables count cannot be told without it: move the directory "
                     "aside, and let the node rebuild in an empty one from its replicas"));
  }
  if (!manifest.ok()) return CannotRead(manifest_path, manifest.status());
  absl::StatusOr<VersionState> version = ReadManifest(manifest_path, *manifest);
  if (!version.ok()) return version.status();
  version_ = *std::move(version);
  state_.next_file_number = std::max(state_.next_file_number, version_.next_file_number);
  state_.last_sequence = version_.flushed_sequence;
  // What an earlier Open() found and nobody has acknowledged yet.
  if (version_.suspect) {
    Suspect(absl::StrCat(options_.dir, ": damage that an earlier start found has not been ",
                         "dealt with yet"));
  }
  state_.quarantine = version_.quarantine;
  if (version_.lost_from != 0) {
    report_->possibly_lost_from = version_.lost_from;
    report_->notes.push_back(
        absl::StrCat(options_.dir, ": an earlier start found that writes from ", version_.lost_from,
                     " on may be lost; that has not been dealt with yet"));
  }
  if (version_.checkpoint.has_value()) {
    report_->notes.push_back(absl::StrCat(options_.dir, " is a checkpoint of the writes up to ",
                                          *version_.checkpoint, ": later ones are not in it"));
  }
  state_.drops = version_.drops;
  return absl::OkStatus();
}

absl::Status Recovery::OpenTables() {
  for (size_t i = 0; i < version_.levels.size(); ++i) {
    for (const TableMeta& meta : version_.levels[i]) {
      auto live = std::make_shared<LiveTable>();
      live->meta = meta;
      const std::string path = TablePath(options_.dir, meta.number);
      if (!file_system_->Exists(path)) {
        live->damage.whole = Flaw::Of(absl::DataLossError(absl::StrCat(
            "table ", path, " is missing; its keys are to be repaired from replicas")));
        Suspect(absl::StrCat("table ", path, " is missing although the manifest names it"));
      } else {
        TableOpener opener(file_system_, path, meta);
        while (!opener.Step()) {
        }
        if (absl::IsFailedPrecondition(opener.status())) return opener.status();
        live->table = opener.table();
        if (!opener.status().ok()) {
          live->damage.whole = Flaw::Of(opener.status());
          report_->notes.push_back(std::string(opener.status().message()));
        }
      }
      const auto given_up = version_.given_up.find(meta.number);
      if (given_up != version_.given_up.end()) live->given_up = given_up->second;
      InsertTable(static_cast<int>(i), std::move(live), &state_.levels[i]);
    }
  }
  return absl::OkStatus();
}

absl::Status Recovery::ReadSlots() {
  for (const std::string& name : names_) {
    const FileName parsed = ParseFileName(name);
    if (parsed.kind != FileKind::kSlot) continue;
    const std::string path = SlotPath(options_.dir, parsed.slot_name);
    const absl::StatusOr<std::string> bytes = file_system_->ReadFile(path);
    if (!bytes.ok()) return CannotRead(path, bytes.status());
    std::optional<std::string> value = DecodeSlot(parsed.slot_name, *bytes);
    if (value.has_value()) {
      state_.slots.emplace(parsed.slot_name, *std::move(value));
    } else {
      Suspect(absl::StrCat("slot ", path, ": the checksum is wrong; it counts as absent"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FoundWal> Recovery::FindWal(const WalRef& ref) {
  FoundWal wal{.ref = ref, .path = WalPath(options_.dir, ref.number)};
  absl::StatusOr<std::string> bytes = file_system_->ReadFile(wal.path);
  if (absl::IsNotFound(bytes.status())) return wal;
  if (!bytes.ok()) return CannotRead(wal.path, bytes.status());
  wal.bytes = *std::move(bytes);
  const LogContents contents = ReadLog(LogKind::kWal, *wal.bytes, ref.file_id, 0);
  if (contents.verdict == LogContents::Verdict::kNewer) {
    return absl::FailedPreconditionError(absl::StrCat("log ", wal.path, " has format ",
                                                      contents.format, ", newer than ", kLogFormat,
                                                      "; run the release that wrote it"));
  }
  if (!contents.records.empty() && contents.records.front().offset == kLogHeaderBytes) {
    wal.opening = DecodeWalOpening(contents.records.front().body);
  }
  return wal;
}

// A log gets its first group only after the manifest that names it was synced. One that has
// groups and no name shows that the manifest's tail is not torn but rotten; its own contents are
// as good as ever.
absl::Status Recovery::FindUnnamedLogs(std::vector<FoundWal>* wals) {
  std::vector<uint64_t> numbers;
  for (const std::string& name : names_) {
    const FileName parsed = ParseFileName(name);
    if (parsed.kind != FileKind::kWal || wals->empty()) continue;
    if (parsed.number > wals->back().ref.number) numbers.push_back(parsed.number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) {
    FoundWal wal{.ref = {.number = number, .file_id = 0, .first_sequence = 0},
                 .path = WalPath(options_.dir, number)};
    absl::StatusOr<std::string> bytes = file_system_->ReadFile(wal.path);
    if (!bytes.ok()) return CannotRead(wal.path, bytes.status());
    wal.bytes = *std::move(bytes);
    const LogContents contents = ReadLog(LogKind::kWal, *wal.bytes, std::nullopt, 0);
    if (contents.records.size() < 2) continue;
    Suspect(absl::StrCat("log ", wal.path,
                         " holds writes although the manifest does not name it: the end of the "
                         "manifest must be damaged"));
    wal.opening = DecodeWalOpening(contents.records.front().body);
    if (!wal.opening.has_value() || wal.opening->previous_number != wals->back().ref.number) {
      continue;
    }
    wal.ref.file_id = contents.file_id;
    wal.ref.first_sequence = wal.opening->first_sequence;
    wals->push_back(std::move(wal));
  }
  return absl::OkStatus();
}

absl::Status Recovery::ReplayLogs() {
  memtable_ = std::make_unique<Memtable>();
  std::vector<FoundWal> wals;
  for (const WalRef& ref : version_.wals) {
    absl::StatusOr<FoundWal> wal = FindWal(ref);
    if (!wal.ok()) return wal.status();
    wals.push_back(*std::move(wal));
  }
  const absl::Status found = FindUnnamedLogs(&wals);
  if (!found.ok()) return found;
  if (wals.empty() && !report_->created && !version_.checkpoint.has_value()) {
    Suspect(absl::StrCat(options_.dir, ": the manifest names no log"));
  }
  for (size_t i = 0; i < wals.size(); ++i) {
    const absl::Status status = ReplayLog(wals[i], i + 1 < wals.size() ? &wals[i + 1] : nullptr);
    if (!status.ok()) return status;
    wals[i].bytes.reset();
  }
  return FlushMemtable();
}

absl::Status Recovery::ReplayLog(const FoundWal& wal, const FoundWal* next) {
  if (!wal.bytes.has_value()) {
    Suspect(absl::StrCat("log ", wal.path, " is missing although the manifest names it"));
    expected_ = 0;
    return absl::OkStatus();
  }
  absl::string_view bytes = *wal.bytes;
  // Its header and opening were synced before the manifest named it.
  uint64_t vouched = kLogHeaderBytes + 1;
  if (next != nullptr && next->opening.has_value() &&
      next->opening->previous_number == wal.ref.number) {
    vouched = std::max(vouched, next->opening->previous_bytes);
    bytes = bytes.substr(0, static_cast<size_t>(vouched));
  }
  const LogContents contents = ReadLog(LogKind::kWal, bytes, wal.ref.file_id, vouched);
  if (contents.verdict == LogContents::Verdict::kNoLog) {
    Suspect(absl::StrCat("log ", wal.path, " is another file than the manifest names"));
    expected_ = 0;
    return absl::OkStatus();
  }
  const bool damaged = contents.verdict == LogContents::Verdict::kDamaged;
  if (damaged) {
    Suspect(absl::StrCat("log ", wal.path, " at offset ", contents.good_bytes,
                         ": a record that was synced is bad"));
  }
  if (expected_ == 0) expected_ = wal.ref.first_sequence;
  if (wal.ref.first_sequence > expected_) {
    Suspect(absl::StrCat("log ", wal.path, " starts at write ", wal.ref.first_sequence,
                         " instead of ", expected_));
  }
  expected_ = wal.ref.first_sequence;
  for (const LogContents::Record& record : contents.records) {
    if (DecodeWalOpening(record.body).has_value()) continue;
    const absl::Status status = ReplayGroup(wal, record.body);
    if (!status.ok()) return status;
  }
  const bool torn = contents.verdict == LogContents::Verdict::kTorn;
  const bool lazy = wal.opening.has_value() && wal.opening->lazy;
  if ((torn || lazy) && next == nullptr) {
    report_->notes.push_back(
        torn ? absl::StrCat("log ", wal.path, " at offset ", contents.good_bytes,
                            ": the tail is torn and was cut")
             : absl::StrCat("log ", wal.path,
                            ": its writes were not synced one by one (sync), and the last of them "
                            "may be missing"));
    const uint64_t lost_from = std::max(expected_, state_.last_sequence + 1);
    report_->possibly_lost_from =
        std::min(report_->possibly_lost_from.value_or(lost_from), lost_from);
  }
  return absl::OkStatus();
}

absl::Status Recovery::ReplayGroup(const FoundWal& wal, absl::string_view body) {
  WalGroupReader reader(body);
  if (!reader.failed() && reader.first_sequence() != expected_) {
    Suspect(absl::StrCat("log ", wal.path, ": write ", reader.first_sequence(), " where ",
                         expected_, " should be"));
  }
  while (reader.Next()) {
    // Writes that are in tables already, or out of turn, do not count.
    if (reader.sequence() <= state_.last_sequence) continue;
    memtable_->Add(reader.sequence(), reader.key(), reader.value(), reader.kind());
    state_.last_sequence = reader.sequence();
    ++report_->wal_records;
    if (memtable_->bytes() >= options_.memtable_bytes) {
      const absl::Status status = FlushMemtable();
      if (!status.ok()) return status;
    }
  }
  if (reader.failed()) {
    Suspect(absl::StrCat("log ", wal.path, ": a group is malformed"));
    return absl::OkStatus();
  }
  expected_ = reader.first_sequence() + reader.count();
  return absl::OkStatus();
}

absl::Status Recovery::FlushMemtable() {
  if (memtable_->empty()) return absl::OkStatus();
  const uint64_t number = NewFileNumber();
  const std::shared_ptr<const Memtable> full =
      std::exchange(memtable_, std::make_unique<Memtable>());
  FlushJob job(full,
               std::make_unique<TableWriter>(file_system_, options_.dir, TableOptionsOf(options_),
                                             number, FileId(options_, number)));
  while (!job.RunStep()) {
  }
  if (!job.writer().status().ok()) return job.writer().status();
  auto live = std::make_shared<LiveTable>();
  live->table = job.writer().table();
  live->meta = live->table->meta();
  InsertTable(0, std::move(live), &state_.levels[0]);
  return absl::OkStatus();
}

absl::Status Recovery::StartFiles() {
  // Writes that a drop was to hide may be lost themselves; those to come are not among them.
  for (const RangeDrop& drop : state_.drops) {
    state_.last_sequence = std::max(state_.last_sequence, drop.sequence);
  }
  const uint64_t wal_number = NewFileNumber();
  state_.wal_ref = {.number = wal_number,
                    .file_id = FileId(options_, wal_number),
                    .first_sequence = state_.last_sequence + 1};
  absl::StatusOr<std::unique_ptr<OpenLog>> wal =
      StartWal(file_system_, options_.dir, state_.wal_ref, options_.wal_preallocate_bytes,
               options_.sync_mode != SyncMode::kAlways);
  if (!wal.ok()) return wal.status();
  state_.wal = *std::move(wal);
  const uint64_t number = NewFileNumber();
  ManifestJob::Fresh fresh{.dir = options_.dir,
                           .owner = options_.owner,
                           .number = number,
                           .file_id = FileId(options_, number),
                           .temporary_number = NewFileNumber()};
  VersionEdit edit;
  edit.flushed_sequence = state_.last_sequence;
  edit.next_file_number = state_.next_file_number;
  edit.added_wals.push_back(state_.wal_ref);
  for (size_t i = 0; i < state_.levels.size(); ++i) {
    for (const std::shared_ptr<LiveTable>& table : state_.levels[i]) {
      edit.added_tables.push_back({.level = static_cast<int>(i), .meta = table->meta});
    }
  }
  SnapshotDamage(state_.levels, state_.quarantine, &edit);
  edit.suspect = report_->suspect;
  edit.lost_from = report_->possibly_lost_from.value_or(0);
  edit.added_drops = state_.drops;
  ManifestJob job(file_system_, std::move(fresh), {EncodeEdit(edit)});
  while (!job.RunStep()) {
  }
  if (!job.status().ok()) return job.status();
  state_.manifest = std::move(job.manifest);
  return absl::OkStatus();
}

void Recovery::RemoveOrphans() {
  std::set<std::string> needed = {ManifestPath(options_.dir, state_.manifest->encoder.number()),
                                  WalPath(options_.dir, state_.wal_ref.number)};
  for (const Level& level : state_.levels) {
    for (const std::shared_ptr<LiveTable>& table : level) {
      needed.insert(TablePath(options_.dir, table->meta.number));
    }
  }
  for (const std::string& name : names_) {
    const FileKind kind = ParseFileName(name).kind;
    const bool removable = kind == FileKind::kManifest || kind == FileKind::kWal ||
                           kind == FileKind::kTable || kind == FileKind::kTemporary;
    const std::string path = PathIn(options_.dir, name);
    if (!removable || needed.contains(path)) continue;
    // One that cannot be removed now waits for the next start.
    file_system_->Remove(path).IgnoreError();
  }
}

}  // namespace

absl::StatusOr<RecoveredState> Recover(FileSystem& file_system, const EngineOptions& options,
                                       RecoveryReport* report) {
  return Recovery(&file_system, options, report).Run();
}

}  // namespace norn::storage
