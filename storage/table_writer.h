// Writes a table to disk, one file operation a step, in the order that makes it safe to
// name in the manifest: file, its sync, its directory's sync, and a look at what was
// written.
//
//   while there are entries: while (NeedsStep()) Step();  Add(...)
//   Finish();  until (Done()) Step();
//
// Through the page cache, and not with O_DIRECT, for compactions too. With the writeback begun
// early, //benchmarks/engines:io_paths finds neither the faster one, nor kinder to a log beside it,
// in run after run (0.4 to 0.9 GiB/s each); and what a compaction has just written is what is read
// next, by gets and by the compaction after it, from the page cache at some 20 times the speed of
// the device.
//
// A failure is final: the file is abandoned, and whoever tries again takes a new number.

#ifndef NORN_STORAGE_TABLE_WRITER_H_
#define NORN_STORAGE_TABLE_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"
#include "storage/table.h"
#include "storage/table_builder.h"

namespace norn::storage {

class TableWriter {
 public:
  TableWriter(FileSystem* file_system, std::string dir, const TableOptions& options,
              uint64_t number, uint64_t file_id);

  // Something has to go to disk before more entries are taken.
  bool NeedsStep() const;
  void Add(absl::string_view key, uint64_t sequence, absl::string_view value,
           EntryKind kind = EntryKind::kValue);
  uint64_t bytes() const { return builder_.bytes(); }
  // Of them, what the file has been given.
  uint64_t bytes_written() const { return bytes_written_; }

  // No more entries come.
  void Finish();

  // One file operation. Not after Done().
  void Step();
  bool Done() const { return phase_ == Phase::kDone; }

  const absl::Status& status() const { return status_; }
  // When done and OK: the open table.
  std::shared_ptr<const Table> table() const { return table_; }
  uint64_t number() const { return builder_.meta().number; }

 private:
  enum class Phase { kCreate, kWrite, kWriteback, kSync, kClose, kSyncDir, kOpen, kDone };
  // Written in pieces of at least this size.
  static constexpr size_t kPieceBytes = 256u << 10;
  // The device begins with so much at a time, and the final sync is left with little.
  static constexpr uint64_t kWritebackBytes = 512u << 10;

  absl::Status StepPhase();

  FileSystem* file_system_;
  std::string dir_;
  std::string path_;
  TableBuilder builder_;
  std::unique_ptr<WritableFile> file_;
  std::optional<TableOpener> opener_;
  std::shared_ptr<const Table> table_;
  absl::Status status_;
  Phase phase_ = Phase::kCreate;
  uint64_t bytes_written_ = 0;
  uint64_t not_begun_bytes_ = 0;  // whose writeback was not begun
  bool finished_ = false;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_WRITER_H_
