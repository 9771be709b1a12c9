// The part of verify that looks at the write-ahead logs which the manifest names: each for
// itself, and whether each goes on where the one before it ended.

#ifndef NORN_TOOLS_DUMP_VERIFY_WALS_H_
#define NORN_TOOLS_DUMP_VERIFY_WALS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/manifest.h"
#include "tools/dump/console.h"
#include "tools/dump/wal_inspector.h"

namespace norn::dump {

struct WalChecks {
  storage::FileSystem* file_system;
  std::string dir;
  bool in_use = false;
  // Whether the directory still names the log: a running node drops some.
  std::function<bool(uint64_t number)> still_named;
  // Told about each log that was read, and each value.
  std::function<void(const std::string& path, const WalReport&)> read;
  std::function<void(absl::string_view key, absl::string_view value)> entry;
  FindingSink report;
};

void VerifyWals(const WalChecks& checks, const storage::VersionState& version);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_VERIFY_WALS_H_
