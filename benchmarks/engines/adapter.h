// One face for the storage engines that are compared.
//
// An adapter owns an open engine, with all its threads, in a process of its own (child.h).
// Failures are fatal: Die() names the engine and what to do, and ends the process, which ends
// the comparison. So nothing here returns a status.

#ifndef NORN_BENCHMARKS_ENGINES_ADAPTER_H_
#define NORN_BENCHMARKS_ENGINES_ADAPTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "benchmarks/engines/histogram.h"

namespace norn::benchmarks {

enum class EngineKind { kNorn, kLevelDb, kRocksDb };

// Of blocks. kLz4Zstd: LZ4 in the upper levels, Zstandard in the last one. LevelDB, which has
// neither, takes Snappy for all but kNone.
enum class BlockCompression { kNone, kLz4, kZstd, kLz4Zstd };

// What all engines get alike.
struct EngineSettings {
  std::string dir;
  size_t block_cache_bytes = 0;
  size_t memtable_bytes = 0;  // of all memtables together, full ones included
  BlockCompression compression = BlockCompression::kNone;
  // Whether puts that are waited for until they are on the disk will come. Norn's log, unlike
  // the peers', is in one mode or the other.
  bool synced_log = false;
  // Norn: blocks are read on the read lane's threads, as nornd does, instead of at once on the
  // engine's thread, as the peers do.
  bool read_on_lane = false;
  // Norn: what compactions may write each second; 0: no limit.
  uint64_t compaction_bytes_per_second = 0;
};

// Closed-loop writers, each with one synced put in flight.
struct SyncPlan {
  int writers = 1;
  double seconds = 1;
  // Fills key and value of the n-th put. Called on several threads at once, with different n.
  absl::FunctionRef<void(uint64_t n, std::string* key, std::string* value)> make_put;
};

// What the writers of a SyncPlan did.
struct SyncOutcome {
  uint64_t puts = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  Histogram latency;
};

class EngineAdapter {
 public:
  virtual ~EngineAdapter() = default;

  // A write that is not waited for: returns when the engine has taken it.
  virtual void Put(absl::string_view key, absl::string_view value) = 0;

  // False: absent. `*value` lives until the next call.
  virtual bool Get(absl::string_view key, absl::string_view* value) = 0;

  // Visits up to `count` entries from `from` on, and returns how many there were. `bulk`: a
  // scan of everything, which should not push blocks out of the cache.
  using Visit = absl::FunctionRef<void(absl::string_view key, absl::string_view value)>;
  virtual size_t Scan(absl::string_view from, size_t count, bool bulk, Visit visit) = 0;

  virtual void RunSyncWriters(const SyncPlan& plan, SyncOutcome* outcome) = 0;

  // Whether Put may be called on one thread and Get on another.
  virtual bool thread_safe() const = 0;

  // Returns when all writes are in files and nothing is left to flush or to merge.
  virtual void Settle() = 0;

  // Starts to merge everything there is into one level, beside what else is done.
  virtual void StartFullCompaction() = 0;
  virtual bool FullCompactionRunning() = 0;
};

std::unique_ptr<EngineAdapter> OpenNorn(const EngineSettings& settings);
std::unique_ptr<EngineAdapter> OpenLevelDb(const EngineSettings& settings);
std::unique_ptr<EngineAdapter> OpenRocksDb(const EngineSettings& settings);

inline const char* CompressionName(BlockCompression compression) {
  switch (compression) {
    case BlockCompression::kNone:
      return "none";
    case BlockCompression::kLz4:
      return "lz4";
    case BlockCompression::kZstd:
      return "zstd";
    case BlockCompression::kLz4Zstd:
      return "lz4+zstd";
  }
  return "unknown";
}

inline const char* EngineName(EngineKind kind) {
  switch (kind) {
    case EngineKind::kNorn:
      return "norn";
    case EngineKind::kLevelDb:
      return "leveldb";
    case EngineKind::kRocksDb:
      return "rocksdb";
  }
  return "unknown";
}

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_ADAPTER_H_
