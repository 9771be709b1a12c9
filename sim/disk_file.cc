#include "sim/disk_file.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"

namespace norn::sim {
namespace {

// End of the sector that holds the byte at `offset`.
uint64_t SectorEnd(uint64_t offset) { return (offset / kSectorBytes + 1) * kSectorBytes; }

}  // namespace

void DiskFile::Append(absl::string_view data) {
  if (data.empty()) return;
  content_.append(data.data(), data.size());
  pending_ends_.push_back(content_.size());
}

void DiskFile::AppendDoomed(absl::string_view data) {
  if (data.empty()) return;
  doomed_.push_back({content_.size(), content_.size() + data.size()});
  Append(data);
}

void DiskFile::Sync() {
  durable_size_ = content_.size();
  pending_ends_.clear();
}

void DiskFile::FailSync() {
  if (durable_size_ == content_.size()) return;
  // A sync that failed before was about a part of the same bytes.
  while (!doomed_.empty() && doomed_.back().begin >= durable_size_) doomed_.pop_back();
  // The bytes stay in pending_ends_: until a sync succeeds, their length is as
  // uncertain as before. What is added here is that no sync can rescue the bytes.
  doomed_.push_back({durable_size_, content_.size()});
}

void DiskFile::Crash(CrashLoss loss, absl::string_view scrap, Random* random,
                     FaultCounters* counters) {
  if (loss == CrashLoss::kProcessOnly) return;
  CORE_CHECK(durable_size_ <= content_.size());
  if (durable_size_ < content_.size() && loss != CrashLoss::kNothing) {
    const uint64_t length =
        loss == CrashLoss::kAllUnsynced ? durable_size_ : PickSurvivingLength(random);
    CORE_CHECK(length >= durable_size_ && length <= content_.size());
    counters->crash_lost_bytes += content_.size() - length;
    content_.resize(length);
    if (loss == CrashLoss::kRandomSubset) LoseSectors(scrap, random, counters);
  }
  LoseDoomed(scrap, random, counters);
  // What is on the medium now is what the next process finds, and it stays.
  Sync();
}

uint64_t DiskFile::PickSurvivingLength(Random* random) const {
  CORE_CHECK(!pending_ends_.empty());
  const uint64_t choice = random->Below(pending_ends_.size() + 1);
  if (choice == 0) return durable_size_;
  const uint64_t end = pending_ends_[choice - 1];
  const uint64_t begin = choice == 1 ? durable_size_ : pending_ends_[choice - 2];
  // A long append is written back in pieces: its length can stop at any sector.
  const uint64_t first_boundary = SectorEnd(begin);
  if (first_boundary >= end || random->Chance(1, 2)) return end;
  const uint64_t boundaries = (end - first_boundary + kSectorBytes - 1) / kSectorBytes;
  return first_boundary + random->Below(boundaries) * kSectorBytes;
}

void DiskFile::LoseSectors(absl::string_view scrap, Random* random, FaultCounters* counters) {
  // Of eight sectors, how many survive: the extremes find other bugs than the middle.
  static constexpr uint64_t kKeptOfEight[] = {0, 1, 4, 7, 8};
  const uint64_t kept_of_eight = kKeptOfEight[random->Below(5)];
  if (kept_of_eight == 8) return;
  size_t next_end = 0;
  for (uint64_t begin = durable_size_; begin < content_.size();) {
    const uint64_t end = std::min<uint64_t>(SectorEnd(begin), content_.size());
    // Appends that ended inside this sector: it was written once for each of them, and
    // any of those versions may be the one that is found.
    while (next_end < pending_ends_.size() && pending_ends_[next_end] <= begin) ++next_end;
    size_t after = next_end;
    while (after < pending_ends_.size() && pending_ends_[after] < end) ++after;
    if (!random->Chance(kept_of_eight, 8)) {
      const uint64_t version = random->Below(after - next_end + 1);
      Forget(version == 0 ? begin : pending_ends_[next_end + version - 1], end, scrap, random);
      ++counters->crash_lost_sectors;
    }
    begin = end;
  }
}

void DiskFile::LoseDoomed(absl::string_view scrap, Random* random, FaultCounters* counters) {
  for (const Range& range : doomed_) {
    const uint64_t limit = std::min<uint64_t>(range.end, content_.size());
    for (uint64_t begin = range.begin; begin < limit;) {
      const uint64_t end = std::min(SectorEnd(begin), limit);
      Forget(begin, end, scrap, random);
      counters->failed_sync_lost_bytes += end - begin;
      begin = end;
    }
  }
  doomed_.clear();
}

void DiskFile::Forget(uint64_t begin, uint64_t end, absl::string_view scrap, Random* random) {
  CORE_CHECK(begin < end && end <= content_.size());
  CORE_CHECK(begin / kSectorBytes == (end - 1) / kSectorBytes);
  const size_t n = end - begin;
  const uint64_t in_sector = begin % kSectorBytes;
  const uint64_t kind = random->Below(3);
  const uint64_t own_sectors = begin / kSectorBytes;
  const uint64_t scrap_sectors = scrap.size() / kSectorBytes;
  if (kind == 1 && own_sectors > 0) {
    // A block that an older part of this file was moved away from.
    const uint64_t from = random->Below(own_sectors) * kSectorBytes + in_sector;
    std::memcpy(&content_[begin], content_.data() + from, n);
  } else if (kind == 2 && scrap_sectors > 0) {
    const uint64_t from = random->Below(scrap_sectors) * kSectorBytes + in_sector;
    std::memcpy(&content_[begin], scrap.data() + from, n);
  } else {
    std::memset(&content_[begin], 0, n);
  }
}

void DiskFile::FlipBit(uint64_t offset, int bit) {
  CORE_CHECK(offset < content_.size());
  CORE_CHECK(bit >= 0 && bit < 8);
  content_[offset] = static_cast<char>(static_cast<unsigned char>(content_[offset]) ^ (1u << bit));
  damaged_.push_back({offset, offset + 1});
}

void DiskFile::Overwrite(uint64_t offset, absl::string_view bytes) {
  CORE_CHECK(offset <= content_.size() && bytes.size() <= content_.size() - offset);
  if (bytes.empty()) return;
  std::memcpy(&content_[offset], bytes.data(), bytes.size());
  damaged_.push_back({offset, offset + bytes.size()});
}

bool DiskFile::Overlaps(const std::vector<Range>& ranges, uint64_t offset, uint64_t n) {
  if (ranges.empty() || n == 0) return false;
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return range.begin < offset + n && offset < range.end;
  });
}

}  // namespace norn::sim
