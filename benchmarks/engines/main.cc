// compare_engines: see kUsage in flags.cc.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/engines/flags.h"
#include "benchmarks/engines/plan.h"
#include "benchmarks/engines/plot.h"
#include "benchmarks/engines/process_usage.h"
#include "benchmarks/engines/report.h"

namespace norn::benchmarks {
namespace {

// A directory of our own below the one that was asked for, removed with all that is in it.
class ScratchDir {
 public:
  static absl::StatusOr<std::string> Make(const std::string& parent) {
    std::error_code error;
    const std::string base =
        parent.empty() ? std::filesystem::temp_directory_path(error).string() : parent;
    std::filesystem::create_directories(base, error);
    std::string path = absl::StrCat(base, "/compare_engines-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "cannot make a directory in ", base, "; name one that can be written to with --dir"));
    }
    return path;
  }

  explicit ScratchDir(std::string path) : path_(std::move(path)) {}
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// One line that is written over on a terminal, with the seconds since the start.
class Progress {
 public:
  ~Progress() { Clear(); }
  void Show(const std::string& what) const {
    const auto seconds = static_cast<int>((NowNs() - started_ns_) / 1'000'000'000);
    if (terminal_) {
      absl::FPrintF(stderr, "\r\033[K%4d s  %s", seconds, what);
    } else {
      absl::FPrintF(stderr, "%4d s  %s\n", seconds, what);
    }
    std::fflush(stderr);
  }
  void Clear() const {
    if (terminal_) absl::FPrintF(stderr, "\r\033[K");
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const int64_t started_ns_ = NowNs();
};

uint64_t EntriesFor(const Flags& flags, size_t value_bytes) {
  if (flags.entries > 0) return flags.entries;
  const bool small = value_bytes < 500;
  if (flags.quick) return small ? 200'000 : 40'000;
  return small ? 5'000'000 : 1'000'000;
}

Effort EffortFor(const Flags& flags, uint64_t entries) {
  constexpr uint64_t kReadsMax = 2'000'000;
  return {
      .reads = flags.quick ? std::min<uint64_t>(entries, 100'000) : std::min(entries, kReadsMax),
      .seconds = flags.quick ? 1.0 : 10.0,
      .puts_per_second = 10'000};
}

// A run may last minutes: what cannot be written is noticed before it.
absl::Status CheckWritable(const std::string& path, const char* option) {
  if (path.empty() || std::ofstream(path, std::ios::app)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, " ", path, ": cannot be written; does its directory exist?"));
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  if (path.empty()) return absl::OkStatus();
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

std::string Title(const Flags& flags) {
  return absl::StrCat("Storage engines, ", "compression ", CompressionName(flags.plan.compression),
                      ", block caches for ", flags.plan.memory_for_a_tenth ? "a tenth" : "all",
                      " of the data", flags.quick ? ", quick" : "");
}

constexpr char kLegend[] =
    R"("<": the first engine is behind. An operation of readseq is an entry.
cpu: user and system time of all threads; of fills and overwrites until nothing is left to merge.
write amplification: bytes sent to the storage layer (write_bytes of /proc/self/io) per byte of
keys and values. space amplification: the directory's blocks on the disk per live byte.
readwhilewriting: reads beside a fixed rate of puts. put ...: latency from when a put was due.
bare: a preallocated file instead of an engine. Reads and synced puts are measured in five slices,
in turns; the median counts. Without sync, a peer's put returns when the kernel has it; Norn's when
it is in memory, and its group is written at once by another thread.
)";

// The tables of the groups whose names begin so.
void PrintTables(const Report& report, const std::string& prefix) {
  std::string last;
  for (const Row& row : report.rows()) {
    if (row.group == last || row.group.rfind(prefix, 0) != 0) continue;
    last = row.group;
    absl::PrintF("%s\n", report.Table(last));
  }
}

// What other programs, and the kernel on its own account, took of the processor meanwhile.
class OtherLoad {
 public:
  std::string Verdict() const {
    const double seconds = static_cast<double>(NowNs() - started_ns_) / 1e9;
    const double cores = (MachineCpuSeconds() - machine_ - FamilyCpuSeconds() + family_) / seconds;
    constexpr double kQuietCores = 0.1;
    return absl::StrFormat("Other programs used %.2f cores meanwhile%s\n", std::max(cores, 0.0),
                           cores < kQuietCores
                               ? "."
                               : ": latencies, synced ones above all, are theirs as much as the "
                                 "engines'. Run again on a quiet machine.");
  }

 private:
  const int64_t started_ns_ = NowNs();
  const double machine_ = MachineCpuSeconds();
  const double family_ = FamilyCpuSeconds();
};

volatile std::sig_atomic_t interrupted = 0;

absl::Status RunAll(Flags flags) {
  // Paths on the command line are relative to where the user is, not to Bazel's directory.
  const char* const user_dir = std::getenv("BUILD_WORKING_DIRECTORY");
  if (user_dir != nullptr && chdir(user_dir) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot enter ", user_dir));
  }
  for (const auto& [path, option] : {std::pair(flags.json, "--json"), {flags.plot, "--plot"}}) {
    if (absl::Status status = CheckWritable(path, option); !status.ok()) return status;
  }
  absl::StatusOr<std::string> path = ScratchDir::Make(flags.dir);
  if (!path.ok()) return path.status();
  const ScratchDir scratch(*std::move(path));
  const Progress progress;
  std::vector<std::string> columns;
  for (const EngineKind kind : flags.plan.engines) columns.push_back(EngineName(kind));
  columns.push_back(kBareColumn);
  Report report(std::move(columns));
  flags.plan.dir = scratch.path();
  flags.plan.interrupted = [] { return interrupted != 0; };
  flags.plan.progress = [&progress](const std::string& what) { progress.Show(what); };
  const OtherLoad load;
  absl::PrintF("%s\n\n", Title(flags));
  for (const size_t value_bytes : flags.value_bytes) {
    flags.plan.value_bytes = value_bytes;
    flags.plan.entries = EntriesFor(flags, value_bytes);
    flags.plan.effort = EffortFor(flags, flags.plan.entries);
    const absl::Status status = RunPlan(flags.plan, &report);
    progress.Clear();
    // What was measured before a failure took its time, too.
    PrintTables(report, absl::StrCat(value_bytes, " B "));
    std::fflush(stdout);
    if (!status.ok()) return status;
  }
  if (report.rows().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--only ", flags.plan.only, ": no workload has that in its name"));
  }
  absl::PrintF("%s%s", kLegend, load.Verdict());
  if (absl::Status status = WriteFile(flags.json, report.Json()); !status.ok()) return status;
  return WriteFile(flags.plot, RatioPlot(report, Title(flags)));
}

int Main(int argc, char** argv) {
  absl::StatusOr<Flags> flags = ParseFlags(argc, argv);
  if (!flags.ok()) Die(flags.status().message());
  if (flags->help) {
    std::fputs(kUsage, stdout);
    return EXIT_SUCCESS;
  }
  // Ends the wait for a child with EINTR, so that the directories are removed.
  struct sigaction action = {};
  action.sa_handler = [](int /*signal*/) { interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const absl::Status status = RunAll(*std::move(flags));
  if (!status.ok()) Die(status.message());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace norn::benchmarks

int main(int argc, char** argv) { return norn::benchmarks::Main(argc, argv); }
