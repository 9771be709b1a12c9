#include "storage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace norn::storage {
namespace {

constexpr char kLockFileName[] = "LOCK";
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirMode = 0700;
// Linux transfers at most 2 GiB less a page in one call; ask for less.
constexpr size_t kTransferBytesMax = size_t{1} << 30;
// So much of a log is zeroed at a time. An append into zeros needs no journal of the file
// system when it is synced: on a busy disk that is a tenth of the time.
constexpr uint64_t kZerosAheadBytes = uint64_t{512} << 10;

absl::Status PosixError(absl::string_view operation, absl::string_view path, int error) {
  const std::string text =
      absl::StrCat(operation, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case ENOSPC:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; free room on that file system"));
    case EDQUOT:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; raise the quota or free room"));
    case EFBIG:
      return absl::ResourceExhaustedError(
          absl::StrCat(text, "; raise the limit of file sizes (ulimit -f)"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          absl::StrCat(text, "; check owner and mode of the file and its directories"));
    case EROFS:
      return absl::PermissionDeniedError(absl::StrCat(
          text, "; mounted read-only, possibly by the kernel after an I/O error: see its log"));
    case EIO:
      return absl::DataLossError(
          absl::StrCat(text, "; the device may be failing: see the kernel's log"));
    case EMFILE:
    case ENFILE:
      return absl::UnavailableError(
          absl::StrCat(text, "; raise the limit of open files (ulimit -n)"));
    case EISDIR:
    case EINVAL:
    case EBADF:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV:
    case ENOTEMPTY:
      return absl::FailedPreconditionError(text);
    default:
      return absl::UnavailableError(text);
  }
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// open(2), tried again when a signal interrupts it. errno tells why it failed.
Descriptor Open(const std::string& path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

// Opens a regular file for reading and tells its size.
absl::StatusOr<Descriptor> OpenRegular(absl::string_view operation, const std::string& path,
                                       uint64_t* size) {
  Descriptor file = Open(path, O_RDONLY);
  if (file.get() < 0) return PosixError(operation, path, errno);
  struct stat info;
  if (::fstat(file.get(), &info) != 0) return PosixError(operation, path, errno);
  if (S_ISDIR(info.st_mode)) return PosixError(operation, path, EISDIR);
  *size = static_cast<uint64_t>(info.st_size);
  return file;
}

// Reads up to `n` bytes at `offset`, fewer only at the end of the file; -1 and errno.
ssize_t ReadAt(const PosixCalls& calls, int fd, uint64_t offset, size_t n, char* scratch) {
  size_t done = 0;
  while (done < n) {
    const ssize_t got = calls.pread(fd, scratch + done, std::min(n - done, kTransferBytesMax),
                                    static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

class PosixWritableFile final : public WritableFile {
 public:
  // `zeros_end`: how far zeros may be written ahead of what is appended.
  PosixWritableFile(const PosixCalls& calls, std::string path, Descriptor file, bool preallocated,
                    uint64_t zeros_end)
      : calls_(calls),
        path_(std::move(path)),
        file_(std::move(file)),
        preallocated_(preallocated),
        zeros_end_(zeros_end) {}

  absl::Status Append(absl::string_view data) override {
    absl::Status status = CheckUsable("append");
    if (!status.ok()) return status;
    const char* next = data.data();
    size_t left = data.size();
    while (left > 0) {
      const ssize_t written = calls_.write(file_.get(), next, std::min(left, kTransferBytesMax));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        // A write of more than nothing that writes nothing would repeat for ever.
        failure_ = PosixError("append", path_, written == 0 ? EIO : errno);
        return failure_;
      }
      next += written;
      left -= static_cast<size_t>(written);
      size_ += static_cast<uint64_t>(written);
    }
    if (size_ > zeroed_ && size_ < zeros_end_) WriteZerosAhead();
    return failure_;
  }

  absl::Status Sync() override {
    absl::Status status = CheckUsable("sync");
    if (!status.ok()) return status;
    int result;
    do {
      result = calls_.fdatasync(file_.get());
    } while (result != 0 && errno == EINTR);
    return result == 0 ? absl::OkStatus() : FailSync("sync");
  }

  absl::Status StartWriteback() override {
    absl::Status status = CheckUsable("write back");
    if (!status.ok()) return status;
    if (WriteBack(waited_, begun_, SYNC_FILE_RANGE_WAIT_BEFORE) != 0 ||
        WriteBack(begun_, size_, SYNC_FILE_RANGE_WRITE) != 0) {
      // A file system that cannot do it has lost nothing.
      const bool unsupported = errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP;
      return unsupported ? absl::OkStatus() : FailSync("write back");
    }
    waited_ = begun_;
    begun_ = size_;
    return absl::OkStatus();
  }

  absl::Status Close() override {
    if (file_.get() < 0) return PosixError("close", path_, EBADF);
    Trim();
    // Not again after EINTR: Linux has closed the descriptor by then.
    if (::close(file_.release()) == 0 || errno == EINTR) return absl::OkStatus();
    return PosixError("close", path_, errno);
  }

  ~PosixWritableFile() override {
    if (file_.get() >= 0) Trim();
  }

 private:
  absl::Status CheckUsable(absl::string_view operation) const {
    if (file_.get() < 0) return PosixError(operation, path_, EBADF);
    if (failure_.ok()) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(operation, " ", path_, ": refused after a failure (",
                                            failure_.message(), ")"));
  }

  // Whatever the reason, also a disk that filled up under delayed allocation: the unsynced bytes
  // may be gone, so no error code that suggests another try.
  absl::Status FailSync(absl::string_view operation) {
    failure_ = absl::DataLossError(absl::StrCat(operation, " ", path_, ": ",
                                                std::generic_category().message(errno),
                                                "; what was not yet synced may be lost"));
    return failure_;
  }

  int WriteBack(uint64_t begin, uint64_t end, unsigned flags) const {
    if (begin == end) return 0;
    int result;
    do {
      result = calls_.sync_file_range(file_.get(), static_cast<off_t>(begin),
                                      static_cast<off_t>(end - begin), flags);
    } while (result != 0 && errno == EINTR);
    return result;
  }

  // Zeros behind what was appended, in the room that was set aside. Where they cannot be
  // written, syncs are slower.
  void WriteZerosAhead() {
    static constexpr char kZeros[64 << 10] = {};
    const uint64_t target = std::min(zeros_end_, size_ + kZerosAheadBytes);
    zeroed_ = size_;
    while (zeroed_ < target) {
      const size_t n = std::min<uint64_t>(sizeof(kZeros), target - zeroed_);
      const ssize_t written = calls_.write(file_.get(), kZeros, n);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        zeros_end_ = 0;
        break;
      }
      zeroed_ += static_cast<uint64_t>(written);
    }
    if (::lseek(file_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) {
      failure_ = PosixError("append", path_, errno);
    }
  }

  // Gives back what was set aside or zeroed beyond the end. Failing costs only room.
  void Trim() {
    if (!preallocated_ || !failure_.ok()) return;
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0) preallocated_ = false;
  }

  const PosixCalls calls_;
  const std::string path_;
  Descriptor file_;
  bool preallocated_;
  uint64_t zeros_end_;
  uint64_t zeroed_ = 0;  // zeros reach from size_ to here, if this is above
  uint64_t size_ = 0;
  uint64_t begun_ = 0;    // writeback was begun up to here
  uint64_t waited_ = 0;   // and waited for up to here
  absl::Status failure_;  // the first one; the file is poisoned from then on
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(const PosixCalls& calls, std::string path, Descriptor file, uint64_t size)
      : calls_(calls), path_(std::move(path)), file_(std::move(file)), size_(size) {}

  absl::Status Read(uint64_t offset, size_t n, char* scratch) const override {
    const ssize_t got = ReadAt(calls_, file_.get(), offset, n, scratch);
    if (got < 0) return PosixError("read", path_, errno);
    if (static_cast<size_t>(got) == n) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("read ", path_, ": the file ends early; wanted ", n,
                                              " bytes at ", offset, ", got ", got));
  }

  bool TryRead(uint64_t offset, size_t n, char* scratch) const override {
    iovec part{.iov_base = scratch, .iov_len = n};
    const ssize_t got = ::preadv2(file_.get(), &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    return got >= 0 && static_cast<size_t>(got) == n;
  }

  uint64_t Size() const override { return size_; }

 private:
  const PosixCalls calls_;
  const std::string path_;
  const Descriptor file_;
  const uint64_t size_;
};

class PosixDirectoryLock final : public DirectoryLock {
 public:
  explicit PosixDirectoryLock(Descriptor file) : file_(std::move(file)) {}

 private:
  const Descriptor file_;  // closing it releases the lock
};

// The process that holds a lock, as its LOCK file tells.
std::string HolderOf(const PosixCalls& calls, int fd) {
  char text[32];
  const ssize_t n = ReadAt(calls, fd, 0, sizeof(text), text);
  absl::string_view pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  pid = pid.substr(0, pid.find('\n'));
  const bool digits = !pid.empty() && pid.find_first_not_of("0123456789") == pid.npos;
  return digits ? absl::StrCat("process ", pid) : "another process";
}

}  // namespace

PosixCalls PosixCalls::Real() {
  return {&::write,     &::pread, &::fdatasync,      &::fsync,
          &::fallocate, &::link,  &::sync_file_range};
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::CreateNew(
    const std::string& path, uint64_t preallocate_bytes) {
  return Create(path, preallocate_bytes, /*is_log=*/false);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::CreateLog(
    const std::string& path, uint64_t preallocate_bytes) {
  return Create(path, preallocate_bytes, /*is_log=*/true);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::Create(const std::string& path,
                                                                      uint64_t preallocate_bytes,
                                                                      bool is_log) {
  Descriptor file = Open(path, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
  if (file.get() < 0) return PosixError("create", path, errno);
  bool preallocated = false;
  if (preallocate_bytes > 0) {
    int result;
    do {
      result = calls_.fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0,
                                static_cast<off_t>(preallocate_bytes));
    } while (result != 0 && errno == EINTR);
    preallocated = result == 0;
  }
  const uint64_t zeros_end = is_log && preallocated ? preallocate_bytes : 0;
  return std::make_unique<PosixWritableFile>(calls_, path, std::move(file), preallocated,
                                             zeros_end);
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> PosixFileSystem::OpenForRead(
    const std::string& path) {
  uint64_t size = 0;
  absl::StatusOr<Descriptor> file = OpenRegular("open", path, &size);
  if (!file.ok()) return file.status();
  return std::make_unique<PosixRandomAccessFile>(calls_, path, *std::move(file), size);
}

absl::StatusOr<std::string> PosixFileSystem::ReadFile(const std::string& path) {
  uint64_t size = 0;
  absl::StatusOr<Descriptor> file = OpenRegular("read", path, &size);
  if (!file.ok()) return file.status();
  std::string content;
  // One byte more than expected: a short answer then proves the end of a file that
  // someone may be appending to.
  for (size_t n = size + 1;; n = 1 << 16) {
    const size_t begin = content.size();
    content.resize(begin + n);
    const ssize_t got = ReadAt(calls_, file->get(), begin, n, &content[begin]);
    if (got < 0) return PosixError("read", path, errno);
    content.resize(begin + static_cast<size_t>(got));
    if (static_cast<size_t>(got) < n) return content;
  }
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(const std::string& dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(dir.c_str()), &::closedir);
  if (stream == nullptr) return PosixError("list", dir, errno);
  std::vector<std::string> names;
  while (true) {
    errno = 0;  // the only way to tell the end from an error
    const struct dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
      struct stat info;
      is_directory =
          ::fstatat(::dirfd(stream.get()), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
    }
    if (!is_directory) names.emplace_back(entry->d_name);
  }
  if (errno != 0) return PosixError("list", dir, errno);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixFileSystem::CreateDir(const std::string& dir) {
  if (::mkdir(dir.c_str(), kDirMode) == 0) return absl::OkStatus();
  const int error = errno;
  struct stat info;
  if (error == EEXIST && ::stat(dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::OkStatus();
  }
  return PosixError("create directory", dir, error);
}

absl::Status PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return absl::OkStatus();
  return PosixError("remove", path, errno);
}

absl::Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return PosixError("rename", absl::StrCat(from, " to ", to), errno);
}

absl::Status PosixFileSystem::Link(const std::string& from, const std::string& to) {
  if (calls_.link(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  const std::string both = absl::StrCat(from, " to ", to);
  switch (error) {
    case EPERM:
      // Also what link(2) says of a directory.
      if (struct stat info; ::stat(from.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        return PosixError("link", both, EISDIR);
      }
      [[fallthrough]];
    case EXDEV:
    case EMLINK:
    case EOPNOTSUPP:
    case ENOSYS:
      return absl::UnimplementedError(absl::StrCat("link ", both, ": ",
                                                   std::generic_category().message(error),
                                                   "; there can be no hard link here"));
    default:
      return PosixError("link", both, error);
  }
}

absl::Status PosixFileSystem::SyncDir(const std::string& dir) {
  const Descriptor directory = Open(dir, O_RDONLY | O_DIRECTORY);
  if (directory.get() < 0) return PosixError("syncdir", dir, errno);
  int result;
  do {
    result = calls_.fsync(directory.get());
  } while (result != 0 && errno == EINTR);
  if (result == 0) return absl::OkStatus();
  if (errno == EINVAL || errno == ENOTSUP) {
    return absl::FailedPreconditionError(
        absl::StrCat("syncdir ", dir,
                     ": this file system cannot make directory entries durable; put the "
                     "data on a local one (ext4, XFS, ...)"));
  }
  return PosixError("syncdir", dir, errno);
}

bool PosixFileSystem::Exists(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> PosixFileSystem::LockDir(const std::string& dir) {
  const std::string path = absl::StrCat(dir, "/", kLockFileName);
  Descriptor file = Open(path, O_RDWR | O_CREAT, kFileMode);
  if (file.get() < 0) return PosixError("lock", path, errno);
  int result;
  do {
    result = ::flock(file.get(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EWOULDBLOCK) return PosixError("lock", path, errno);
  if (result != 0) {
    return absl::AlreadyExistsError(
        absl::StrCat("lock ", path, ": in use by ", HolderOf(calls_, file.get()),
                     "; stop it first, or give this one a directory of its own"));
  }
  // The pid is a courtesy to whoever finds the directory locked: on a full disk the lock
  // holds without it.
  const std::string pid = absl::StrCat(::getpid(), "\n");
  const bool written =
      ::ftruncate(file.get(), 0) == 0 && calls_.write(file.get(), pid.data(), pid.size()) >= 0;
  if (!written && errno != ENOSPC && errno != EDQUOT) return PosixError("lock", path, errno);
  return std::make_unique<PosixDirectoryLock>(std::move(file));
}

}  // namespace norn::storage
