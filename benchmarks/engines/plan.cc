#include "benchmarks/engines/plan.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/engines/child.h"
#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {
namespace {

// Workloads that share a process per engine, and the directory they find.
struct Stage {
  std::vector<Workload> workloads;
  bool needs_filled = false;  // by kFillRandom, before
  bool keeps = false;         // for the stages behind it
  bool synced_log = false;
};

const std::vector<Stage>& Stages() {
  static const auto* const stages = new std::vector<Stage>{
      {.workloads = {Workload::kFillSeq}},
      {.workloads = {Workload::kFillRandom}, .keeps = true},
      {.workloads = {Workload::kWarm, Workload::kReadRandom, Workload::kReadMissing,
                     Workload::kReadHot, Workload::kSeek10, Workload::kReadSeq},
       .needs_filled = true,
       .keeps = true},
      {.workloads = {Workload::kOverwrite, Workload::kReadWhileWriting},
       .needs_filled = true,
       .keeps = true},
      {.workloads = {Workload::kPutIdle, Workload::kPutBesideCompaction},
       .needs_filled = true,
       .keeps = true},
      {.workloads = {Workload::kSyncBesideCompaction}, .needs_filled = true, .synced_log = true},
      {.workloads = {Workload::kBareSync, Workload::kFillSync1, Workload::kFillSync8,
                     Workload::kFillSync32},
       .synced_log = true},
  };
  return *stages;
}

class Runner {
 public:
  Runner(const PlanOptions& options, Report* report)
      : options_(options),
        report_(report),
        bench_(options.entries, options.value_bytes, options.effort),
        patience_seconds_(options.patience_seconds) {}

  absl::Status RunRound(int round) {
    // Who goes first changes from round to round.
    engines_ = options_.engines;
    std::rotate(engines_.begin(), engines_.begin() + round % static_cast<int>(engines_.size()),
                engines_.end());
    const std::vector<Stage>& stages = Stages();
    for (size_t i = 0; i < stages.size(); ++i) {
      const bool wanted = Wanted(stages[i]);
      const bool needed =
          stages[i].keeps && !stages[i].needs_filled &&
          std::any_of(stages.begin() + static_cast<std::ptrdiff_t>(i), stages.end(),
                      [this](const Stage& later) { return later.needs_filled && Wanted(later); });
      if (wanted || needed) {
        if (absl::Status status = RunStage(stages[i]); !status.ok()) return status;
      }
      if (!stages[i].keeps) RemoveDirectories();
    }
    return absl::OkStatus();
  }

 private:
  struct Process {
    std::string name;
    std::string dir;
    std::unique_ptr<Child> child;
  };

  bool Wanted(Workload workload) const {
    return workload != Workload::kWarm &&
           (options_.only.empty() ||
            absl::StrContains(GroupName(options_.value_bytes, workload), options_.only));
  }

  bool Wanted(const Stage& stage) const {
    return std::any_of(stage.workloads.begin(), stage.workloads.end(),
                       [this](Workload workload) { return Wanted(workload); });
  }

