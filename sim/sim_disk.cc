#include "sim/sim_disk.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::sim {
namespace {

// How much content of deleted files is remembered, and how much of each.
constexpr size_t kScrapBytesMax = 64 << 10;
constexpr size_t kScrapBytesPerFile = 8 << 10;

std::string OperationText(FileOperation operation, const std::string& path) {
  return absl::StrCat(FileOperationName(operation), " ", path);
}

absl::Status IoError(FileOperation operation, const std::string& path) {
  return absl::DataLossError(
      absl::StrCat(OperationText(operation, path), ": Input/output error (simulated)"));
}

absl::Status NoSpace(FileOperation operation, const std::string& path) {
  return absl::ResourceExhaustedError(absl::StrCat(
      OperationText(operation, path), ": No space left on device (simulated); free room on it"));
}

absl::Status CrashedError(FileOperation operation, const std::string& path) {
  return absl::AbortedError(absl::StrCat("crashed: ", OperationText(operation, path)));
}

absl::Status NoSuchFile(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": no such file on the simulated disk"));
}

bool Applies(FaultEffect effect, FileOperation operation) {
  switch (effect) {
    case FaultEffect::kEio:
      return true;
    case FaultEffect::kEnospc:
      return operation == FileOperation::kAppend || operation == FileOperation::kCreate ||
             operation == FileOperation::kRename || operation == FileOperation::kCreateDir ||
             operation == FileOperation::kLink;
    case FaultEffect::kDenied:
      return operation != FileOperation::kAppend && operation != FileOperation::kSync &&
             operation != FileOperation::kRead;
    case FaultEffect::kShortWriteEio:
    case FaultEffect::kShortWriteEnospc:
    case FaultEffect::kLostWrite:
    case FaultEffect::kMisdirectedWrite:
      return operation == FileOperation::kAppend;
    case FaultEffect::kMisdirectedRead:
      return operation == FileOperation::kRead;
    case FaultEffect::kFailedSyncLost:
    case FaultEffect::kFailedSyncKept:
    case FaultEffect::kLyingSync:
      return operation == FileOperation::kSync;
  }
  return false;
}

}  // namespace

// ---------------------------------------------------------------------------------------
// Crashes

void SimDisk::Crash(CrashLoss loss) {
  ++counters_.crashes;
  crashed_ = true;
  ++incarnation_;
  CancelCrash();
  crash_site_.clear();
  locks_.clear();
  tree_.Crash(loss, &random_, &counters_);
  for (DiskFile* const file : tree_.DistinctFiles()) {
    file->Crash(loss, scrap_, &random_, &counters_);
  }
  RecountRoom();
}

void SimDisk::CrashAtOperation(uint64_t n, CrashLoss loss) {
  CORE_CHECK(n >= 1);
  CancelCrash();
  crash_at_ = operations_ + n;
  crash_loss_ = loss;
}

void SimDisk::CrashAtTornAppend(uint64_t n) {
  CORE_CHECK(n >= 1);
  CancelCrash();
  tear_in_ = n;
}

absl::Status SimDisk::FailPower() {
  std::string site = std::move(crash_site_);
  Crash(crash_loss_);
  ++counters_.crashes_at_operation;
  crash_site_ = std::move(site);
  if (on_crash_) on_crash_();
  return absl::AbortedError(absl::StrCat("crashed: ", crash_site_));
}

void SimDisk::Wipe() {
  Crash(CrashLoss::kProcessOnly);
  ++counters_.wipes;
  tree_ = DiskTree();
  scrap_.clear();
  RecountRoom();
}

void SimDisk::Restore(const SimDisk& copy) {
  Crash(CrashLoss::kProcessOnly);
  ++counters_.restores;
  tree_ = copy.tree_.Clone();
  // Numbers that the copy has not given away yet may belong to open files of the dead.
  next_file_id_ = std::max(next_file_id_, copy.next_file_id_);
  scrap_.clear();
  RecountRoom();
}

// ---------------------------------------------------------------------------------------
// Faults

