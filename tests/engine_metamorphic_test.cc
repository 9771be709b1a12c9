// The same operations under random configurations, on the simulated and on the real file system:
// whatever the settings, the answers are those of a map. Reopening is one of the operations.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

EngineOptions DrawOptions(Random* random, const std::string& dir) {
  EngineOptions options;
  options.dir = dir;
  options.owner = "cluster/n1";
  options.memtable_bytes = 1'000 + random->Below(40'000);
  options.sync_mode = static_cast<SyncMode>(random->Below(3));
  options.immutable_memtables_max = static_cast<int>(random->Between(1, 4));
  options.wal_preallocate_bytes = random->Chance(1, 2) ? 0 : random->Below(100'000);
  options.block_bytes = 64 + random->Below(4'096);
  options.index_partition_bytes = random->Chance(1, 4) ? 4'096 : 1 + random->Below(600);
  options.block_restart_interval = static_cast<int>(random->Between(1, 32));
  options.bloom_bits_per_key = static_cast<int>(random->Below(20));
  options.block_cache_bytes = random->Chance(1, 3) ? 0 : random->Below(100'000);
  options.level0_tables_to_compact = static_cast<int>(random->Between(1, 6));
  options.level0_percent = static_cast<int>(random->Between(1, 200));
  options.level0_tables_max = static_cast<int>(random->Between(2, 20));
  options.level1_bytes = 1'000 + random->Below(200'000);
  options.level_growth = static_cast<int>(random->Between(2, 12));
  options.table_bytes = 500 + random->Below(60'000);
  options.compression = static_cast<Compression>(random->Below(3));
  options.last_level_compression = static_cast<Compression>(random->Below(3));
  options.group_prefix_bytes = random->Chance(1, 2) ? 0 : random->Below(22);
  return options;
}

// One engine and the map that it must equal.
class Subject {
 public:
  Subject(FileSystem* files, EngineOptions options) : files_(files), options_(std::move(options)) {
    Reopen();
  }

  void Reopen() {
    engine_.reset();
    ++options_.seed;
    RecoveryReport report;
    auto engine = Engine::Open(*files_, options_, &report);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    ASSERT_FALSE(report.suspect) << report.notes.front();
  }

  // Nothing as `value`: a deletion.
  void Write(const std::string& key, const std::optional<std::string>& value) {
    uint64_t sequence = 0;
    const auto write = [&] {
      return value.has_value() ? engine_->Put(key, *value, &sequence)
                               : engine_->Delete(key, &sequence);
    };
    absl::Status status = write();
    if (absl::IsResourceExhausted(status)) {
      Work();
      status = write();
    }
    ASSERT_TRUE(status.ok()) << status;
  }
  void Work() { RunJobs(engine_.get()); }
  // A few jobs: what follows meets flushes and compactions half done.
  void WorkALittle(Random* random) {
    for (uint64_t n = random->Below(12); n > 0; --n) {
      RunJob(engine_.get(), random->Chance(1, 2) ? Lane::kLog : Lane::kBackground);
    }
  }

  void DropRange(const std::string& from, const std::string& to) {
    engine_->DropRange(from, to, 1);
    Work();
    const std::vector<Engine::FinishedRangeDrop> finished = engine_->TakeFinishedRangeDrops();
    ASSERT_EQ(finished.size(), 1u);
    ASSERT_TRUE(finished.front().status.ok()) << finished.front().status;
  }

  // What a checkpoint holds, opened beside the store.
  std::map<std::string, std::string> Checkpoint() {
    EngineOptions options = options_;
    options.dir = absl::StrCat(options_.dir, ".backup");
    options.seed += 1000;
    engine_->Checkpoint({.dir = options.dir, .from = "", .to = "", .ticket = 1});
    Work();
    const std::vector<Engine::FinishedCheckpoint> finished = engine_->TakeFinishedCheckpoints();
    EXPECT_EQ(finished.size(), 1u);
    RecoveryReport report;
    const auto engine = Engine::Open(*files_, options, &report);
    EXPECT_TRUE(engine.ok()) << engine.status();
    if (!engine.ok()) return {};
    // Lower if an earlier loss was not acknowledged.
    EXPECT_TRUE(report.possibly_lost_from.has_value());
    EXPECT_LE(report.possibly_lost_from.value_or(0), finished.front().sequence + 1);
    return *ScanAll(engine->get(), 50);
  }

  std::string Get(const std::string& key) {
    const absl::StatusOr<std::optional<std::string>> found = GetNow(engine_.get(), key);
    return found.ok() ? found->value_or("(absent)") : found.status().ToString();
  }
  std::map<std::string, std::string> Walk(const std::string& from) {
    std::map<std::string, std::string> entries;
    const std::unique_ptr<Iterator> at = engine_->NewIterator();
    for (at->Seek(from); at->state() == Iterator::State::kEntry; at->Next()) {
      EXPECT_TRUE(entries.empty() || entries.rbegin()->first < at->key()) << at->key();
      entries.emplace(at->key(), at->value());
    }
    EXPECT_EQ(at->state(), Iterator::State::kEnd) << at->status();
    return entries;
  }
  std::map<std::string, std::string> Pages(size_t page) { return *ScanAll(engine_.get(), page); }

 private:
  FileSystem* files_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

void RunTrial(uint64_t seed) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Random random(seed);
  const std::string dir = absl::StrCat(std::getenv("TEST_TMPDIR"), "/metamorphic", seed);
  std::filesystem::remove_all(dir);
  sim::SimDisk disk(seed);
  sim::SimFileSystem simulated(&disk);
  PosixFileSystem real;
  std::vector<std::unique_ptr<Subject>> subjects;
  for (int i = 0; i < 3; ++i) {
    const std::string own = absl::StrCat("/data", i);
    subjects.push_back(std::make_unique<Subject>(&simulated, DrawOptions(&random, own)));
  }
  std::filesystem::create_directories(dir);
  subjects.push_back(std::make_unique<Subject>(&real, DrawOptions(&random, dir + "/data")));

  const uint64_t keys = 1 + random.Below(400);
  const auto key = [&] {
    const uint64_t number = random.Below(keys);
    return absl::StrCat(number % 7 == 0 ? "" : "key/with/a/prefix/", number);
  };
  std::map<std::string, std::string> model;
  const int operations = static_cast<int>(200 + random.Below(1500));
  for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
    const uint64_t what = random.Below(100);
    const std::string chosen = key();
    if (what < 58) {
      const std::string value = absl::StrCat(i, std::string(random.Below(200), 'v'));
      model[chosen] = value;
      for (const auto& subject : subjects) subject->Write(chosen, value);
    } else if (what < 70) {
      model.erase(chosen);
      for (const auto& subject : subjects) subject->Write(chosen, std::nullopt);
    } else if (what < 72) {
      for (const auto& subject : subjects) subject->Work();
    } else if (what < 80) {
      for (const auto& subject : subjects) subject->WorkALittle(&random);
    } else if (what < 96) {
      const auto expected = model.find(chosen);
      for (const auto& subject : subjects) {
        ASSERT_EQ(subject->Get(chosen), expected == model.end() ? "(absent)" : expected->second);
      }
    } else if (what < 97) {
      const std::string other = key();
      if (random.Chance(1, 3) && chosen < other) {
        model.erase(model.lower_bound(chosen), model.lower_bound(other));
        for (const auto& subject : subjects) subject->DropRange(chosen, other);
      }
    } else if (what < 98) {
      const std::map<std::string, std::string> expected(model.lower_bound(chosen), model.end());
      for (const auto& subject : subjects) ASSERT_EQ(subject->Walk(chosen), expected);
    } else if (what < 99) {
      for (const auto& subject : subjects) ASSERT_EQ(subject->Pages(1 + random.Below(50)), model);
    } else {
      for (const auto& subject : subjects) {
        subject->Work();  // what no job has written yet would be gone
        subject->Reopen();
      }
    }
  }
  for (const auto& subject : subjects) ASSERT_EQ(subject->Walk(""), model);
  for (const auto& subject : subjects) ASSERT_EQ(subject->Checkpoint(), model);
  subjects.clear();
  std::filesystem::remove_all(dir);
}

TEST(EngineMetamorphicTest, NoSettingChangesAnAnswer) {
  const char* const from = std::getenv("NORN_SEED");
  const uint64_t first = from == nullptr ? 1 : std::strtoull(from, nullptr, 10);
  for (uint64_t seed = first; seed < first + 60 && !HasFailure(); ++seed) RunTrial(seed);
}

}  // namespace
}  // namespace norn::storage
