// Both worlds' file systems keep the same contract.

#include "tests/contracts/file_system_contract.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "sim/sim_file_system.h"
#include "storage/posix_file_system.h"

namespace norn::storage {
namespace {

class SimulatedWorld {
 public:
  SimulatedWorld() : disk_(1), one_(&disk_, "one"), other_(&disk_, "other") {
    EXPECT_TRUE(one_.CreateDir("/data").ok());
  }

  FileSystem& file_system() { return one_; }
  FileSystem& other_process() { return other_; }
  std::string dir() const { return "/data"; }

 private:
  sim::SimDisk disk_;
  sim::SimFileSystem one_;
  sim::SimFileSystem other_;
};

class PosixWorld {
 public:
  PosixWorld() : dir_(testing::TempDir() + "contract.XXXXXX") {
    EXPECT_NE(::mkdtemp(&dir_[0]), nullptr) << dir_;
  }
  ~PosixWorld() { std::filesystem::remove_all(dir_); }

  FileSystem& file_system() { return file_system_; }
  // The kernel does not see which object a call comes from: to it, this is another
  // opener like a process is.
  FileSystem& other_process() { return other_; }
  std::string dir() const { return dir_; }

 private:
  std::string dir_;
  PosixFileSystem file_system_;
  PosixFileSystem other_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, FileSystemContract, SimulatedWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Posix, FileSystemContract, PosixWorld);

}  // namespace
}  // namespace norn::storage