SimDisk::Admission SimDisk::Admit(uint64_t incarnation, FileOperation operation,
                                  const std::string& path) {
  Admission admission;
  if (crashed_ || incarnation != incarnation_) {
    admission.status = CrashedError(operation, path);
    return admission;
  }
  ++operations_;
  ++operations_by_kind_[static_cast<size_t>(operation)];
  if (crash_at_ != 0 && operations_ >= crash_at_) {
    crash_site_ = OperationText(operation, path);
    admission.power_fails = true;
    return admission;
  }
  if (faults_.empty()) return admission;
  admission.effect = TakeFault(operation, path);
  if (admission.effect == FaultEffect::kEio && operation != FileOperation::kSync) {
    ++counters_.eio;
    admission.status = IoError(operation, path);
  } else if (admission.effect == FaultEffect::kEnospc) {
    ++counters_.enospc;
    admission.status = NoSpace(operation, path);
  } else if (admission.effect == FaultEffect::kDenied) {
    ++counters_.denied;
    admission.status = absl::PermissionDeniedError(absl::StrCat(
        OperationText(operation, path), ": Permission denied (simulated); check owner and mode"));
  }
  return admission;
}

absl::Status SimDisk::AdmitQuery(uint64_t incarnation, FileOperation operation,
                                 const std::string& path) {
  Admission admission = Admit(incarnation, operation, path);
  return admission.power_fails ? FailPower() : std::move(admission.status);
}

uint64_t SimDisk::Taken(uint64_t number) const {
  CORE_CHECK(number >= 1 && number <= taken_.size());
  return taken_[number - 1];
}

void SimDisk::Cancel(uint64_t number) {
  std::erase_if(faults_, [number](const PlannedFault& fault) { return fault.number == number; });
}

uint64_t SimDisk::Inject(DiskFault fault) {
  CORE_CHECK(fault.nth >= 1 && fault.times >= 1);
  CORE_CHECK(Applies(fault.effect, fault.operation));
  taken_.push_back(0);
  faults_.push_back({taken_.size(), std::move(fault), 0});
  return taken_.size();
}

std::optional<FaultEffect> SimDisk::TakeFault(FileOperation operation, const std::string& path) {
  std::optional<FaultEffect> effect;
  for (PlannedFault& planned : faults_) {
    const DiskFault& fault = planned.fault;
    if (fault.operation != operation || path.find(fault.path_contains) == std::string::npos) {
      continue;
    }
    // Every plan counts the operation, but the oldest plan that is due has it: a later
    // one that is due as well waits for the next.
    const bool due = planned.matches + 1 >= fault.nth;
    if (due && effect.has_value()) continue;
    ++planned.matches;
    if (!due) continue;
    effect = fault.effect;
    ++taken_[planned.number - 1];
  }
  faults_.erase(std::remove_if(faults_.begin(), faults_.end(),
                               [](const PlannedFault& planned) {
                                 return planned.matches >= planned.fault.nth &&
                                        planned.matches - planned.fault.nth >=
                                            planned.fault.times - 1;
                               }),
                faults_.end());
  return effect;
}

absl::Status SimDisk::FlipBit(const std::string& path, uint64_t offset, int bit) {
  const std::shared_ptr<DiskFile> file = tree_.Find(SplitPath(path));
  if (file == nullptr) return NoSuchFile(path);
  if (offset >= file->durable_size()) {
    return absl::OutOfRangeError(absl::StrCat(path, ": no durable byte at ", offset));
  }
  file->FlipBit(offset, bit);
  ++counters_.bit_flips;
  return absl::OkStatus();
}

absl::Status SimDisk::Overwrite(const std::string& path, uint64_t offset, absl::string_view bytes) {
  const std::shared_ptr<DiskFile> file = tree_.Find(SplitPath(path));
  if (file == nullptr) return NoSuchFile(path);
  if (offset > file->durable_size() || bytes.size() > file->durable_size() - offset) {
    return absl::OutOfRangeError(
        absl::StrCat(path, ": no ", bytes.size(), " durable bytes at ", offset));
  }
  file->Overwrite(offset, bytes);
  ++counters_.overwrites;
  return absl::OkStatus();
}

absl::Status SimDisk::AddReadError(const std::string& path, uint64_t begin, uint64_t end) {
  CORE_CHECK(begin < end);
  const std::shared_ptr<DiskFile> file = tree_.Find(SplitPath(path));
  if (file == nullptr) return NoSuchFile(path);
  file->AddReadError(begin, end);
  return absl::OkStatus();
}

absl::Status SimDisk::ClearReadErrors(const std::string& path) {
  const std::shared_ptr<DiskFile> file = tree_.Find(SplitPath(path));
  if (file == nullptr) return NoSuchFile(path);
  file->ClearReadErrors();
  return absl::OkStatus();
}

