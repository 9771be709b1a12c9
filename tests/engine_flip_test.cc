// One flipped bit anywhere in any file of an engine: never a wrong value, never a false "not
// found", never a silent loss. NORN_FLIPS places in files of each kind (default 400).
//
// Prints the table of outcomes:
//   harmless   everything is read as it was written
//   error      some keys are answered with an error, all others as written
//   reported   writes are gone, and opening said so: suspect, or possibly lost from that write on
//   refused    opening failed with an error that names the file

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

using sim::SimDisk;
using sim::SimFileSystem;

struct Written {
  std::string value;
  uint64_t sequence = 0;
};

EngineOptions Options(uint64_t seed) {
  EngineOptions options;
  options.dir = "/data";
  options.owner = "cluster/n1";
  options.seed = seed;
  options.memtable_bytes = 12u << 10;
  options.block_bytes = 700;
  options.index_partition_bytes = 70;  // some three blocks
  options.table_bytes = 10u << 10;
  options.level0_tables_to_compact = 3;
  options.level1_bytes = 40u << 10;
  options.wal_preallocate_bytes = 8u << 10;
  return options;
}

// An engine's directory after a crash of the process: tables on several levels, a log, a slot.
// Every write was acknowledged.
std::map<std::string, Written> Prepare(SimDisk* disk) {
  std::map<std::string, Written> written;
  SimFileSystem files(disk);
  RecoveryReport report;
  auto engine = Engine::Open(files, Options(1), &report);
  EXPECT_TRUE(engine.ok()) << engine.status();
  Random random(5);
  (*engine)->WriteSlot("lease", "the lease", 1);
  for (int i = 0; i < 1500; ++i) {
    const std::string key = absl::StrCat("key", 1000 + random.Below(500));
    const std::string value = absl::StrCat("value", i, std::string(random.Below(60), 'v'));
    uint64_t sequence = 0;
    EXPECT_TRUE((*engine)->Put(key, value, &sequence).ok());
    written[key] = {value, sequence};
    if (i % 8 == 7) RunJobs(engine->get());
  }
  RunJobs(engine->get());
  EXPECT_EQ((*engine)->durable_sequence(), (*engine)->last_sequence());
  disk->Crash(sim::CrashLoss::kProcessOnly);
  engine->reset();
  disk->Restart();
  return written;
}

enum class Outcome { kHarmless, kError, kReported, kRefused, kCount };

class EngineFlipTest : public testing::Test {
 protected:
  // What became of the data; a violation is a test failure.
  Outcome Judge(SimDisk* disk, const std::string& path) {
    SimFileSystem files(disk);
    RecoveryReport report;
    auto engine = Engine::Open(files, Options(1000), &report);
    if (!engine.ok()) {
      EXPECT_TRUE(absl::StrContains(engine.status().message(), "/data")) << engine.status();
      return Outcome::kRefused;
    }
    bool errors = false;
    bool gone = false;
    for (const auto& [key, expected] : written_) {
      const absl::StatusOr<std::optional<std::string>> found = GetNow(engine->get(), key);
      if (!found.ok()) {
        EXPECT_FALSE(found.status().message().empty());
        errors = true;
      } else if (!found->has_value() || **found != expected.value) {
        gone = true;
        const bool told = report.suspect || (report.possibly_lost_from.has_value() &&
                                             *report.possibly_lost_from <= expected.sequence);
        EXPECT_TRUE(told) << key << " is " << found->value_or("(absent)") << " instead of "
                          << expected.value << " after a flipped bit in " << path;
        // An older value, if any at all: never bytes that nobody wrote.
        if (found->has_value()) {
          EXPECT_TRUE(absl::StartsWith(**found, "value")) << **found;
        }
      }
    }
    const auto lease = (*engine)->ReadSlot("lease");
    if (lease != "the lease") {
      gone = true;
      EXPECT_TRUE(report.suspect) << "the slot is gone and nobody says so";
      EXPECT_FALSE(lease.has_value()) << *lease;
    }
    // Opening told of nothing: then a scan agrees, too.
    if (!gone && !errors) {
      const auto all = ScanAll(engine->get(), 100);
      EXPECT_TRUE(all.ok()) << all.status();
      if (all.ok()) {
        EXPECT_EQ(all->size(), written_.size());
      }
    }
    return gone ? Outcome::kReported : errors ? Outcome::kError : Outcome::kHarmless;
  }

  std::map<std::string, Written> written_;
};

TEST_F(EngineFlipTest, NothingIsWrongAbsentOrLostInSilence) {
  int flips = 400;
  const char* const wanted = std::getenv("NORN_FLIPS");
  if (wanted != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(wanted, &flips)) << wanted;
  }
  SimDisk disk(1);
  written_ = Prepare(&disk);
  ASSERT_EQ(Judge(disk.Fork().get(), "none"), Outcome::kHarmless);

  std::map<std::string, std::vector<SimDisk::FileState>> kinds;
  for (const SimDisk::FileState& file : disk.Files()) {
    if (file.size == 0 || absl::EndsWith(file.path, "LOCK")) continue;
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    const size_t dot = name.rfind('.');
    kinds[dot == std::string::npos ? name : name.substr(dot)].push_back(file);
  }
  ASSERT_GE(kinds.size(), 4u);
  Random random(9);
  std::printf("%-12s %8s %9s %9s %9s %9s\n", "files", "flips", "harmless", "error", "reported",
              "refused");
  for (const auto& [kind, files] : kinds) {
    std::map<Outcome, int> outcomes;
    uint64_t bytes = 0;
    for (const SimDisk::FileState& file : files) bytes += file.size;
    for (int i = 0; i < flips; ++i) {
      uint64_t at = random.Below(bytes);
      const SimDisk::FileState* file = files.data();
      for (; at >= file->size; ++file) at -= file->size;
      const std::unique_ptr<SimDisk> fork = disk.Fork();
      ASSERT_TRUE(fork->FlipBit(file->path, at, static_cast<int>(random.Below(8))).ok());
      SCOPED_TRACE(absl::StrCat("bit flipped in ", file->path, " at ", at));
      ++outcomes[Judge(fork.get(), file->path)];
      if (HasFailure()) return;
    }
    std::printf("%-12s %8d %9d %9d %9d %9d\n", kind.c_str(), flips, outcomes[Outcome::kHarmless],
                outcomes[Outcome::kError], outcomes[Outcome::kReported],
                outcomes[Outcome::kRefused]);
  }
}

}  // namespace
}  // namespace norn::storage
