// The names in an engine's directory.
//
//   CURRENT               names owner, format and manifest; replaced by rename
//   NNNNNN.manifest       log of version edits
//   NNNNNN.wal            write-ahead log
//   NNNNNN.sst            table
//   NAME.slot             a slot
//   *.tmp                 on its way to its name; left over after a crash
//
// One counter numbers all files of a directory; no number is used twice.

#ifndef NORN_STORAGE_FILE_NAMES_H_
#define NORN_STORAGE_FILE_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::storage {

enum class FileKind { kCurrent, kManifest, kWal, kTable, kSlot, kTemporary, kOther };

struct FileName {
  FileKind kind = FileKind::kOther;
  uint64_t number = 0;    // kManifest, kWal, kTable; of a kTemporary if it has one
  std::string slot_name;  // kSlot
};

FileName ParseFileName(absl::string_view name);

std::string CurrentPath(absl::string_view dir);
std::string ManifestPath(absl::string_view dir, uint64_t number);
std::string WalPath(absl::string_view dir, uint64_t number);
std::string TablePath(absl::string_view dir, uint64_t number);
std::string SlotPath(absl::string_view dir, absl::string_view slot_name);
std::string TemporaryPath(absl::string_view dir, uint64_t number);
std::string PathIn(absl::string_view dir, absl::string_view name);

// The directory that `dir` is an entry of: "/a" of "/a/b", "." of "b".
std::string ParentDirectory(absl::string_view dir);

// Letters, digits, '-' and '_'; 1 to 64 of them.
bool IsSlotName(absl::string_view name);

}  // namespace norn::storage

#endif  // NORN_STORAGE_FILE_NAMES_H_
