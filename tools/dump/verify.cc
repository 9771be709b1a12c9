#include "tools/dump/verify.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/replication/hint_record.h"
#include "storage/file_names.h"
#include "storage/file_system.h"
#include "storage/log_jobs.h"
#include "storage/manifest.h"
#include "storage/table_meta.h"
#include "tools/dump/bytes_text.h"
#include "tools/dump/console.h"
#include "tools/dump/directory_use.h"
#include "tools/dump/entry_text.h"
#include "tools/dump/fact.h"
#include "tools/dump/read_file.h"
#include "tools/dump/table_inspector.h"
#include "tools/dump/verify_version.h"
#include "tools/dump/verify_wals.h"
#include "tools/dump/wal_inspector.h"

namespace norn::dump {
namespace {

using storage::FileKind;
using storage::FileName;
using storage::TableMeta;

constexpr char kRepair[] =
    "the node answers errors for the keys concerned, never \"not found\"; to be rid of it stop the "
    "node, empty its directory, and let it rebuild from its replicas";

struct Totals {
  uint64_t tables = 0;
  uint64_t table_bytes = 0;
  uint64_t blocks = 0;
  uint64_t table_entries = 0;
  uint64_t wals = 0;
  uint64_t groups = 0;
  uint64_t wal_entries = 0;
  uint64_t slots = 0;
  uint64_t stray = 0;
  uint64_t temporary = 0;
  uint64_t no_records = 0;  // values that are not records
};

class Verification {
 public:
  Verification(storage::FileSystem* file_system, const Options& options, const DirectoryUse& use,
               Console* console)
      : file_system_(file_system),
        options_(options),
        dir_(options.path),
        use_(use),
        in_use_(use.in_use.value_or(false)),
        console_(console) {}

  void Run();

 private:
  void PrintDirectory();
  void CheckNamed();
  void CheckAllByThemselves();
  void CheckTable(const std::string& path, const std::optional<TableMeta>& meta);
  void CheckWals();
  void CountWal(const std::string& path, const WalReport& wal);
  void CountValue(absl::string_view key, absl::string_view value);
  void CheckSlots();
  void CheckStrays();
  void ShowProgress();
  void Summarize();
  // Whether the directory still names a file that has gone: a running node drops some.
  bool StillNamesTable(uint64_t number) const;
  bool StillNamesWal(uint64_t number) const;

