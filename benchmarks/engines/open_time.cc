// open_time: how long a store takes to open.
//
//   open_time wal [DIR]     after a crash with 0.9 GB in the log, beside LevelDB and RocksDB, each
//                           of which is given the memory to have left it there;
//   open_time tables [DIR]  with as many tables as 100 GB have, cold and warm, and the memory that
//                           stays taken by their indexes and filters, and that their indexes take
//                           in the block cache after 100,000 reads from all over the store. Each
//                           stands for a full one: it has as many blocks, hence as long an index,
//                           but one short entry a block, and a filter of a third. (Two figures of a
//                           full store come first.)

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/engines/adapter.h"
#include "benchmarks/engines/dataset.h"
#include "benchmarks/engines/process_usage.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"

namespace norn::benchmarks {
namespace {

using storage::Engine;

double SecondsSince(int64_t started_ns) { return static_cast<double>(NowNs() - started_ns) / 1e9; }

void MustBeOk(absl::string_view what, const absl::Status& status) {
  if (!status.ok()) Die(absl::StrCat(what, ": ", status.ToString()));
}

// Has the page cache forget them.
void DropFromPageCache(const std::string& dir) {
  SyncFileSystem(dir);
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    const int fd = open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
      Die(absl::StrCat(file.path().string(), ": ", std::strerror(errno)));
    }
    close(fd);
  }
}

// --- A log ---

// Each engine ends the names of its logs so.
uint64_t LogBytes(const std::string& dir) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    const std::string suffix = file.path().extension();
    if (suffix == ".log" || suffix == ".wal") bytes += file.file_size();
  }
  return bytes;
}

void MeasureLogs(const std::string& parent) {
  constexpr uint64_t kEntries = 900'000;
  constexpr size_t kValueBytes = 1000;
  const Dataset data(kEntries, kValueBytes);
  using Open = std::function<std::unique_ptr<EngineAdapter>(const EngineSettings&)>;
  for (const auto& [name, open] : {std::pair<const char*, Open>("norn", OpenNorn),
                                   {"leveldb", OpenLevelDb},
                                   {"rocksdb", OpenRocksDb}}) {
    EngineSettings settings;
    settings.dir = parent + "/" + name;
    settings.block_cache_bytes = 64u << 20;
    // LevelDB takes half of it, and no more than that; RocksDB needs more for the same.
    settings.memtable_bytes = size_t{absl::string_view(name) == "rocksdb" ? 4u : 2u} << 30;
    std::filesystem::create_directories(settings.dir);
    std::unique_ptr<EngineAdapter> engine = open(settings);
    std::string key(Dataset::kKeyBytes, '\0');
    std::string value(kValueBytes, '\0');
    for (uint64_t i = 0; i < kEntries; ++i) {
      Dataset::Key(data.shuffled()[i], key.data());
      data.Value(key, 0, value.data());
      engine->Put(key, value);
    }
    engine.reset();
    const uint64_t bytes = LogBytes(settings.dir);
    SyncFileSystem(settings.dir);
    const double cpu_before = CpuSeconds();
    const int64_t started_ns = NowNs();
    engine = open(settings);
    const double seconds = SecondsSince(started_ns);
    absl::PrintF("%-8s opened %4d MiB of log in %5.2f s, cpu %5.2f s\n", name, bytes >> 20, seconds,
                 CpuSeconds() - cpu_before);
    absl::string_view found;
    if (!engine->Get(key, &found) || found != value) Die(absl::StrCat(name, " lost the last put"));
    engine.reset();
    std::filesystem::remove_all(settings.dir);
  }
}

// --- Tables ---

void RunJobs(Engine* engine) {
  for (bool ran = true; ran;) {
    ran = false;
    for (const storage::Lane lane : {storage::Lane::kLog, storage::Lane::kBackground}) {
      std::unique_ptr<storage::Job> job = engine->NextJob(lane);
      if (job == nullptr) continue;
      while (!job->RunStep()) {
      }
      engine->Finish(std::move(job));
      ran = true;
    }
  }
  MustBeOk("the engine", engine->health());
}

std::unique_ptr<Engine> OpenEngine(storage::FileSystem* files,
                                   const storage::EngineOptions& options) {
  storage::RecoveryReport report;
  absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Open(*files, options, &report);
  MustBeOk("open", engine.status());
  return *std::move(engine);
}

