#include "tools/dump/log_inspector.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "storage/file_names.h"
#include "storage/record_log.h"
#include "tools/dump/bytes_text.h"

namespace norn::dump {
namespace {

using storage::kLogHeaderBytes;
using storage::kRecordHeadBytes;
using storage::LogContents;
using storage::LogKind;
using Verdict = LogContents::Verdict;

constexpr size_t kHeaderIdAt = 20;     // of the file id in the header
constexpr size_t kRecordSyncedAt = 4;  // of `synced` in a record's head

std::string DamageRemedy(LogKind kind) {
  return kind == LogKind::kManifest
             ? "stop the node, empty the directory, and let the node rebuild from its replicas"
             : "started on it, the node suspects itself: it goes on under new incarnations and is "
               "repaired from its replicas";
}

std::string TornRemedy(LogKind kind) {
  return kind == LogKind::kManifest
             ? "the node cuts it when it starts; no acknowledged write depends on it"
             : "the node cuts it when it starts, and asks its replicas for what may be lost";
}

absl::string_view WithoutZerosAtEnd(absl::string_view bytes) {
  const size_t last = bytes.find_last_not_of('\0');
  return bytes.substr(0, last == absl::string_view::npos ? 0 : last + 1);
}

// One inspection: what it reads, and whom it tells.
class Inspection {
 public:
  Inspection(LogKind kind, const std::string& path, absl::string_view file,
             const LogExpectation& expectation, const FindingSink& report)
      : kind_(kind), path_(path), file_(file), expectation_(expectation), report_(report) {}

  LogReport Run();

 private:
  void ReadContents();
  void CheckHeader();
  void CheckGaps();
  // Bytes that are no good record.
  void ReportGap(uint64_t from, uint64_t to);
  void Damage(uint64_t offset, const std::string& what) {
    report_({Gravity::kDamage, path_, offset, what, DamageRemedy(kind_)});
  }

