#include "sim/sim_file_system.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"

namespace norn::sim {
namespace {

// As on a real disk, the lock leaves a file behind.
constexpr char kLockFileName[] = "LOCK";

constexpr size_t kZeroChunkBytes = 4096;

absl::Status NotFound(absl::string_view operation, const std::string& path) {
  return absl::NotFoundError(absl::StrCat(operation, " ", path, ": No such file or directory"));
}

absl::Status IsDirectory(absl::string_view operation, const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(operation, " ", path, ": Is a directory"));
}

}  // namespace

// The files and locks of a process. Not in an anonymous namespace: the disk names them
// as friends.

class SimWritableFile final : public storage::WritableFile {
 public:
  SimWritableFile(SimDisk* disk, uint64_t incarnation, std::string path,
                  std::shared_ptr<DiskFile> file)
      : disk_(disk), incarnation_(incarnation), path_(std::move(path)), file_(std::move(file)) {}

  ~SimWritableFile() override {
    if (!closed_ && Alive()) disk_->TrimRoom(file_.get());
  }

  absl::Status Append(absl::string_view data) override {
    if (closed_) return Closed("append");
    SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kAppend, path_);
    if (!admission.status.ok()) return std::move(admission.status);
    return disk_->Append(file_.get(), data, admission, path_);
  }

  absl::Status Sync() override {
    if (closed_) return Closed("sync");
    SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kSync, path_);
    if (!admission.status.ok()) return std::move(admission.status);
    return disk_->Sync(file_.get(), admission, path_);
  }

  absl::Status Close() override {
    if (closed_) return Closed("close");
    closed_ = true;
    if (!Alive()) return absl::AbortedError(absl::StrCat("crashed: close ", path_));
    disk_->TrimRoom(file_.get());
    return absl::OkStatus();
  }

 private:
  bool Alive() const { return !disk_->crashed() && incarnation_ == disk_->incarnation_; }

  absl::Status Closed(absl::string_view operation) const {
    return absl::FailedPreconditionError(
        absl::StrCat(operation, " ", path_, ": the file is closed"));
  }

  SimDisk* const disk_;
  const uint64_t incarnation_;
  const std::string path_;
  const std::shared_ptr<DiskFile> file_;
  bool closed_ = false;
};

class SimRandomAccessFile final : public storage::RandomAccessFile {
 public:
  SimRandomAccessFile(SimDisk* disk, uint64_t incarnation, std::string path,
                      std::shared_ptr<DiskFile> file)
      : disk_(disk),
        incarnation_(incarnation),
        path_(std::move(path)),
        file_(std::move(file)),
        size_(file_->size()) {}

  absl::Status Read(uint64_t offset, size_t n, char* scratch) const override {
    SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kRead, path_);
    if (admission.power_fails) return disk_->FailPower();
    absl::Status status = std::move(admission.status);
    if (status.ok()) status = disk_->CheckRead(*file_, offset, n, path_);
    if (!status.ok() || n == 0) return status;
    if (admission.effect == FaultEffect::kMisdirectedRead) {
      const std::string other = disk_->ReadElsewhere(*file_, path_, offset, n);
      std::memcpy(scratch, other.empty() ? file_->content().data() + offset : other.data(), n);
      return status;
    }
    std::memcpy(scratch, file_->content().data() + offset, n);
    return status;
  }

  // The page cache has half of all pages: for those no device takes part, and none can fail.
  bool TryRead(uint64_t offset, size_t n, char* scratch) const override {
    if (disk_->crashed() || incarnation_ != disk_->incarnation_) return false;
    uint64_t hash = offset / 4096;
    for (const char c : path_) hash = SplitMix64(hash) + static_cast<unsigned char>(c);
    if (!disk_->page_cache() || (SplitMix64(hash) & 1) != 0) return false;
    if (!disk_->CheckRead(*file_, offset, n, path_).ok()) return false;
    if (n > 0) std::memcpy(scratch, file_->content().data() + offset, n);
    return true;
  }

  uint64_t Size() const override { return size_; }

 private:
  SimDisk* const disk_;
  const uint64_t incarnation_;
  const std::string path_;
  const std::shared_ptr<DiskFile> file_;
  const uint64_t size_;
};

class SimDirectoryLock final : public storage::DirectoryLock {
 public:
  SimDirectoryLock(SimDisk* disk, uint64_t incarnation, std::string dir)
      : disk_(disk), incarnation_(incarnation), dir_(std::move(dir)) {}

  ~SimDirectoryLock() override {
    // A crash has released it already, and someone else may hold the directory now.
    if (incarnation_ == disk_->incarnation_) disk_->locks_.erase(dir_);
  }

 private:
  SimDisk* const disk_;
  const uint64_t incarnation_;
  const std::string dir_;
};