void ReadAllOver(const char* name, uint64_t entries, Engine* engine) {
  constexpr uint64_t kReads = 100'000;
  std::string key(Dataset::kKeyBytes, '\0');
  const int64_t started_ns = NowNs();
  for (uint64_t i = 0; i < kReads; ++i) {
    // A prime number of keys on, which come by all of the store again and again.
    Dataset::Key(i * 7'368'787 % entries, key.data());
    std::shared_ptr<storage::PendingRead> read;
    storage::Lookup found = engine->Get(key, &read);
    for (; found.state == storage::Lookup::State::kNeedsRead; found = engine->Get(key, &read)) {
      std::unique_ptr<storage::Job> job = engine->NextJob(storage::Lane::kRead);
      while (!job->RunStep()) {
      }
      engine->Finish(std::move(job));
      engine->TakeFinishedReads();
    }
    if (found.state != storage::Lookup::State::kFound) Die(absl::StrCat(key, " is not there"));
  }
  const double seconds = SecondsSince(started_ns);
  const storage::EngineStats stats = engine->stats();
  absl::PrintF(
      "%s: after reads from all over, %.1f us each: block cache %d MiB, %d KiB of it "
      "indexes\n",
      name, seconds * 1e6 / kReads, stats.block_cache_bytes >> 20,
      stats.block_cache_index_bytes >> 10);
}

void MeasureTables(const char* name, uint64_t entries, size_t value_bytes,
                   storage::EngineOptions options) {
  std::filesystem::create_directories(options.dir);
  storage::PosixFileSystem files;
  options.owner = "open_time";
  options.sync_mode = storage::SyncMode::kNone;
  options.level1_bytes = uint64_t{1} << 40;
  {
    const std::unique_ptr<Engine> engine = OpenEngine(&files, options);
    std::string key(Dataset::kKeyBytes, '\0');
    const std::string value(value_bytes, 'v');
    uint64_t sequence = 0;
    for (uint64_t i = 0; i < entries; ++i) {
      Dataset::Key(i, key.data());
      absl::Status status = engine->Put(key, value, &sequence);
      if (absl::IsResourceExhausted(status)) {
        RunJobs(engine.get());
        status = engine->Put(key, value, &sequence);
      }
      MustBeOk("Put", status);
    }
    RunJobs(engine.get());
  }
  for (const bool cold : {true, false}) {
    if (cold) DropFromPageCache(options.dir);
    const double cpu_before = CpuSeconds();
    const int64_t started_ns = NowNs();
    const std::unique_ptr<Engine> engine = OpenEngine(&files, options);
    const double seconds = SecondsSince(started_ns);
    const storage::EngineStats stats = engine->stats();
    absl::PrintF(
        "%s, %s: %d tables (%d MiB) opened in %.2f s, cpu %.2f s; memory: indexes %d KiB, filters "
        "%d MiB; that is %d and %d bytes a table\n",
        name, cold ? "cold" : "warm", stats.tables, stats.table_bytes >> 20, seconds,
        CpuSeconds() - cpu_before, stats.index_bytes >> 10, stats.filter_bytes >> 20,
        stats.index_bytes / stats.tables, stats.filter_bytes / stats.tables);
    if (!cold) ReadAllOver(name, entries, engine.get());
  }
  std::filesystem::remove_all(options.dir);
}

void MeasureManyTables(const std::string& dir) {
  // What is put in order is flushed, and moves down as it is: a memtable makes a table.
  storage::EngineOptions options;
  options.dir = dir + "/full";
  options.memtable_bytes = options.table_bytes;
  MeasureTables("full tables", 500'000, 1000, options);
  constexpr uint64_t kTables = (uint64_t{100} << 30) / (8u << 20);
  constexpr uint64_t kBlocksOfTable = 2048;
  options.dir = dir + "/hollow";
  options.block_bytes = 1;  // a block ends with its first entry
  options.block_restart_interval = 1;
  options.bloom_bits_per_key = 40;  // a full table has four keys a block
  options.wal_preallocate_bytes = 0;
  constexpr uint64_t kMemoryOfEntry = 74;
  options.memtable_bytes = kBlocksOfTable * kMemoryOfEntry;
  MeasureTables("hollow tables", kTables * kBlocksOfTable, 8, options);
}

int Main(const std::string& what, const std::string& parent) {
  std::string dir = parent + "/open_time-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) Die(absl::StrCat(dir, ": ", std::strerror(errno)));
  if (what == "wal") {
    MeasureLogs(dir);
  } else if (what == "tables") {
    MeasureManyTables(dir);
  } else {
    Die("usage: open_time wal|tables [DIR]");
  }
  std::filesystem::remove_all(dir);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace norn::benchmarks

int main(int argc, char** argv) {
  return norn::benchmarks::Main(
      argc > 1 ? argv[1] : "",
      argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string());
}