  const LogKind kind_;
  const std::string& path_;
  const absl::string_view file_;
  const LogExpectation& expectation_;
  const FindingSink& report_;
  LogReport log_;
};

void Inspection::ReadContents() {
  log_.file_bytes = file_.size();
  const LogContents plain =
      storage::ReadLog(kind_, file_, std::nullopt, expectation_.vouched_bytes);
  log_.header_good = plain.verdict != Verdict::kNoLog;
  log_.contents = plain;
  if (plain.verdict == Verdict::kNewer) return;
  if (log_.header_good) {
    const bool other = expectation_.file_id.has_value() && *expectation_.file_id != plain.file_id;
    if (other) {
      log_.contents.verdict = Verdict::kNoLog;
      log_.contents.records.clear();  // another file's
    }
    return;
  }
  // The records behind a bad header can be told if their id is known, or still stands there.
  std::optional<uint64_t> id = expectation_.file_id;
  if (!id.has_value() && file_.size() >= kLogHeaderBytes) {
    id = LoadFixed64(file_.data() + kHeaderIdAt);
  }
  if (!id.has_value()) return;
  const LogContents behind = storage::ReadLog(
      kind_, file_, id, std::max<uint64_t>(expectation_.vouched_bytes, kLogHeaderBytes));
  if (expectation_.file_id.has_value() || !behind.records.empty()) log_.contents = behind;
}

void Inspection::CheckHeader() {
  const LogContents& contents = log_.contents;
  if (contents.verdict == Verdict::kNewer) {
    report_({Gravity::kUnreadable, path_, 0,
             absl::StrCat("format ", contents.format, " is newer than ", storage::kLogFormat,
                          ", the newest that this program reads"),
             "use the norn-dump of the release that wrote it"});
    return;
  }
  if (!log_.header_good) {
    const bool found = !contents.records.empty();
    Damage(0, absl::StrCat(file_.size() < kLogHeaderBytes
                               ? absl::StrCat("the file has ", file_.size(), " of the ",
                                              kLogHeaderBytes, " bytes of a header")
                               : "the header is bad, or this is no log of this kind",
                           found ? "; the records behind it were found nevertheless" : ""));
    return;
  }
  if (contents.verdict == Verdict::kNoLog) {
    Damage(0, absl::StrCat("the file's id is ", HexId(contents.file_id), " instead of ",
                           HexId(*expectation_.file_id),
                           ": this is another file than the manifest names"));
  }
  const storage::FileName name =
      storage::ParseFileName(absl::string_view(path_).substr(path_.rfind('/') + 1));
  const bool numbered =
      name.kind == storage::FileKind::kWal || name.kind == storage::FileKind::kManifest;
  if (numbered && name.number != contents.number) {
    Damage(0, absl::StrCat("the header says number ", contents.number,
                           ": the file was renamed or is a copy of another"));
  }
}

void Inspection::ReportGap(uint64_t from, uint64_t to) {
  log_.bad_bytes += to - from;
  if (log_.contents.verdict == Verdict::kDamaged) {
    Damage(from, absl::StrCat(to - from, " bytes are bad that had been synced"));
  } else if (expectation_.may_be_growing) {
    report_({Gravity::kNotice, path_, from,
             absl::StrCat("a tail of ", to - from, " bytes is not whole"),
             "the node may be writing it; to be sure, verify again, or stop the node first"});
  } else {
    report_({Gravity::kDamage, path_, from,
             absl::StrCat("a tail of ", to - from,
                          " bytes is torn or rotten (a crash during a write leaves that as well)"),
             TornRemedy(kind_)});
  }
}

void Inspection::CheckGaps() {
  const LogContents& contents = log_.contents;
  uint64_t at = kLogHeaderBytes;
  for (const LogContents::Record& record : contents.records) {
    if (record.offset > at) ReportGap(at, record.offset);
    at = record.offset + kRecordHeadBytes + record.body.size();
  }
  if (at < file_.size()) {
    const absl::string_view rest = file_.substr(static_cast<size_t>(at));
    const absl::string_view bad = WithoutZerosAtEnd(rest);
    log_.zero_bytes = rest.size() - bad.size();
    if (!bad.empty()) ReportGap(at, at + bad.size());
  }
  // Cut, so that nothing bad is left to be seen.
  if (contents.verdict == Verdict::kDamaged && log_.header_good && log_.bad_bytes == 0) {
    Damage(contents.good_bytes, "the file ends here although more bytes had been synced");
  }
}

LogReport Inspection::Run() {
  ReadContents();
  CheckHeader();
  const Verdict verdict = log_.contents.verdict;
  const bool is_log = verdict != Verdict::kNewer && verdict != Verdict::kNoLog;
  if (is_log && (log_.header_good || !log_.contents.records.empty())) CheckGaps();
  return log_;
}

}  // namespace

LogReport InspectLog(LogKind kind, const std::string& path, absl::string_view file,
                     const LogExpectation& expectation, const FindingSink& report) {
  return Inspection(kind, path, file, expectation, report).Run();
}

uint64_t SyncedOf(absl::string_view file, uint64_t offset) {
  return LoadFixed64(file.data() + offset + kRecordSyncedAt);
}

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kClean:
      return "clean";
    case Verdict::kTorn:
      return "torn";
    case Verdict::kDamaged:
      return "damaged";
    case Verdict::kNoLog:
      return "no log";
    case Verdict::kNewer:
      return "newer";
  }
  return "";
}

Fact LogHeadFact(absl::string_view kind, const std::string& path, const LogReport& log) {
  Fact fact(kind);
  fact.Text("file", path).Number("bytes", log.file_bytes).Flag("header_good", log.header_good);
  if (log.header_good) {
    fact.Number("format", log.contents.format)
        .Number("number", log.contents.number)
        .Id("file_id", log.contents.file_id);
  }
  return fact;
}

}  // namespace norn::dump