  absl::Status RunStage(const Stage& stage) {
    std::vector<Process> processes;
    if (std::count(stage.workloads.begin(), stage.workloads.end(), Workload::kBareSync) > 0) {
      absl::StatusOr<Process> process = Start(kBareColumn, nullptr);
      if (!process.ok()) return process.status();
      processes.push_back(*std::move(process));
    }
    for (const EngineKind kind : engines_) {
      absl::StatusOr<Process> process = Start(EngineName(kind), [this, kind, &stage] {
        return Open(kind, stage.synced_log || options_.always_sync_log);
      });
      if (!process.ok()) return process.status();
      processes.push_back(*std::move(process));
    }
    for (const Workload workload : stage.workloads) {
      const bool wanted = Wanted(workload);
      // What prepares others runs even if nobody wants to know.
      if (!wanted && workload != Workload::kWarm && workload != Workload::kFillRandom) continue;
      const int slices = SlicesOf(workload);
      for (int slice = 0; slice < slices; ++slice) {
        for (Process& process : processes) {
          if ((process.name == kBareColumn) != (workload == Workload::kBareSync)) continue;
          absl::Status status = RunOne({workload, slice, slices}, wanted, &process);
          if (!status.ok()) return status;
        }
      }
    }
    for (Process& process : processes) {
      if (absl::Status status = process.child->Close(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Process> Start(const std::string& name, const Child::OpenEngine& open) {
    Process process{.name = name, .dir = DirOf(name), .child = nullptr};
    std::error_code error;
    std::filesystem::create_directories(process.dir, error);
    if (error) {
      return absl::InternalError(absl::StrCat("cannot make ", process.dir, ": ", error.message(),
                                              "; choose another directory with --dir"));
    }
    absl::StatusOr<std::unique_ptr<Child>> child = Child::Fork(name, open, bench_, process.dir);
    if (!child.ok()) return child.status();
    process.child = *std::move(child);
    return process;
  }

  absl::Status RunOne(const Slice& slice, bool wanted, Process* process) {
    const std::string group = GroupName(options_.value_bytes, slice.workload);
    options_.progress(absl::StrCat(group, " ", process->name));
    patience_seconds_ -= WaitForQuiet(patience_seconds_);
    if (options_.interrupted()) return absl::CancelledError("interrupted");
    const double machine_before = MachineCpuSeconds();
    const int64_t started_ns = NowNs();
    const absl::StatusOr<Measurement> measured = process->child->Run(slice);
    if (!measured.ok()) return measured.status();
    const double seconds = static_cast<double>(NowNs() - started_ns) / 1e9;
    const double others = MachineCpuSeconds() - machine_before - measured->process_cpu_seconds;
    // The machine's clock ticks in hundredths.
    constexpr double kSecondsMin = 0.1;
    if (wanted) {
      report_->Add(group, process->name, *measured, others / std::max(seconds, kSecondsMin));
    }
    // What one engine left to be written back must not burden the next one.
    SyncFileSystem(options_.dir);
    return absl::OkStatus();
  }

  std::unique_ptr<EngineAdapter> Open(EngineKind kind, bool synced_log) const {
    constexpr size_t kMemtableBytesMin = 4u << 20;
    constexpr size_t kMemtableBytesMax = 64u << 20;
    const uint64_t data = bench_.data().user_bytes();
    const EngineSettings settings{
        .dir = DirOf(EngineName(kind)),
        .block_cache_bytes =
            options_.memory_for_a_tenth ? data / 10 : data + data / 2 + (64u << 20),
        .memtable_bytes = std::clamp<size_t>(data / 10, kMemtableBytesMin, kMemtableBytesMax),
        .compression = options_.compression,
        .synced_log = synced_log,
        .read_on_lane = options_.read_on_lane,
        .compaction_bytes_per_second = options_.compaction_bytes_per_second};
    switch (kind) {
      case EngineKind::kNorn:
        return OpenNorn(settings);
      case EngineKind::kLevelDb:
        return OpenLevelDb(settings);
      case EngineKind::kRocksDb:
        return OpenRocksDb(settings);
    }
    return nullptr;
  }

  std::string DirOf(const std::string& name) const { return absl::StrCat(options_.dir, "/", name); }

  void RemoveDirectories() const {
    std::error_code ignored;
    for (const EngineKind kind : engines_) {
      std::filesystem::remove_all(DirOf(EngineName(kind)), ignored);
    }
    std::filesystem::remove_all(DirOf(kBareColumn), ignored);
  }

  const PlanOptions& options_;
  Report* const report_;
  const Bench bench_;
  double patience_seconds_;
  std::vector<EngineKind> engines_;
};

}  // namespace

std::string GroupName(size_t value_bytes, Workload workload) {
  return absl::StrCat(value_bytes, " B ", WorkloadName(workload));
}

absl::Status RunPlan(const PlanOptions& options, Report* report) {
  Runner runner(options, report);
  for (int round = 0; round < options.rounds; ++round) {
    if (absl::Status status = runner.RunRound(round); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace norn::benchmarks
