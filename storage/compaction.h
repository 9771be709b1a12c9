// A compaction: merges tables of two levels into new tables of the lower one, keeping
// only the newest entry of each key, and not even that if it is a deletion that has nothing left
// to hide (older_data.h).
//
// It runs in slices, each a job of its own, so that a flush never waits for a whole
// compaction. What it has made is taken over piece by piece: wherever an output ends between two
// tables of the lower level, the ones before it can be replaced, though the upper tables stay
// until all is done: meanwhile both hold the same entries. So the room that it needs is that of
// the upper tables and a few more, however large the lower level is; and outputs are ended
// there, or between groups of keys (EngineOptions::group_prefix_bytes), rather than elsewhere, if
// that makes them no smaller than half of their size. Entries that a durable drop hides are left
// out, and no output lies on both sides of such a drop's end (range_drops.h). A step does
// one file operation: it reads a stretch of one input, or does the next thing that an output needs.
// An error ends it: what it wrote is abandoned.

#ifndef NORN_STORAGE_COMPACTION_H_
#define NORN_STORAGE_COMPACTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/block_cache.h"
#include "storage/compaction_filter.h"
#include "storage/compaction_picker.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/merging_iterator.h"
#include "storage/older_data.h"
#include "storage/range_drops.h"
#include "storage/table_builder.h"
#include "storage/table_iterator.h"
#include "storage/table_writer.h"

namespace norn::storage {

// Blocks that were read ahead, in large stretches; each is used once.
class ReadAhead : public BlockSource {
 public:
  absl::StatusOr<std::shared_ptr<const Block>> Get(const Table& table,
                                                   const BlockHandle& handle) override;
  // Reads what the stalled iterator needs, and what it will need after that: one file
  // operation. Where that fails the blocks are read one by one, so that the ones that are good
  // can be told from those that are not.
  void Fill(const TableIterator& stalled);

 private:
  static constexpr uint64_t kStretchBytes = 256u << 10;
  // A partition of an index is read together with all that it names, if that is no more.
  static constexpr uint64_t kPartitionBytes = 512u << 10;

  // A partition, with its data or alone.
  void FillPartition(const Table& table, size_t p);
  // Data of a partition, from block `first` on.
  void FillStretch(const Table& table, const IndexBlock& index, size_t first);
  bool IsBehindFailure(const Table& table, uint64_t offset) const {
    return table.meta().number == failed_table_ && offset < failed_end_;
  }
  void SetFailed(const Table& table, uint64_t end) {
    failed_table_ = table.meta().number;
    failed_end_ = end;
  }
  // Takes the block from bytes of the file that begin at `start`.
  void Take(const Table& table, const BlockHandle& handle, absl::string_view bytes, uint64_t start);
  void TakeError(const Table& table, const BlockHandle& handle, const absl::Status& read);

  std::map<BlockId, absl::StatusOr<std::shared_ptr<const Block>>> blocks_;
  uint64_t failed_table_ = 0;  // the last stretch that could not be read as a whole
  uint64_t failed_end_ = 0;
};

class Compaction {
 public:
  Compaction(FileSystem* file_system, std::string dir, const TableOptions& options,
             uint64_t table_bytes, size_t group_prefix_bytes,
             std::shared_ptr<const RangeDrops> drops, const CompactionChoice& choice,
             OlderData older, std::shared_ptr<const CompactionFilter> filter);

  // The number and the id of the next output. Needed before every slice that starts one.
  bool needs_number() const { return needs_number_; }
  void OfferNumber(uint64_t number, uint64_t file_id);

  // One file operation at most. Not when done() or needs_number().
  void Step();

  bool done() const { return done_; }
  const absl::Status& status() const { return status_; }
  // The input that could not be read; 0: none.
  uint64_t damaged_table() const { return damaged_table_; }
  // And its block; nothing: the whole table.
  const std::optional<TablePlace>& damaged_place() const { return damaged_place_; }

  // What can be taken over now, and was not before: outputs, and the lower tables that they
  // replace. When done, that is all the rest. Nothing while a job runs it.
  struct Piece {
    std::vector<std::shared_ptr<const Table>> outputs;
    std::vector<uint64_t> lower;
    // What the filter has changed so far. Readers may meet some of it only with a later piece,
    // which names it again.
    FilteredKeys filtered;
  };
  Piece TakePiece();
  // To files, so far. Nothing while a job runs it.
  uint64_t bytes_written() const { return bytes_written_; }
  // How many entries the filter has changed.
  uint64_t filtered_entries() const { return filtered_entries_; }
  // Numbers of the files it made, finished or not, that no piece has had.
  std::vector<uint64_t> Leftovers() const;

  // What was merged: tables of choice().level and of the level below.
  const CompactionChoice& choice() const { return choice_; }
  // Lets go of the inputs' files: it will not be stepped any more.
  void Release();
  bool released() const { return merged_ == nullptr; }

 private:
  // Keys that the filter has changed are listed up to so many bytes of them.
  static constexpr size_t kFilteredBytesMax = 256u << 10;
  // What becomes of an entry.
  enum class Fate { kUndecided, kWritten, kReplaced, kDropped };

  void StepWriter();
  // Decides about the entry that merged_ is at.
  Fate Judge();
  void NoteFiltered(absl::string_view key);
  // Goes behind the entry that merged_ is at.
  void Leave();
  // Tables of the lower level that end before `key`, if the next one starts behind last_key_;
  // nothing if it has begun.
  std::optional<size_t> LowerTablesBefore(absl::string_view key) const;
  void Fail(const absl::Status& status);

  FileSystem* file_system_;
  std::string dir_;
  TableOptions options_;
  uint64_t table_bytes_;
  size_t group_prefix_bytes_;
  std::shared_ptr<const RangeDrops> drops_;
  CompactionChoice choice_;
  OlderData older_;
  const std::shared_ptr<const CompactionFilter> filter_;  // null: none
  FilteredKeys filtered_;
  size_t filtered_bytes_ = 0;
  uint64_t filtered_entries_ = 0;
  ReadAhead source_;
  std::vector<TableIterator*> inputs_;  // owned by merged_
  std::unique_ptr<MergingIterator> merged_;
  bool sought_ = false;
  std::string last_key_;  // of the last entry that was written or dropped
  bool has_last_key_ = false;
  Fate fate_ = Fate::kUndecided;  // of the entry that merged_ is at
  std::string replacement_;       // kReplaced: its value

  bool needs_number_ = true;
  std::optional<std::pair<uint64_t, uint64_t>> offered_;
  std::unique_ptr<TableWriter> writer_;
  uint64_t bytes_written_ = 0;
  bool writer_has_entries_ = false;
  bool ending_ = false;  // the writer was told to finish
  std::vector<std::shared_ptr<const Table>> outputs_;
  std::vector<uint64_t> numbers_;
  // How many outputs and lower tables are settled: can be, and have been, taken over.
  size_t settled_outputs_ = 0, settled_lower_ = 0;
  size_t taken_outputs_ = 0, taken_lower_ = 0;
  std::optional<size_t> settles_lower_;  // when the writer is done
  uint64_t damaged_table_ = 0;
  std::optional<TablePlace> damaged_place_;
  absl::Status status_;
  bool done_ = false;
};

// A slice of a compaction.
class CompactionJob : public EngineJob {
 public:
  explicit CompactionJob(std::shared_ptr<Compaction> compaction);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

 private:
  // Some 2 MiB of reads and writes: a flush waits for as long.
  static constexpr int kStepsMax = 8;

  std::shared_ptr<Compaction> compaction_;
  std::string name_;
  int steps_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPACTION_H_
