#include "tools/dump/manifest_inspector.h"

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/manifest.h"
#include "storage/record_log.h"

namespace norn::dump {

using storage::LogContents;
using storage::VersionEdit;

ManifestReport InspectManifest(const std::string& path, absl::string_view file,
                               const LogExpectation& expectation, const ManifestHooks& hooks) {
  const auto damage = [&](uint64_t offset, absl::string_view what) {
    hooks.report(
        {Gravity::kDamage, path, offset, std::string(what),
         "stop the node, empty the directory, and let the node rebuild from its replicas"});
  };
  ManifestReport report;
  report.log = InspectLog(storage::LogKind::kManifest, path, file, expectation, hooks.report);
  const LogContents& contents = report.log.contents;
  if (hooks.head) hooks.head(report.log);
  report.usable = report.log.header_good && (contents.verdict == LogContents::Verdict::kClean ||
                                             contents.verdict == LogContents::Verdict::kTorn);
  for (const LogContents::Record& record : contents.records) {
    const std::optional<VersionEdit> edit = storage::DecodeEdit(record.body);
    if (!edit.has_value()) {
      report.usable = false;
      damage(record.offset, "a record whose checksum is good is no edit");
      continue;
    }
    ++report.edits;
    if (hooks.edit) {
      hooks.edit({.offset = record.offset,
                  .bytes = storage::kRecordHeadBytes + record.body.size(),
                  .synced = SyncedOf(file, record.offset),
                  .edit = *edit});
    }
    if (!report.version.Apply(*edit)) {
      report.usable = false;
      damage(record.offset,
             "the edit does not fit those before it: it drops what is not there, or adds what is");
    }
  }
  // The snapshot was synced before CURRENT named the file.
  if (report.usable && report.edits == 0) {
    report.usable = false;
    damage(storage::kLogHeaderBytes, "the snapshot is missing");
  }
  return report;
}

}  // namespace norn::dump
