// The contract of storage/file_system.h, as tests that every FileSystem has to pass.
//
// A world W provides:
//   W();                                    // fails the test if it cannot be set up
//   storage::FileSystem& file_system();     // this process's
//   storage::FileSystem& other_process();   // the same disk, seen by another process
//   std::string dir();                      // an existing directory, empty at first
// and is used as
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, FileSystemContract, W);
//
// What a crash leaves behind is not tested here, since a real disk cannot be crashed in a
// unit test: sim/sim_file_system_test.cc tests the model, and the tests that kill real
// processes test the real thing.

#ifndef NORN_TESTS_CONTRACTS_FILE_SYSTEM_CONTRACT_H_
#define NORN_TESTS_CONTRACTS_FILE_SYSTEM_CONTRACT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "storage/file_system.h"

namespace norn::storage {

template <typename World>
class FileSystemContract : public testing::Test {
 protected:
  FileSystem& fs() { return world_.file_system(); }
  FileSystem& other_process() { return world_.other_process(); }
  std::string Path(absl::string_view name) { return absl::StrCat(world_.dir(), "/", name); }

  // A new file with these bytes, still open.
  std::unique_ptr<WritableFile> Create(absl::string_view name, absl::string_view bytes) {
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs().CreateNew(Path(name), 0);
    EXPECT_TRUE(file.ok()) << file.status();
    if (!file.ok()) return nullptr;
    const absl::Status status = (*file)->Append(bytes);
    EXPECT_TRUE(status.ok()) << status;
    return *std::move(file);
  }

  // What the file holds, or the error.
  std::string Content(absl::string_view name) {
    const absl::StatusOr<std::string> content = fs().ReadFile(Path(name));
    return content.ok() ? *content : content.status().ToString();
  }

  std::vector<std::string> List() {
    const absl::StatusOr<std::vector<std::string>> names = fs().List(world_.dir());
    EXPECT_TRUE(names.ok()) << names.status();
    return names.ok() ? *names : std::vector<std::string>();
  }

  // The error has this code, and says which file it is about.
  void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& path) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status << " does not name " << path;
  }

  // Bytes that tell their own offset.
  static std::string Pattern(size_t n, uint64_t salt) {
    std::string bytes(n, '\0');
    for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>((i * 31 + i / 256 + salt) & 0xff);
    return bytes;
  }

  World world_;
};

TYPED_TEST_SUITE_P(FileSystemContract);

TYPED_TEST_P(FileSystemContract, AppendedBytesAreReadBack) {
  std::unique_ptr<WritableFile> file = this->Create("a", "one");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Append("").ok());
  const std::string binary("\0\xff\ntwo", 6);
  EXPECT_TRUE(file->Append(binary).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Append("three").ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(this->Content("a"), absl::StrCat("one", binary, "three"));
}

TYPED_TEST_P(FileSystemContract, CreateNewIsExclusive) {
  std::unique_ptr<WritableFile> file = this->Create("a", "first");
  ASSERT_NE(file, nullptr);
  this->ExpectError(this->fs().CreateNew(this->Path("a"), 0).status(),
                    absl::StatusCode::kAlreadyExists, this->Path("a"));
  EXPECT_TRUE(file->Close().ok());
  this->ExpectError(this->other_process().CreateNew(this->Path("a"), 0).status(),
                    absl::StatusCode::kAlreadyExists, this->Path("a"));
  EXPECT_EQ(this->Content("a"), "first");
  EXPECT_TRUE(this->fs().Remove(this->Path("a")).ok());
  EXPECT_TRUE(this->fs().CreateNew(this->Path("a"), 0).ok());
}

TYPED_TEST_P(FileSystemContract, PreallocationDoesNotShow) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      this->fs().CreateNew(this->Path("a"), 1 << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(this->Content("a"), "");
  EXPECT_TRUE((*file)->Append("abc").ok());
  EXPECT_EQ(this->Content("a"), "abc");
  EXPECT_TRUE((*file)->Close().ok());
  EXPECT_EQ(this->Content("a"), "abc");
}

