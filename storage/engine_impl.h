// The engine behind engine.h: state on the engine's thread, and who may change it when.
//
//   memory   memtable_ takes puts; retired ones wait in immutables_, oldest first,
//            and when their table is durable in flushed_, to be freed off this thread
//   log      open_group_ takes puts; closed groups wait in groups_; one GroupJob is out
//   version  levels_: changed only by ApplyEdit, after the edit is durable
//   edits    what flushes and compactions want to change; made durable in order, on the
//            log lane, so that the manifest has one writer
//   files    obsolete_: removed once the edit that drops them is durable and no job reads
//            them any more
//   drops    drops_: ranges whose older entries are gone, all of them durable (range_drops.h)
//   room     reserve_: given up when a flush or a compaction finds the disk full, so that
//            one of each can still be done; taken again afterwards
//
// A memtable is flushed only after its last put is durable in the log, so tables never
// run ahead of what was acknowledged.

#ifndef NORN_STORAGE_ENGINE_IMPL_H_
#define NORN_STORAGE_ENGINE_IMPL_H_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/types.h"
#include "storage/background_jobs.h"
#include "storage/backoff.h"
#include "storage/block_cache.h"
#include "storage/checkpoint.h"
#include "storage/compaction.h"
#include "storage/compaction_pace.h"
#include "storage/compaction_picker.h"
#include "storage/engine.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/live_table.h"
#include "storage/log_jobs.h"
#include "storage/manifest.h"
#include "storage/memtable.h"
#include "storage/quarantine.h"
#include "storage/range_drops.h"
#include "storage/recheck_job.h"
#include "storage/recovery.h"
#include "storage/scrub_job.h"
#include "storage/table_builder.h"
#include "storage/wal.h"

namespace norn::storage {

// Blocks of data and indexes that were fetched for one Get().
class PendingRead {
 private:
  friend class EngineImpl;
  std::map<BlockId, absl::StatusOr<std::shared_ptr<const Block>>> blocks_;
  bool waiting_ = false;
};

TableOptions TableOptionsOf(const EngineOptions& options);
// The salt of file `number`.
uint64_t FileId(const EngineOptions& options, uint64_t number);

class EngineImpl final : public Engine {
 public:
  EngineImpl(FileSystem* file_system, EngineOptions options, RecoveredState state,
             const RecoveryReport& report);

  Lookup Get(absl::string_view key, std::shared_ptr<PendingRead>* read) override;
  absl::Status Put(absl::string_view key, absl::string_view value, uint64_t* sequence) override;
  absl::Status Delete(absl::string_view key, uint64_t* sequence) override;
  int write_debt() const override;
  void SetTime(int64_t now_us) override { now_us_ = now_us; }
  int64_t NextDue() const override { return compaction_due_us_; }
  uint64_t durable_sequence() const override { return durable_sequence_; }
  void GrantScrub(uint64_t bytes) override { scrub_bytes_left_ = bytes; }
  void RequestSync() override { sync_requested_ = options_.sync_mode == SyncMode::kInterval; }
  uint64_t last_sequence() const override { return last_sequence_; }
  uint64_t last_deletion() const override { return last_deletion_; }
  absl::Status health() const override { return health_; }
  std::optional<std::string> ReadSlot(absl::string_view name) const override;
  void WriteSlot(absl::string_view name, std::string bytes, uint64_t ticket) override;
  absl::Status Scan(absl::string_view from, absl::string_view to, size_t entries_max,
                    size_t bytes_max, std::vector<Entry>* entries, std::string* next) override;
  std::unique_ptr<Iterator> NewIterator() override;
  void AcknowledgeRecovery() override;
  std::vector<DamagedRange> damaged_ranges() const override;
  absl::Status ExciseDamage(absl::string_view from, absl::string_view until,
                            uint64_t sequence) override;
  void DropRange(absl::string_view from, absl::string_view to, uint64_t ticket) override;
  void Checkpoint(CheckpointRequest request) override;
  void SetCompactionFilter(std::shared_ptr<const CompactionFilter> filter) override {
    filter_ = std::move(filter);
  }
  FilteredKeys TakeFiltered() override { return std::exchange(filtered_, {}); }
  std::unique_ptr<Job> NextJob(Lane lane) override;
  void Finish(std::unique_ptr<Job> job) override;
  std::vector<std::shared_ptr<PendingRead>> TakeFinishedReads() override;
  std::vector<FinishedSlot> TakeFinishedSlots() override;
  std::vector<FinishedRangeDrop> TakeFinishedRangeDrops() override;
  std::vector<FinishedCheckpoint> TakeFinishedCheckpoints() override;
  EngineStats stats() const override;

