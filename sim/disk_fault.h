// What can be made to go wrong on a simulated disk, and the count of what did.
//
// A fault is planned with DiskFault and counted in FaultCounters when it takes effect,
// not when it is planned: a run whose planned fault never happened has proved nothing.

#ifndef NORN_SIM_DISK_FAULT_H_
#define NORN_SIM_DISK_FAULT_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace norn::sim {

// The kinds of file operation. Every call of the FileSystem port and of its files is one
// operation of one kind; Exists, Size and Close change nothing and are not counted.
enum class FileOperation {
  kAppend = 0,
  kSync,
  kRead,    // RandomAccessFile::Read and ReadFile
  kOpen,    // OpenForRead
  kCreate,  // CreateNew
  kRename,
  kRemove,
  kSyncDir,
  kList,
  kCreateDir,
  kLock,
  kLink,
};
inline constexpr int kFileOperationCount = 12;

// "append", "sync", ... for messages and traces.
const char* FileOperationName(FileOperation operation);

// How much a crash takes away.
enum class CrashLoss {
  // Power failed, and nothing that was not synced had reached the medium.
  kAllUnsynced = 0,
  // Power failed; of what was not synced any part had reached the medium.
  kRandomSubset,
  // Power failed after everything had been written back. (Pages that a failed sync
  // declared clean are lost all the same.)
  kNothing,
  // Only the process died. The kernel's cache lives on: all that was written is there
  // for the next process to read, and what was not synced can still be lost later.
  kProcessOnly,
};

// How one operation goes wrong.
enum class FaultEffect {
  kEio = 0,           // any kind: kDataLoss, nothing changed. On a sync: a failed sync, and
                      // chance decides whether its bytes are lost or kept
  kEnospc,            // append, create, rename, link, createdir: kResourceExhausted, nothing
                      // changed
  kShortWriteEio,     // append: any prefix is written, then kDataLoss
  kShortWriteEnospc,  // append: any prefix is written, then kResourceExhausted
  kFailedSyncLost,    // sync: kDataLoss; the pages become clean and are lost at the crash,
                      // even if a later sync returns OK
  kFailedSyncKept,    // sync: kDataLoss; yet the bytes had reached the medium
  kLyingSync,         // sync: OK, but nothing became durable (a cache that ignores flushes);
                      // the next honest sync makes up for it
  kLostWrite,         // append: OK, but the medium never gets the bytes, synced or not
  kMisdirectedWrite,  // append: as kLostWrite, and the bytes overwrite durable sectors
                      // elsewhere: of this file, or of another
  kMisdirectedRead,   // read: OK, but the bytes are those of another place, of this file or of
                      // another one with the same ending; of each file only once
  kDenied,            // all that looks a name up: kPermissionDenied, nothing changed
};

struct DiskFault {
  static constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

  FileOperation operation = FileOperation::kAppend;
  FaultEffect effect = FaultEffect::kEio;
  uint64_t nth = 1;           // the first operation that fails: 1 is the next that matches
  uint64_t times = 1;         // how many in succession fail from then on
  std::string path_contains;  // only operations on such paths match; empty: all
};

// What took effect since the disk was made.
struct FaultCounters {
  uint64_t crashes = 0;                 // of any loss, Wipe included
  uint64_t crashes_at_operation = 0;    // those that CrashAtOperation timed
  uint64_t torn_appends = 0;            // appends that a crash cut in the middle
  uint64_t torn_by_plan = 0;            // those that CrashAtTornAppend timed
  uint64_t crash_lost_bytes = 0;        // unsynced bytes that fell off the end of files
  uint64_t crash_lost_sectors = 0;      // sectors lost (in part) inside the surviving length
  uint64_t crash_lost_entries = 0;      // creates, links, renames, removes that a crash undid
  uint64_t eio = 0;                     // operations failed by kEio (syncs: failed_syncs)
  uint64_t enospc = 0;                  // operations failed by kEnospc
  uint64_t denied = 0;                  // operations failed by kDenied
  uint64_t short_writes = 0;            // both kinds
  uint64_t failed_syncs = 0;            // kFailedSync*, and kEio on a sync
  uint64_t failed_sync_lost_bytes = 0;  // bytes of failed syncs and lost writes that a crash took
  uint64_t lying_syncs = 0;             // with unsynced bytes to lie about
  uint64_t lost_writes = 0;
  uint64_t misdirected_writes = 0;  // that hit durable bytes
  uint64_t misdirected_reads = 0;   // that returned other bytes
  uint64_t disk_full = 0;           // operations refused by the capacity limit
  uint64_t bit_flips = 0;           // FlipBit
  uint64_t overwrites = 0;          // Overwrite
  uint64_t damaged_reads = 0;       // reads that returned flipped or overwritten bytes
  uint64_t read_errors = 0;         // reads that met a bad range
  uint64_t wipes = 0;
  uint64_t restores = 0;  // Restore

  // Every counter with its name, in the order above: for reports.
  std::vector<std::pair<const char*, uint64_t>> Named() const;
};

}  // namespace norn::sim

#endif  // NORN_SIM_DISK_FAULT_H_
