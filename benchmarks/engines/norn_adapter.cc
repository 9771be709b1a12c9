// Norn's engine on one loop thread, its jobs on the lanes that nornd has.
//
// Put() here is what the loop sees: memory, and now and then a turn in which finished jobs are
// taken back and new ones started: the group that is written to the log meanwhile, above all.
// A put that is refused waits for a job to finish.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/process_usage.h"
#include "core/types.h"
#include "node/job_lanes.h"
#include "storage/engine.h"
#include "storage/job.h"
#include "storage/posix_file_system.h"

namespace norn::benchmarks {
namespace {

using storage::Engine;
using storage::EngineOptions;
using storage::Job;
using storage::Lane;
using storage::Lookup;

storage::Compression UpperCompression(BlockCompression compression) {
  switch (compression) {
    case BlockCompression::kNone:
      break;
    case BlockCompression::kLz4:
    case BlockCompression::kLz4Zstd:
      return storage::Compression::kLz4;
    case BlockCompression::kZstd:
      return storage::Compression::kZstd;
  }
  return storage::Compression::kNone;
}

storage::Compression LastCompression(BlockCompression compression) {
  return compression == BlockCompression::kLz4Zstd ? storage::Compression::kZstd
                                                   : UpperCompression(compression);
}

// Wakes the loop's thread. A short watch before the sleep, as the lanes do.
class Bell {
 public:
  void Ring() {
    rung_.store(1, std::memory_order_release);
    rung_.notify_one();
  }
  bool rung() const { return rung_.load(std::memory_order_acquire) != 0; }
  void Clear() { rung_.store(0, std::memory_order_release); }
  void Wait() {
    for (int i = 0; i < kSpins && !rung(); ++i) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    rung_.wait(0, std::memory_order_acquire);
  }

 private:
  static constexpr int kSpins = 100;
  std::atomic<int> rung_{0};
};

class NornAdapter : public EngineAdapter {
 public:
  explicit NornAdapter(const EngineSettings& settings) : settings_(settings) {
    options_.dir = settings.dir;
    options_.owner = "compare_engines";
    options_.seed = 1;
    options_.memtable_bytes =
        settings.memtable_bytes / static_cast<size_t>(options_.immutable_memtables_max + 1);
    options_.block_cache_bytes = settings.block_cache_bytes;
    options_.record_cache_bytes = 0;
    options_.compaction_bytes_per_second = settings.compaction_bytes_per_second;
    options_.compression = UpperCompression(settings.compression);
    options_.last_level_compression = LastCompression(settings.compression);
    options_.sync_mode =
        settings.synced_log ? storage::SyncMode::kAlways : storage::SyncMode::kNone;
    Open();
  }

  ~NornAdapter() override { Close(); }

  void Put(absl::string_view key, absl::string_view value) override {
    PutOnce(key, value);
    if (bell_.rung() || CompactionDue()) {
      Turn();
    } else if (!log_busy_) {
      StartJobs(Lane::kLog);
    }
  }

  bool Get(absl::string_view key, absl::string_view* value) override {
    if (bell_.rung()) Turn();
    std::shared_ptr<storage::PendingRead> read;
    for (;;) {
      lookup_ = engine_->Get(key, &read);
      if (lookup_.state != Lookup::State::kNeedsRead) break;
      DriveRead();
    }
    if (lookup_.state == Lookup::State::kError) Fail("Get", lookup_.status);
    *value = lookup_.value;
    return lookup_.state == Lookup::State::kFound;
  }

  size_t Scan(absl::string_view from, size_t count, bool /*bulk*/, Visit visit) override {
    if (bell_.rung()) Turn();
    size_t seen = 0;
    const std::unique_ptr<storage::Iterator> at = engine_->NewIterator();
    for (at->Seek(from); seen < count && at->state() == storage::Iterator::State::kEntry;
         at->Next()) {
      visit(at->key(), at->value());
      ++seen;
    }
    if (at->state() == storage::Iterator::State::kError) Fail("Scan", at->status());
    return seen;
  }

  // All writers live on the loop: those whose write the last group made durable put again
  // before the next group starts.
  void RunSyncWriters(const SyncPlan& plan, SyncOutcome* outcome) override {
    struct Writer {
      uint64_t sequence = 0;
      int64_t started_ns = 0;
    };
    std::vector<Writer> writers(static_cast<size_t>(plan.writers));
    std::string key;
    std::string value;
    uint64_t made = 0;
    const auto put = [&](Writer* writer) {
      plan.make_put(made++, &key, &value);
      writer->started_ns = NowNs();
      writer->sequence = PutOnce(key, value);
    };
    const double cpu_before = CpuSeconds();
    const int64_t started_ns = NowNs();
    const auto end_ns = started_ns + static_cast<int64_t>(plan.seconds * 1e9);
    for (Writer& writer : writers) put(&writer);
    int64_t now_ns = started_ns;
    while (now_ns < end_ns) {
      StartJobs();
      bell_.Wait();
      FinishJobs();
      now_ns = NowNs();
      for (Writer& writer : writers) {
        if (writer.sequence > engine_->durable_sequence()) continue;
        outcome->latency.Add(now_ns - writer.started_ns);
        ++outcome->puts;
        put(&writer);
      }
    }
    outcome->seconds = static_cast<double>(now_ns - started_ns) / 1e9;
    outcome->cpu_seconds = CpuSeconds() - cpu_before;
    Settle();
  }

  bool thread_safe() const override { return false; }

