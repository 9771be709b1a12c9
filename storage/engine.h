// The LSM engine: an ordered map of byte strings that survives crashes.
//
// Memory first: Put() appends to the commit log's open group and to the memtable, and
// returns a sequence number at once; the write is durable when durable_sequence()
// has reached it. Whoever answers a client holds the answer back until then
// (record_storage.h does it for the node). Full memtables become immutable and are
// flushed to SSTables by jobs; tables are merged by jobs. (P. O'Neil et al., The
// Log-Structured Merge-Tree, 1996; S. Ghemawat, J. Dean, LevelDB.)
//
// Invariants:
//   * a key's newest value is in the newest of: memtable, immutable memtables (newest
//     first), level-0 tables (newest first), level 1, level 2, ...
//   * a WAL file is deleted only after the tables that hold its writes are named by a
//     durable manifest;
//   * once poisoned (a WAL write or sync failed) nothing is ever acknowledged again,
//     and values above durable_sequence() are never served: Get reports kUnavailable;
//   * an error is never "absent".
//
// Threads: one engine belongs to one host; every method is called on its thread. Jobs
// run elsewhere (job.h).

#ifndef NORN_STORAGE_ENGINE_H_
#define NORN_STORAGE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/iterator.h"
#include "storage/job.h"

namespace norn::storage {

// When a write counts as durable, and may be answered.
enum class SyncMode {
  kAlways,    // once its group is synced: survives a power cut
  kInterval,  // once its group is written: survives the death of the process, and a power cut if
              // its owner has called RequestSync() since and that has been done
  kNone,      // once its group is written; synced when a log is full
};

struct EngineOptions {
  std::string dir;
  // Identity of the owner, stamped into the directory when it is created and checked
  // when it is opened: "cluster/node". A directory of another owner is refused.
  std::string owner;
  // Seed of the random ids that files are salted with.
  uint64_t seed = 0;

  size_t memtable_bytes = 16u << 20;  // size at which a memtable is retired
  SyncMode sync_mode = SyncMode::kAlways;
  int immutable_memtables_max = 1;  // above: writes are refused (kResourceExhausted)
  uint64_t wal_preallocate_bytes = 16u << 20;
  size_t block_bytes = 4096;  // target size of a data block, uncompressed
  int block_restart_interval = 16;
  int bloom_bits_per_key = 10;
  size_t block_cache_bytes = 64u << 20;
  // Of the RecordStorage above the engine (record_cache.h). 0: none.
  size_t record_cache_bytes = 64u << 20;
  // Level 0, where flushed tables gather, is merged with level 1 when it has so many tables and
  // this share of level 1's bytes; or the most that it may have, whatever their bytes.
  int level0_tables_to_compact = 4;
  int level0_percent = 50;
  int level0_tables_max = 20;
  uint64_t level1_bytes = 1u << 30;  // each next level holds level_growth times more
  int level_growth = 10;
  uint64_t table_bytes = 8u << 20;  // target size of a compaction's output table
  bool compress_blocks = false;     // LZ4, for blocks of new tables that gain from it
};

// What the engine takes; Put refuses more with kInvalidArgument. Far above what a client
// may send, since a record holds siblings and a key is prefixed.
inline constexpr size_t kKeyBytesMax = 64u << 10;
inline constexpr size_t kValueBytesMax = 64u << 20;

// What Open() found. The replica draws its conclusions from this: see DESIGN 7.
// `possibly_lost_from` and `suspect` are remembered in the directory and reported by
// every Open() until AcknowledgeRecovery(): a crash between Open() and the replica's own
// durable conclusion must not hide the loss.
struct RecoveryReport {
  bool created = false;        // the directory was empty
  uint64_t last_sequence = 0;  // the newest sequence that was recovered
  uint64_t wal_records = 0;    // records replayed from the log
  // The log's tail was torn or rotten and was cut, or its groups were not synced one by one
  // (SyncMode): writes from this sequence on may be lost.
  std::optional<uint64_t> possibly_lost_from;
  // Damage below a later sync offset, or a file missing that the manifest names:
  // data that had been acknowledged may be gone.
  bool suspect = false;
  std::vector<std::string> notes;  // one sentence each, naming the file
};

// What Get() found.
struct Lookup {
  enum class State { kFound, kAbsent, kNeedsRead, kError };
  State state = State::kAbsent;
  std::string value;      // kFound
  uint64_t sequence = 0;  // kFound: the write that made it; durable when <= durable_sequence()
  absl::Status status;    // kError: names the file and the damage
};

// A Get() that met blocks outside the cache: carries what was read between its tries.
class PendingRead;

struct EngineStats {
  uint64_t puts = 0, gets = 0, wal_bytes = 0, wal_syncs = 0, flushes = 0, compactions = 0;
  uint64_t table_bytes_written = 0, block_cache_hits = 0, block_cache_misses = 0;
  uint64_t memtable_bytes = 0, immutable_memtables = 0, tables = 0, table_bytes = 0;
  uint64_t damaged_reads = 0;   // Gets and Scans that met damage
  uint64_t damaged_tables = 0;  // tables with damage that is known
  uint64_t scrubbed_bytes = 0;
  uint64_t scrub_passes = 0;  // times that all tables were read
  std::vector<int> tables_per_level;
};

class Engine {
 public:
  // Opens or creates. Blocks while it recovers. Errors name the file and the remedy:
  // kFailedPrecondition for another owner's directory or a newer format.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(FileSystem& file_system,
                                                      const EngineOptions& options,
                                                      RecoveryReport* report);
  virtual ~Engine() = default;

