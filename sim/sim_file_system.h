// One process's view of a SimDisk: the simulator's FileSystem.
//
// It dies with its process: after a crash of the disk this object, and every file and
// lock that came from it, answer kAborted "crashed" for ever (Exists answers false). A
// new process makes a new one, after SimDisk::Restart(). See sim/sim_disk.h for crashes
// and faults, storage/file_system.h for the contract.
//
// A sync or an append after a failed one is carried out, unlike on the POSIX file system,
// which refuses it: here a caller that does not abandon the file loses data.
//
// The disk outlives all of these objects. Single-threaded.

#ifndef NORN_SIM_SIM_FILE_SYSTEM_H_
#define NORN_SIM_SIM_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/sim_disk.h"
#include "storage/file_system.h"

namespace norn::sim {

class SimFileSystem final : public storage::FileSystem {
 public:
  // `process` is the name that another process is told if this one holds a lock.
  explicit SimFileSystem(SimDisk* disk, std::string process = "a simulated process");
  SimFileSystem(const SimFileSystem&) = delete;
  SimFileSystem& operator=(const SimFileSystem&) = delete;

  // True if this process is dead, whatever became of the disk since.
  bool crashed() const;

  absl::StatusOr<std::unique_ptr<storage::WritableFile>> CreateNew(
      const std::string& path, uint64_t preallocate_bytes) override;
  absl::StatusOr<std::unique_ptr<storage::WritableFile>> CreateLog(
      const std::string& path, uint64_t preallocate_bytes) override;
  absl::StatusOr<std::unique_ptr<storage::RandomAccessFile>> OpenForRead(
      const std::string& path) override;
  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  absl::Status CreateDir(const std::string& dir) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status SyncDir(const std::string& dir) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<storage::DirectoryLock>> LockDir(const std::string& dir) override;

 private:
  absl::StatusOr<std::unique_ptr<storage::WritableFile>> Create(const std::string& path,
                                                                uint64_t preallocate_bytes,
                                                                bool zero_tail);

  SimDisk* const disk_;
  const std::string process_;
  const uint64_t incarnation_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_FILE_SYSTEM_H_
