// A small workload for an engine whose disk crashes or fails, and what must hold afterwards.
//
// Puts, overwrites, deletions and slots, with memtables so small that flushes and compactions run;
// it is replayed from the start for each operation that can go wrong. Then:
//   * the recovered state is what the puts up to report.last_sequence make of an empty
//     store, and that covers everything that was durable: nothing lost, nothing torn,
//     nothing that was never put;
//   * opening again, even after a power failure right behind the first opening, gives
//     the same state;
//   * nothing is called suspect, since the disk kept its promises;
//   * an engine that met an error serves the right value or an error, never another one; and every
//     error names the directory or a file in it.

#ifndef NORN_TESTS_ENGINE_WORKLOAD_H_
#define NORN_TESTS_ENGINE_WORKLOAD_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {

using Map = std::map<std::string, std::string>;

inline EngineOptions OptionsFor(uint64_t seed) {
  EngineOptions options;
  options.dir = "/data";
  options.owner = "cluster/n1";
  options.seed = seed;
  options.memtable_bytes = 3000;
  options.wal_preallocate_bytes = 0;
  options.block_bytes = 256;
  options.index_partition_bytes = 100;
  options.block_cache_bytes = 2000;
  options.level0_tables_to_compact = 2;
  options.level1_bytes = 4000;
  options.table_bytes = 2000;
  return options;
}

// Drives an engine, interleaving the steps of its jobs with puts, and knows what it did.
class Workload {
 public:
  explicit Workload(sim::SimDisk* disk, uint64_t seed) : disk_(disk), seed_(seed), random_(seed) {}

  // False if the disk crashed or the engine could not be opened. May be called again
  // after Kill(): then it goes on with what was recovered.
  bool Run(int steps) {
    file_system_ = std::make_unique<sim::SimFileSystem>(disk_);
    RecoveryReport report;
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        Engine::Open(*file_system_, OptionsFor(seed_++), &report);
    if (!engine.ok()) {
      // A new directory is synced into the one above it.
      const absl::string_view message = engine.status().message();
      EXPECT_TRUE(disk_->crashed() || absl::StrContains(message, "/data") ||
                  absl::StrContains(message, "syncdir /:"))
          << message;
      return false;
    }
    engine_ = *std::move(engine);
    EXPECT_FALSE(report.suspect);
    EXPECT_GE(report.last_sequence, durable_);
    EXPECT_LE(report.last_sequence, history_.size());
    history_.resize(report.last_sequence);
    durable_ = report.last_sequence;
    engine_->AcknowledgeRecovery();
    for (int i = 0; i < steps && !disk_->crashed(); ++i) Step();
    return !disk_->crashed();
  }

  // Gives every job the time that it needs, retries included.
  void Settle() {
    for (std::unique_ptr<Job>& job : jobs_) {
      if (job == nullptr) continue;
      while (!job->RunStep()) {
      }
      engine_->Finish(std::move(job));
    }
    RunJobs(engine_.get(), 3000);
    TakeResults();
  }

  void CheckReads() {
    for (int i = 0; i < kKeys; ++i) CheckRead(absl::StrCat("key", i));
  }

  // The right value, or an error if there is reason for one.
  void CheckRead(const std::string& key) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), key);
    if (disk_->crashed()) return;
    if (!value.ok()) {
      EXPECT_TRUE(!engine_->health().ok() || engine_->stats().damaged_ranges > 0) << value.status();
      return;
    }
    const auto newest = std::find_if(history_.rbegin(), history_.rend(),
                                     [&](const auto& put) { return put.first == key; });
    EXPECT_EQ(*value, newest == history_.rend() ? std::nullopt : newest->second) << key;
  }

  Engine* engine() { return engine_.get(); }
  uint64_t durable() const { return durable_; }
  uint64_t attempted() const { return history_.size(); }

  // What the first `n` puts make.
  Map Prefix(uint64_t n) const {
    Map map;
    for (uint64_t i = 0; i < n; ++i) {
      const auto& [key, value] = history_[i];
      if (value.has_value()) {
        map.insert_or_assign(key, *value);
      } else {
        map.erase(key);
      }
    }
    return map;
  }

  // Whether a slot may hold this after a crash: what was done last, or begun since.
  bool SlotMayBe(const std::optional<std::string>& value) const {
    if (!value.has_value()) return slot_done_ == 0;
    for (uint64_t ticket = std::max<uint64_t>(slot_done_, 1); ticket <= slot_begun_; ++ticket) {
      if (*value == SlotValue(ticket)) return true;
    }
    return false;
  }

  void Kill() {
    for (std::unique_ptr<Job>& job : jobs_) job.reset();
    engine_.reset();
    file_system_.reset();
  }

 private:
  static constexpr int kKeys = 40;

  static std::string SlotValue(uint64_t ticket) { return absl::StrCat("lease ", ticket); }

  void Step() {
    const uint64_t dice = random_.Below(100);
    if (dice < 40) {
      const std::string key = absl::StrCat("key", random_.Below(kKeys));
      std::string value = absl::StrCat("value", history_.size(), "-");
      value.append(random_.Below(150), static_cast<char>('a' + random_.Below(26)));
      uint64_t sequence = 0;
      std::optional<std::string> written;
      if (value.size() % 5 != 0) written = std::move(value);
      const absl::Status write = written.has_value() ? engine_->Put(key, *written, &sequence)
                                                     : engine_->Delete(key, &sequence);
      if (write.ok()) {
        history_.emplace_back(key, std::move(written));
        EXPECT_EQ(sequence, history_.size());
      } else if (!disk_->crashed()) {
        EXPECT_TRUE(absl::StrContains(write.message(), "/data")) << write;
      }
    } else if (dice < 46) {
      CheckRead(absl::StrCat("key", random_.Below(kKeys)));
    } else if (dice < 48) {
      ++slot_begun_;
      engine_->WriteSlot("lease", SlotValue(slot_begun_), slot_begun_);
    } else {
      // The log works harder than the rest, as it does in life.
      const Lane lane = dice < 75 ? Lane::kLog : Lane::kBackground;
      std::unique_ptr<Job>& job = jobs_[static_cast<size_t>(lane)];
      if (job == nullptr) job = engine_->NextJob(lane);
      if (job != nullptr && job->RunStep()) engine_->Finish(std::move(job));
    }
    TakeResults();
  }

  void TakeResults() {
    // A crash stops the process before it can tell anyone.
    if (disk_->crashed()) return;
    durable_ = engine_->durable_sequence();
    for (const Engine::FinishedSlot& slot : engine_->TakeFinishedSlots()) {
      if (slot.status.ok()) slot_done_ = std::max(slot_done_, slot.ticket);
    }
  }

  sim::SimDisk* disk_;
  uint64_t seed_;
  Random random_;
  std::unique_ptr<sim::SimFileSystem> file_system_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Job> jobs_[kLaneCount];
  // By sequence, from 1. Nothing: a deletion.
  std::vector<std::pair<std::string, std::optional<std::string>>> history_;
  uint64_t durable_ = 0;
  uint64_t slot_begun_ = 0;
  uint64_t slot_done_ = 0;
};

