// io_paths: which way to the disk suits the engine's reads and compactions? On this machine:
//
//   * random reads of 4 KiB: the read lane that nornd has (two threads that pread) beside one
//     io_uring, from the device (O_DIRECT), through a page cache that lacks them and from one that
//     has them; the latter two also as nornd reads: tried on the loop (RWF_NOWAIT) first;
//   * tables written through the page cache, with sync_file_range as the engine does, beside
//     O_DIRECT, and what a log that is synced all the while notices of it;
//   * tables read, when the page cache has them and when not, beside O_DIRECT.
//
// usage: bazel run --config=release //benchmarks/engines:io_paths -- [DIR]

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/engines/bare_log.h"
#include "benchmarks/engines/histogram.h"
#include "benchmarks/engines/io_ring.h"
#include "benchmarks/engines/process_usage.h"
#include "core/random.h"
#include "node/job_lanes.h"
#include "storage/job.h"
#include "storage/posix_file_system.h"

namespace norn::benchmarks {
namespace {

constexpr uint64_t kFileBytes = 1u << 30;
constexpr uint64_t kTableBytes = 64u << 20;
constexpr size_t kBlockBytes = 4096;
constexpr size_t kPieceBytes = 256u << 10;
constexpr double kSeconds = 3;
// Of a page cache that lacks them: few enough that it still does at the end.
constexpr uint64_t kColdReadsMax = kFileBytes / kBlockBytes / 8;

[[noreturn]] void Fail(const std::string& path) {
  Die(absl::StrCat(path, ": ", std::strerror(errno)));
}

void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

int Open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) Fail(path);
  return fd;
}

// As O_DIRECT wants it.
struct Free {
  void operator()(char* at) const { std::free(at); }
};
using Buffer = std::unique_ptr<char, Free>;
Buffer MakeBuffer(size_t bytes) {
  Buffer buffer(static_cast<char*>(std::aligned_alloc(4096, bytes)));
  std::memset(buffer.get(), 'b', bytes);
  return buffer;
}

// --- Writing tables ---

void WriteThroughCache(const std::string& path) {
  storage::PosixFileSystem files;
  const std::string piece(kPieceBytes, 't');
  auto file = files.CreateNew(path, 0);
  Check(file.status());
  for (uint64_t at = 0; at < kTableBytes; at += kPieceBytes) {
    Check((*file)->Append(piece));
    if (at % (2 * kPieceBytes) != 0) Check((*file)->StartWriteback());
  }
  Check((*file)->Sync());
  Check((*file)->Close());
}

void WriteDirect(const std::string& path) {
  const Buffer piece = MakeBuffer(kPieceBytes);
  const int fd = Open(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT);
  for (uint64_t at = 0; at < kTableBytes; at += kPieceBytes) {
    if (write(fd, piece.get(), kPieceBytes) != static_cast<ssize_t>(kPieceBytes)) Fail(path);
  }
  if (fdatasync(fd) != 0) Fail(path);
  close(fd);
}

// One table after the other, beside a log that is synced all the while.
void MeasureWrites(const std::string& dir, const char* name,
                   void (*write_table)(const std::string&)) {
  std::atomic<bool> stop{false};
  uint64_t tables = 0;
  Histogram log;
  const std::string path = dir + "/table";
  SyncFileSystem(dir);
  std::thread writer([&] {
    while (!stop && write_table != nullptr) {
      write_table(path);
      ++tables;
      unlink(path.c_str());
    }
  });
  const double cpu_before = CpuSeconds();
  const double seconds = RunBareLog(dir, 150, kSeconds, &log);
  stop = true;
  writer.join();
  absl::PrintF("%-34s %9.0f MiB/s  cpu %5.2f s  log: %6.0f syncs/s, p50 %5.0f us, p99.9 %6.0f us\n",
               name, static_cast<double>(tables * (kTableBytes >> 20)) / seconds,
               CpuSeconds() - cpu_before, static_cast<double>(log.count()) / seconds,
               log.QuantileUs(0.5), log.QuantileUs(0.999));
}

// --- Reading tables ---

