// Jobs that read and write tables: block reads, flushes, the removal of files that nothing
// refers to any more, and room held in reserve. (Compactions: compaction.h.)

#ifndef NORN_STORAGE_BACKGROUND_JOBS_H_
#define NORN_STORAGE_BACKGROUND_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/block_cache.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/memtable.h"
#include "storage/table.h"
#include "storage/table_writer.h"

namespace norn::storage {

// What a lookup lacks: a block of data; or a partition of an index, and with it the block of data
// that it names for `key`.
struct WantedBlock {
  std::shared_ptr<const Table> table;
  TablePlace place;  // of the block, or of the partition
  std::optional<size_t> partition = std::nullopt;
  std::string key = {};
  std::vector<uint64_t> given_up = {};  // blocks that are not to be read: LiveTable::given_up

  BlockId id() const { return {.table = table->meta().number, .offset = place.handle.offset}; }
};

// Fetches it: one step a block.
class ReadBlockJob : public EngineJob {
 public:
  explicit ReadBlockJob(WantedBlock wanted);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  // Of what was wanted.
  BlockId id() const { return wanted_.id(); }
  struct Fetched {
    TablePlace place;
    absl::StatusOr<std::shared_ptr<const Block>> block;

    BlockId IdIn(const Table& table) const {
      return {.table = table.meta().number, .offset = place.handle.offset};
    }
  };
  const Table& table() const { return *wanted_.table; }
  // What was wanted, and perhaps what that led to.
  const std::vector<Fetched>& fetched() const { return fetched_; }

 private:
  // The place of the block for the key, as the partition that was fetched has it.
  std::optional<TablePlace> PlaceOfKey() const;

  WantedBlock wanted_;
  std::vector<Fetched> fetched_;
  std::string name_;
};

// Writes an immutable memtable as a table, the newest entry of each key only.
class FlushJob : public EngineJob {
 public:
  FlushJob(std::shared_ptr<const Memtable> memtable, std::unique_ptr<TableWriter> writer);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  const TableWriter& writer() const { return *writer_; }

 private:
  std::shared_ptr<const Memtable> memtable_;
  std::unique_ptr<TableWriter> writer_;
  MemtableIterator entries_;
  std::string last_key_;
  bool started_ = false;
  bool finished_ = false;
  std::string name_;
};

// Removes files, one a step. A file that cannot be removed now is removed by the next
// Open(), which looks for files that nothing refers to. Frees memtables that tables have taken the
// place of, which takes a millisecond or two: not on the engine's thread, where puts would wait.
class PurgeJob : public EngineJob {
 public:
  // One of the two may be empty.
  PurgeJob(FileSystem* file_system, std::vector<std::string> paths,
           std::vector<std::shared_ptr<const Memtable>> memtables);

  bool RunStep() override;
  const char* Name() const override { return "purge"; }

 private:
  FileSystem* file_system_;
  std::vector<std::string> paths_;
  std::vector<std::shared_ptr<const Memtable>> memtables_;
  size_t next_ = 0;
};

// Sets room on the disk aside, as a file that holds nothing: where the file system can
// preallocate, that is. It goes when a flush or a compaction finds the disk full.
class ReserveJob : public EngineJob {
 public:
  ReserveJob(FileSystem* file_system, std::string reserve_path, uint64_t bytes);

  bool RunStep() override;
  const char* Name() const override { return "reserve room"; }

  const std::string path;
  std::unique_ptr<WritableFile> file;  // null: it could not be created

 private:
  FileSystem* file_system_;
  uint64_t bytes_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_BACKGROUND_JOBS_H_