struct Opened {
  RecoveryReport report;
  Map map;
  std::optional<std::string> slot;
};

// Opens the engine on the disk and reads everything. Fails the test if it does not open.
inline std::optional<Opened> OpenAndRead(sim::SimDisk* disk, uint64_t seed) {
  sim::SimFileSystem file_system(disk);
  Opened opened;
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::Open(file_system, OptionsFor(seed), &opened.report);
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    return std::nullopt;
  }
  absl::StatusOr<Map> map = ScanAll(engine->get(), 7);
  if (!map.ok()) {
    ADD_FAILURE() << map.status();
    return std::nullopt;
  }
  opened.map = *std::move(map);
  opened.slot = (*engine)->ReadSlot("lease");
  EXPECT_EQ((*engine)->durable_sequence(), opened.report.last_sequence);
  for (const auto& [key, value] : opened.map) {
    const absl::StatusOr<std::optional<std::string>> got = GetNow(engine->get(), key);
    EXPECT_TRUE(got.ok() && *got == value) << key;
  }
  return opened;
}

inline void CheckRecovered(const Workload& workload, const Opened& opened) {
  EXPECT_FALSE(opened.report.suspect) << opened.report.notes.front();
  EXPECT_GE(opened.report.last_sequence, workload.durable());
  ASSERT_LE(opened.report.last_sequence, workload.attempted());
  EXPECT_EQ(opened.map, workload.Prefix(opened.report.last_sequence));
  EXPECT_TRUE(workload.SlotMayBe(opened.slot)) << opened.slot.value_or("(absent)");
  if (opened.report.possibly_lost_from.has_value()) {
    // Lower if an earlier loss was not acknowledged.
    EXPECT_LE(*opened.report.possibly_lost_from, opened.report.last_sequence + 1);
  }
}

// Opens twice, with a power failure between.
inline void CheckAfterCrash(sim::SimDisk* disk, const Workload& workload) {
  disk->Restart();
  const std::optional<Opened> first = OpenAndRead(disk, 101);
  if (!first.has_value()) return;
  CheckRecovered(workload, *first);
  disk->Crash(sim::CrashLoss::kAllUnsynced);
  disk->Restart();
  const std::optional<Opened> second = OpenAndRead(disk, 102);
  if (!second.has_value()) return;
  EXPECT_EQ(second->map, first->map);
  EXPECT_EQ(second->slot, first->slot);
  EXPECT_EQ(second->report.last_sequence, first->report.last_sequence);
  EXPECT_EQ(second->report.possibly_lost_from, first->report.possibly_lost_from);
}

inline constexpr int kSteps = 900;
// With this one a compaction fails whose first pieces are not in the manifest yet.
inline constexpr uint64_t kSeed = 13;

inline uint64_t OperationsOfWorkload() {
  sim::SimDisk disk(1);
  Workload workload(&disk, kSeed);
  EXPECT_TRUE(workload.Run(kSteps));
  const EngineStats stats = workload.engine()->stats();
  // Or the test would prove nothing about them.
  EXPECT_GT(stats.flushes, 2u);
  EXPECT_GT(stats.compactions, 0u);
  workload.Kill();
  return disk.operations();
}

}  // namespace norn::storage

#endif  // NORN_TESTS_ENGINE_WORKLOAD_H_
