// The LSM engine: an ordered map of byte strings that survives crashes.
//
// Memory first: Put() and Delete() append to the commit log's open group and to the memtable, and
// return a sequence number at once; the write is durable when durable_sequence()
// has reached it. Whoever answers a client holds the answer back until then
// (record_storage.h does it for the node). Full memtables become immutable and are
// flushed to SSTables by jobs; tables are merged by jobs. A deletion is written like a value, and
// goes when a compaction has merged it with the oldest table of its key. (P. O'Neil et al., The
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
#include "core/rare_branch.h"
#include "storage/compaction_filter.h"
#include "storage/compression.h"
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
  // The index of a table that is larger is split into partitions of this size, uncompressed: they
  // share the block cache with the data, and only a line for each stays in memory (table.h).
  size_t index_partition_bytes = 4096;
  int block_restart_interval = 16;
  // Of filters, over all levels; upper ones get more, the last fewer (filter_bits.h).
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
  // Of blocks of new tables, where it saves an eighth; and of those that compactions write to the
  // last level, which holds most of the data.
  Compression compression = Compression::kNone;
  Compression last_level_compression = Compression::kNone;
  // What compactions may write each second while write_debt() is low (compaction_pace.h). The owner
  // has to tell the time then: SetTime(). 0: no limit.
  uint64_t compaction_bytes_per_second = 0;
  // Decides about old entries that compactions come by. Null: they all stay.
  std::shared_ptr<const CompactionFilter> compaction_filter;
  // Keys that share so many first bytes belong together: compactions end their outputs between
  // two such groups, where that makes them no smaller than half of table_bytes, so that
  // DropRange() and Checkpoint() of a group meet few tables that hold others too. 0: no groups.
  size_t group_prefix_bytes = 0;
  RareBranches* rare = nullptr;  // of simulations alone (core/rare_branch.h); outlives the engine
};

// What the engine takes; Put and Delete refuse more with kInvalidArgument. Far above what a client
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

// Keys that cannot all be told. See Engine::damaged_ranges().
struct DamagedRange {
  std::string from;       // the first key that may be concerned
  std::string until;      // behind the last
  uint64_t sequence = 0;  // writes up to this one may be unreadable; later ones are not concerned
  std::string file;       // path of the file that is, or was, damaged
  absl::Status reason;    // kDataLoss
  // False: it was seen lately, or the device could not read; it is being read again, and may pass.
  bool settled = false;
};

// What Get() found.
struct Lookup {
  enum class State { kFound, kAbsent, kNeedsRead, kError };
  State state = State::kAbsent;
  std::string value;  // kFound
  // kFound: the write that made it. kAbsent: the deletion that was met, or 0. Either is durable
  // when <= durable_sequence().
  uint64_t sequence = 0;
  absl::Status status;  // kError: names the file and the damage
};

// A Get() that met blocks outside the cache: carries what was read between its tries.
class PendingRead;

struct EngineStats {
  uint64_t puts = 0, deletes = 0, gets = 0, wal_bytes = 0, wal_syncs = 0, flushes = 0,
           compactions = 0;
  uint64_t table_bytes_written = 0, block_cache_hits = 0, block_cache_misses = 0;
  uint64_t memtable_bytes = 0, immutable_memtables = 0, tables = 0, table_bytes = 0;
  // Memory: of full memtables, cached blocks (and of these, partitions of indexes), and what all
  // open tables keep of their indexes and their filters. Obsolete tables that an iterator still
  // holds are not counted.
  uint64_t immutable_memtable_bytes = 0, block_cache_bytes = 0, block_cache_index_bytes = 0,
           index_bytes = 0, filter_bytes = 0;
  uint64_t damaged_reads = 0;       // Gets and Scans that met damage
  uint64_t damaged_tables = 0;      // tables with damage that is known and not in quarantine yet
  uint64_t damaged_ranges = 0;      // as many as damaged_ranges() tells
  uint64_t read_errors = 0;         // reads of tables that the device failed
  uint64_t bad_blocks = 0;          // reads of tables whose bytes were bad
  uint64_t read_errors_passed = 0;  // places that could be read after all
  uint64_t bad_blocks_passed = 0;   // places whose bytes were good when they were read again
  uint64_t scrubbed_bytes = 0;
  uint64_t scrub_passes = 0;      // times that all tables were read
  uint64_t filtered_entries = 0;  // that a compaction filter dropped or replaced
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

  // Sets `key`. Visible to Get at once; durable when durable_sequence() >= *sequence.
  // kUnavailable once poisoned; kResourceExhausted while flushes lag (try again later).
  virtual absl::Status Put(absl::string_view key, absl::string_view value, uint64_t* sequence) = 0;

  // Deletes `key`, whether it is there or not. As Put in all else; a Get that finds nothing
  // because of it says so by its sequence, and so it is to be waited for.
  virtual absl::Status Delete(absl::string_view key, uint64_t* sequence) = 0;

  // From 0 to 1000: how near flushes and compactions are to being the reason of a refusal. The
  // owner slows its writers down with it (write_debt.h). O(1).
  virtual int write_debt() const = 0;

  // The owner's monotonic clock, for EngineOptions::compaction_bytes_per_second alone. Told before
  // the calls of NextJob() whose answer depends on it; never goes back.
  virtual void SetTime(int64_t now_us) = 0;
  // When Lane::kBackground will have a job that waits for nothing but the time; kNever: there is
  // none. As of the last NextJob().
  virtual int64_t NextDue() const = 0;