 private:
  struct PendingGroup {
    std::unique_ptr<WalGroup> group;
    bool starts_wal = false;  // the first group of a memtable
  };
  struct PendingEdit {
    VersionEdit edit;
    std::vector<std::shared_ptr<LiveTable>> added;
    bool ends_flush = false;
    bool ends_compaction = false;
    bool is_piece = false;  // takes tables out of the levels while no compaction may be picked
    bool ends_settling = false;
    std::optional<uint64_t> drop_ticket;  // of DropRange()
    FilteredKeys filtered;
  };
  struct PendingSlot {
    std::string name;
    std::string bytes;
    uint64_t ticket = 0;
  };
  struct PendingDrop {
    RangeDrop drop;
    uint64_t ticket = 0;
  };
  struct PendingCheckpoint {
    CheckpointRequest request;
    uint64_t sequence = 0;  // writes up to here are to be in it
  };
  struct ObsoleteFile {
    std::string path;
    std::weak_ptr<const Table> reader;
  };
  // What the log lane did last: its kinds of work take turns.
  enum class LogTurn { kGroup, kManifest, kSlot };

  // engine_impl.cc, engine_lookup.cc: memory and reads.
  absl::Status Write(absl::string_view key, absl::string_view value, EntryKind kind,
                     uint64_t* sequence);
  void RetireMemtable();
  void CloseGroup();
  Lookup Found(absl::string_view key, absl::string_view value, uint64_t sequence,
               EntryKind kind) const;
  Lookup GetFromTables(absl::string_view key, std::shared_ptr<PendingRead>* read);
  // Nothing: the table does not have it.
  std::optional<Lookup> GetFromTable(const std::shared_ptr<LiveTable>& live, absl::string_view key,
                                     uint64_t hash, std::shared_ptr<PendingRead>* read);
  // What memory, `read` or the page cache has of a block. Null and OK: nothing.
  struct BlockInReach {
    const Block* block = nullptr;
    std::shared_ptr<const Block> holder;  // null: who has it keeps it
    absl::Status status;                  // not OK: `read` has met an error there
  };
  BlockInReach ReachBlock(const Table& table, const BlockHandle& handle, const PendingRead* read);
  // Has a job read what is wanted.
  void WantBlock(WantedBlock wanted, std::shared_ptr<PendingRead>* read);
  absl::Status InDoubt(uint64_t sequence) const;

  // engine_jobs.cc, engine_log_jobs.cc: making jobs and taking them back.
  uint64_t NewFileNumber() { return next_file_number_++; }
  std::unique_ptr<Job> NextLogJob();
  std::unique_ptr<Job> NextGroupJob();
  bool HasUnsynced() const;
  std::unique_ptr<Job> NextSyncJob();
  void FinishSync(SyncJob* job);
  std::unique_ptr<Job> NextManifestJob();
  std::unique_ptr<Job> NextSlotJob();
  std::unique_ptr<Job> NextReadJob();
  std::unique_ptr<Job> NextBackgroundJob();
  std::unique_ptr<Job> NextFlushJob();
  std::unique_ptr<Job> NextPurgeJob();
  std::unique_ptr<Job> NextCompactionJob();
  // When the rate allows the next slice.
  int64_t NextSliceAt() const;
  // With more tables at level 0 flushes wait for compactions.
  size_t Level0Crowd() const { return static_cast<size_t>(options_.level0_tables_max) * 3 / 2; }
  std::unique_ptr<Job> NextReserveJob();
  std::unique_ptr<Job> NextScrubJob();
  void FinishScrub(ScrubJob* job);
  void FinishGroup(GroupJob* job);
  void FinishManifest(ManifestJob* job);
  void FinishSlot(SlotJob* job);
  void FinishReadBlock(ReadBlockJob* job);
  void FinishFlush(FlushJob* job);
  void FinishCompaction();
  void FinishReserve(ReserveJob* job);
  // After `failure` of a flush or a compaction: if the disk is full, lets go of the reserve.
  void ReleaseReserveIfFull(const absl::Status& failure);
  void Poison(const absl::Status& why);

  // engine_damage.cc: what is known to be unreadable, and what becomes of it.
  // No `place`: the whole table. Returns the error with the keys in it.
  absl::Status NoteDamage(const std::shared_ptr<LiveTable>& live,
                          const std::optional<TablePlace>& place, const absl::Status& status);
  void NoteDamage(uint64_t table_number, const std::optional<TablePlace>& place,
                  const absl::Status& status);
  static absl::Status WithKeys(const LiveTable& live, const std::optional<TablePlace>& place,
                               const absl::Status& status);
  Lookup InQuarantine(const Quarantine& quarantine);
  std::shared_ptr<LiveTable>* FindTable(uint64_t number);
  std::unique_ptr<Job> NextRecheckJob();
  void FinishRecheck(RecheckJob* job);
  // Makes edits of what is certain by now, and of what the owner has given up.
  void SettleDamage();
  void SettleTable(int level, const LiveTable& live, bool pressed, VersionEdit* edit) const;
  void ApplyDamage(const PendingEdit& pending);

  // engine_ranges.cc: ranges that are dropped, and checkpoints.
  void QueueDrops();
  // Whether one drop, durable or about to be, hides the writes up to `sequence` in [from, until).
  bool IsDropped(absl::string_view from, absl::string_view until, uint64_t sequence) const;
  void ApplyDrops(const PendingEdit& pending);
  // Queues the edit that takes out what drops hide as a whole, and drops that hide nothing more.
  void ReclaimDropped();
  std::unique_ptr<Job> NextCheckpointJob();
  absl::StatusOr<CheckpointPlan> PlanCheckpoint(const CheckpointRequest& request);
  void FinishCheckpointSlice();
  void FailCheckpoint(uint64_t ticket, absl::Status why);
  void FailRangeWork();