SimFileSystem::SimFileSystem(SimDisk* disk, std::string process)
    : disk_(disk), process_(std::move(process)), incarnation_(disk->incarnation_) {}

bool SimFileSystem::crashed() const {
  return disk_->crashed() || incarnation_ != disk_->incarnation_;
}

absl::StatusOr<std::unique_ptr<storage::WritableFile>> SimFileSystem::CreateNew(
    const std::string& path, uint64_t preallocate_bytes) {
  return Create(path, preallocate_bytes, /*zero_tail=*/false);
}

absl::StatusOr<std::unique_ptr<storage::WritableFile>> SimFileSystem::CreateLog(
    const std::string& path, uint64_t preallocate_bytes) {
  return Create(path, preallocate_bytes, /*zero_tail=*/true);
}

absl::StatusOr<std::unique_ptr<storage::WritableFile>> SimFileSystem::Create(
    const std::string& path, uint64_t preallocate_bytes, bool zero_tail) {
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kCreate, path);
  if (!admission.status.ok()) return std::move(admission.status);
  const Place place = SplitPath(path);
  const bool possible = disk_->tree_.HasDirectory(place.dir) &&
                        disk_->tree_.Find(place) == nullptr &&
                        !disk_->tree_.HasDirectory(place.Path());
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 2)) disk_->Create(place, preallocate_bytes);
    return disk_->FailPower();
  }
  if (!disk_->tree_.HasDirectory(place.dir)) return NotFound("create", path);
  if (!possible) {
    return absl::AlreadyExistsError(absl::StrCat("create ", path, ": File exists"));
  }
  if (disk_->used_bytes_ >= disk_->capacity_bytes_) {
    ++disk_->counters_.disk_full;
    return absl::ResourceExhaustedError(
        absl::StrCat("create ", path, ": No space left on device (simulated); free room on it"));
  }
  const std::shared_ptr<DiskFile> file = disk_->Create(place, preallocate_bytes);
  file->set_zero_tail(zero_tail);
  return std::make_unique<SimWritableFile>(disk_, incarnation_, path, file);
}

absl::StatusOr<std::unique_ptr<storage::RandomAccessFile>> SimFileSystem::OpenForRead(
    const std::string& path) {
  absl::Status status = disk_->AdmitQuery(incarnation_, FileOperation::kOpen, path);
  if (!status.ok()) return status;
  const Place place = SplitPath(path);
  std::shared_ptr<DiskFile> file = disk_->tree_.Find(place);
  if (file == nullptr) {
    return disk_->tree_.HasDirectory(place.Path()) ? IsDirectory("open", path)
                                                   : NotFound("open", path);
  }
  return std::make_unique<SimRandomAccessFile>(disk_, incarnation_, path, std::move(file));
}

absl::StatusOr<std::string> SimFileSystem::ReadFile(const std::string& path) {
  absl::Status status = disk_->AdmitQuery(incarnation_, FileOperation::kRead, path);
  if (!status.ok()) return status;
  const Place place = SplitPath(path);
  const std::shared_ptr<DiskFile> file = disk_->tree_.Find(place);
  if (file == nullptr) {
    return disk_->tree_.HasDirectory(place.Path()) ? IsDirectory("read", path)
                                                   : NotFound("read", path);
  }
  status = disk_->CheckRead(*file, 0, file->size(), path);
  if (!status.ok()) return status;
  if (!file->zero_tail()) return file->content();
  // As a real disk shows a log after a crash: whole chunks, zeros behind what was appended.
  std::string bytes = file->content();
  bytes.resize((bytes.size() / kZeroChunkBytes + 1) * kZeroChunkBytes, '\0');
  return bytes;
}

absl::StatusOr<std::vector<std::string>> SimFileSystem::List(const std::string& dir) {
  absl::Status status = disk_->AdmitQuery(incarnation_, FileOperation::kList, dir);
  if (!status.ok()) return status;
  const std::string normal = NormalDirectory(dir);
  if (!disk_->tree_.HasDirectory(normal)) return NotFound("list", dir);
  std::vector<std::string> names;
  for (const auto& [name, file] : disk_->tree_.Files(normal)) names.push_back(name);
  return names;
}

absl::Status SimFileSystem::CreateDir(const std::string& dir) {
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kCreateDir, dir);
  if (!admission.status.ok()) return std::move(admission.status);
  const Place place = SplitPath(dir);
  const bool exists = disk_->tree_.HasDirectory(place.Path());
  const bool possible =
      !exists && disk_->tree_.HasDirectory(place.dir) && disk_->tree_.Find(place) == nullptr;
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 2)) disk_->tree_.CreateDirectory(place);
    return disk_->FailPower();
  }
  if (exists) return absl::OkStatus();
  if (!disk_->tree_.HasDirectory(place.dir)) return NotFound("create directory", dir);
  if (!possible) {
    return absl::AlreadyExistsError(
        absl::StrCat("create directory ", dir, ": a file of that name exists"));
  }
  disk_->tree_.CreateDirectory(place);
  return absl::OkStatus();
}

