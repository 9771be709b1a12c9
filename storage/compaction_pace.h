// When a compaction that is held to a rate may go on, so that it leaves most of the disk to what
// replies wait for.
//
// After a slice that wrote some bytes, the next one may start once those bytes' time has passed
// since that slice started. What was not used is not saved up. Write debt (write_debt.h) shortens
// the pause, and a fifth of the most debt ends it: long before puts would be refused for the sake
// of an even disk, compactions run as fast as they can. (RocksDB's auto-tuned rate limiter raises
// its rate likewise, by how often the rate was the bound.)
//
// Nothing is held to a rate unless the owner asks for it: beside a compaction of
// //benchmarks:compare_engines ("put beside compaction", with --norn-compaction-rate of 32 and 96
// MB/s) neither kind of put gained more than the measure's own noise on a disk of 0.5 GiB/s. It is
// for slower disks, and for those that are shared.
//
// A value with no clock: it is told the time. Integers only, for both worlds.

#ifndef NORN_STORAGE_COMPACTION_PACE_H_
#define NORN_STORAGE_COMPACTION_PACE_H_

#include <algorithm>
#include <cstdint>

#include "storage/write_debt.h"

namespace norn::storage {

class CompactionPace {
 public:
  // 0: no limit.
  explicit CompactionPace(uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  // A slice that started at `started_us` wrote so much.
  void Wrote(int64_t started_us, uint64_t bytes) {
    if (bytes_per_second_ == 0) return;
    started_us_ = started_us;
    // A minute at most, whatever the figures: nothing overflows, and nothing waits for ever.
    constexpr uint64_t kPauseUsMax = 60'000'000;
    constexpr uint64_t kSecondUs = 1'000'000;
    constexpr uint64_t kBytesMax = UINT64_MAX / kSecondUs;
    pause_us_ = static_cast<int64_t>(
        std::min(std::min(bytes, kBytesMax) * kSecondUs / bytes_per_second_, kPauseUsMax));
  }

  // When the next slice may start, with this write debt.
  int64_t StartAt(int debt) const {
    constexpr int kDebtWithoutPause = kWriteDebtMax / 5;
    const int left = std::max(kDebtWithoutPause - debt, 0);
    return started_us_ + pause_us_ * left / kDebtWithoutPause;
  }

 private:
  uint64_t bytes_per_second_;
  int64_t started_us_ = 0;
  int64_t pause_us_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPACTION_PACE_H_
