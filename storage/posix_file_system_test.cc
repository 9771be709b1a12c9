// What is particular to the real disk: signals, short writes, failing calls, locks between
// processes. What every file system does is in tests/contracts/file_system_contract.h.

#include "storage/posix_file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

// What the next calls do: an errno for each (0: the real call), consumed in order; then
// all are real. Plain functions reach it, hence a global; each test resets it.
struct Script {
  std::vector<int> write_errors;
  size_t write_bytes_max = static_cast<size_t>(-1);  // of one call
  int writes = 0;
  std::vector<int> sync_errors;
  int syncs = 0;
  std::vector<int> dir_sync_errors;
  std::vector<int> fallocate_errors;
  int fallocates = 0;
  int fallocate_mode = -1;
  std::vector<int> link_errors;
  std::vector<int> writeback_errors;
  struct Writeback {
    off_t begin = 0;
    off_t end = 0;
    bool waits = false;
    bool operator==(const Writeback&) const = default;
  };
  std::vector<Writeback> writebacks;
  std::vector<int> read_errors;
  size_t read_bytes_max = static_cast<size_t>(-1);
};
Script script;

// True if this call is to fail; errno says how.
bool Fails(std::vector<int>* errors) {
  if (errors->empty()) return false;
  errno = errors->front();
  errors->erase(errors->begin());
  return errno != 0;
}

PosixCalls ScriptedCalls() {
  PosixCalls calls;
  calls.write = [](int fd, const void* data, size_t n) -> ssize_t {
    ++script.writes;
    if (Fails(&script.write_errors)) return -1;
    return ::write(fd, data, std::min(n, script.write_bytes_max));
  };
  calls.pread = [](int fd, void* data, size_t n, off_t offset) -> ssize_t {
    if (Fails(&script.read_errors)) return -1;
    return ::pread(fd, data, std::min(n, script.read_bytes_max), offset);
  };
  calls.fdatasync = [](int fd) -> int {
    ++script.syncs;
    return Fails(&script.sync_errors) ? -1 : ::fdatasync(fd);
  };
  calls.fsync = [](int fd) -> int { return Fails(&script.dir_sync_errors) ? -1 : ::fsync(fd); };
  calls.fallocate = [](int fd, int mode, off_t offset, off_t length) -> int {
    ++script.fallocates;
    script.fallocate_mode = mode;
    return Fails(&script.fallocate_errors) ? -1 : ::fallocate(fd, mode, offset, length);
  };
  calls.link = [](const char* from, const char* to) -> int {
    return Fails(&script.link_errors) ? -1 : ::link(from, to);
  };
  calls.sync_file_range = [](int fd, off_t offset, off_t length, unsigned flags) -> int {
    script.writebacks.push_back(
        {offset, offset + length, (flags & SYNC_FILE_RANGE_WAIT_BEFORE) != 0});
    return Fails(&script.writeback_errors) ? -1 : ::sync_file_range(fd, offset, length, flags);
  };
  return calls;
}

class PosixFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    script = Script();
    dir_ = testing::TempDir() + "posix.XXXXXX";
    ASSERT_NE(::mkdtemp(&dir_[0]), nullptr) << dir_;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Path(const std::string& name) const { return absl::StrCat(dir_, "/", name); }

  std::unique_ptr<WritableFile> Create(const std::string& name, uint64_t preallocate_bytes = 0) {
    absl::StatusOr<std::unique_ptr<WritableFile>> file =
        fs_.CreateNew(Path(name), preallocate_bytes);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }

  std::string Content(const std::string& name) {
    const absl::StatusOr<std::string> content = fs_.ReadFile(Path(name));
    return content.ok() ? *content : content.status().ToString();
  }

  static void ExpectError(const absl::Status& status, absl::StatusCode code,
                          const std::vector<std::string>& texts) {
    EXPECT_EQ(status.code(), code) << status;
    for (const std::string& text : texts) {
      EXPECT_TRUE(absl::StrContains(status.message(), text)) << status << " lacks " << text;
    }
  }

  std::string dir_;
  PosixFileSystem fs_{ScriptedCalls()};
};

TEST_F(PosixFileSystemTest, InterruptedAndShortWritesAreContinued) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  script.write_errors = {EINTR, 0, EINTR, EINTR};
  script.write_bytes_max = 3;
  EXPECT_TRUE(file->Append("0123456789").ok());
  EXPECT_EQ(script.writes, 7);
  EXPECT_EQ(Content("a"), "0123456789");
}

