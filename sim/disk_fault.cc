#include "sim/disk_fault.h"

#include <utility>
#include <vector>

#include "core/check.h"

namespace norn::sim {

const char* FileOperationName(FileOperation operation) {
  static constexpr const char* kNames[kFileOperationCount] = {
      "append", "sync",    "read", "open",      "create", "rename",
      "remove", "syncdir", "list", "createdir", "lock",   "link",
  };
  const int index = static_cast<int>(operation);
  CORE_CHECK(index >= 0 && index < kFileOperationCount);
  return kNames[index];
}

std::vector<std::pair<const char*, uint64_t>> FaultCounters::Named() const {
  return {
      {"crashes", crashes},
      {"crashes_at_operation", crashes_at_operation},
      {"torn_appends", torn_appends},
      {"torn_by_plan", torn_by_plan},
      {"crash_lost_bytes", crash_lost_bytes},
      {"crash_lost_sectors", crash_lost_sectors},
      {"crash_lost_entries", crash_lost_entries},
      {"eio", eio},
      {"enospc", enospc},
      {"denied", denied},
      {"short_writes", short_writes},
      {"failed_syncs", failed_syncs},
      {"failed_sync_lost_bytes", failed_sync_lost_bytes},
      {"lying_syncs", lying_syncs},
      {"lost_writes", lost_writes},
      {"misdirected_writes", misdirected_writes},
      {"misdirected_reads", misdirected_reads},
      {"disk_full", disk_full},
      {"bit_flips", bit_flips},
      {"overwrites", overwrites},
      {"damaged_reads", damaged_reads},
      {"read_errors", read_errors},
      {"wipes", wipes},
      {"restores", restores},
  };
}

}  // namespace norn::sim
