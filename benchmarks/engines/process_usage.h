// What a process has used, and the end of one that cannot go on.

#ifndef NORN_BENCHMARKS_ENGINES_PROCESS_USAGE_H_
#define NORN_BENCHMARKS_ENGINES_PROCESS_USAGE_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn::benchmarks {

// Prints the message and ends the process. Its directories are removed by the parent.
[[noreturn]] void Die(absl::string_view message);

inline int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// User and system time of all threads of this process.
double CpuSeconds();

// Bytes that this process sent to the storage layer: pages made dirty, as /proc/self/io
// counts them (write_bytes). A page that is written, synced and written again counts twice.
uint64_t BytesWritten();

// Processor time that the whole machine has used since its start, on all cores.
double MachineCpuSeconds();
// User and system time of this process and of its children that have ended.
double FamilyCpuSeconds();

// Returns when other programs have left the processor alone for a moment, or after
// `seconds_max`: how long it took. The caller uses none itself.
double WaitForQuiet(double seconds_max);

// Peak resident memory in MiB.
double PeakMemoryMib();

// Room that the files below `dir` take on the disk, preallocated room included.
uint64_t DirectoryBytes(const std::string& dir);

// Waits until the file system of `dir` has nothing to write back any more.
void SyncFileSystem(const std::string& dir);

// Sleeps until this process's other threads have done nothing for a while.
void WaitUntilIdle();

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_PROCESS_USAGE_H_
