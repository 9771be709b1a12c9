// The fixture of the simulated disk's tests: a disk with a process on it.

#ifndef NORN_SIM_TESTING_SIM_DISK_FIXTURE_H_
#define NORN_SIM_TESTING_SIM_DISK_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "sim/disk_fault.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/file_system.h"

namespace norn::sim {

// A disk with the durable directory "/d" and a process on it.
class SimFileSystemTest : public testing::Test {
 protected:
  SimFileSystemTest() { Boot(); }

  void Boot() {
    disk_.Restart();
    fs_ = std::make_unique<SimFileSystem>(&disk_, "tester");
    EXPECT_TRUE(fs_->CreateDir("/d").ok());
    EXPECT_TRUE(fs_->SyncDir("/").ok());
  }

  std::unique_ptr<storage::WritableFile> Create(const std::string& path,
                                                uint64_t preallocate_bytes = 0) {
    absl::StatusOr<std::unique_ptr<storage::WritableFile>> file =
        fs_->CreateNew(path, preallocate_bytes);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }

  // A file that no crash can take.
  std::unique_ptr<storage::WritableFile> CreateDurable(const std::string& path,
                                                       const std::string& bytes) {
    std::unique_ptr<storage::WritableFile> file = Create(path);
    EXPECT_TRUE(file->Append(bytes).ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(fs_->SyncDir("/d").ok());
    return file;
  }

  std::string Content(const std::string& path) {
    const absl::StatusOr<std::string> content = disk_.Contents(path);
    return content.ok() ? *content : content.status().ToString();
  }

  void Plan(FileOperation operation, FaultEffect effect) {
    DiskFault fault;
    fault.operation = operation;
    fault.effect = effect;
    disk_.Inject(fault);
  }

  SimDisk disk_{1};
  std::unique_ptr<SimFileSystem> fs_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_TESTING_SIM_DISK_FIXTURE_H_
