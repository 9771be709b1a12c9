// One file of a simulated disk: its bytes, and which of them a crash can take.
//
// Invariants:
//   * content_ is what a process reads now (the kernel's cache); the first
//     durable_size_ bytes of it have been synced, and pending_ends_ holds, ascending,
//     the length after each append since, so that its last element is the size;
//   * doomed_ are bytes that no sync saves: pages that a failed sync declared clean, and
//     writes that the device swallowed. They read well until power fails;
//   * a crash never changes a byte below durable_size_ that is not doomed.
//
// An append costs a memcpy and one list element; all per-sector work happens in a crash.

#ifndef NORN_SIM_DISK_FILE_H_
#define NORN_SIM_DISK_FILE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/random.h"
#include "sim/disk_fault.h"

namespace norn::sim {

// The unit that a disk writes whole or not at all.
inline constexpr uint64_t kSectorBytes = 512;

class DiskFile {
 public:
  // `id` is unique on its disk and orders files without looking at addresses.
  explicit DiskFile(uint64_t id) : id_(id) {}

  uint64_t id() const { return id_; }
  uint64_t size() const { return content_.size(); }
  uint64_t durable_size() const { return durable_size_; }
  const std::string& content() const { return content_; }

  // Room on the disk that the file occupies: its size, or more if it was preallocated.
  // kUncharged once no name refers to it: such a file can grow for nothing.
  static constexpr uint64_t kUncharged = std::numeric_limits<uint64_t>::max();
  uint64_t charged() const { return charged_; }
  void set_charged(uint64_t bytes) { charged_ = bytes; }

  // Readers see zeros behind the content (storage::FileSystem::CreateLog). For ever: nothing
  // makes the cut of a closed log durable.
  bool zero_tail() const { return zero_tail_; }
  void set_zero_tail(bool zero_tail) { zero_tail_ = zero_tail; }

  void Append(absl::string_view data);
  // An append that the device swallows: not even a sync makes it durable.
  void AppendDoomed(absl::string_view data);
  void Sync();
  // A sync that failed: what was not synced now looks clean, and power failing loses it.
  void FailSync();

  // Power fails. `scrap` is old content of the medium that may show up in lost sectors.
  void Crash(CrashLoss loss, absl::string_view scrap, Random* random, FaultCounters* counters);

  // Damage to the medium below the file, seen by readers at once.
  void FlipBit(uint64_t offset, int bit);
  void Overwrite(uint64_t offset, absl::string_view bytes);
  // True if [offset, offset + n) holds bytes that FlipBit or Overwrite damaged.
  bool Damaged(uint64_t offset, uint64_t n) const { return Overlaps(damaged_, offset, n); }

  // Reads of [begin, end) fail from now on.
  void AddReadError(uint64_t begin, uint64_t end) { bad_ranges_.push_back({begin, end}); }
  void ClearReadErrors() { bad_ranges_.clear(); }
  bool HasReadError(uint64_t offset, uint64_t n) const { return Overlaps(bad_ranges_, offset, n); }

 private:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  static bool Overlaps(const std::vector<Range>& ranges, uint64_t offset, uint64_t n);

  uint64_t PickSurvivingLength(Random* random) const;
  void LoseSectors(absl::string_view scrap, Random* random, FaultCounters* counters);
  void LoseDoomed(absl::string_view scrap, Random* random, FaultCounters* counters);
  // Replaces [begin, end), which lies in one sector, by zeros or older content.
  void Forget(uint64_t begin, uint64_t end, absl::string_view scrap, Random* random);

  uint64_t id_;
  std::string content_;
  uint64_t durable_size_ = 0;
  uint64_t charged_ = 0;
  bool zero_tail_ = false;
  std::vector<uint64_t> pending_ends_;
  std::vector<Range> doomed_;
  std::vector<Range> damaged_;
  std::vector<Range> bad_ranges_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_DISK_FILE_H_
