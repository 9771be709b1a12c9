#include "tools/dump/read_file.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace norn::dump {

std::optional<std::string> ReadWhole(storage::FileSystem* file_system, const std::string& path,
                                     const FindingSink& report) {
  absl::StatusOr<std::string> bytes = file_system->ReadFile(path);
  if (bytes.ok()) return *std::move(bytes);
  // A device that cannot read is damage; a name or a permission is the caller's affair.
  const bool damaged = absl::IsDataLoss(bytes.status());
  report({damaged ? Gravity::kDamage : Gravity::kUnreadable, path, std::nullopt,
          absl::StrCat("cannot be read (", bytes.status().ToString(), ")"),
          damaged ? "replace the disk, and let the node rebuild from its replicas"
                  : "check its name and permissions"});
  return std::nullopt;
}

std::optional<std::string> ReadLogFile(storage::FileSystem* file_system, const std::string& path,
                                       const FindingSink& report, bool* grew) {
  const std::optional<std::string> first = ReadWhole(file_system, path, report);
  if (!first.has_value()) return std::nullopt;
  std::optional<std::string> second = ReadWhole(file_system, path, report);
  const bool differ = second.has_value() && *second != *first;
  if (grew != nullptr) *grew = differ;
  if (differ) {
    // Zeros at the end of the first may be a record's own, or not written to yet.
    const size_t last = first->find_last_not_of('\0');
    const size_t seen = last == std::string::npos ? 0 : last + 1;
    second->resize(std::min(second->size(), seen));
    second->resize(first->size(), '\0');
  }
  return second;
}

}  // namespace norn::dump
