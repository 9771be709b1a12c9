// The durable log of one process of a protocol: records, on a simulated disk.
//
// A file of frames: crc32c of length and record, fixed32; length, fixed32; the record. Recovery
// takes the frames up to the first that is not whole: a crash may have kept any part of what was
// not synced. It copies them to a new file, so that what is appended later stands behind them and
// nothing else.

#ifndef NORN_SIM_PROTOCOL_LOG_H_
#define NORN_SIM_PROTOCOL_LOG_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"

namespace norn::sim {

class ProtocolLog {
 public:
  // `files` outlives this. Sets `*records` to what was kept, in its order. Errors are those of the
  // file system: then the log cannot be used, and nothing durable was lost.
  static absl::StatusOr<std::unique_ptr<ProtocolLog>> Open(storage::FileSystem* files,
                                                           std::vector<std::string>* records);

  // One file operation each. After an error the log must be abandoned.
  absl::Status Append(const std::string& record);
  absl::Status Sync() { return file_->Sync(); }

 private:
  explicit ProtocolLog(std::unique_ptr<storage::WritableFile> file) : file_(std::move(file)) {}

  std::unique_ptr<storage::WritableFile> file_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_PROTOCOL_LOG_H_
