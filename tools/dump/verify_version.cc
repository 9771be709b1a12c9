#include "tools/dump/verify_version.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/file_names.h"
#include "storage/file_system.h"
#include "storage/manifest.h"
#include "storage/table_meta.h"
#include "tools/dump/manifest_inspector.h"
#include "tools/dump/read_file.h"

namespace norn::dump {
namespace {

using storage::FileKind;
using storage::TableMeta;
using State = DirectoryVersion::State;

constexpr int kTries = 3;
constexpr char kRebuild[] =
    "stop the node, empty the directory, and let the node rebuild from its replicas";

class VersionReader {
 public:
  VersionReader(storage::FileSystem* file_system, const std::string& dir,
                const std::vector<std::string>& names, bool in_use, const FindingSink& report)
      : file_system_(file_system), dir_(dir), names_(names), in_use_(in_use), report_(report) {}

  DirectoryVersion Read();

 private:
  bool ReadCurrent();
  void ExplainNoCurrent();
  void ReadManifest();
  void CheckLevels();
  void Damage(const std::string& path, const std::string& what) {
    report_({Gravity::kDamage, path, std::nullopt, what, kRebuild});
  }

  storage::FileSystem* file_system_;
  const std::string& dir_;
  const std::vector<std::string>& names_;
  const bool in_use_;
  const FindingSink& report_;
  DirectoryVersion found_;
};

void VersionReader::ExplainNoCurrent() {
  for (const std::string& name : names_) {
    const FileKind kind = storage::ParseFileName(name).kind;
    // A creation that was cut short leaves neither.
    if (kind == FileKind::kTable || kind == FileKind::kSlot) {
      Damage(storage::CurrentPath(dir_),
             absl::StrCat("is missing although there is ", name,
                          "; an unfinished checkpoint looks like this"));
      return;
    }
  }
  found_.state = State::kEmpty;
  report_({Gravity::kNotice, dir_, std::nullopt, "there is no store in this directory",
           "a node that starts on it creates one; is it the right directory?"});
}

bool VersionReader::ReadCurrent() {
  const std::string path = storage::CurrentPath(dir_);
  if (!file_system_->Exists(path)) {
    ExplainNoCurrent();
    return false;
  }
  const std::optional<std::string> bytes = ReadWhole(file_system_, path, report_);
  if (!bytes.has_value()) return false;
  absl::StatusOr<storage::Current> current = storage::DecodeCurrent(path, *bytes);
  if (absl::IsFailedPrecondition(current.status())) {
    report_({Gravity::kUnreadable, path, 0, std::string(current.status().message()),
             "use the norn-dump of the release that wrote it"});
    return false;
  }
  if (!current.ok()) {
    report_({Gravity::kDamage, path, 0, "it is not what Norn writes, or its checksum is wrong",
             kRebuild});
    return false;
  }
  found_.owner = std::move(current->owner);
  found_.manifest = current->manifest;
  return true;
}

void VersionReader::ReadManifest() {
  const std::string path = storage::ManifestPath(dir_, found_.manifest);
  if (!file_system_->Exists(path)) {
    Damage(path, "is missing although CURRENT names it");
    return;
  }
  const std::optional<std::string> bytes = ReadLogFile(file_system_, path, report_);
  if (!bytes.has_value()) return;
  ManifestHooks hooks;
  hooks.report = report_;
  ManifestReport manifest =
      InspectManifest(path, *bytes, LogExpectation{.may_be_growing = in_use_}, hooks);
  found_.edits = manifest.edits;
  found_.version = std::move(manifest.version);
  if (manifest.usable) found_.state = State::kKnown;
}

void VersionReader::CheckLevels() {
  const storage::VersionState& version = found_.version;
  const std::string path = storage::ManifestPath(dir_, found_.manifest);
  for (size_t level = 0; level < version.levels.size(); ++level) {
    std::vector<TableMeta> tables = version.levels[level];
    std::sort(tables.begin(), tables.end(),
              [](const TableMeta& a, const TableMeta& b) { return a.smallest < b.smallest; });
    for (size_t i = 0; i < tables.size(); ++i) {
      if (level > 0 && i > 0 && tables[i].smallest <= tables[i - 1].largest) {
        Damage(path, absl::StrCat("tables ", tables[i - 1].number, " and ", tables[i].number,
                                  " of level ", level, " overlap"));
      }
      if (tables[i].largest_sequence > version.flushed_sequence) {
        Damage(path, absl::StrCat("table ", tables[i].number, " holds write ",
                                  tables[i].largest_sequence, " although only writes up to ",
                                  version.flushed_sequence, " are said to be in tables"));
      }
    }
  }
}

DirectoryVersion VersionReader::Read() {
  if (!ReadCurrent()) return found_;
  ReadManifest();
  if (found_.state == State::kKnown) CheckLevels();
  return found_;
}

// One look; not kKnown if anything was in the way.
DirectoryVersion LookAgain(storage::FileSystem* file_system, const std::string& dir) {
  DirectoryVersion found;
  const std::string path = storage::CurrentPath(dir);
  const absl::StatusOr<std::string> bytes = file_system->ReadFile(path);
  if (!bytes.ok()) return found;
  const absl::StatusOr<storage::Current> current = storage::DecodeCurrent(path, *bytes);
  if (!current.ok()) return found;
  found.manifest = current->manifest;
  const std::string manifest_path = storage::ManifestPath(dir, current->manifest);
  const absl::StatusOr<std::string> manifest = file_system->ReadFile(manifest_path);
  if (!manifest.ok()) return found;
  absl::StatusOr<storage::VersionState> version = storage::ReadManifest(manifest_path, *manifest);
  if (!version.ok()) return found;
  found.version = *std::move(version);
  found.state = State::kKnown;
  return found;
}

}  // namespace

DirectoryVersion ReadVersion(storage::FileSystem* file_system, const std::string& dir,
                             const std::vector<std::string>& names, bool in_use,
                             const FindingSink& report) {
  // A running node may replace the manifest between a look at CURRENT and one at it.
  for (int tries = kTries;; --tries) {
    std::vector<Finding> findings;
    DirectoryVersion found = VersionReader(file_system, dir, names, in_use, [&](const Finding& f) {
                               findings.push_back(f);
                             }).Read();
    const bool final = found.state != State::kUnknown || tries == 0 ||
                       ReadVersionAgain(file_system, dir).manifest == found.manifest;
    if (!final) continue;
    for (const Finding& finding : findings) report(finding);
    return found;
  }
}

DirectoryVersion ReadVersionAgain(storage::FileSystem* file_system, const std::string& dir) {
  DirectoryVersion found = LookAgain(file_system, dir);
  for (int tries = kTries; tries > 0 && found.state != State::kKnown; --tries) {
    found = LookAgain(file_system, dir);
  }
  return found;
}

}  // namespace norn::dump
