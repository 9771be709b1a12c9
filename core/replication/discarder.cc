#include "core/replication/discarder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/replication/record_ops.h"

namespace norn {

namespace {

constexpr int64_t kRetryAfterUs = 100'000;

}  // namespace

void Discarder::Begin(StepContext& step, PartitionId partition) {
  partitions_.push_back(partition);
  if (partitions_.size() == 1) Next(step);
}

void Discarder::Next(StepContext& step) {
  from_.clear();
  removed_ = 0;
  if (!partitions_.empty()) ScanPage(step);
}

void Discarder::ScanPage(StepContext& step) {
  scan_id_ = ++next_id_;
  awaited_ = 1;
  refused_ = false;
  StoreScan scan;
  scan.ticket = MakeTicket(TicketKind::kDiscard, scan_id_);
  scan.partition = partitions_.front();
  scan.from = from_;
  scan.entries_max = node_.options.exchange_page_entries;
  scan.bytes_max = node_.options.exchange_page_bytes;
  step.out.store.emplace_back(std::move(scan));
}

std::optional<PartitionId> Discarder::OnStoreReply(StepContext& step, uint64_t id,
                                                   StoreReply&& reply) {
  --awaited_;
  const PartitionId partition = partitions_.front();
  if (id == scan_id_) {
    refused_ = !reply.status.ok();
    next_ = std::move(reply.next);
    for (KeyRecord& entry : reply.entries) {
      StoreUpdate update;
      update.ticket = MakeTicket(TicketKind::kDiscard, ++next_id_);
      update.partition = partition;
      update.op = RemoveOp{HashOf(entry.record)};
      update.key = std::move(entry.key);
      step.out.store.emplace_back(std::move(update));
      ++awaited_;
    }
  } else if (reply.status.ok()) {
    ++removed_;
  } else {
    refused_ = true;
  }
  if (awaited_ > 0) return std::nullopt;
  if (refused_) {
    retry_us_ = step.now.monotonic_us + kRetryAfterUs;
    return std::nullopt;
  }
  if (!next_.empty()) {
    from_ = std::move(next_);
    ScanPage(step);
    return std::nullopt;
  }
  step.Note(Note::Level::kWarning,
            absl::StrCat("partition ", partition, ": ", removed_,
                         " records were thrown away: they may be older than tombstones that the "
                         "other replicas have removed, and are taken from those anew"));
  partitions_.pop_front();
  Next(step);
  return partition;
}

void Discarder::OnTimer(StepContext& step) {
  if (step.now.monotonic_us < retry_us_) return;
  retry_us_ = kNever;
  ScanPage(step);
}

}  // namespace norn