  // Newest sequence that is known durable, as EngineOptions::sync_mode has it. Never goes back.
  virtual uint64_t durable_sequence() const = 0;
  // With SyncMode::kInterval: what is written by now is to be synced by the next job of the log.
  virtual void RequestSync() = 0;
  virtual uint64_t last_sequence() const = 0;
  // Sequence of the newest Delete since Open(); 0: none. What NewIterator and Scan do not show
  // may be missing because of it: whoever tells of them waits for it, too.
  virtual uint64_t last_deletion() const = 0;
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

  // Takes all keys in [from, to) ("" as `to`: no bound) away at once: every write of them up to
  // now. Done when TakeFinishedRangeDrops() lists its ticket: until then reads find them as they
  // were, from then on they are absent, durably. Writes that came after this call stay. It costs
  // one edit of the manifest; tables that lie in the range as a whole are removed soon after,
  // what is left in others with their next compaction. Blocks of tables that hold nothing but
  // what was dropped are not read any more, nor missed if they are damaged. What is cached above
  // the engine is its owner's to forget. kInvalidArgument for an empty range.
  virtual void DropRange(absl::string_view from, absl::string_view to, uint64_t ticket) = 0;

  // Makes the directory `dir`, which must be new or empty and whose parent must exist, a
  // checkpoint: what the engine held at one moment between this call and its end, every write
  // before the call included, and the slots of that moment. Done when TakeFinishedCheckpoints()
  // lists its ticket; then it is durable.
  //
  // Memory is flushed first, which costs no more than a memtable does at any time, and saves the
  // checkpoint a log: a log goes on growing, so that a link to it would not keep one moment. The
  // tables, which never change, are hard links: the cost follows their number, never their size,
  // and what the engine drops later lives on in the checkpoint. Where there can be no hard links,
  // on another file system for instance, tables are copied, and compactions wait meanwhile unless
  // level 0 is crowded.
  //
  // Incremental: later checkpoints share the tables that are still there, on the disk and by
  // name; of one engine's directory a table's name never means two different files, so whoever
  // copies checkpoints elsewhere copies only the names that are new there, and the few small
  // files besides. (After a checkpoint has been restored, start a new series.)
  //
  // Open() takes such a directory, or better a copy of it, like any other, and reports everything
  // behind the checkpoint as possibly lost until AcknowledgeRecovery(). CURRENT is written last:
  // a crash midway leaves a directory without it, which does not open, and may be removed.
  // With a range, the checkpoint holds its keys only, and only tables that overlap it.
  // Errors: kAlreadyExists: `dir` holds files; kDataLoss: a table is damaged, and is named (a
  // checkpoint of it would not verify); others as the file system has them. What was made is then
  // removed again.
  struct CheckpointRequest {
    std::string dir;
    std::string from;  // of the range
    std::string to;    // "": no bound
    uint64_t ticket = 0;
  };
  virtual void Checkpoint(CheckpointRequest request) = 0;

  // Walks the entries as they are at this moment, the newest of each key, in ascending order; it
  // is to be Seek()ed first. Stops neither flushes nor compactions; holds memory and disk until
  // it goes, and the engine must outlive it. Reads synchronously what is not cached. Deleted keys
  // are passed over; one whose deletion is in doubt is an error, as a value in doubt is.
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

  // Where reads fail, as far as anybody has noticed: readers, compactions and scrubs note it.
  // Sorted by `from`; ranges of different tables may overlap. A Get of such a key is kDataLoss,
  // unless a later write is found first.
  virtual std::vector<DamagedRange> damaged_ranges() const = 0;

  // Declares what is unreadable of the keys in [from, until) ("" as `until`: no bound), of writes
  // up to `sequence`, to be gone for good: the owner has merged over the range whatever its
  // replicas have. Take all three from a damaged_ranges(), so that damage which was found after
  // it is not meant. From then on lookups see what was written to these keys later, and nothing
  // else: what could be read of older writes may be what the unreadable ones replaced or deleted,
  // so it goes with them, as by DropRange(). Durable and in effect when damaged_ranges() tells the
  // range no longer; lost in a crash before that. What is cached above the engine is its owner's
  // to forget. kUnavailable once poisoned.
  virtual absl::Status ExciseDamage(absl::string_view from, absl::string_view until,
                                    uint64_t sequence) = 0;
  // For compactions that start from now on. Null: none.
  virtual void SetCompactionFilter(std::shared_ptr<const CompactionFilter> filter) = 0;
  // What has changed without a write since this was asked for the last time. Whoever keeps values
  // elsewhere asks after each Finish(), before its next Get, and drops them.
  virtual FilteredKeys TakeFiltered() = 0;

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

  struct FinishedRangeDrop {
    uint64_t ticket = 0;
    absl::Status status;    // kUnavailable: it may have taken effect, or will with the next Open()
    uint64_t sequence = 0;  // OK: writes up to it are gone
  };
  virtual std::vector<FinishedRangeDrop> TakeFinishedRangeDrops() = 0;

  struct FinishedCheckpoint {
    uint64_t ticket = 0;
    absl::Status status;
    uint64_t sequence = 0;  // OK: it holds the writes up to this one, and no other
    uint64_t tables_linked = 0;
    uint64_t tables_copied = 0;
  };
  virtual std::vector<FinishedCheckpoint> TakeFinishedCheckpoints() = 0;

  virtual EngineStats stats() const = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENGINE_H_