  void Settle() override {
    Turn();
    while (lanes_->outstanding() > 0 || engine_->NextDue() != kNever) {
      if (lanes_->outstanding() > 0) {
        bell_.Wait();
      } else {
        const int64_t wait_us = std::max<int64_t>(engine_->NextDue() - NowNs() / 1000, 0);
        std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
      }
      Turn();
    }
    if (engine_->durable_sequence() != engine_->last_sequence()) {
      Fail("Settle", absl::InternalError("no job is left, yet writes are not durable"));
    }
  }

  // There is no call for it: with levels that may hold next to nothing, what is in level 0
  // and above moves down, merged with all it meets.
  void StartFullCompaction() override {
    Close();
    EngineOptions narrow = options_;
    narrow.level0_tables_to_compact = 1;
    narrow.level1_bytes = 1;
    narrow.level_growth = 1;
    std::swap(options_, narrow);
    Open();
    background_seen_ns_ = NowNs();
  }

  bool FullCompactionRunning() override {
    if (bell_.rung() || CompactionDue()) Turn();
    // Between two compactions the edit of the first one is on its way to the manifest, and
    // one that only moves a table to the next level is nothing but an edit: there may be hundreds
    // of those in a row, and it is the levels that tell of them.
    constexpr int64_t kGapNs = 200'000'000;
    constexpr int64_t kLookNs = 20'000'000;
    const int64_t now_ns = NowNs();
    const bool paused = engine_->NextDue() != kNever;
    if (background_busy_ || paused) background_seen_ns_ = now_ns;
    if (now_ns - background_seen_ns_ >= kLookNs && now_ns - looked_ns_ >= kLookNs) {
      looked_ns_ = now_ns;
      std::vector<int> levels = engine_->stats().tables_per_level;
      if (levels != levels_) background_seen_ns_ = now_ns;
      levels_ = std::move(levels);
    }
    return now_ns - background_seen_ns_ < kGapNs;
  }

 private:
  void Open() {
    storage::RecoveryReport report;
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(file_system_, options_, &report);
    if (!engine.ok()) Fail("Open", engine.status());
    engine_ = *std::move(engine);
    lanes_ = std::make_unique<node::JobLanes>([this] { bell_.Ring(); });
    Turn();
  }

  void Close() {
    Settle();
    lanes_.reset();
    engine_.reset();
    log_busy_ = background_busy_ = false;
  }

  uint64_t PutOnce(absl::string_view key, absl::string_view value) {
    uint64_t sequence = 0;
    for (;;) {
      const absl::Status status = engine_->Put(key, value, &sequence);
      if (status.ok()) return sequence;
      if (!absl::IsResourceExhausted(status)) Fail("Put", status);
      StartJobs();
      if (lanes_->outstanding() == 0) Fail("Put", status);
      bell_.Wait();
      FinishJobs();
    }
  }

  void DriveRead() {
    if (settings_.read_on_lane) {
      StartJobs(Lane::kRead);
      while (engine_->TakeFinishedReads().empty()) {
        bell_.Wait();
        Turn();
      }
      return;
    }
    while (std::unique_ptr<Job> job = engine_->NextJob(Lane::kRead)) {
      while (!job->RunStep()) {
      }
      engine_->Finish(std::move(job));
    }
    (void)engine_->TakeFinishedReads();
  }

  void Turn() {
    FinishJobs();
    StartJobs();
  }

  void FinishJobs() {
    bell_.Clear();
    lanes_->TakeFinished(&finished_);
    for (std::unique_ptr<Job>& job : finished_) {
      if (job->lane() == Lane::kLog) log_busy_ = false;
      if (job->lane() == Lane::kBackground) background_busy_ = false;
      engine_->Finish(std::move(job));
    }
    finished_.clear();
    if (!engine_->health().ok()) Fail("Finish", engine_->health());
  }

  // One that is held to a rate may go on.
  bool CompactionDue() const {
    const int64_t due_us = engine_->NextDue();
    return due_us != kNever && NowNs() / 1000 >= due_us;
  }

  void StartJobs() {
    engine_->SetTime(NowNs() / 1000);
    // The log again: a compaction that only moves tables is an edit, and starts nothing else.
    for (const Lane lane : {Lane::kLog, Lane::kRead, Lane::kBackground, Lane::kLog}) {
      StartJobs(lane);
    }
  }

  void StartJobs(Lane lane) {
    while (std::unique_ptr<Job> job = engine_->NextJob(lane)) {
      if (lane == Lane::kLog) log_busy_ = true;
      if (lane == Lane::kBackground) background_busy_ = true;
      lanes_->Start(std::move(job));
    }
  }

  [[noreturn]] void Fail(absl::string_view what, const absl::Status& status) const {
    Die(absl::StrCat("norn: ", what, " in ", options_.dir, ": ", status.ToString()));
  }

  const EngineSettings settings_;
  EngineOptions options_;
  storage::PosixFileSystem file_system_;
  Bell bell_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<node::JobLanes> lanes_;
  std::vector<std::unique_ptr<Job>> finished_;
  bool log_busy_ = false;
  bool background_busy_ = false;
  int64_t background_seen_ns_ = 0;
  int64_t looked_ns_ = 0;
  std::vector<int> levels_;  // tables of each, when it was looked at
  Lookup lookup_;
};

}  // namespace

std::unique_ptr<EngineAdapter> OpenNorn(const EngineSettings& settings) {
  return std::make_unique<NornAdapter>(settings);
}

}  // namespace norn::benchmarks
