// The fixture of the engine's tests: a small engine on a simulated disk.

#ifndef NORN_STORAGE_TESTING_ENGINE_FIXTURE_H_
#define NORN_STORAGE_TESTING_ENGINE_FIXTURE_H_

#include <cstdint>
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
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {

inline std::string Key(int i) { return absl::StrCat("key", absl::Dec(i, absl::kZeroPad6)); }

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    options_.dir = "/data";
    options_.owner = "cluster/n1";
    options_.seed = 7;
    options_.memtable_bytes = 16u << 10;
    options_.block_bytes = 1024;
    options_.table_bytes = 16u << 10;
    options_.level1_bytes = 64u << 10;
    options_.wal_preallocate_bytes = 0;
  }

  absl::Status Open() {
    engine_.reset();
    file_system_ = std::make_unique<sim::SimFileSystem>(&disk_);
    ++options_.seed;
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        Engine::Open(*file_system_, options_, &report_);
    if (engine.ok()) engine_ = *std::move(engine);
    return engine.status();
  }

  void Crash(sim::CrashLoss loss) {
    disk_.Crash(loss);
    engine_.reset();
    file_system_.reset();
    disk_.Restart();
  }

  uint64_t MustPut(absl::string_view key, absl::string_view value) {
    uint64_t sequence = 0;
    const absl::Status status = engine_->Put(key, value, &sequence);
    EXPECT_TRUE(status.ok()) << status;
    return sequence;
  }

  // Puts key(i) -> value for i in [begin, end), running jobs meanwhile.
  void Fill(int begin, int end, const std::string& value) {
    for (int i = begin; i < end; ++i) {
      MustPut(Key(i), absl::StrCat(value, i));
      if (i % 16 == 0) RunJobs(engine_.get());
    }
    RunJobs(engine_.get());
  }

  std::string Value(absl::string_view key) {
    const absl::StatusOr<std::optional<std::string>> value = GetNow(engine_.get(), key);
    if (!value.ok()) return value.status().ToString();
    return value->value_or("(absent)");
  }

  // Paths of the files whose names end so.
  std::vector<std::string> FilesEndingIn(absl::string_view suffix) {
    std::vector<std::string> paths;
    for (const sim::SimDisk::FileState& file : disk_.Files()) {
      if (absl::EndsWith(file.path, suffix)) paths.push_back(file.path);
    }
    return paths;
  }

  sim::SimDisk disk_{1};
  std::unique_ptr<sim::SimFileSystem> file_system_;
  EngineOptions options_;
  RecoveryReport report_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TESTING_ENGINE_FIXTURE_H_