  // Looks `key` up. O(log n) in memory. kNeedsRead: nothing was decided; `*read` was
  // filled (made if null), a job on Lane::kRead will fetch the missing block, and
  // when TakeFinishedReads() names it the call is made again with the same `read`.
  virtual Lookup Get(absl::string_view key, std::shared_ptr<PendingRead>* read) = 0;

  // Sets `key`. An empty value removes it: it is found, empty, until a compaction leaves nothing of
  // it, and then it is absent. Visible to Get at once; durable when durable_sequence() >=
  // *sequence. kUnavailable once poisoned; kResourceExhausted while flushes lag (try again later).
  virtual absl::Status Put(absl::string_view key, absl::string_view value, uint64_t* sequence) = 0;

  // Newest sequence that is known durable, as EngineOptions::sync_mode has it. Never goes back.
  virtual uint64_t durable_sequence() const = 0;
  // With SyncMode::kInterval: what is written by now is to be synced by the next job of the log.
  virtual void RequestSync() = 0;
  virtual uint64_t last_sequence() const = 0;
  // OK, or why the engine refuses writes for ever (restart to recover).
  virtual absl::Status health() const = 0;

  // Slots: a few small named values beside the log ("lease", "identity"), each in a
  // file of its own that is replaced atomically. WriteSlot is done when
  // TakeFinishedSlots() lists its ticket.
  virtual std::optional<std::string> ReadSlot(absl::string_view name) const = 0;
  virtual void WriteSlot(absl::string_view name, std::string bytes, uint64_t ticket) = 0;

  // The owner has drawn its conclusions from the RecoveryReport and made them durable:
  // forget what was suspect or possibly lost.
  virtual void AcknowledgeRecovery() = 0;

  // Walks the entries as they are at this moment, the newest of each key, in ascending order; it
  // is to be Seek()ed first. Stops neither flushes nor compactions; holds memory and disk until
  // it goes, and the engine must outlive it. Reads synchronously what is not cached.
  virtual std::unique_ptr<Iterator> NewIterator() = 0;

  // A page of the keys in [from, to) ("" as `to`: no bound), ascending: at most
  // `entries_max` entries or about `bytes_max` bytes. Reads synchronously what is not
  // cached. `*next` is where the next page starts, or "" at the end. Sequences tell
  // the caller what is not yet durable.
  // An error comes with no entries, and `*next` is where to go on behind the damage: the
  // keys in [from, *next) cannot be told. Entries before it come first, in a page of
  // their own.
  struct Entry {
    std::string key;
    std::string value;
    uint64_t sequence = 0;
  };
  virtual absl::Status Scan(absl::string_view from, absl::string_view to, size_t entries_max,
                            size_t bytes_max, std::vector<Entry>* entries, std::string* next) = 0;

  // Lets some `bytes` more of the tables be read and checked, when there is nothing better to do:
  // a table after the other, and from the start again. The owner sets the rate by how often it
  // calls; what was granted and not used yet does not add up. Damage is counted in stats() and
  // treated as if a reader had met it.
  virtual void GrantScrub(uint64_t bytes) = 0;

  // The next job that can start on `lane`, or null. At most one job of kLog and of
  // kBackground is out at a time; of kRead any number.
  virtual std::unique_ptr<Job> NextJob(Lane lane) = 0;
  // Takes a finished job back: publishes its result.
  virtual void Finish(std::unique_ptr<Job> job) = 0;

  struct FinishedSlot {
    uint64_t ticket = 0;
    absl::Status status;
  };
  virtual std::vector<std::shared_ptr<PendingRead>> TakeFinishedReads() = 0;
  virtual std::vector<FinishedSlot> TakeFinishedSlots() = 0;

  virtual EngineStats stats() const = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENGINE_H_
