// The FileSystem port: all that the storage engine knows of a disk.
//
// Two worlds implement it: storage/posix_file_system.h (a real disk) and
// sim/sim_file_system.h (a disk that tears, forgets and lies on request). Both
// pass tests/contracts/file_system_contract.h.
//
// What is durable, exactly (the model is POSIX at its least generous):
//   * bytes written to a file survive a crash once Sync() on that file returned OK;
//     before that, any subset of the written 512-byte sectors may survive;
//   * a directory entry (create, link, rename, remove) survives once SyncDir() on its
//     directory returned OK; before that, either state may be found;
//   * Rename replaces the target atomically: after a crash the name refers to the
//     old or to the new file, never to neither;
//   * after a failed Sync() the state of the unsynced bytes is unknown for ever: a
//     later Sync() that returns OK proves nothing about them ("fsyncgate"). Callers
//     abandon the file.
//
// Errors are absl::Status with the operation and the path in the message:
//   kNotFound            no such file or directory
//   kAlreadyExists       CreateNew on a file that exists; a directory that is locked
//   kResourceExhausted   the disk is full (ENOSPC, EDQUOT)
//   kPermissionDenied    EACCES, EPERM, EROFS
//   kDataLoss            the device could not read or write (EIO), a failed sync
//   kOutOfRange          a read past the end that was to be complete
//   kUnimplemented       Link where there can be no hard link: a copy will have to do
//   kUnavailable         everything else that may pass
//
// Threads: a FileSystem may be used by several threads at once; one file object by
// one thread at a time, except RandomAccessFile::Read, which may be called
// concurrently. No call may be made by a thread that must not block, except where
// the engine opens (recovery).

#ifndef NORN_STORAGE_FILE_SYSTEM_H_
#define NORN_STORAGE_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

// A file written from front to back. Closing without Sync() promises nothing.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Appends all of `data`, or returns an error; after an error the length of the file
  // is unknown and the file must be abandoned. One call is one file operation: it is
  // not buffered in the process.
  virtual absl::Status Append(absl::string_view data) = 0;

  // Makes everything appended so far durable (fdatasync). Slow: 0.1 to 20 ms.
  virtual absl::Status Sync() = 0;

  // Lets the device begin to take what was appended, and waits for what the call before this one
  // began: so that a file of megabytes is not left whole to its Sync, behind which those of a log
  // would have to wait. Promises nothing; a file system may do nothing. After an error the file
  // must be abandoned, as after one of Sync().
  virtual absl::Status StartWriteback() { return absl::OkStatus(); }

  // Closes the file. Called at most once; the destructor closes if it was not called.
  virtual absl::Status Close() = 0;
};

// A file that is read anywhere and does not change any more.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;

  // Reads exactly `n` bytes at `offset` into `scratch` (at least `n` bytes long).
  // A file that ends earlier is kOutOfRange: a short read is never silent.
  virtual absl::Status Read(uint64_t offset, size_t n, char* scratch) const = 0;

  // As Read, but only if nothing has to be waited for: a few microseconds at most. False: it
  // would have to wait, or there is an error, which Read will tell. A file system that cannot
  // know answers false. One that would have to wait may have the device begin, so that a Read of
  // the same waits less: tries in a row are then served at the same time (Linux, RWF_NOWAIT).
  virtual bool TryRead(uint64_t offset, size_t n, char* scratch) const = 0;

  // Size in bytes when it was opened.
  virtual uint64_t Size() const = 0;
};

// Held while it lives: the exclusive right to a directory.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates a file that must not exist yet. `preallocate_bytes` is a hint: room is
  // set aside where the file system can, without changing the file's visible size.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                                  uint64_t preallocate_bytes) = 0;

  // As CreateNew, for a log: a file that is synced after nearly every append. Zeros may
  // follow what was appended, and readers see them, also after a crash: an append into them
  // does not change the file's size, which would cost each sync a second write, that of the
  // file system's journal.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> CreateLog(const std::string& path,
                                                                  uint64_t preallocate_bytes) = 0;

  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      const std::string& path) = 0;

  // The whole file. For small files (manifest, slots) and logs at recovery.
  virtual absl::StatusOr<std::string> ReadFile(const std::string& path) = 0;

  // Names of the files in `dir` (no "." and "..", no sub-directories), sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& dir) = 0;

  virtual absl::Status CreateDir(const std::string& dir) = 0;  // OK if it exists.
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;

  // Gives the file `from` a second name, `to`, which must be free: a hard link. Both names mean
  // the one file from then on, and it lives as long as either does. The new entry is durable
  // once the directory of `to` is synced; the bytes are as durable as they were. kUnimplemented
  // if the file system knows no hard links, the names are on two of them, or the file has as
  // many names as it may: whoever asked copies the file instead, and syncs the copy.
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;

  // Makes the entries of `dir` durable.
  virtual absl::Status SyncDir(const std::string& dir) = 0;

  virtual bool Exists(const std::string& path) = 0;

  // Fails with kAlreadyExists, naming the holder where it is known, if another
  // engine holds the directory.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDir(const std::string& dir) = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_FILE_SYSTEM_H_
