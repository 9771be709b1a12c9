#include "benchmarks/engines/process_usage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

namespace norn::benchmarks {
namespace {

double CpuSecondsOf(int who) {
  rusage usage;
  if (getrusage(who, &usage) != 0) Die("getrusage failed");
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void Die(absl::string_view message) {
  std::fprintf(stderr, "\ncompare_engines: %.*s\n", static_cast<int>(message.size()),
               message.data());
  std::fflush(stderr);
  _exit(EXIT_FAILURE);
}

double CpuSeconds() { return CpuSecondsOf(RUSAGE_SELF); }

double FamilyCpuSeconds() { return CpuSecondsOf(RUSAGE_SELF) + CpuSecondsOf(RUSAGE_CHILDREN); }

double MachineCpuSeconds() {
  std::ifstream stat("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, steal = 0;
  if (!(stat >> name >> user >> nice >> system >> idle >> wait >> irq >> soft_irq >> steal)) {
    Die("/proc/stat cannot be read");
  }
  return (user + nice + system + irq + soft_irq + steal) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

double WaitForQuiet(double seconds_max) {
  constexpr auto kPeriod = std::chrono::milliseconds(200);
  constexpr double kQuietSeconds = 0.021;  // in a period, of all cores
  const int64_t started_ns = NowNs();
  double waited = 0;
  while (waited < seconds_max) {
    const double before = MachineCpuSeconds();
    std::this_thread::sleep_for(kPeriod);
    waited = static_cast<double>(NowNs() - started_ns) / 1e9;
    if (MachineCpuSeconds() - before < kQuietSeconds) break;
  }
  return waited;
}

uint64_t BytesWritten() {
  std::ifstream io("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  Die("/proc/self/io has no write_bytes: it needs Linux with CONFIG_TASK_IO_ACCOUNTING");
}

double PeakMemoryMib() {
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) Die("getrusage failed");
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

uint64_t DirectoryBytes(const std::string& dir) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(dir, error), end; it != end && !error;
       it.increment(error)) {
    struct stat status;
    // A file that was just removed takes no room.
    if (stat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    bytes += static_cast<uint64_t>(status.st_blocks) * 512;
  }
  if (error) Die("cannot list " + dir + ": " + error.message());
  return bytes;
}

void SyncFileSystem(const std::string& dir) {
  const int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs(fd) != 0) Die("cannot sync the file system of " + dir);
  close(fd);
}

void WaitUntilIdle() {
  constexpr auto kPeriod = std::chrono::milliseconds(50);
  constexpr int kIdlePeriods = 6;
  constexpr double kIdleCpuSeconds = 0.001;  // in a period
  int idle = 0;
  double before = CpuSeconds();
  uint64_t written_before = BytesWritten();
  while (idle < kIdlePeriods) {
    std::this_thread::sleep_for(kPeriod);
    const double now = CpuSeconds();
    const uint64_t written = BytesWritten();
    idle = now - before < kIdleCpuSeconds && written == written_before ? idle + 1 : 0;
    before = now;
    written_before = written;
  }
}

}  // namespace norn::benchmarks