bool SimDisk::Misdirect(absl::string_view bytes) {
  std::vector<DiskFile*> targets;
  for (DiskFile* const file : tree_.DistinctFiles()) {
    if (file->durable_size() > 0) targets.push_back(file);
  }
  if (targets.empty() || bytes.empty()) return false;
  DiskFile* target = targets[random_.Below(targets.size())];
  const uint64_t sectors = (target->durable_size() + kSectorBytes - 1) / kSectorBytes;
  const uint64_t offset = random_.Below(sectors) * kSectorBytes;
  const uint64_t room = target->durable_size() - offset;
  target->Overwrite(offset, bytes.substr(0, std::min<uint64_t>(bytes.size(), room)));
  return true;
}

// ---------------------------------------------------------------------------------------
// Operations

absl::Status SimDisk::Append(DiskFile* file, absl::string_view data, const Admission& admission,
                             const std::string& path) {
  if (admission.power_fails) {
    const uint64_t taken = random_.Below(data.size() + 1);
    file->Append(data.substr(0, taken));
    if (taken > 0 && taken < data.size()) ++counters_.torn_appends;
    return FailPower();
  }
  const uint64_t boundary = (file->size() / kSectorBytes + 1) * kSectorBytes;
  const uint64_t end = file->size() + data.size();
  if (tear_in_ != 0 && boundary < end && --tear_in_ == 0) {
    const uint64_t sectors = random_.Below((end - 1 - boundary) / kSectorBytes + 1);
    file->Append(data.substr(0, boundary + sectors * kSectorBytes - file->size()));
    ++counters_.torn_appends;
    ++counters_.torn_by_plan;
    crash_site_ = absl::StrCat(OperationText(FileOperation::kAppend, path), ", torn");
    crash_loss_ = CrashLoss::kNothing;
    return FailPower();
  }
  const uint64_t room = TakeRoom(file, data.size());
  if (room < data.size()) {
    ++counters_.disk_full;
    file->Append(data.substr(0, room));
    return NoSpace(FileOperation::kAppend, path);
  }
  if (!admission.effect.has_value()) {
    file->Append(data);
    return absl::OkStatus();
  }
  const FaultEffect effect = *admission.effect;
  if (effect == FaultEffect::kLostWrite || effect == FaultEffect::kMisdirectedWrite) {
    if (effect == FaultEffect::kLostWrite) {
      ++counters_.lost_writes;
    } else if (Misdirect(data)) {
      ++counters_.misdirected_writes;
    }
    file->AppendDoomed(data);
    return absl::OkStatus();
  }
  ++counters_.short_writes;
  // Never all of it: then the write would not have been short.
  if (!data.empty()) file->Append(data.substr(0, random_.Below(data.size())));
  return effect == FaultEffect::kShortWriteEio ? IoError(FileOperation::kAppend, path)
                                               : NoSpace(FileOperation::kAppend, path);
}

absl::Status SimDisk::Sync(DiskFile* file, const Admission& admission, const std::string& path) {
  if (admission.power_fails) {
    // Half a sync is what a crash does anyway; a whole one may just have been in time.
    if (random_.Chance(1, 4)) file->Sync();
    return FailPower();
  }
  if (!admission.effect.has_value()) {
    file->Sync();
    return absl::OkStatus();
  }
  FaultEffect effect = *admission.effect;
  if (effect == FaultEffect::kEio) {
    effect = random_.Chance(1, 2) ? FaultEffect::kFailedSyncLost : FaultEffect::kFailedSyncKept;
  }
  if (effect == FaultEffect::kLyingSync) {
    if (file->durable_size() < file->size()) ++counters_.lying_syncs;
    return absl::OkStatus();
  }
  ++counters_.failed_syncs;
  if (effect == FaultEffect::kFailedSyncLost) {
    file->FailSync();
  } else {
    file->Sync();
  }
  return IoError(FileOperation::kSync, path);
}

std::string SimDisk::ReadElsewhere(const DiskFile& file, const std::string& path, uint64_t offset,
                                   size_t n) {
  if (n == 0 || misread_.count(file.id()) != 0) return "";
  const std::string ending = path.substr(std::min(path.rfind('.'), path.size()));
  const absl::string_view own = absl::string_view(file.content()).substr(offset, n);
  std::vector<absl::string_view> others;
  for (const FileState& state : Files()) {
    const std::shared_ptr<DiskFile> other = tree_.Find(SplitPath(state.path));
    if (!absl::EndsWith(state.path, ending) || other->size() < n) continue;
    const uint64_t places = (other->size() - n) / kSectorBytes + 1;
    const uint64_t at = random_.Below(places) * kSectorBytes;
    const absl::string_view bytes = absl::string_view(other->content()).substr(at, n);
    if (bytes != own) others.push_back(bytes);
  }
  if (others.empty()) return "";
  misread_.insert(file.id());
  ++counters_.misdirected_reads;
  return std::string(others[random_.Below(others.size())]);
}