  storage::FileSystem* file_system_;
  const Options& options_;
  const std::string dir_;
  const DirectoryUse use_;
  const bool in_use_;
  Console* console_;
  std::vector<std::string> names_;  // of all files in the directory
  DirectoryVersion version_;
  uint64_t bytes_to_check_ = 0;
  uint64_t bytes_checked_ = 0;
  Totals totals_;
  std::string first_no_record_;
};

void Verification::PrintDirectory() {
  Fact fact("directory");
  fact.Text("path", dir_);
  std::string sentence = absl::StrCat("directory ", dir_);
  if (use_.in_use.has_value()) {
    fact.Flag("in_use", in_use_);
    if (in_use_) {
      fact.Text("holder", use_.holder);
      absl::StrAppend(&sentence, ", in use by ", use_.holder,
                      ": what it has in hand cannot be told from damage at the ends of its logs");
    } else {
      absl::StrAppend(&sentence, ", not in use");
    }
  } else {
    absl::StrAppend(&sentence, "; whether a node is using it cannot be told here");
  }
  console_->Print(fact.Say(sentence));
}

bool Verification::StillNamesTable(uint64_t number) const {
  const DirectoryVersion now = ReadVersionAgain(file_system_, dir_);
  if (now.state != DirectoryVersion::State::kKnown) return true;
  for (const std::vector<TableMeta>& level : now.version.levels) {
    for (const TableMeta& meta : level) {
      if (meta.number == number) return true;
    }
  }
  return false;
}

bool Verification::StillNamesWal(uint64_t number) const {
  const DirectoryVersion now = ReadVersionAgain(file_system_, dir_);
  if (now.state != DirectoryVersion::State::kKnown) return true;
  for (const storage::WalRef& wal : now.version.wals) {
    if (wal.number == number) return true;
  }
  return false;
}

void Verification::ShowProgress() {
  const uint64_t percent = bytes_to_check_ == 0 ? 0 : bytes_checked_ * 100 / bytes_to_check_;
  console_->Progress(absl::StrCat("verifying ", dir_, ": ", percent, " % of ", bytes_to_check_,
                                  " bytes of tables, ", console_->damages(), " findings"));
}

void Verification::CountValue(absl::string_view key, absl::string_view value) {
  HintView hint;
  if (Record::IsCanonical(value)) return;
  if (HintView::Parse(value, &hint) && Record::IsCanonical(hint.record)) return;
  if (totals_.no_records++ == 0) first_no_record_ = std::string(key);
}

void Verification::CheckTable(const std::string& path, const std::optional<TableMeta>& meta) {
  const uint64_t damages = console_->damages();
  const uint64_t checked_before = bytes_checked_;
  TableHooks hooks;
  hooks.block = [&](uint64_t number, const StoredBlock& block) {
    bytes_checked_ = checked_before + block.handle.end();
    if (number % 256 == 0) ShowProgress();
  };
  hooks.entry = [&](absl::string_view key, uint64_t, std::optional<absl::string_view> value) {
    if (value.has_value()) CountValue(key, *value);
  };
  bool missing = false;
  hooks.report = [&](const Finding& finding) {
    missing = missing || !file_system_->Exists(path);
    if (!missing) console_->Report(finding);
  };
  const TableReport report = InspectTable(file_system_, path, meta, hooks);
  if (!report.opened) {
    if (missing && meta.has_value() && StillNamesTable(meta->number)) {
      console_->Report({Gravity::kDamage, path, std::nullopt,
                        "is missing although the manifest names it", kRepair});
    }
    return;
  }
  bytes_checked_ = checked_before + report.file_bytes;
  ++totals_.tables;
  totals_.table_bytes += report.file_bytes;
  totals_.blocks += report.blocks;
  totals_.table_entries += report.entries;
  if (!console_->json()) return;
  Fact fact("table");
  fact.Text("file", path)
      .Number("bytes", report.file_bytes)
      .Number("blocks", report.blocks)
      .Number("bad_blocks", report.bad_blocks)
      .Number("entries", report.entries)
      .Number("damages", console_->damages() - damages);
  console_->Print(fact);
}

void Verification::CountWal(const std::string& path, const WalReport& wal) {
  ++totals_.wals;
  totals_.groups += wal.groups;
  totals_.wal_entries += wal.entries;
  if (!console_->json()) return;
  Fact fact("log");
  fact.Text("file", path)
      .Number("bytes", wal.log.file_bytes)
      .Text("verdict", VerdictName(wal.log.contents.verdict))
      .Number("groups", wal.groups)
      .Number("entries", wal.entries);
  console_->Print(fact);
}

void Verification::CheckWals() {
  WalChecks checks;
  checks.file_system = file_system_;
  checks.dir = dir_;
  checks.in_use = in_use_;
  checks.still_named = [this](uint64_t number) { return StillNamesWal(number); };
  checks.read = [this](const std::string& path, const WalReport& wal) { CountWal(path, wal); };
  checks.entry = [this](absl::string_view key, absl::string_view value) { CountValue(key, value); };
  checks.report = console_->Sink();
  VerifyWals(checks, version_.version);
}

void Verification::CheckNamed() {
  for (const std::vector<TableMeta>& level : version_.version.levels) {
    for (const TableMeta& meta : level) bytes_to_check_ += meta.bytes;
  }
  CheckWals();
  for (const std::vector<TableMeta>& level : version_.version.levels) {
    for (const TableMeta& meta : level) {
      ShowProgress();
      CheckTable(storage::TablePath(dir_, meta.number), meta);
    }
  }
}

void Verification::CheckAllByThemselves() {
  console_->Report({Gravity::kNotice, dir_, std::nullopt,
                    "without a manifest each table and log is checked by itself; whether some are "
                    "missing cannot be told",
                    ""});
  for (const std::string& name : names_) {
    const std::string path = storage::PathIn(dir_, name);
    const FileKind kind = storage::ParseFileName(name).kind;
    if (kind == FileKind::kTable) CheckTable(path, std::nullopt);
    if (kind != FileKind::kWal) continue;
    const std::optional<std::string> file = ReadLogFile(file_system_, path, console_->Sink());
    if (!file.has_value()) continue;
    WalHooks hooks;
    hooks.entry = [&](uint64_t, absl::string_view key, std::optional<absl::string_view> value) {
      if (value.has_value()) CountValue(key, *value);
    };
    hooks.report = console_->Sink();
    CountWal(path, InspectWal(path, *file, LogExpectation{.may_be_growing = in_use_}, std::nullopt,
                              hooks));
  }
}

void Verification::CheckSlots() {
  for (const std::string& name : names_) {
    const FileName parsed = storage::ParseFileName(name);
    if (parsed.kind != FileKind::kSlot) continue;
    const std::string path = storage::PathIn(dir_, name);
    const std::optional<std::string> file = ReadWhole(file_system_, path, console_->Sink());
    if (!file.has_value()) continue;
    ++totals_.slots;
    if (!storage::DecodeSlot(parsed.slot_name, *file).has_value()) {
      console_->Report({Gravity::kDamage, path, 0,
                        "the checksum is wrong, or it is another slot's file; it counts as absent",
                        "started without it, the node goes on under new incarnations"});
    }
  }
}

void Verification::CheckStrays() {
  std::set<std::string> known = {storage::CurrentPath(dir_), storage::PathIn(dir_, kLockFileName),
                                 storage::ManifestPath(dir_, version_.manifest)};
  for (const storage::WalRef& wal : version_.version.wals) {
    known.insert(storage::WalPath(dir_, wal.number));
  }
  for (const std::vector<TableMeta>& level : version_.version.levels) {
    for (const TableMeta& meta : level) known.insert(storage::TablePath(dir_, meta.number));
  }
  for (const std::string& name : names_) {
    const FileKind kind = storage::ParseFileName(name).kind;
    const std::string path = storage::PathIn(dir_, name);
    if (kind == FileKind::kSlot || known.contains(path)) continue;
    if (kind == FileKind::kTemporary) {
      // On their way to a name, left by a crash, or room that a node holds in reserve.
      ++totals_.temporary;
      continue;
    }
    ++totals_.stray;
    Finding finding{Gravity::kNotice, path, std::nullopt, "the manifest does not name this file",
                    "a crash leaves such; the node removes it when it starts"};
    if (in_use_) finding.remedy = "the node may be writing it, or about to remove it";
    if (kind == FileKind::kOther) {
      finding.what = "this is no file of Norn";
      finding.remedy = "the node ignores it";
    }
    console_->Report(finding);
  }
}

void Verification::Summarize() {
  if (totals_.no_records > 0) {
    console_->Report(
        {Gravity::kNotice, dir_, std::nullopt,
         absl::StrCat(totals_.no_records, " values are no records, the first under ",
                      KeyText(first_no_record_, options_.keys_hex)),
         "right for an engine that something else than a node uses; otherwise report a bug"});
  }
  const storage::VersionState& version = version_.version;
  if (version.checkpoint.has_value()) {
    console_->Report(
        {Gravity::kNotice, storage::ManifestPath(dir_, version_.manifest), std::nullopt,
         absl::StrCat("this is a checkpoint of the writes up to ", *version.checkpoint),
         "a node that is started on it, or better on a copy, knows that it may have "
         "forgotten later ones"});
  } else if (version.suspect || version.lost_from != 0) {
    console_->Report(
        {Gravity::kNotice, storage::ManifestPath(dir_, version_.manifest), std::nullopt,
         version.suspect
             ? "an earlier start found damage, and the node has not yet "
               "dealt with it"
             : absl::StrCat("an earlier start found that writes from ", version.lost_from,
                            " on may be lost, and the node has not yet "
                            "dealt with it"),
         "start the node"});
  }
  const uint64_t damages = console_->damages();
  const size_t files = console_->damaged_files().size();
  Fact fact("summary");
  fact.Text("verdict", damages > 0                   ? "damaged"
                       : console_->unreadables() > 0 ? "incomplete"
                                                     : "fine")
      .Number("damages", damages)
      .Number("damaged_files", files)
      .Number("unreadable", console_->unreadables())
      .Bytes("owner", version_.owner)
      .Number("manifest", version_.manifest)
      .Number("edits", version_.edits)
      .Flag("checkpoint", version.checkpoint.has_value())
      .Number("tables", totals_.tables)
      .Number("table_bytes", totals_.table_bytes)
      .Number("blocks", totals_.blocks)
      .Number("table_entries", totals_.table_entries)
      .Number("logs", totals_.wals)
      .Number("groups", totals_.groups)
      .Number("log_entries", totals_.wal_entries)
      .Number("slots", totals_.slots)
      .Number("temporary_files", totals_.temporary)
      .Number("stray_files", totals_.stray);
  fact.Say(absl::StrCat(
      "checked the store of ", Quoted(version_.owner), ": manifest ", version_.manifest, " with ",
      version_.edits, " edits; ", totals_.tables, " tables with ", totals_.blocks, " blocks, ",
      totals_.table_entries, " entries, ", totals_.table_bytes, " bytes; ", totals_.wals,
      " logs with ", totals_.groups, " groups, ", totals_.wal_entries, " writes; ", totals_.slots,
      " slots; ", totals_.temporary, " temporary and ", totals_.stray, " stray files"));
  console_->Print(fact);
  if (console_->json()) return;
  Fact verdict("verdict");
  verdict.Say(damages > 0 ? absl::StrCat("DAMAGED: ", damages, " findings in ", files,
                                         " files, listed above")
              : console_->unreadables() > 0
                  ? absl::StrCat("INCOMPLETE: ", console_->unreadables(),
                                 " files could not be checked; no damage was found in the others")
                  : "fine: no damage was found");
  console_->Print(verdict);
}

void Verification::Run() {
  absl::StatusOr<std::vector<std::string>> names = file_system_->List(dir_);
  if (!names.ok()) {
    console_->Report({Gravity::kUnreadable, dir_, std::nullopt,
                      absl::StrCat("cannot be listed (", names.status().ToString(), ")"),
                      "name the directory of a node (data_dir in its configuration)"});
    return;
  }
  names_ = *std::move(names);
  PrintDirectory();
  version_ = ReadVersion(file_system_, dir_, names_, in_use_, console_->Sink());
  if (version_.state == DirectoryVersion::State::kKnown) CheckNamed();
  if (version_.state == DirectoryVersion::State::kUnknown) CheckAllByThemselves();
  CheckSlots();
  if (version_.state != DirectoryVersion::State::kUnknown) CheckStrays();
  const DirectoryUse now = FindUse(dir_);
  if (now.in_use.value_or(false) && !in_use_) {
    console_->Report({Gravity::kNotice, dir_, std::nullopt,
                      absl::StrCat("meanwhile ", now.holder, " began to use it"),
                      "verify again if damage was found: it may have been removing old files"});
  }
  Summarize();
}

}  // namespace

void Verify(storage::FileSystem* file_system, const Options& options, const DirectoryUse& use,
            Console* console) {
  Verification(file_system, options, use, console).Run();
}

}  // namespace norn::dump
