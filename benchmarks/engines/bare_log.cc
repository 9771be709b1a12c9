#include "benchmarks/engines/bare_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {
namespace {

constexpr size_t kFileBytes = 64u << 20;

[[noreturn]] void Fail(const std::string& path) {
  Die(absl::StrCat(path, ": ", std::strerror(errno)));
}

void WriteZeros(int fd, const std::string& path) {
  const std::string zeros(1u << 20, '\0');
  for (size_t at = 0; at < kFileBytes; at += zeros.size()) {
    if (pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(zeros.size())) {
      Fail(path);
    }
  }
  if (fsync(fd) != 0) Fail(path);
}

}  // namespace

double RunBareLog(const std::string& dir, size_t record_bytes, double seconds, Histogram* latency) {
  const std::string path = dir + "/bare.log";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) Fail(path);
  WriteZeros(fd, path);
  const std::string record(record_bytes, 'r');
  size_t at = 0;
  const int64_t started_ns = NowNs();
  const auto end_ns = started_ns + static_cast<int64_t>(seconds * 1e9);
  int64_t now_ns = started_ns;
  while (now_ns < end_ns) {
    const int64_t before_ns = now_ns;
    if (at + record_bytes > kFileBytes) at = 0;
    if (pwrite(fd, record.data(), record_bytes, static_cast<off_t>(at)) !=
            static_cast<ssize_t>(record_bytes) ||
        fdatasync(fd) != 0) {
      Fail(path);
    }
    at += record_bytes;
    now_ns = NowNs();
    latency->Add(now_ns - before_ns);
  }
  close(fd);
  unlink(path.c_str());
  return static_cast<double>(now_ns - started_ns) / 1e9;
}

}  // namespace norn::benchmarks