absl::Status SimDisk::CheckRead(const DiskFile& file, uint64_t offset, uint64_t n,
                                const std::string& path) {
  if (offset > file.size() || n > file.size() - offset) {
    return absl::OutOfRangeError(absl::StrCat("read ", path, ": the file has ", file.size(),
                                              " bytes; wanted ", n, " at ", offset));
  }
  if (file.HasReadError(offset, n)) {
    ++counters_.read_errors;
    return IoError(FileOperation::kRead, path);
  }
  if (file.Damaged(offset, n)) ++counters_.damaged_reads;
  return absl::OkStatus();
}

std::shared_ptr<DiskFile> SimDisk::Create(const Place& place, uint64_t preallocate_bytes) {
  auto file = std::make_shared<DiskFile>(next_file_id_++);
  // As on a real disk, the hint is all or nothing, and failing it is no error.
  if (preallocate_bytes <= capacity_bytes_ - std::min(used_bytes_, capacity_bytes_)) {
    file->set_charged(preallocate_bytes);
    used_bytes_ += preallocate_bytes;
  }
  tree_.Create(place, file);
  return file;
}

void SimDisk::Remove(const Place& place) {
  const std::shared_ptr<DiskFile> file = tree_.Find(place);
  tree_.Remove(place);
  if (!tree_.HasName(*file)) Release(file.get());
}

void SimDisk::Rename(const Place& from, const Place& to) {
  const std::shared_ptr<DiskFile> replaced = tree_.Find(to);
  // Two names of one file: as on a real disk, both stay.
  if (replaced == tree_.Find(from)) return;
  tree_.Rename(from, to);
  if (replaced != nullptr && !tree_.HasName(*replaced)) Release(replaced.get());
}

uint64_t SimDisk::TakeRoom(DiskFile* file, uint64_t bytes) {
  const uint64_t wanted = file->size() + bytes;
  if (wanted <= file->charged()) return bytes;
  const uint64_t more = wanted - file->charged();
  const uint64_t free_bytes = capacity_bytes_ - std::min(used_bytes_, capacity_bytes_);
  const uint64_t granted = std::min(more, free_bytes);
  file->set_charged(file->charged() + granted);
  used_bytes_ += granted;
  return bytes - (more - granted);
}

void SimDisk::TrimRoom(DiskFile* file) {
  if (file->charged() == DiskFile::kUncharged || file->charged() <= file->size()) return;
  used_bytes_ -= file->charged() - file->size();
  file->set_charged(file->size());
}

void SimDisk::Release(DiskFile* file) {
  CORE_CHECK(file->charged() != DiskFile::kUncharged && file->charged() <= used_bytes_);
  used_bytes_ -= file->charged();
  file->set_charged(DiskFile::kUncharged);
  scrap_.append(file->content(), 0, kScrapBytesPerFile);
  scrap_.resize((scrap_.size() + kSectorBytes - 1) / kSectorBytes * kSectorBytes, '\0');
  if (scrap_.size() > kScrapBytesMax) scrap_.erase(0, scrap_.size() - kScrapBytesMax);
}

void SimDisk::RecountRoom() {
  used_bytes_ = 0;
  for (DiskFile* const file : tree_.DistinctFiles()) {
    file->set_charged(file->size());
    used_bytes_ += file->size();
  }
}

// ---------------------------------------------------------------------------------------
// Inspection

std::vector<SimDisk::FileState> SimDisk::Files() const {
  std::vector<FileState> files;
  for (const std::string& dir : tree_.Directories()) {
    for (const auto& [name, file] : tree_.Files(dir)) {
      const Place place{dir, name};
      files.push_back(
          {place.Path(), file->size(), file->durable_size(), tree_.EntryDurable(place)});
    }
  }
  return files;
}

absl::StatusOr<std::string> SimDisk::Contents(const std::string& path) const {
  const std::shared_ptr<DiskFile> file = tree_.Find(SplitPath(path));
  if (file == nullptr) return NoSuchFile(path);
  return file->content();
}

std::unique_ptr<SimDisk> SimDisk::Fork() const {
  auto fork = std::make_unique<SimDisk>(0);
  fork->random_ = random_;
  fork->tree_ = tree_.Clone();
  fork->next_file_id_ = next_file_id_;
  fork->crashed_ = crashed_;
  fork->hard_links_ = hard_links_;
  fork->capacity_bytes_ = capacity_bytes_;
  fork->used_bytes_ = used_bytes_;
  fork->scrap_ = scrap_;
  return fork;
}

}  // namespace norn::sim
