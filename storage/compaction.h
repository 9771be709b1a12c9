// A compaction: merges tables of two levels into new tables of the lower one, keeping
// only the newest entry of each key, and not that either if it is empty and nothing older lies
// below.
//
// It runs in slices, each a job of its own, so that a flush never waits for a whole
// compaction. What it has made is taken over piece by piece: wherever an output ends between two
// tables of the lower level, the ones before it can be replaced, though the upper tables stay
// until all is done: meanwhile both hold the same entries. So the room that it needs is that of
// the upper tables and a few more, however large the lower level is; and outputs are ended
// there rather than elsewhere, if that makes them no smaller than half of their size. A step does
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
#include "storage/block_cache.h"
#include "storage/compaction_picker.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/merging_iterator.h"
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
  // operation.
  void Fill(const TableIterator& stalled);

 private:
  static constexpr uint64_t kStretchBytes = 256u << 10;

  std::map<BlockId, absl::StatusOr<std::shared_ptr<const Block>>> blocks_;
};

class Compaction {
 public:
  Compaction(FileSystem* file_system, std::string dir, const TableOptions& options,
             uint64_t table_bytes, const CompactionChoice& choice);

  // The number and the id of the next output. Needed before every slice that starts one.
  bool needs_number() const { return needs_number_; }
  void OfferNumber(uint64_t number, uint64_t file_id);

  // One file operation at most. Not when done() or needs_number().
  void Step();

  bool done() const { return done_; }
  const absl::Status& status() const { return status_; }
  // The input that could not be read; 0: none.
  uint64_t damaged_table() const { return damaged_table_; }

  // What can be taken over now, and was not before: outputs, and the lower tables that they
  // replace. When done, that is all the rest. Nothing while a job runs it.
  struct Piece {
    std::vector<std::shared_ptr<const Table>> outputs;
    std::vector<uint64_t> lower;
  };
  Piece TakePiece();
  // Numbers of the files it made, finished or not, that no piece has had.
  std::vector<uint64_t> Leftovers() const;

  // What was merged: tables of choice().level and of the level below.
  const CompactionChoice& choice() const { return choice_; }
  // Lets go of the inputs' files: it will not be stepped any more.
  void Release();
  bool released() const { return merged_ == nullptr; }

 private:
  void StepWriter();
  // Tables of the lower level that end before `key`, if the next one starts behind the last
  // entry written; nothing if it has begun.
  std::optional<size_t> LowerTablesBefore(absl::string_view key) const;
  void Fail(const absl::Status& status);

  FileSystem* file_system_;
  std::string dir_;
  TableOptions options_;
  uint64_t table_bytes_;
  CompactionChoice choice_;
  ReadAhead source_;
  std::vector<TableIterator*> inputs_;  // owned by merged_
  std::unique_ptr<MergingIterator> merged_;
  bool sought_ = false;
  std::string last_key_;
  bool has_last_key_ = false;

  bool needs_number_ = true;
  std::optional<std::pair<uint64_t, uint64_t>> offered_;
  std::unique_ptr<TableWriter> writer_;
  bool ending_ = false;  // the writer was told to finish
  std::vector<std::shared_ptr<const Table>> outputs_;
  std::vector<uint64_t> numbers_;
  // How many outputs and lower tables are settled: can be, and have been, taken over.
  size_t settled_outputs_ = 0, settled_lower_ = 0;
  size_t taken_outputs_ = 0, taken_lower_ = 0;
  std::optional<size_t> settles_lower_;  // when the writer is done
  uint64_t damaged_table_ = 0;
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
