// Reads a stretch of a table and checks every block of it: how damage is found that no reader
// has met yet, while the other replicas still have what it hit.

#ifndef NORN_STORAGE_SCRUB_JOB_H_
#define NORN_STORAGE_SCRUB_JOB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "storage/engine_job.h"
#include "storage/table.h"

namespace norn::storage {

class ScrubJob : public EngineJob {
 public:
  // Blocks from `first` on, some 256 KiB of them: one file operation. If that fails, each of them.
  ScrubJob(std::shared_ptr<const Table> table, size_t first);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  uint64_t table_number() const { return table_->meta().number; }
  // The first block that was not read; the table's blocks(): it has been read to its end.
  size_t end() const { return end_; }
  bool at_end() const { return end_ == table_->blocks(); }
  uint64_t bytes() const { return bytes_; }
  // What is damaged: offsets of blocks, and why.
  const std::vector<std::pair<uint64_t, absl::Status>>& damage() const { return damage_; }

 private:
  bool ReadAlone();

  static constexpr uint64_t kStretchBytes = 256u << 10;

  std::shared_ptr<const Table> table_;
  const size_t first_;
  size_t end_;
  uint64_t bytes_ = 0;
  std::optional<size_t> alone_;  // the block to be read next, when they are read one by one
  std::vector<std::pair<uint64_t, absl::Status>> damage_;
  std::string name_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_SCRUB_JOB_H_