void MeasureSequentialRead(const std::string& path, const char* name, int flags, bool drop) {
  const int fd = Open(path, O_RDONLY | flags);
  if (drop && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) Fail(path);
  const Buffer piece = MakeBuffer(kPieceBytes);
  const double cpu_before = CpuSeconds();
  const int64_t started_ns = NowNs();
  for (uint64_t at = 0; at < kFileBytes; at += kPieceBytes) {
    if (pread(fd, piece.get(), kPieceBytes, static_cast<off_t>(at)) !=
        static_cast<ssize_t>(kPieceBytes)) {
      Fail(path);
    }
  }
  const double seconds = static_cast<double>(NowNs() - started_ns) / 1e9;
  absl::PrintF("%-34s %9.0f MiB/s  cpu %5.2f s a GiB\n", name,
               static_cast<double>(kFileBytes >> 20) / seconds, CpuSeconds() - cpu_before);
  close(fd);
}

// --- Reading blocks ---

struct Reads {
  int fd;
  int depth;       // reads under way
  bool try_first;  // those that the page cache has need not go to lane or ring
  int64_t end_ns;
  uint64_t most;
  std::vector<Buffer> buffers;
  Random random{1};
  uint64_t done = 0;

  bool GoOn() const { return done < most && NowNs() < end_ns; }

  // Where lane or ring is to read next.
  uint64_t NextOffset(char* buffer) {
    for (;;) {
      const uint64_t offset = random.Below(kFileBytes / kBlockBytes) * kBlockBytes;
      iovec room{.iov_base = buffer, .iov_len = kBlockBytes};
      const bool had = try_first && preadv2(fd, &room, 1, static_cast<off_t>(offset), RWF_NOWAIT) ==
                                        static_cast<ssize_t>(kBlockBytes);
      if (!had || !GoOn()) return offset;
      ++done;
    }
  }
};

class BlockJob : public storage::Job {
 public:
  BlockJob(int fd, uint64_t offset, size_t its_slot, char* buffer)
      : Job(storage::Lane::kRead), slot(its_slot), fd_(fd), offset_(offset), buffer_(buffer) {}
  bool RunStep() override {
    ok = pread(fd_, buffer_, kBlockBytes, static_cast<off_t>(offset_)) ==
         static_cast<ssize_t>(kBlockBytes);
    return true;
  }
  const char* Name() const override { return "read a block"; }

  const size_t slot;
  bool ok = false;

 private:
  int fd_;
  uint64_t offset_;
  char* buffer_;
};

void ReadOnLane(Reads* reads) {
  std::atomic<int> rung{0};
  node::JobLanes lanes([&rung] {
    rung.store(1, std::memory_order_release);
    rung.notify_one();
  });
  const auto start = [&](size_t slot) {
    char* const buffer = reads->buffers[slot].get();
    lanes.Start(std::make_unique<BlockJob>(reads->fd, reads->NextOffset(buffer), slot, buffer));
  };
  for (size_t slot = 0; slot < reads->buffers.size(); ++slot) start(slot);
  std::vector<std::unique_ptr<storage::Job>> finished;
  while (lanes.outstanding() > 0) {
    rung.wait(0, std::memory_order_acquire);
    rung.store(0, std::memory_order_release);
    lanes.TakeFinished(&finished);
    const bool go_on = reads->GoOn();
    for (const std::unique_ptr<storage::Job>& job : finished) {
      const auto& block = static_cast<const BlockJob&>(*job);
      if (!block.ok) Die("a read on the lane failed");
      ++reads->done;
      if (go_on) start(block.slot);
    }
  }
}

void ReadOnRing(Reads* reads) {
  IoRing ring(static_cast<uint32_t>(reads->depth));
  const auto start = [&](size_t slot) {
    char* const buffer = reads->buffers[slot].get();
    ring.Read(reads->fd, reads->NextOffset(buffer), kBlockBytes, buffer, slot);
  };
  for (size_t slot = 0; slot < reads->buffers.size(); ++slot) start(slot);
  for (size_t out = reads->buffers.size(); out > 0;) {
    ring.SubmitAndWait();
    const bool go_on = reads->GoOn();
    uint64_t slot = 0;
    for (int32_t result = 0; ring.Pop(&slot, &result);) {
      if (result != static_cast<int32_t>(kBlockBytes)) Die("a read of io_uring failed");
      ++reads->done;
      if (go_on) {
        start(slot);
      } else {
        --out;
      }
    }
  }
}