TYPED_TEST_P(FileSystemContract, BehindALogThereAreZerosAtMost) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      this->fs().CreateLog(this->Path("a"), 1 << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  this->ExpectError(this->fs().CreateLog(this->Path("a"), 0).status(),
                    absl::StatusCode::kAlreadyExists, this->Path("a"));
  std::string expected;
  for (int i = 0; i < 40; ++i) {  // past what was preallocated, too
    const std::string piece(static_cast<size_t>(1 + i * 2000), static_cast<char>('a' + i % 26));
    ASSERT_TRUE((*file)->Append(piece).ok());
    if (i % 3 == 0) {
      ASSERT_TRUE((*file)->Sync().ok());
    }
    expected += piece;
    const std::string content = this->Content("a");
    ASSERT_EQ(content.substr(0, expected.size()), expected);
    ASSERT_EQ(content.find_first_not_of('\0', expected.size()), std::string::npos);
  }
  EXPECT_TRUE((*file)->Close().ok());
  EXPECT_EQ(this->Content("a").substr(0, expected.size()), expected);
}

TYPED_TEST_P(FileSystemContract, ReadsAreExactOrFail) {
  ASSERT_NE(this->Create("a", "0123456789"), nullptr);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file = this->fs().OpenForRead(this->Path("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Size(), 10u);
  char scratch[16] = {};
  EXPECT_TRUE((*file)->Read(3, 4, scratch).ok());
  EXPECT_EQ(std::string(scratch, 4), "3456");
  EXPECT_TRUE((*file)->Read(0, 10, scratch).ok());
  EXPECT_EQ(std::string(scratch, 10), "0123456789");
  EXPECT_TRUE((*file)->Read(10, 0, scratch).ok());
  for (const auto& [offset, n] : std::vector<std::pair<uint64_t, size_t>>{
           {0, 11}, {9, 2}, {10, 1}, {11, 1}, {uint64_t{1} << 40, 1}}) {
    this->ExpectError((*file)->Read(offset, n, scratch), absl::StatusCode::kOutOfRange,
                      this->Path("a"));
  }
}

TYPED_TEST_P(FileSystemContract, AReadThatDoesNotWaitIsExactOrLeftToOthers) {
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = absl::StrCat("f", i);
    ASSERT_NE(this->Create(name, "0123456789"), nullptr);
    absl::StatusOr<std::unique_ptr<RandomAccessFile>> file =
        this->fs().OpenForRead(this->Path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    char scratch[16] = {};
    if ((*file)->TryRead(3, 4, scratch)) {
      ++answered;
      ASSERT_EQ(std::string(scratch, 4), "3456");
    }
    ASSERT_FALSE((*file)->TryRead(9, 2, scratch));
    ASSERT_FALSE((*file)->TryRead(uint64_t{1} << 40, 1, scratch));
  }
  EXPECT_GT(answered, 0) << "what was just written is in memory";
}

TYPED_TEST_P(FileSystemContract, AnEmptyFileIsAFile) {
  ASSERT_NE(this->Create("a", ""), nullptr);
  EXPECT_TRUE(this->fs().Exists(this->Path("a")));
  EXPECT_EQ(this->Content("a"), "");
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file = this->fs().OpenForRead(this->Path("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Size(), 0u);
  char scratch[1];
  EXPECT_EQ((*file)->Read(0, 1, scratch).code(), absl::StatusCode::kOutOfRange);
}

TYPED_TEST_P(FileSystemContract, AFileCanBeReadWhileItGrows) {
  std::unique_ptr<WritableFile> writer = this->Create("a", "old");
  ASSERT_NE(writer, nullptr);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader =
      this->fs().OpenForRead(this->Path("a"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE(writer->Append("+new").ok());
  char scratch[8] = {};
  EXPECT_TRUE((*reader)->Read(0, 3, scratch).ok());
  EXPECT_EQ(std::string(scratch, 3), "old");
  // The size is that of the opening; what was appended since is there without a sync.
  EXPECT_EQ((*reader)->Size(), 3u);
  EXPECT_EQ(this->Content("a"), "old+new");
  EXPECT_TRUE(writer->Sync().ok());
  EXPECT_EQ(this->Content("a"), "old+new");
}

TYPED_TEST_P(FileSystemContract, OtherProcessesSeeWhatIsWritten) {
  std::unique_ptr<WritableFile> file = this->Create("a", "bytes");
  ASSERT_NE(file, nullptr);
  const absl::StatusOr<std::string> content = this->other_process().ReadFile(this->Path("a"));
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(*content, "bytes");
}

TYPED_TEST_P(FileSystemContract, ListIsSortedAndKnowsFilesOnly) {
  EXPECT_EQ(this->List(), std::vector<std::string>());
  for (const char* name : {"b", "000010.wal", "a", "Z", "000009.sst"}) {
    ASSERT_NE(this->Create(name, "x"), nullptr);
  }
  EXPECT_TRUE(this->fs().CreateDir(this->Path("directory")).ok());
  EXPECT_EQ(this->List(), (std::vector<std::string>{"000009.sst", "000010.wal", "Z", "a", "b"}));
  EXPECT_TRUE(this->fs().Remove(this->Path("a")).ok());
  EXPECT_EQ(this->List(), (std::vector<std::string>{"000009.sst", "000010.wal", "Z", "b"}));
}

TYPED_TEST_P(FileSystemContract, RenameReplacesTheTarget) {
  ASSERT_NE(this->Create("new", "new bytes"), nullptr);
  ASSERT_NE(this->Create("current", "old bytes"), nullptr);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> old_file =
      this->fs().OpenForRead(this->Path("current"));
  ASSERT_TRUE(old_file.ok()) << old_file.status();
  EXPECT_TRUE(this->fs().Rename(this->Path("new"), this->Path("current")).ok());
  EXPECT_EQ(this->List(), std::vector<std::string>{"current"});
  EXPECT_EQ(this->Content("current"), "new bytes");
  // Who had the old file open goes on reading it.
  char scratch[9] = {};
  EXPECT_TRUE((*old_file)->Read(0, 9, scratch).ok());
  EXPECT_EQ(std::string(scratch, 9), "old bytes");
}

TYPED_TEST_P(FileSystemContract, RenameToAFreeNameAndToItself) {
  std::unique_ptr<WritableFile> file = this->Create("a", "bytes");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(this->fs().Rename(this->Path("a"), this->Path("b")).ok());
  EXPECT_FALSE(this->fs().Exists(this->Path("a")));
  EXPECT_TRUE(this->fs().Rename(this->Path("b"), this->Path("b")).ok());
  // The writer follows the file, not the name.
  EXPECT_TRUE(file->Append("+more").ok());
  EXPECT_EQ(this->Content("b"), "bytes+more");
}

TYPED_TEST_P(FileSystemContract, RenameBetweenDirectories) {
  ASSERT_NE(this->Create("a", "bytes"), nullptr);
  EXPECT_TRUE(this->fs().CreateDir(this->Path("sub")).ok());
  EXPECT_TRUE(this->fs().Rename(this->Path("a"), this->Path("sub/b")).ok());
  EXPECT_EQ(this->List(), std::vector<std::string>());
  EXPECT_EQ(this->Content("sub/b"), "bytes");
}

TYPED_TEST_P(FileSystemContract, ALinkIsTheSameFile) {
  std::unique_ptr<WritableFile> file = this->Create("a", "bytes");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(this->fs().CreateDir(this->Path("sub")).ok());
  EXPECT_TRUE(this->fs().Link(this->Path("a"), this->Path("sub/b")).ok());
  EXPECT_EQ(this->Content("sub/b"), "bytes");
  // What is appended later shows under both names: there is one file.
  EXPECT_TRUE(file->Append("+more").ok());
  EXPECT_EQ(this->Content("sub/b"), "bytes+more");
  EXPECT_TRUE(this->fs().SyncDir(this->Path("sub")).ok());
  // It lives as long as either name does.
  EXPECT_TRUE(this->fs().Remove(this->Path("a")).ok());
  EXPECT_EQ(this->List(), std::vector<std::string>());
  EXPECT_EQ(this->Content("sub/b"), "bytes+more");
  ASSERT_NE(this->Create("a", "another"), nullptr);
  EXPECT_EQ(this->Content("sub/b"), "bytes+more");
  EXPECT_TRUE(this->fs().Remove(this->Path("sub/b")).ok());
  EXPECT_FALSE(this->fs().Exists(this->Path("sub/b")));
}

TYPED_TEST_P(FileSystemContract, LinkRefusesATakenNameAndAMissingFile) {
  ASSERT_NE(this->Create("a", "one"), nullptr);
  ASSERT_NE(this->Create("b", "two"), nullptr);
  EXPECT_TRUE(this->fs().CreateDir(this->Path("sub")).ok());
  constexpr absl::StatusCode kExists = absl::StatusCode::kAlreadyExists;
  this->ExpectError(this->fs().Link(this->Path("a"), this->Path("b")), kExists, this->Path("b"));
  this->ExpectError(this->fs().Link(this->Path("a"), this->Path("a")), kExists, this->Path("a"));
  this->ExpectError(this->fs().Link(this->Path("a"), this->Path("sub")), kExists,
                    this->Path("sub"));
  this->ExpectError(this->fs().Link(this->Path("missing"), this->Path("c")),
                    absl::StatusCode::kNotFound, this->Path("missing"));
  this->ExpectError(this->fs().Link(this->Path("a"), this->Path("missing/c")),
                    absl::StatusCode::kNotFound, this->Path("missing/c"));
  this->ExpectError(this->fs().Link(this->Path("sub"), this->Path("c")),
                    absl::StatusCode::kFailedPrecondition, this->Path("sub"));
  EXPECT_EQ(this->Content("a"), "one");
  EXPECT_EQ(this->Content("b"), "two");
  EXPECT_FALSE(this->fs().Exists(this->Path("c")));
}

TYPED_TEST_P(FileSystemContract, RenameOverALink) {
  ASSERT_NE(this->Create("a", "bytes"), nullptr);
  EXPECT_TRUE(this->fs().Link(this->Path("a"), this->Path("b")).ok());
  // Two names of one file: nothing happens, as POSIX has it.
  EXPECT_TRUE(this->fs().Rename(this->Path("a"), this->Path("b")).ok());
  EXPECT_EQ(this->List(), (std::vector<std::string>{"a", "b"}));
  // Replacing one name leaves the other.
  ASSERT_NE(this->Create("c", "new"), nullptr);
  EXPECT_TRUE(this->fs().Rename(this->Path("c"), this->Path("a")).ok());
  EXPECT_EQ(this->Content("a"), "new");
  EXPECT_EQ(this->Content("b"), "bytes");
}

TYPED_TEST_P(FileSystemContract, ARemovedFileIsReadableByWhoHasItOpen) {
  ASSERT_NE(this->Create("a", "bytes"), nullptr);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file = this->fs().OpenForRead(this->Path("a"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(this->fs().Remove(this->Path("a")).ok());
  EXPECT_FALSE(this->fs().Exists(this->Path("a")));
  ASSERT_NE(this->Create("a", "other"), nullptr);
  char scratch[5] = {};
  EXPECT_TRUE((*file)->Read(0, 5, scratch).ok());
  EXPECT_EQ(std::string(scratch, 5), "bytes");
}

TYPED_TEST_P(FileSystemContract, WhatIsNotThereIsNotFound) {
  const std::string path = this->Path("missing");
  const std::string below = this->Path("missing/file");
  EXPECT_FALSE(this->fs().Exists(path));
  constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;
  this->ExpectError(this->fs().OpenForRead(path).status(), kNotFound, path);
  this->ExpectError(this->fs().ReadFile(path).status(), kNotFound, path);
  this->ExpectError(this->fs().Remove(path), kNotFound, path);
  this->ExpectError(this->fs().Rename(path, this->Path("b")), kNotFound, path);
  this->ExpectError(this->fs().List(path).status(), kNotFound, path);
  this->ExpectError(this->fs().SyncDir(path), kNotFound, path);
  this->ExpectError(this->fs().LockDir(path).status(), kNotFound, path);
  this->ExpectError(this->fs().CreateNew(below, 0).status(), kNotFound, below);
  this->ExpectError(this->fs().CreateDir(below), kNotFound, below);
  ASSERT_NE(this->Create("a", "x"), nullptr);
  this->ExpectError(this->fs().Rename(this->Path("a"), below), kNotFound, below);
  EXPECT_EQ(this->Content("a"), "x");
}

TYPED_TEST_P(FileSystemContract, DirectoriesAreNotFiles) {
  const std::string sub = this->Path("sub");
  EXPECT_TRUE(this->fs().CreateDir(sub).ok());
  EXPECT_TRUE(this->fs().CreateDir(sub).ok()) << "creating it again is no error";
  EXPECT_TRUE(this->fs().Exists(sub));
  constexpr absl::StatusCode kFailed = absl::StatusCode::kFailedPrecondition;
  this->ExpectError(this->fs().OpenForRead(sub).status(), kFailed, sub);
  this->ExpectError(this->fs().ReadFile(sub).status(), kFailed, sub);
  this->ExpectError(this->fs().Remove(sub), kFailed, sub);
  this->ExpectError(this->fs().CreateNew(sub, 0).status(), absl::StatusCode::kAlreadyExists, sub);
  ASSERT_NE(this->Create("a", "x"), nullptr);
  this->ExpectError(this->fs().Rename(this->Path("a"), sub), kFailed, sub);
  this->ExpectError(this->fs().CreateDir(this->Path("a")), absl::StatusCode::kAlreadyExists,
                    this->Path("a"));
  EXPECT_EQ(this->List(), std::vector<std::string>{"a"});
}

TYPED_TEST_P(FileSystemContract, SyncAndSyncDirSucceedAtAnyTime) {
  std::unique_ptr<WritableFile> file = this->Create("a", "");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Append("x").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(this->fs().SyncDir(this->world_.dir()).ok());
  EXPECT_TRUE(this->fs().SyncDir(this->world_.dir() + "/").ok());
  EXPECT_TRUE(this->fs().Remove(this->Path("a")).ok());
  // A file without a name is still a file.
  EXPECT_TRUE(file->Append("y").ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(this->fs().SyncDir(this->world_.dir()).ok());
}

TYPED_TEST_P(FileSystemContract, AClosedFileRefuses) {
  std::unique_ptr<WritableFile> file = this->Create("a", "x");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Close().ok());
  constexpr absl::StatusCode kFailed = absl::StatusCode::kFailedPrecondition;
  this->ExpectError(file->Append("y"), kFailed, this->Path("a"));
  this->ExpectError(file->Sync(), kFailed, this->Path("a"));
  this->ExpectError(file->Close(), kFailed, this->Path("a"));
  EXPECT_EQ(this->Content("a"), "x");
}

TYPED_TEST_P(FileSystemContract, ALockIsHeldByOneAtATime) {
  const std::string dir = this->world_.dir();
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = this->fs().LockDir(dir);
  ASSERT_TRUE(lock.ok()) << lock.status();
  constexpr absl::StatusCode kTaken = absl::StatusCode::kAlreadyExists;
  this->ExpectError(this->other_process().LockDir(dir).status(), kTaken, dir);
  this->ExpectError(this->fs().LockDir(dir).status(), kTaken, dir);
  this->ExpectError(this->fs().LockDir(dir).status(), kTaken, "in use by");
  EXPECT_EQ(this->List(), std::vector<std::string>{"LOCK"});
  // Another directory is another lock.
  EXPECT_TRUE(this->fs().CreateDir(this->Path("sub")).ok());
  EXPECT_TRUE(this->fs().LockDir(this->Path("sub")).ok());
  lock->reset();
  lock = this->other_process().LockDir(dir);
  EXPECT_TRUE(lock.ok()) << lock.status();
  this->ExpectError(this->fs().LockDir(dir).status(), kTaken, dir);
}

TYPED_TEST_P(FileSystemContract, BigFilesKeepEveryByte) {
  // Chunks that straddle sectors and pages: 5 MB in all.
  const std::vector<size_t> sizes = {1, 511, 513, 4096, 65537, 1 << 20, 4000000, 7};
  std::unique_ptr<WritableFile> file = this->Create("big", "");
  ASSERT_NE(file, nullptr);
  std::string expected;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const std::string chunk = this->Pattern(sizes[i], i);
    ASSERT_TRUE(file->Append(chunk).ok());
    expected += chunk;
    if (i % 3 == 0) {
      ASSERT_TRUE(file->Sync().ok());
    }
  }
  EXPECT_TRUE(file->Close().ok());
  // Not EXPECT_EQ: five megabytes of difference help nobody.
  EXPECT_TRUE(this->Content("big") == expected);
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> reader =
      this->fs().OpenForRead(this->Path("big"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Size(), expected.size());
  for (size_t offset = 0; offset + 1000 <= expected.size(); offset += 99991) {
    std::string scratch(1000, '\0');
    ASSERT_TRUE((*reader)->Read(offset, 1000, &scratch[0]).ok());
    ASSERT_TRUE(scratch == expected.substr(offset, 1000)) << "at " << offset;
  }
}

TYPED_TEST_P(FileSystemContract, ManyFilesStayApart) {
  constexpr int kFiles = 300;
  std::vector<std::string> names;
  for (int i = 0; i < kFiles; ++i) names.push_back(absl::StrFormat("%06d.sst", i));
  for (int i = kFiles - 1; i >= 0; --i) {
    std::unique_ptr<WritableFile> file =
        this->Create(names[static_cast<size_t>(i)], absl::StrCat("file ", i));
    ASSERT_NE(file, nullptr);
    ASSERT_TRUE(file->Close().ok());
  }
  EXPECT_EQ(this->List(), names);
  for (int i = 0; i < kFiles; ++i) {
    ASSERT_EQ(this->Content(names[static_cast<size_t>(i)]), absl::StrCat("file ", i));
    if (i % 2 == 0) {
      ASSERT_TRUE(this->fs().Remove(this->Path(names[static_cast<size_t>(i)])).ok());
    }
  }
  EXPECT_EQ(this->List().size(), static_cast<size_t>(kFiles / 2));
}

REGISTER_TYPED_TEST_SUITE_P(
    FileSystemContract, AppendedBytesAreReadBack, CreateNewIsExclusive, PreallocationDoesNotShow,
    BehindALogThereAreZerosAtMost, ReadsAreExactOrFail, AReadThatDoesNotWaitIsExactOrLeftToOthers,
    AnEmptyFileIsAFile, AFileCanBeReadWhileItGrows, OtherProcessesSeeWhatIsWritten,
    ListIsSortedAndKnowsFilesOnly, RenameReplacesTheTarget, RenameToAFreeNameAndToItself,
    RenameBetweenDirectories, ALinkIsTheSameFile, LinkRefusesATakenNameAndAMissingFile,
    RenameOverALink, ARemovedFileIsReadableByWhoHasItOpen, WhatIsNotThereIsNotFound,
    DirectoriesAreNotFiles, SyncAndSyncDirSucceedAtAnyTime, AClosedFileRefuses,
    ALockIsHeldByOneAtATime, BigFilesKeepEveryByte, ManyFilesStayApart);

}  // namespace norn::storage

#endif  // NORN_TESTS_CONTRACTS_FILE_SYSTEM_CONTRACT_H_
