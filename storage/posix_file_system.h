// The FileSystem port on a real disk (Linux).
//
// How each promise of storage/file_system.h is kept:
//   * Sync is fdatasync: it writes the bytes and the file's length, not its times;
//   * SyncDir is fsync of the directory. A file system that cannot do that (some network
//     and FUSE ones) is refused with kFailedPrecondition: a promise would be hollow;
//   * a file on which a write or a sync failed is poisoned: every later Append and Sync
//     answers kDataLoss with the first failure in the message. Linux marks the pages of
//     a failed sync clean, so that a second try would report success about lost bytes
//     (A. Rebello et al., Can Applications Recover from fsync Failures?, 2020);
//   * preallocation is fallocate(FALLOC_FL_KEEP_SIZE). Where it fails, for want of
//     support (NFS, FUSE, old ext3) or of room, the file is created without it: appends
//     are then slower, and each may meet a full disk. Close gives back what was not used;
//   * Link is link(2). Where it is refused because there can be no such link, the file system
//     knows none (FAT, some FUSE ones), the other name is on another one, or the kernel forbids
//     it, that is kUnimplemented;
//   * StartWriteback is sync_file_range. An error that it meets is told once, and a later
//     fdatasync would not repeat it: hence it poisons the file, too;
//   * the lock of a directory is flock() on its file LOCK, which holds the pid of the
//     holder for the error message. The kernel drops the lock with the process, however
//     it dies. The file stays, and must not be deleted while it is held: a lock on a new
//     file of that name would be another lock.
//
// Besides the codes of the port: kFailedPrecondition for what no retry can mend (a file
// that is closed, a directory where a file is meant, a name too long).
//
// Files are created 0600 and directories 0700: they hold the users' data.
//
// Threads: stateless, hence safe for several at once; files as the port says.

#ifndef NORN_STORAGE_POSIX_FILE_SYSTEM_H_
#define NORN_STORAGE_POSIX_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"

namespace norn::storage {

// The system calls whose failures a test cannot provoke on a healthy disk. Each behaves
// as the call of that name: -1 and errno on failure.
struct PosixCalls {
  ssize_t (*write)(int fd, const void* data, size_t n);
  ssize_t (*pread)(int fd, void* data, size_t n, off_t offset);
  int (*fdatasync)(int fd);
  int (*fsync)(int fd);
  int (*fallocate)(int fd, int mode, off_t offset, off_t length);
  int (*link)(const char* from, const char* to);
  int (*sync_file_range)(int fd, off_t offset, off_t length, unsigned flags);

  // Those of the system.
  static PosixCalls Real();
};

class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(const PosixCalls& calls = PosixCalls::Real()) : calls_(calls) {}

  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint64_t preallocate_bytes) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateLog(const std::string& path,
                                                          uint64_t preallocate_bytes) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  absl::Status CreateDir(const std::string& dir) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status SyncDir(const std::string& dir) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDir(const std::string& dir) override;

 private:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path,
                                                       uint64_t preallocate_bytes, bool is_log);

  const PosixCalls calls_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_POSIX_FILE_SYSTEM_H_