absl::Status SimFileSystem::Remove(const std::string& path) {
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kRemove, path);
  if (!admission.status.ok()) return std::move(admission.status);
  const Place place = SplitPath(path);
  const bool possible = disk_->tree_.Find(place) != nullptr;
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 2)) disk_->Remove(place);
    return disk_->FailPower();
  }
  if (!possible) {
    return disk_->tree_.HasDirectory(place.Path()) ? IsDirectory("remove", path)
                                                   : NotFound("remove", path);
  }
  disk_->Remove(place);
  return absl::OkStatus();
}

absl::Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::string both = absl::StrCat(from, " to ", to);
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kRename, both);
  if (!admission.status.ok()) return std::move(admission.status);
  const Place source = SplitPath(from);
  const Place target = SplitPath(to);
  const bool onto_directory = disk_->tree_.HasDirectory(target.Path());
  const bool possible = disk_->tree_.Find(source) != nullptr && !onto_directory &&
                        disk_->tree_.HasDirectory(target.dir);
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 2)) disk_->Rename(source, target);
    return disk_->FailPower();
  }
  if (onto_directory || disk_->tree_.HasDirectory(source.Path())) {
    return IsDirectory("rename", both);
  }
  if (!possible) return NotFound("rename", both);
  disk_->Rename(source, target);
  return absl::OkStatus();
}

absl::Status SimFileSystem::Link(const std::string& from, const std::string& to) {
  const std::string both = absl::StrCat(from, " to ", to);
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kLink, both);
  if (!admission.status.ok()) return std::move(admission.status);
  const Place source = SplitPath(from);
  const Place target = SplitPath(to);
  const std::shared_ptr<DiskFile> file = disk_->tree_.Find(source);
  const bool taken =
      disk_->tree_.Find(target) != nullptr || disk_->tree_.HasDirectory(target.Path());
  const bool possible =
      file != nullptr && disk_->hard_links() && !taken && disk_->tree_.HasDirectory(target.dir);
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 2)) disk_->tree_.Create(target, file);
    return disk_->FailPower();
  }
  if (disk_->tree_.HasDirectory(source.Path())) return IsDirectory("link", both);
  if (file == nullptr || !disk_->tree_.HasDirectory(target.dir)) return NotFound("link", both);
  if (taken) return absl::AlreadyExistsError(absl::StrCat("link ", both, ": File exists"));
  if (!possible) {
    return absl::UnimplementedError(
        absl::StrCat("link ", both, ": this file system knows no hard links (simulated)"));
  }
  disk_->tree_.Create(target, file);
  return absl::OkStatus();
}

absl::Status SimFileSystem::SyncDir(const std::string& dir) {
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kSyncDir, dir);
  if (!admission.status.ok()) return std::move(admission.status);
  const std::string normal = NormalDirectory(dir);
  const bool possible = disk_->tree_.HasDirectory(normal);
  if (admission.power_fails) {
    if (possible && disk_->random_.Chance(1, 4)) disk_->tree_.SyncDirectory(normal);
    return disk_->FailPower();
  }
  if (!possible) return NotFound("syncdir", dir);
  disk_->tree_.SyncDirectory(normal);
  return absl::OkStatus();
}

bool SimFileSystem::Exists(const std::string& path) {
  if (crashed()) return false;
  const Place place = SplitPath(path);
  return disk_->tree_.Find(place) != nullptr || disk_->tree_.HasDirectory(place.Path());
}

absl::StatusOr<std::unique_ptr<storage::DirectoryLock>> SimFileSystem::LockDir(
    const std::string& dir) {
  SimDisk::Admission admission = disk_->Admit(incarnation_, FileOperation::kLock, dir);
  if (!admission.status.ok()) return std::move(admission.status);
  const std::string normal = NormalDirectory(dir);
  const Place place{normal, kLockFileName};
  const bool possible = disk_->tree_.HasDirectory(normal);
  const bool creates = possible && disk_->tree_.Find(place) == nullptr;
  if (admission.power_fails) {
    if (creates && disk_->random_.Chance(1, 2)) disk_->Create(place, 0);
    return disk_->FailPower();
  }
  if (!possible) return NotFound("lock", dir);
  const auto [lock, taken] = disk_->locks_.emplace(normal, process_);
  if (!taken) {
    return absl::AlreadyExistsError(
        absl::StrCat("lock ", dir, ": in use by ", lock->second,
                     "; stop it first, or give this one a directory of its own"));
  }
  if (creates) disk_->Create(place, 0);
  return std::make_unique<SimDirectoryLock>(disk_, incarnation_, normal);
}

}  // namespace norn::sim
