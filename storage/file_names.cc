#include "storage/file_names.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace norn::storage {
namespace {

std::string Numbered(absl::string_view dir, uint64_t number, absl::string_view suffix) {
  return absl::StrCat(dir, "/", absl::Dec(number, absl::kZeroPad6), suffix);
}

}  // namespace

FileName ParseFileName(absl::string_view name) {
  FileName parsed;
  if (name == "CURRENT") {
    parsed.kind = FileKind::kCurrent;
    return parsed;
  }
  if (absl::ConsumeSuffix(&name, ".slot")) {
    if (IsSlotName(name)) {
      parsed.kind = FileKind::kSlot;
      parsed.slot_name = std::string(name);
    }
    return parsed;
  }
  FileKind kind = FileKind::kOther;
  if (absl::ConsumeSuffix(&name, ".manifest")) kind = FileKind::kManifest;
  if (absl::ConsumeSuffix(&name, ".wal")) kind = FileKind::kWal;
  if (absl::ConsumeSuffix(&name, ".sst")) kind = FileKind::kTable;
  if (absl::ConsumeSuffix(&name, ".tmp")) kind = FileKind::kTemporary;
  for (const char c : name) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return parsed;
  }
  if (absl::SimpleAtoi(name, &parsed.number)) parsed.kind = kind;
  return parsed;
}

std::string PathIn(absl::string_view dir, absl::string_view name) {
  return absl::StrCat(dir, "/", name);
}

std::string CurrentPath(absl::string_view dir) { return PathIn(dir, "CURRENT"); }

std::string ManifestPath(absl::string_view dir, uint64_t number) {
  return Numbered(dir, number, ".manifest");
}

std::string WalPath(absl::string_view dir, uint64_t number) {
  return Numbered(dir, number, ".wal");
}

std::string TablePath(absl::string_view dir, uint64_t number) {
  return Numbered(dir, number, ".sst");
}

std::string SlotPath(absl::string_view dir, absl::string_view slot_name) {
  return absl::StrCat(dir, "/", slot_name, ".slot");
}

std::string TemporaryPath(absl::string_view dir, uint64_t number) {
  return Numbered(dir, number, ".tmp");
}

std::string ParentDirectory(absl::string_view dir) {
  const size_t end = dir.find_last_not_of('/');
  const size_t slash = end == absl::string_view::npos ? end : dir.rfind('/', end);
  if (slash == absl::string_view::npos) return end == absl::string_view::npos ? "/" : ".";
  return slash == 0 ? "/" : std::string(dir.substr(0, slash));
}

bool IsSlotName(absl::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') {
      return false;
    }
  }
  return true;
}

}  // namespace norn::storage