  // The whole version as one edit, for a new manifest.
  VersionEdit Snapshot() const;
  void ApplyEdit(PendingEdit* pending);
  void AddTable(int level, const std::shared_ptr<const Table>& table, PendingEdit* pending);

  FileSystem* const file_system_;
  const EngineOptions options_;
  const std::unique_ptr<DirectoryLock> lock_;

  int64_t now_us_ = 0;  // as the owner has told it
  uint64_t last_sequence_;
  uint64_t last_deletion_ = 0;
  uint64_t durable_sequence_;
  absl::Status health_;
  absl::Status full_;  // why puts are refused for now; OK: they are not

  std::shared_ptr<Memtable> memtable_;
  std::deque<std::shared_ptr<const Memtable>> immutables_;
  std::vector<std::shared_ptr<const Memtable>> flushed_;  // to be freed
  bool flush_out_ = false;                                // from its job to its edit
  Backoff flush_backoff_;
  absl::Status flush_failure_;  // the last one, while it lasts

  std::unique_ptr<WalGroup> open_group_;
  bool open_group_starts_wal_ = false;
  std::deque<PendingGroup> groups_;
  std::unique_ptr<OpenLog> wal_;  // null: the next group starts a new one
  std::vector<WalRef> wals_;      // named by the manifest, oldest first
  uint64_t wal_synced_bytes_;     // of the newest of them
  // What the newest of them still lacks, where the next group starts another: see SyncMode.
  std::unique_ptr<OpenLog> unsynced_wal_;
  uint64_t wal_unsynced_bytes_ = 0;
  Backoff wal_backoff_;
  bool sync_requested_ = false;

  uint64_t next_file_number_;
  uint64_t flushed_sequence_;
  bool suspect_;
  uint64_t lost_from_;
  std::array<Level, kLevels> levels_;
  std::shared_ptr<const std::array<Level, kLevels>> frozen_levels_;  // a copy; null: outdated
  std::unique_ptr<OpenLog> manifest_;  // null: a new one must be written
  uint64_t manifest_number_;           // of the newest one, be it in order or in doubt
  std::deque<PendingEdit> edits_;
  size_t edits_out_ = 0;  // the first ones, that a job is making durable
  Backoff manifest_backoff_;
  std::shared_ptr<const QuarantineSet> quarantine_;
  bool has_damage_ = true;  // some table may have flaws that are not settled
  bool settling_ = false;   // an edit about them is on its way
  std::vector<VersionEdit::LiftedQuarantine> excisions_;  // that the owner asked for
  Backoff recheck_backoff_;
  std::vector<ObsoleteFile> obsolete_;
  // Files that no manifest needs, but the one in doubt may name.
  std::vector<std::string> abandoned_;

  std::shared_ptr<const RangeDrops> drops_;  // never null
  std::deque<PendingDrop> pending_drops_;    // until what they hide is durable
  bool reclaim_dropped_ = false;             // the levels have changed since the last look
  std::vector<FinishedRangeDrop> finished_drops_;

  std::deque<PendingCheckpoint> pending_checkpoints_;
  std::shared_ptr<CheckpointWriter> checkpoint_;  // the first of them, once it has begun
  std::vector<FinishedCheckpoint> finished_checkpoints_;

  std::map<std::string, std::string, std::less<>> slots_;
  std::deque<PendingSlot> pending_slots_;
  std::vector<FinishedSlot> finished_slots_;

  BlockCache cache_;
  std::deque<WantedBlock> wanted_;
  std::map<BlockId, std::vector<std::shared_ptr<PendingRead>>> waiting_reads_;
  std::vector<std::shared_ptr<PendingRead>> finished_reads_;

  std::shared_ptr<const CompactionFilter> filter_;
  FilteredKeys filtered_;
  std::shared_ptr<Compaction> compaction_;  // from its first job to its edit
  // Edits of pieces that are not durable yet, and of what was dropped with a range. A compaction
  // that failed leaves some behind, and until then the levels still show tables that those replace:
  // nothing new may be picked.
  int pieces_pending_ = 0;
  CompactionPicker picker_;
  CompactionPace pace_;
  int64_t slice_started_us_ = 0;
  uint64_t bytes_before_slice_ = 0;
  int64_t compaction_due_us_ = kNever;  // when its next slice may start, if that is all it lacks
  Backoff compaction_backoff_;

  std::unique_ptr<WritableFile> reserve_;  // open while it is held: closing would trim it
  std::string reserve_path_;
  Backoff reserve_backoff_;

  uint64_t scrub_bytes_left_ = 0;
  uint64_t scrub_table_ = 0;  // goes on with the first table whose number is not below this
  ScrubJob::Position scrub_position_;  // in that very table

  std::array<bool, kLaneCount> job_out_{};
  LogTurn log_turn_ = LogTurn::kSlot;
  EngineStats stats_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENGINE_IMPL_H_
