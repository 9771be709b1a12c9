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
  struct Position {
    size_t partition = 0;
    size_t block = 0;  // of that
  };

  // Blocks from `first` on, some 256 KiB of them, and first of all the partition of the index that
  // names them, unless it is pinned: a file operation each. If a stretch fails, each of its blocks.
  ScrubJob(std::shared_ptr<const Table> table, const Position& first);

  bool RunStep() override;
  const char* Name() const override { return name_.c_str(); }

  uint64_t table_number() const { return table_->meta().number; }
  // What comes next.
  Position end() const;
  bool at_end() const { return end().partition == table_->partitions(); }
  uint64_t bytes() const { return bytes_; }
  // What is damaged, and why.
  const std::vector<std::pair<TablePlace, absl::Status>>& damage() const { return damage_; }

 private:
  // False: it is bad, and what it names cannot be found.
  bool ReadPartition();
  bool ReadStretch();
  bool ReadAlone();
  void Damaged(size_t block, const absl::Status& status);

  static constexpr uint64_t kStretchBytes = 256u << 10;

  std::shared_ptr<const Table> table_;
  const Position first_;
  std::shared_ptr<const Block> holder_;
  const IndexBlock* index_ = nullptr;
  size_t end_;
  uint64_t bytes_ = 0;
  std::optional<size_t> alone_;  // the block to be read next, when they are read one by one
  std::vector<std::pair<TablePlace, absl::Status>> damage_;
  std::string name_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_SCRUB_JOB_H_