TEST_F(PosixFileSystemTest, InterruptedAndShortReadsAreContinued) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  ASSERT_TRUE(file->Append("0123456789").ok());
  script.read_bytes_max = 3;
  script.read_errors = {EINTR, 0, EINTR};
  EXPECT_EQ(Content("a"), "0123456789");
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_.OpenForRead(Path("a"));
  ASSERT_TRUE(reader.ok());
  char scratch[8] = {};
  script.read_errors = {0, EINTR};
  EXPECT_TRUE((*reader)->Read(1, 8, scratch).ok());
  EXPECT_EQ(std::string(scratch, 8), "12345678");
  script.read_errors = {0, EIO};
  ExpectError((*reader)->Read(1, 8, scratch), absl::StatusCode::kDataLoss, {"read", Path("a")});
  script.read_errors = {EIO};
  ExpectError(fs_.ReadFile(Path("a")).status(), absl::StatusCode::kDataLoss, {"read", Path("a")});
}

TEST_F(PosixFileSystemTest, AFullDiskIsNamedAndPoisonsTheFile) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  script.write_bytes_max = 4;
  script.write_errors = {0, ENOSPC};
  ExpectError(file->Append("01234567"), absl::StatusCode::kResourceExhausted,
              {"append", Path("a"), "No space left on device", "free room"});
  // There is room again, but what the file holds is unknown to its writer.
  ExpectError(file->Append("more"), absl::StatusCode::kDataLoss, {Path("a"), "No space left"});
  ExpectError(file->Sync(), absl::StatusCode::kDataLoss, {Path("a"), "No space left"});
  EXPECT_EQ(script.syncs, 0);
  EXPECT_EQ(Content("a"), "0123");
}

