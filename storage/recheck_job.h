// Reads a place again where a table was found damaged: table_damage.h.

#ifndef NORN_STORAGE_RECHECK_JOB_H_
#define NORN_STORAGE_RECHECK_JOB_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "storage/engine_job.h"
#include "storage/file_system.h"
#include "storage/table.h"
#include "storage/table_format.h"
#include "storage/table_meta.h"

namespace norn::storage {

class RecheckJob : public EngineJob {
 public:
  // A block: one step.
  RecheckJob(std::shared_ptr<const Table> table, const BlockHandle& handle);
  // A table that could not be opened: opens it.
  RecheckJob(FileSystem* file_system, const std::string& path, const TableMeta& meta);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  uint64_t table_number() const { return number_; }
  std::optional<uint64_t> offset() const;  // of the block; nothing: the table
  // The table, if it could be opened.
  std::shared_ptr<const Table> table() const { return table_; }
  const absl::Status& status() const { return status_; }

 private:
  const uint64_t number_;
  std::shared_ptr<const Table> table_;
  std::optional<BlockHandle> handle_;
  std::optional<TableOpener> opener_;
  absl::Status status_;
  std::string name_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_RECHECK_JOB_H_
