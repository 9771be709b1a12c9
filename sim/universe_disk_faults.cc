// Faults of disks: those that pass, and those that stay (universe_faults.h).

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/sim_disk.h"
#include "sim/universe_faults.h"

namespace norn::sim {

namespace {

constexpr int64_t kWatchUs = 20'000;
constexpr char kTables[] = ".sst";

}  // namespace

uint64_t UniverseFaults::Counted(size_t fault) {
  SimDisk& disk = victim(fault).disk();
  switch (plan_[fault].kind) {
    case FaultKind::kFullDisk:
      return disk.counters().disk_full;
    case FaultKind::kBadBlock:
      return disk.counters().read_errors;
    case FaultKind::kMisdirectedRead:
      return disk.counters().misdirected_reads;
    default:
      break;
  }
  uint64_t taken = 0;
  for (const uint64_t number : injected_[fault]) taken += disk.Taken(number);
  return taken;
}

void UniverseFaults::BeginDiskFault(size_t fault, bool at_once) {
  Announce(fault, "begins");
  ill_[fault] = Counted(fault);
  switch (plan_[fault].kind) {
    case FaultKind::kBadBlock:
      for (uint64_t i = 0; i < plan_[fault].amount; ++i) SpoilBlock(fault);
      return;
    case FaultKind::kFullDisk: {
      SimDisk& disk = victim(fault).disk();
      disk.set_capacity_bytes(disk.used_bytes() + plan_[fault].amount);
      return;
    }
    default:
      Inject(fault, at_once ? NextErrorsOf(fault) : ErrorsOf(fault));
  }
}

DiskFault UniverseFaults::ErrorsOf(size_t fault) {
  DiskFault errors;
  errors.times = plan_[fault].amount;
  Random& random = StreamOf(fault);
  switch (plan_[fault].kind) {
    case FaultKind::kWriteError: {
      static constexpr FileOperation kWrites[] = {FileOperation::kAppend, FileOperation::kAppend,
                                                  FileOperation::kCreate, FileOperation::kRename,
                                                  FileOperation::kSyncDir};
      errors.operation = kWrites[random.Below(5)];
      const bool append = errors.operation == FileOperation::kAppend;
      errors.effect =
          append && random.Chance(1, 2) ? FaultEffect::kShortWriteEio : FaultEffect::kEio;
      errors.nth = 1 + random.Below(append ? 40 : 3);
      break;
    }
    case FaultKind::kFailedSync:
      errors.operation = FileOperation::kSync;
      errors.nth = 1 + random.Below(40);
      break;
    case FaultKind::kMisdirectedRead:
      errors.operation = FileOperation::kRead;
      errors.effect = FaultEffect::kMisdirectedRead;
      errors.path_contains = kTables;
      break;
    default:
      CORE_CHECK(plan_[fault].kind == FaultKind::kReadError);
      errors.operation = FileOperation::kRead;
      if (plan_[fault].tables_only) errors.path_contains = kTables;
  }
  return errors;
}

DiskFault UniverseFaults::NextErrorsOf(size_t fault) {
  DiskFault errors = ErrorsOf(fault);
  errors.nth = 1;
  // There are always appends to come.
  if (plan_[fault].kind == FaultKind::kWriteError) errors.operation = FileOperation::kAppend;
  return errors;
}

void UniverseFaults::Inject(size_t fault, DiskFault errors) {
  injected_[fault].push_back(victim(fault).disk().Inject(std::move(errors)));
}

Random& UniverseFaults::StreamOf(size_t fault) {
  return streams_.try_emplace(fault, seed_.With(plan_[fault].id).Stream()).first->second;
}

std::optional<UniverseFaults::Spot> UniverseFaults::SpotIn(
    size_t fault, const std::function<bool(const std::string& path)>& wanted) {
  std::vector<SimDisk::FileState> files = victim(fault).disk().Files();
  std::erase_if(files, [&wanted](const SimDisk::FileState& file) {
    return file.durable_size == 0 || !wanted(file.path);
  });
  if (files.empty()) return std::nullopt;
  const SimDisk::FileState& file = files[StreamOf(fault).Below(files.size())];
  const uint64_t offset = StreamOf(fault).Below(file.durable_size);
  return Spot{file.path, offset};
}

std::optional<UniverseFaults::Spot> UniverseFaults::SpotInTable(size_t fault) {
  return SpotIn(fault, [](const std::string& path) { return absl::EndsWith(path, kTables); });
}

void UniverseFaults::SpoilBlock(size_t fault) {
  const std::optional<Spot> spot = SpotInTable(fault);
  if (!spot.has_value()) return;
  trace_.Explain(scheduler_.now_us(), victim(fault).id(),
                 absl::StrCat("cannot be read: ", spot->path, " at offset ", spot->offset));
  SimDisk& disk = victim(fault).disk();
  CORE_CHECK(disk.AddReadError(spot->path, spot->offset, spot->offset + 1).ok());
}

// ---- Rot --------------------------------------------------------------------------

void UniverseFaults::Rot(size_t fault) {
  if (plan_[fault].effects > 0) return;
  if (!plan_[fault].rotten) Announce(fault, "begins");
  const bool first = !std::exchange(plan_[fault].rotten, TryRot(fault));
  if (plan_[fault].rotten && first) WatchRot(fault);
  // What rots may be merged into other tables unread; then something else has to.
  if (Later(fault, &UniverseFaults::Rot)) {
    plan_[fault].end_us = std::max(plan_[fault].end_us, scheduler_.now_us() + kFaultRetryUs);
  } else {
    plan_[fault].withheld = !plan_[fault].rotten;
  }
}

bool UniverseFaults::TryRot(size_t fault) {
  if (!victim(fault).up() || !MayDestroy(plan_[fault])) return plan_[fault].rotten;
  bool any = false;
  for (uint64_t i = 0; i < plan_[fault].amount; ++i) {
    const std::optional<Spot> spot = SpotInTable(fault);
    if (!spot.has_value()) break;
    any |= plan_[fault].kind == FaultKind::kBitRot ? FlipBit(fault, *spot)
                                                   : WriteElsewhere(fault, *spot);
  }
  if (any) hooks_.destroyed(victim(fault).id());
  return any || plan_[fault].rotten;
}

bool UniverseFaults::FlipBit(size_t fault, const Spot& spot) {
  FaultedNode& node = victim(fault);
  trace_.Explain(scheduler_.now_us(), node.id(),
                 absl::StrCat("a bit flips: ", spot.path, " at offset ", spot.offset));
  const int bit = static_cast<int>(StreamOf(fault).Below(8));
  return node.disk().FlipBit(spot.path, spot.offset, bit).ok();
}

bool UniverseFaults::WriteElsewhere(size_t fault, const Spot& spot) {
  SimDisk& disk = victim(fault).disk();
  const std::optional<Spot> meant = SpotInTable(fault);
  const absl::StatusOr<std::string> there = disk.Contents(spot.path);
  const absl::StatusOr<std::string> content = disk.Contents(meant->path);
  if (!there.ok() || !content.ok()) return false;
  const uint64_t to = spot.offset / kSectorBytes * kSectorBytes;
  const uint64_t from = meant->offset / kSectorBytes * kSectorBytes;
  const uint64_t size = std::min(
      {(1 + StreamOf(fault).Below(8)) * kSectorBytes, there->size() - to, content->size() - from});
  const absl::string_view block = absl::string_view(*content).substr(from, size);
  if (absl::string_view(*there).substr(to, size) == block) return false;
  trace_.Explain(scheduler_.now_us(), victim(fault).id(),
                 absl::StrCat(size, " bytes at ", from, " of ", meant->path, " are written over ",
                              spot.path, " at ", to));
  return disk.Overwrite(spot.path, to, block).ok();
}

void UniverseFaults::RotLogs(size_t fault) {
  const auto is_log = [](const std::string& path) {
    return absl::EndsWith(path, ".wal") || absl::EndsWith(path, ".slot");
  };
  for (uint64_t i = 0; i < plan_[fault].amount; ++i) {
    const std::optional<Spot> spot = SpotIn(fault, is_log);
    if (spot.has_value()) FlipBit(fault, *spot);
  }
}

void UniverseFaults::CountLogRot(NodeId id) {
  const auto it = crashing_.find(id);
  if (it == crashing_.end()) return;
  Fault& fault = plan_[it->second];
  if (fault.kind == FaultKind::kLogRot) ++fault.effects;
}

void UniverseFaults::WatchRot(size_t fault) {
  plan_[fault].effects = std::max(victim(fault).damage_met(), plan_[fault].effects);
  if (plan_[fault].effects > 0) return;
  scheduler_.After(kWatchUs, [this, fault] { WatchRot(fault); });
}

// ---- Ill disks --------------------------------------------------------------------

void UniverseFaults::EndDiskFault(size_t fault) {
  if (Counted(fault) == ill_.at(fault) && Later(fault, &UniverseFaults::EndDiskFault)) {
    plan_[fault].end_us += kFaultRetryUs;
    if (plan_[fault].kind == FaultKind::kBadBlock) {
      SpoilBlock(fault);
    } else if (plan_[fault].kind == FaultKind::kFullDisk) {  // not so much as there is
      victim(fault).disk().set_capacity_bytes(victim(fault).disk().used_bytes());
    } else if (plan_[fault].kind != FaultKind::kReadError) {  // the very next one
      Inject(fault, NextErrorsOf(fault));
    }
    return;
  }
  HealDisk(fault);
}

void UniverseFaults::HealDisk(size_t fault) {
  const auto it = ill_.find(fault);
  if (it == ill_.end()) return;
  plan_[fault].effects = Counted(fault) - it->second;
  ill_.erase(it);
  SimDisk& disk = victim(fault).disk();
  if (plan_[fault].kind == FaultKind::kFullDisk) {
    disk.set_capacity_bytes(SimDisk::kUnlimited);
  } else if (plan_[fault].kind == FaultKind::kBadBlock) {
    for (const SimDisk::FileState& file : disk.Files()) {
      CORE_CHECK(disk.ClearReadErrors(file.path).ok());
    }
  }
  for (const uint64_t number : injected_[fault]) disk.Cancel(number);
  Announce(fault, "ends");
  // Its log is poisoned: whoever runs the node restarts it.
  if (ended_ || !victim(fault).refuses_writes()) return;
  restarting_.insert(victim(fault).id());
  victim(fault).Crash(CrashLoss::kProcessOnly);
}

}  // namespace norn::sim