TEST_F(PosixFileSystemTest, AFailedSyncIsForEver) {
  for (const int error : {EIO, ENOSPC, EDQUOT}) {
    script = Script();
    const std::string name = absl::StrCat("a", error);
    std::unique_ptr<WritableFile> file = Create(name);
    ASSERT_NE(file, nullptr);
    EXPECT_TRUE(file->Append("synced").ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(file->Append("not synced").ok());
    script.sync_errors = {EINTR, error};
    ExpectError(file->Sync(), absl::StatusCode::kDataLoss, {"sync", Path(name), "may be lost"});
    EXPECT_EQ(script.syncs, 3);
    // The kernel would say OK now; the file does not even ask.
    ExpectError(file->Sync(), absl::StatusCode::kDataLoss, {"sync", Path(name), "refused"});
    ExpectError(file->Append("x"), absl::StatusCode::kDataLoss, {"append", Path(name), "refused"});
    EXPECT_EQ(script.syncs, 3);
    EXPECT_EQ(Content(name), "syncednot synced");
    EXPECT_TRUE(file->Close().ok());
  }
}

TEST_F(PosixFileSystemTest, ErrorsOfTheSystemHaveTheirCodes) {
  const struct {
    int error;
    absl::StatusCode code;
  } cases[] = {
      {EIO, absl::StatusCode::kDataLoss},
      {ENOSPC, absl::StatusCode::kResourceExhausted},
      {EDQUOT, absl::StatusCode::kResourceExhausted},
      {EFBIG, absl::StatusCode::kResourceExhausted},
      {EACCES, absl::StatusCode::kPermissionDenied},
      {EPERM, absl::StatusCode::kPermissionDenied},
      {EROFS, absl::StatusCode::kPermissionDenied},
      {ENOMEM, absl::StatusCode::kUnavailable},
      {EMFILE, absl::StatusCode::kUnavailable},
      {EINVAL, absl::StatusCode::kFailedPrecondition},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    std::unique_ptr<WritableFile> file = Create(absl::StrCat("a", i));
    ASSERT_NE(file, nullptr);
    script.write_errors = {cases[i].error};
    ExpectError(file->Append("x"), cases[i].code, {Path(absl::StrCat("a", i))});
  }
}

TEST_F(PosixFileSystemTest, SyncDirTellsAFileSystemThatCannot) {
  script.dir_sync_errors = {EINTR};
  EXPECT_TRUE(fs_.SyncDir(dir_).ok());
  script.dir_sync_errors = {EIO};
  ExpectError(fs_.SyncDir(dir_), absl::StatusCode::kDataLoss, {"syncdir", dir_});
  script.dir_sync_errors = {EINVAL};
  ExpectError(fs_.SyncDir(dir_), absl::StatusCode::kFailedPrecondition, {dir_, "local"});
  ASSERT_NE(Create("a"), nullptr);
  ExpectError(fs_.SyncDir(Path("a")), absl::StatusCode::kNotFound, {Path("a")});
}

TEST_F(PosixFileSystemTest, PreallocationIsAskedForAndGivenBack) {
  constexpr uint64_t kBytes = 4 << 20;
  std::unique_ptr<WritableFile> file = Create("a", kBytes);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(script.fallocates, 1);
  EXPECT_EQ(script.fallocate_mode, FALLOC_FL_KEEP_SIZE);
  EXPECT_TRUE(file->Append("abc").ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(Content("a"), "abc");
  struct stat info;
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_LT(static_cast<uint64_t>(info.st_blocks) * 512, kBytes);
}

TEST_F(PosixFileSystemTest, WithoutPreallocationTheFileIsCreatedAllTheSame) {
  int i = 0;
  for (const int error : {EOPNOTSUPP, ENOSYS, ENOSPC}) {
    script.fallocate_errors = {EINTR, error};
    const std::string name = absl::StrCat("a", i++);
    std::unique_ptr<WritableFile> file = Create(name, 4 << 20);
    ASSERT_NE(file, nullptr);
    EXPECT_TRUE(script.fallocate_errors.empty());
    EXPECT_TRUE(file->Append("abc").ok());
    EXPECT_TRUE(file->Close().ok());
    EXPECT_EQ(Content(name), "abc");
  }
}

TEST_F(PosixFileSystemTest, FilesAreForTheOwnerAndAreNotInherited) {
  const mode_t old_mask = ::umask(0);
  std::unique_ptr<WritableFile> file = Create("a");
  EXPECT_TRUE(fs_.CreateDir(Path("sub")).ok());
  ::umask(old_mask);
  struct stat info;
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(Path("sub").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_.OpenForRead(Path("a"));
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
  ASSERT_TRUE(reader.ok() && lock.ok());
  int ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the listing's own descriptor is
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || target.rfind(dir_, 0) != 0) continue;
    ++ours;
    const int fd = std::stoi(entry.path().filename().string());
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  EXPECT_EQ(ours, 3);
}

TEST_F(PosixFileSystemTest, DescriptorsAreClosed) {
  const auto open_descriptors = [] {
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      (void)entry;
      ++n;
    }
    return n;
  };
  const int before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    const std::string name = absl::StrCat("a", i);
    std::unique_ptr<WritableFile> file = Create(name);
    ASSERT_NE(file, nullptr);
    if (i == 0) {
      EXPECT_TRUE(file->Close().ok());
    }
    EXPECT_TRUE(fs_.OpenForRead(Path(name)).ok());
    EXPECT_EQ(Content(name), "");
    EXPECT_TRUE(fs_.SyncDir(dir_).ok());
    EXPECT_TRUE(fs_.List(dir_).ok());
    absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
    EXPECT_TRUE(lock.ok());
    EXPECT_FALSE(fs_.LockDir(dir_).ok());
    EXPECT_FALSE(fs_.ReadFile(dir_).ok());
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PosixFileSystemTest, WritebackBeginsWithWhatIsNewAndWaitsForWhatWasBegunBefore) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->StartWriteback().ok());  // of nothing
  EXPECT_TRUE(file->Append(std::string(5000, 'x')).ok());
  EXPECT_TRUE(file->StartWriteback().ok());
  EXPECT_TRUE(file->Append(std::string(1000, 'y')).ok());
  script.writeback_errors = {EINTR};
  EXPECT_TRUE(file->StartWriteback().ok());
  EXPECT_TRUE(file->StartWriteback().ok());
  using Writeback = Script::Writeback;
  const std::vector<Writeback> expected = {
      {0, 5000, false}, {0, 5000, true}, {0, 5000, true}, {5000, 6000, false}, {5000, 6000, true}};
  EXPECT_EQ(script.writebacks, expected);
  EXPECT_TRUE(file->Sync().ok());
}

TEST_F(PosixFileSystemTest, AFailedWritebackPoisonsTheFile) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Append("0123").ok());
  script.writeback_errors = {EIO};
  ExpectError(file->StartWriteback(), absl::StatusCode::kDataLoss, {"write back", Path("a")});
  // The kernel has told it, and would not tell it again.
  script.syncs = 0;
  ExpectError(file->Sync(), absl::StatusCode::kDataLoss, {"write back", Path("a")});
  EXPECT_EQ(script.syncs, 0);
}

TEST_F(PosixFileSystemTest, WritebackThatIsNotSupportedIsDoneWithout) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Append("0123").ok());
  script.writeback_errors = {ENOSYS};
  EXPECT_TRUE(file->StartWriteback().ok());
  EXPECT_TRUE(file->Append("4567").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Content("a"), "01234567");
}

