// What a manifest (storage/manifest.h) says, edit by edit, and what it adds up to.
// Pure functions over bytes.

#ifndef NORN_TOOLS_DUMP_MANIFEST_INSPECTOR_H_
#define NORN_TOOLS_DUMP_MANIFEST_INSPECTOR_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/manifest.h"
#include "tools/dump/console.h"
#include "tools/dump/log_inspector.h"

namespace norn::dump {

struct EditFacts {
  uint64_t offset = 0;
  uint64_t bytes = 0;   // of the record, head and all
  uint64_t synced = 0;  // bytes of the file that were durable when it was written
  const storage::VersionEdit& edit;
};

struct ManifestHooks {
  std::function<void(const LogReport&)> head;  // may be empty
  std::function<void(const EditFacts&)> edit;  // may be empty
  FindingSink report;                          // not empty
};

struct ManifestReport {
  LogReport log;
  uint64_t edits = 0;
  storage::VersionState version;
  // The engine would open it. Otherwise `version` is what the good edits alone say.
  bool usable = false;
};

ManifestReport InspectManifest(const std::string& path, absl::string_view file,
                               const LogExpectation& expectation, const ManifestHooks& hooks);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_MANIFEST_INSPECTOR_H_