enum class Source { kDevice, kColdPageCache, kPageCache };

void MeasureRandomReads(const std::string& path, Source source) {
  static constexpr const char* kNames[] = {"the device", "page cache, cold", "page cache"};
  const bool direct = source == Source::kDevice;
  const bool cold = source == Source::kColdPageCache;
  for (const int depth : {1, 4, 32}) {
    for (const bool try_first : {false, true}) {
      if (direct && try_first) continue;  // there is no page cache to ask
      for (const auto& [name, run] : {std::pair("lane", &ReadOnLane), {"io_uring", &ReadOnRing}}) {
        Reads reads{.fd = Open(path, O_RDONLY | (direct ? O_DIRECT : 0)),
                    .depth = depth,
                    .try_first = try_first,
                    .end_ns = 0,
                    .most = cold ? kColdReadsMax : ~uint64_t{0},
                    .buffers = {}};
        for (int i = 0; i < depth; ++i) reads.buffers.push_back(MakeBuffer(kBlockBytes));
        if (cold && posix_fadvise(reads.fd, 0, 0, POSIX_FADV_DONTNEED) != 0) Fail(path);
        const double cpu_before = CpuSeconds();
        const int64_t started_ns = NowNs();
        reads.end_ns = started_ns + static_cast<int64_t>(kSeconds * 1e9);
        run(&reads);
        const double seconds = static_cast<double>(NowNs() - started_ns) / 1e9;
        const auto done = static_cast<double>(reads.done);
        absl::PrintF("%-16s %2d at once, %-6s%-9s %9.0f reads/s  cpu %5.2f us a read\n",
                     kNames[static_cast<int>(source)], depth, try_first ? "tried," : "", name,
                     done / seconds, (CpuSeconds() - cpu_before) * 1e6 / done);
        close(reads.fd);
      }
    }
  }
}

int Main(const std::string& parent) {
  std::string dir = parent + "/io_paths-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) Fail(dir);
  absl::PrintF("Writing tables of %d MiB beside a log\n", kTableBytes >> 20);
  MeasureWrites(dir, "nothing beside it", nullptr);
  for (int round = 0; round < 2; ++round) {
    MeasureWrites(dir, "page cache, sync_file_range", &WriteThroughCache);
    MeasureWrites(dir, "O_DIRECT", &WriteDirect);
  }
  const std::string path = dir + "/blocks";
  const int fd = Open(path, O_WRONLY | O_CREAT | O_EXCL);
  const Buffer piece = MakeBuffer(kPieceBytes);
  for (uint64_t at = 0; at < kFileBytes; at += kPieceBytes) {
    if (write(fd, piece.get(), kPieceBytes) != static_cast<ssize_t>(kPieceBytes)) Fail(path);
  }
  if (fsync(fd) != 0) Fail(path);
  close(fd);
  absl::PrintF("\nReading them, 256 KiB at a time\n");
  MeasureSequentialRead(path, "page cache, warm", 0, false);
  MeasureSequentialRead(path, "page cache, cold", 0, true);
  MeasureSequentialRead(path, "O_DIRECT", O_DIRECT, true);
  absl::PrintF("\nReading blocks of 4 KiB at random\n");
  MeasureRandomReads(path, Source::kDevice);
  MeasureRandomReads(path, Source::kColdPageCache);
  MeasureSequentialRead(path, "(filling the page cache)", 0, false);
  MeasureRandomReads(path, Source::kPageCache);
  unlink(path.c_str());
  rmdir(dir.c_str());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace norn::benchmarks

int main(int argc, char** argv) {
  return norn::benchmarks::Main(argc > 1 ? argv[1]
                                         : std::filesystem::temp_directory_path().string());
}
