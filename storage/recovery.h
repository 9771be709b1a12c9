// Opening a directory: from what is on the disk to a state that the engine can start from.
//
// Everything that recovery learns from the log is written to tables and synced before it
// counts as durable: bytes that a dead process wrote can be read back and still be lost
// with the next power failure. Nothing that is there is touched until a new manifest that
// does not need it is durable, so recovery can be cut short anywhere and repeated.
//
// A manifest or a CURRENT that is damaged is refused. (A torn end of the manifest is cut: nothing
// depends on it.) The tables tell their own ids, keys and sequences, so one could take whatever
// lies in the directory; but nothing would tell that one of them is missing, and where a newer
// table is missing an older value is served as if it were the newest. Neither does what is left
// of the manifest: its tables may have gone into others since, or been lost. Compaction leaves
// gaps in the sequences, so they prove nothing either. The replicas have it all: the remedy is
// to start with an empty directory.

#ifndef NORN_STORAGE_RECOVERY_H_
#define NORN_STORAGE_RECOVERY_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/file_system.h"
#include "storage/live_table.h"
#include "storage/log_jobs.h"
#include "storage/manifest.h"
#include "storage/range_drops.h"

namespace norn::storage {

struct RecoveredState {
  std::unique_ptr<DirectoryLock> lock;
  uint64_t next_file_number = 1;
  uint64_t last_sequence = 0;  // all durable, all in tables
  std::array<Level, kLevels> levels;
  QuarantineSet quarantine;
  WalRef wal_ref;
  std::unique_ptr<OpenLog> wal;
  std::unique_ptr<OpenLog> manifest;
  std::map<std::string, std::string, std::less<>> slots;
  std::vector<RangeDrop> drops;
};

absl::StatusOr<RecoveredState> Recover(FileSystem& file_system, const EngineOptions& options,
                                       RecoveryReport* report);

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECOVERY_H_