TEST_F(PosixFileSystemTest, TheLockNamesItsHolder) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  ExpectError(fs_.LockDir(dir_).status(), absl::StatusCode::kAlreadyExists,
              {dir_, absl::StrCat("process ", ::getpid())});
}

TEST_F(PosixFileSystemTest, AStaleLockFileLocksNobodyOut) {
  std::unique_ptr<WritableFile> stale = Create("LOCK");
  ASSERT_NE(stale, nullptr);
  EXPECT_TRUE(stale->Append("99999999999 and a long tail of older text").ok());
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(Content("LOCK"), absl::StrCat(::getpid(), "\n"));
  lock->reset();
  EXPECT_EQ(Content("LOCK"), absl::StrCat(::getpid(), "\n")) << "the file stays";
}

TEST_F(PosixFileSystemTest, AFullDiskDoesNotForbidTheLock) {
  script.write_errors = {ENOSPC};
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  ExpectError(fs_.LockDir(dir_).status(), absl::StatusCode::kAlreadyExists,
              {dir_, "another process"});
}

TEST_F(PosixFileSystemTest, TheLockDiesWithItsProcess) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
    const char answer = lock.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    while (true) ::pause();  // until it is killed
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  ExpectError(fs_.LockDir(dir_).status(), absl::StatusCode::kAlreadyExists,
              {dir_, absl::StrCat("process ", child)});
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = fs_.LockDir(dir_);
  EXPECT_TRUE(lock.ok()) << lock.status();
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PosixFileSystemTest, WhereThereCanBeNoLinkIsToldFromFailing) {
  ASSERT_NE(Create("a"), nullptr);
  for (const int error : {EPERM, EXDEV, EMLINK, EOPNOTSUPP, ENOSYS}) {
    script.link_errors = {error};
    ExpectError(fs_.Link(Path("a"), Path("b")), absl::StatusCode::kUnimplemented,
                {Path("a"), Path("b"), "no hard link"});
  }
  script.link_errors = {ENOSPC};
  ExpectError(fs_.Link(Path("a"), Path("b")), absl::StatusCode::kResourceExhausted,
              {Path("a"), Path("b"), "free room"});
  script.link_errors = {EACCES};
  ExpectError(fs_.Link(Path("a"), Path("b")), absl::StatusCode::kPermissionDenied, {Path("b")});
  EXPECT_FALSE(fs_.Exists(Path("b")));
  EXPECT_TRUE(fs_.Link(Path("a"), Path("b")).ok());
}

TEST_F(PosixFileSystemTest, ReadsMayRunBesideEachOther) {
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  std::string bytes;
  for (int i = 0; i < 20000; ++i) bytes += static_cast<char>(i % 251);
  ASSERT_TRUE(file->Append(bytes).ok());
  PosixFileSystem real;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> opened = real.OpenForRead(Path("a"));
  ASSERT_TRUE(opened.ok());
  const RandomAccessFile& reader = **opened;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      std::string scratch(100, '\0');
      for (size_t i = 0; i < 200; ++i) {
        const size_t offset = (t * 4999 + i * 97) % (bytes.size() - scratch.size());
        const bool ok = reader.Read(offset, scratch.size(), &scratch[0]).ok();
        if (!ok || bytes.compare(offset, scratch.size(), scratch) != 0) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

// Why a node has so few threads that read (node/job_lanes.h).
TEST_F(PosixFileSystemTest, ATryThatWouldWaitHasTheDeviceBegin) {
  const std::string bytes(4096, 'b');
  std::unique_ptr<WritableFile> file = Create("a");
  ASSERT_NE(file, nullptr);
  ASSERT_TRUE(file->Append(bytes).ok() && file->Sync().ok() && file->Close().ok());
  const int fd = ::open(Path("a").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  std::string scratch(bytes.size(), '\0');
  iovec room{.iov_base = scratch.data(), .iov_len = scratch.size()};
  const bool knows = ::preadv2(fd, &room, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
  EXPECT_EQ(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
  ::close(fd);
  if (!knows) GTEST_SKIP() << dir_ << " is on a file system without RWF_NOWAIT";
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader = fs_.OpenForRead(Path("a"));
  ASSERT_TRUE(reader.ok());
  if ((*reader)->TryRead(0, scratch.size(), scratch.data())) {
    GTEST_SKIP() << "the page cache keeps what it was told to drop: " << dir_ << " is in memory";
  }
  // Nobody reads it but by trying.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!(*reader)->TryRead(0, scratch.size(), scratch.data())) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the device has not begun";
    std::this_thread::yield();
  }
  EXPECT_EQ(scratch, bytes);
}

}  // namespace
}  // namespace norn::storage
